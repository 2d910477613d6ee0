#!/usr/bin/python3
"""Hands every message to a web server: POST, until it has said 2xx.

    [[hook]]
    use = "webhook"
    options = { url = "http://127.0.0.1:8080/mail" }
    sandbox = { network = "host" }                        or "loopback"; without one of them nothing can be reached

    url              http or https; certificates are verified, against the system's authorities
    ca_file          or against this one
    headers          { "X-Name" = "value" }, sent along
    authorization    a file whose content is the header Authorization, such as "Bearer s3cret"
    outbox           where messages wait, from the hook's state folder on: "outbox"
    max_messages     that may wait: 1000;  max_bytes: 268435456. One more is answered with 452 4.3.1
    timeout          seconds for one POST: 30
    backoff          seconds from one try to the next, doubled each time: [1, 300], the first and the longest

ca_file and authorization are read in the hook's jail: sandbox.read has to name their folder.

A message is accepted when it is in the outbox, on disk to stay. From there it goes out in the order of acceptance, one
after the other. It stays until the server has said 2xx, whatever ends or dies meanwhile: at least once, and in rare cases
twice, then with the same header Idempotency-Key. 400, 413, 415 and 422 mean that the server will never take this message:
it moves to the folder `failed` beside the outbox, with a line in the log, and counts towards no limit. So does a file in
the outbox that is no message. Anything else is tried again, and holds up what comes after it. A message that a later hook refuses is taken back, unless it was sent: so
let this hook be the last.

The body is multipart/form-data: `request`, the JSON of the event without `message.path`, and `message`, the raw message.
Redirects are not followed, and proxies of the environment not used.
"""

from __future__ import annotations

import errno
import fcntl
import http.client
import json
import os
import pathlib
import re
import ssl
import sys
import threading
import time
import urllib.parse
import uuid
from typing import BinaryIO, Iterator, Optional

try:
    import hooksmtpd
except ModuleNotFoundError:  # by hand: from the build folder, or from the source
    sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("sdk", "python")]
    import hooksmtpd
from hooksmtpd import Answer, Request, defer

DEFAULTS = {"url": "", "ca_file": None, "headers": {}, "authorization": None, "outbox": "outbox", "max_messages": 1000,
            "max_bytes": 256 << 20, "timeout": 30, "backoff": [1, 300]}
NEVER = (400, 413, 415, 422)  # this message, at this server
FIELD_NAME, FIELD_VALUE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), re.compile(r"[\t -~\x80-\xff]*")  # RFC 9110 §5.5

hook = hooksmtpd.Hook("webhook", stores=True)


class Outbox:
    """A file for each message: a line of JSON, and the message. Its name sorts by the time of its acceptance and ends in
    the transaction. Several instances share the folder, and one of them sends."""

    def __init__(self, folder: pathlib.Path, max_messages: float, max_bytes: float) -> None:
        self.folder, self.max_messages, self.max_bytes = folder, max_messages, max_bytes
        self.failed = folder.with_name("failed")
        for made in (folder, self.failed):
            make_folder(made)
        self.lock = open(folder / ".lock", "a")
        self.last = 0
        self.sending: Optional[str] = None
        self.change = threading.Condition()

    def names(self) -> list[str]:
        return sorted(name for name in os.listdir(self.folder) if not name.startswith("."))

    def has_room(self, size: int) -> bool:
        waiting = [size_of(self.folder / name) for name in self.names()]
        return len(waiting) < self.max_messages and sum(waiting) + size <= self.max_bytes

    def put(self, request: Request) -> None:
        """On disk when this returns."""
        self.last = max(time.time_ns(), self.last + 1)
        name = f"{self.last:020d}-{request.transaction}"
        draft = self.folder / f".{name}"
        facts = {**request, "message": {key: value for key, value in request["message"].items() if key != "path"}}
        try:
            with draft.open("xb") as file, request.message.open() as message:
                file.write(json.dumps({"key": str(uuid.uuid4()), "request": facts}).encode() + b"\n")
                while piece := message.read(1 << 20):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            with self.change:  # the sender does not see it before it is there to stay
                draft.rename(self.folder / name)
                try:
                    sync(self.folder)
                except OSError:
                    (self.folder / name).unlink()
                    raise
                self.change.notify()
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def take_back(self, transaction: str) -> Optional[bool]:
        """Whether it was still there; None if it is on its way just now."""
        with self.change:
            for name in self.names():
                if name.endswith("-" + transaction):
                    if name == self.sending:
                        return None
                    (self.folder / name).unlink(missing_ok=True)
                    return True
        return False

    def next(self) -> str:
        """The message to send; waits for one, and for the turn of this process."""
        with self.change:
            self.sending = None
            while True:
                try:
                    fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if names := self.names():
                        self.sending = names[0]
                        return names[0]
                    self.change.wait(1)  # another instance may have put one there
                except BlockingIOError:
                    self.change.wait(1)

    def sweep(self) -> None:
        """Removes the drafts of a process that was killed, if no other instance runs."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for draft in self.folder.glob(".0*"):
            if time.time() - draft.stat().st_mtime > 3600:
                draft.unlink(missing_ok=True)


def size_of(file: pathlib.Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # sent meanwhile
        return 0


def make_folder(folder: pathlib.Path) -> None:
    """And those above it, each on disk before what is in it."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def sync(folder: pathlib.Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class NoMessage(Exception):
    """A file that put() has not written."""


class Server:
    """What is at the other end of the URL."""

    def __init__(self, options: dict) -> None:
        self.url = parse_url(options["url"])
        self.tls = trusting(options["ca_file"]) if self.url.scheme == "https" else None
        self.timeout = number(options, "timeout")
        if not isinstance(options["headers"], dict):
            raise ValueError('the option headers must be a table: headers = { "X-Name" = "value" }')
        self.headers = {str(name): str(value) for name, value in options["headers"].items()}
        if options["authorization"]:
            self.headers["Authorization"] = pathlib.Path(options["authorization"]).read_text().strip()
        for name, value in self.headers.items():
            if not FIELD_NAME.fullmatch(name) or not FIELD_VALUE.fullmatch(value):
                raise ValueError(f"the header {name} is not one that HTTP can carry: one line, in Latin-1")

    def post(self, file: BinaryIO) -> int:
        """The status. No answer is an OSError or an HTTPException."""
        try:
            about = json.loads(file.readline())
            key, request = str(about["key"]), json.dumps(about["request"])
        except (ValueError, TypeError, KeyError):
            raise NoMessage from None
        boundary = uuid.uuid4().hex
        before = (f'--{boundary}\r\nContent-Disposition: form-data; name="request"\r\nContent-Type: application/json\r\n\r\n'
                  f'{request}\r\n--{boundary}\r\nContent-Disposition: form-data; name="message"; '
                  f'filename="message.eml"\r\nContent-Type: message/rfc822\r\n\r\n').encode()
        after = f"\r\n--{boundary}--\r\n".encode()
        size = len(before) + os.fstat(file.fileno()).st_size - file.tell() + len(after)

        def body() -> Iterator[bytes]:
            yield before
            while piece := file.read(1 << 18):
                yield piece
            yield after

        make = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        more = {"context": self.tls} if self.tls else {}
        connection = make(self.url.hostname, self.url.port, timeout=self.timeout, **more)
        try:
            target = urllib.parse.urlunsplit(("", "", self.url.path or "/", self.url.query, ""))
            try:
                connection.request("POST", target, body(), {
                    "Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(size),
                    "User-Agent": "hooksmtpd-webhook", "Idempotency-Key": key, **self.headers})
            except (BrokenPipeError, ConnectionResetError):
                if connection.sock is None:
                    raise
                # It reads no further, and may have said why.
            return connection.getresponse().status
        finally:
            connection.close()


def trusting(ca_file: Optional[str]) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # which does not name the file
        raise ValueError(f"the option ca_file is {ca_file!r}: {error}") from None


def parse_url(text: object) -> urllib.parse.SplitResult:
    try:
        url = urllib.parse.urlsplit(str(text))
        if re.fullmatch("[!-~]+", str(text)) and url.scheme in ("http", "https") and url.hostname and url.port != 0:
            return url
    except ValueError:  # of its port or its IPv6 address
        pass
    raise ValueError('the option url must be a URL, in ASCII: url = "http://127.0.0.1:8080/mail"')


def number(options: dict, name: str) -> float:
    value = options[name]
    if type(value) not in (int, float) or not 0 < value < float("inf"):
        raise ValueError(f"the option {name} must be a number above 0")
    return value


class Sender(threading.Thread):
    def __init__(self, outbox: Outbox, server: Server, backoff: object) -> None:
        super().__init__(daemon=True)
        self.outbox, self.server = outbox, server
        if not isinstance(backoff, list) or len(backoff) != 2:
            raise ValueError("the option backoff must be two numbers of seconds: the first, and the longest")
        self.first, self.longest = (number({"backoff": one}, "backoff") for one in backoff)

    def run(self) -> None:
        pause = self.first
        while True:
            try:
                why = self.send(self.outbox.next())
            except Exception as error:  # whatever it is: messages are accepted as long as this process lives
                why = f"{type(error).__name__}: {error}"
            if why is None:
                pause = self.first
                continue
            hook.log.warning("not sent: %s; again in %g s. message=%s", why, pause, self.outbox.sending)
            self.outbox.sending = None  # until then it may be taken back
            time.sleep(pause)
            pause = min(2 * pause, self.longest)

    def send(self, name: str) -> Optional[str]:
        """None when this message is done with; else why it is not."""
        path = self.outbox.folder / name
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None  # taken back
        with file:
            try:
                status = self.server.post(file)
            except NoMessage:
                status = None
        if status is None:
            self.put_aside(path, "no message of this outbox")
        elif status in NEVER:
            self.put_aside(path, f"refused for good: status={status}")
        elif 200 <= status < 300:
            path.unlink(missing_ok=True)
            hook.log.info("sent: status=%d message=%s", status, name)
        else:
            return f"status {status}"
        return None

    def put_aside(self, path: pathlib.Path, why: str) -> None:
        path.rename(self.outbox.failed / path.name)
        hook.log.error("%s, kept as %s", why, self.outbox.failed / path.name)


outbox: Outbox


@hook.hello
def hello(request: Request) -> None:
    global outbox
    if unknown := set(request.options) - set(DEFAULTS):
        raise ValueError(f"unknown option {min(unknown)!r}: there are {', '.join(DEFAULTS)}")
    options = {**DEFAULTS, **request.options}
    server = Server(options)
    most, octets = number(options, "max_messages"), number(options, "max_bytes")
    outbox = Outbox(pathlib.Path(os.environ.get("HOOK_STATE", "."), options["outbox"]), most, octets)
    outbox.sweep()
    Sender(outbox, server, options["backoff"]).start()


@hook.deliver
def deliver(request: Request) -> Answer:
    if not outbox.has_room(request.message.size):
        hook.log.error("the outbox is full: messages wait for the web server")
        return defer("too many messages wait to be handed on", code=452, enhanced="4.3.1")
    try:
        outbox.put(request)
    except OSError as error:
        hook.log.error("mail not stored: %s", error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return defer("cannot store the message", code=452 if full else 451, enhanced="4.3.1" if full else "4.3.0")
    return None


@hook.reset
def reset(request: Request) -> None:
    if not (gone := outbox.take_back(request.transaction)):
        hook.log.warning("a later hook refused %s, but it %s", request.transaction, "was sent" if gone is False else "is being sent")


if __name__ == "__main__":
    hook.run()
