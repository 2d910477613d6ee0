#!/usr/bin/python3
"""Runs a plain command for every event: one process each, as pipe(8) and others do (proto/hook/PROTOCOL.md).

    command = [".../hooks/exec", "-j", "4", "/etc/hooksmtpd/hooks/store.sh"]
    events = ["validate_recipient", "deliver"]

    exec [-j N] [-t SECONDS] COMMAND [ARGUMENT...]
        -j N        at most N of them at once; 1 if not given
        -t SECONDS  how long one may take; if not given, a little less than the daemon waits for this hook

What the command gets:
    standard input   the message, raw, with `deliver` and `deliver_mime`; else nothing
    descriptor 3     the request, one line of JSON: everything that is known, and the only place for what is not harmless
    environment      that of the hook, and HOOK_EVENT, HOOK_SESSION, HOOK_TRANSACTION, HOOK_LISTENER, HOOK_PROTOCOL,
                     HOOK_CLIENT_IP, HOOK_HELO, HOOK_USER, HOOK_ADDRESS (of validate_*), HOOK_FROM, HOOK_TO (blanks
                     between several), HOOK_SIZE, HOOK_REASON; empty where the event has no such thing
    standard error   the daemon's log

    A value with another byte than A-Z a-z 0-9 . @ _ + = -, or of more than 64 KiB, is not handed over: its variable is
    empty, and HOOK_UNSAFE names it, blanks between several. (HOOK_CLIENT_IP, which is no text of the client's, may have
    colons as well.) So no value needs quoting; but one can begin with a dash, like an option.

What it answers: its exit status (sysexits.h), and the last line of its standard output as the text of the reply.
    0                         accept
    67 EX_NOUSER              reject 550 5.1.1
    68 EX_NOHOST              reject 550 5.1.2
    65 EX_DATAERR             reject 554 5.6.0
    76 EX_PROTOCOL            reject 554 5.5.0
    77 EX_NOPERM              reject 550 5.7.1
    75 EX_TEMPFAIL, 71 EX_OSERR, 74 EX_IOERR           defer
    70 EX_SOFTWARE, 72 EX_OSFILE, 78 EX_CONFIG         defer: the trouble is ours, not the client's
    73 EX_CANTCREAT                                    defer 452 4.3.1
    126, 127 (a shell could not run something)         defer
    any other                 reject, with the event's own reply
    killed by a signal, or for the time it took        defer

    A text that begins with a code of the verdict's kind brings its own reply: `echo "550 5.7.1 not here"; exit 1`.

`auth` is not for plain commands: one that does not look at HOOK_EVENT would let everybody in. `reset` is asked for only if
`events` names it: one that does not look would store an empty message.

A process for each event costs about a hundred times what a line over a pipe costs: see the SDKs for the other way.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import pathlib
import re
import select
import shutil
import signal
import sys
import time

try:
    import hooksmtpd
except ModuleNotFoundError:  # by hand: from the build folder, or from the source
    here = pathlib.Path(__file__).resolve().parents[1]
    sys.path[:0] = [str(here / "sdk"), str(here / "python")]
    import hooksmtpd
from hooksmtpd import EVENTS, Answer, Log, Request, accept, defer, reject

SAFE = re.compile(r"[A-Za-z0-9.@_+=-]*")
TEXT_OF = re.compile(r"(?:(?P<code>[45]\d\d)(?!\S) *)?(?:(?P<enhanced>[45]\.\d{1,3}\.\d{1,3})(?!\S) *)?(?P<text>.*)")
LONGEST = 65536  # octets of a value; the kernel takes twice as much
KEPT = 4096  # octets of the end of standard output
REJECTS = {65: (554, "5.6.0", "bad message"), 67: (550, "5.1.1", "no such user"), 68: (550, "5.1.2", "no such host"),
           76: (554, "5.5.0", "bad protocol"), 77: (550, "5.7.1", "not permitted")}
DEFERS = {70: None, 71: None, 72: None, 73: (452, "4.3.1"), 74: None, 75: None, 78: None, 126: None, 127: None}
QUIET = (71, 74, 75)  # it meant what it said; the others are worth a warning


def variables(request: Request) -> dict[str, str]:
    """HOOK_* for one event. What is not harmless to everybody who could ever read it is left out."""
    message = request.get("message", {})
    found = {
        "EVENT": request.event, "SESSION": request.get("session", ""), "TRANSACTION": request.get("transaction", ""),
        "LISTENER": request.get("listener", ""), "PROTOCOL": request.get("protocol", ""),
        "CLIENT_IP": request.get("client", {}).get("ip", ""), "HELO": request.get("helo", ""), "USER": request.get("user", ""),
        "ADDRESS": request.get("address", ""), "FROM": request.get("from", ""), "TO": request.get("to", []),
        "SIZE": str(message.get("size", "")), "REASON": request.get("reason", ""),
    }
    set_to, unsafe = {}, []
    for name, value in found.items():
        words = value if isinstance(value, list) else [value]
        is_safe = all(map(SAFE.fullmatch, words)) and len(" ".join(words)) <= LONGEST
        if not (is_safe or name == "CLIENT_IP" and is_address(value)):
            words = []
            unsafe.append("HOOK_" + name)
        set_to["HOOK_" + name] = " ".join(words)
    return {**set_to, "HOOK_UNSAFE": " ".join(unsafe)}


def is_address(text: str) -> bool:
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False


class Command:
    def __init__(self, words: list[str], seconds: float | None, log: Log) -> None:
        self.words, self.seconds, self.log = words, seconds, log
        self.limits: dict[str, float] = {}  # of each event, in seconds

    def hello(self, request: Request) -> None:
        events = request.get("events", [])
        if "auth" in events:
            raise ValueError("exec takes no `auth`: a plain command would let everybody in by mistake. Leave it out of events")
        if not shutil.which(self.words[0]):
            raise ValueError(f"cannot run {self.words[0]!r}: it is not there, not executable, or not shown to this hook "
                             "(sandbox.read)")
        self.limits = {event: milliseconds * 0.9 / 1000 for event, milliseconds in request.get("timeout_ms", {}).items()}

    def limit(self, event: str) -> float:
        return min(self.seconds or 3600, self.limits.get(event, 3600))

    def answer(self, request: Request) -> Answer:
        path = request.get("message", {}).get("path", os.devnull)
        with open(path, "rb") as message, os.fdopen(os.memfd_create("request"), "wb") as line:
            line.write(json.dumps(request, separators=(",", ":")).encode() + b"\n")
            line.flush()
            line.seek(0)
            reading, writing = os.pipe()
            try:
                process = os.posix_spawnp(
                    self.words[0], self.words, {**os.environ, **variables(request)}, setsid=True,
                    setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
                    file_actions=[(os.POSIX_SPAWN_DUP2, message.fileno(), 0), (os.POSIX_SPAWN_DUP2, writing, 1),
                                  (os.POSIX_SPAWN_DUP2, line.fileno(), 3)])
            except OSError:
                os.close(reading)
                raise
            finally:
                os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as output:
            status, said = finish(process, output.fileno(), self.limit(request.event))
        return self.verdict(status, last_line(said))

    def verdict(self, status: int | None, said: str) -> Answer:
        """`status`: negative for a signal, None if the time was up."""
        if status == 0:
            return accept()
        if status is None or status < 0 or status in DEFERS:
            if status not in QUIET:
                self.log.warning("deferred: the command %s", how(status))
            code, enhanced = DEFERS.get(status or 0) or (None, None)
            return defer(**reply("4", said, code, enhanced))
        code, enhanced, text = REJECTS.get(status, (None, None, ""))
        return reject(**reply("5", said or text, code, enhanced))


def finish(process: int, output: int, seconds: float) -> tuple[int | None, bytes]:
    """Waits for the process, and kills it and its children when the time is up: None then. What it left in the background
    may hold its output open, or go on writing; nobody waits for that."""
    end, said, status = time.monotonic() + seconds, b"", None
    os.set_blocking(output, False)
    ended = os.pidfd_open(process)
    poll = select.poll()
    poll.register(output, select.POLLIN)
    poll.register(ended, select.POLLIN)
    try:
        while (left := end - time.monotonic()) > 0:
            ready = dict(poll.poll(left * 1000))
            piece = read(output)
            said = (said + piece)[-KEPT:]
            if ended in ready:
                status = 0
                break
            if output in ready and not piece:
                poll.unregister(output)
        else:
            os.killpg(process, signal.SIGKILL)
    finally:
        os.close(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return (None if status is None else code), said


def read(output: int) -> bytes:
    """What is in the pipe; nothing at its end, too."""
    try:
        return os.read(output, 1 << 20)
    except BlockingIOError:
        return b""


def last_line(said: bytes) -> str:
    """Without control characters: the daemon sees to the rest."""
    lines = said.decode("utf-8", "replace").split("\n")
    found = [clean for line in lines if (clean := "".join(c for c in line if c.isprintable()).strip())]
    return found[-1][:400] if found else ""


def how(status: int | None) -> str:
    if status is None:
        return "took too long, and was killed"
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"


def reply(kind: str, said: str, code: int | None, enhanced: str | None) -> dict[str, object]:
    """What the command said, with the codes at its beginning if they are of the verdict's kind, or else with ours."""
    own = TEXT_OF.fullmatch(said)
    if own["code"] and own["code"][0] == kind and int(own["code"]) % 100 < 60 and (own["enhanced"] or kind)[0] == kind:
        code, enhanced, said = int(own["code"]), own["enhanced"], own["text"]
    return {"text": said or None, "code": code, "enhanced": enhanced}


def main() -> None:
    parser = argparse.ArgumentParser(usage="exec [-j N] [-t SECONDS] COMMAND [ARGUMENT...]", allow_abbrev=False)
    parser.add_argument("-j", type=int, default=1, metavar="N", choices=range(1, 257))
    parser.add_argument("-t", type=float, metavar="SECONDS")
    parser.add_argument("words", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    words = given.words[1:] if given.words[:1] == ["--"] else given.words
    if not words:
        parser.error("a command is missing")
    hook = hooksmtpd.Hook("exec", threads=given.j if given.j > 1 else 0)
    command = Command(words, given.t, hook.log)

    @hook.hello
    def hello(request: Request) -> None:
        command.hello(request)
        hook.on(*(event for event in request.events if event in EVENTS and event != "cancel"))(command.answer)

    hook.run()


if __name__ == "__main__":
    main()
