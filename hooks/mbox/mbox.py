#!/usr/bin/python3
"""Appends every message to one file in the mbox format (RFC 4155 and its relatives).

    [[hook]]
    use = "mbox"
    options = { path = "mbox", format = "mboxrd" }    these are the defaults

    path      from the hook's state folder on, or absolute
    format    mboxrd: a line `From `, also one behind `>`s, gets a `>` in front, which a reader can take away again.
              mboxo: only `From ` does, as old readers expect; what was `>From ` before cannot be told apart then.

The message is accepted when it is on disk to stay, the file locked meanwhile with fcntl(2) as Debian's mail programs do
(several instances, and a mail reader, may share it). Lines end with LF there. A full disk is 452 4.3.1, and the file is as
it was before. A message that a later hook refuses is taken back if it is still the last one; if not, the log says so.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pathlib
import re
import sys
import time
from collections import OrderedDict
from contextlib import contextmanager
from typing import Iterator

try:
    import hooksmtpd
except ModuleNotFoundError:  # by hand: from the build folder, or from the source
    sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("sdk", "python")]
    import hooksmtpd
from hooksmtpd import Answer, Request, defer

FROM = {"mboxrd": re.compile(rb">*From "), "mboxo": re.compile(rb"From ")}
REMEMBERED = 256  # messages that `reset` may take back
LOCK_SECONDS = 20  # for others to be done with the file

hook = hooksmtpd.Hook("mbox", stores=True)
path = pathlib.Path()
quote = FROM["mboxrd"]
recent: OrderedDict[str, tuple[int, int]] = OrderedDict()  # transaction: where its message begins and ends


@hook.hello
def hello(request: Request) -> None:
    global path, quote
    options = {"path": "mbox", "format": "mboxrd", **request.options}
    if unknown := set(options) - {"path", "format"}:
        raise ValueError(f"unknown option {min(unknown)!r}: there are path and format")
    if options["format"] not in FROM:
        raise ValueError(f"the option format is {options['format']!r}: it must be mboxrd or mboxo")
    path = pathlib.Path(os.environ.get("HOOK_STATE", "."), options["path"])
    make_folder(path.parent)
    quote = FROM[options["format"]]
    with locked():
        pass  # whoever may not write there hears of it now


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


@contextmanager
def locked() -> Iterator[int]:
    """The file, nobody else's until this descriptor is closed: to close any other one of the file would end a lock of
    fcntl(2), too."""
    end = time.monotonic() + LOCK_SECONDS
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            lock(descriptor, end)
            if is_there(descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def lock(descriptor: int, end: float) -> None:
    while True:
        try:
            return fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            if time.monotonic() > end:
                raise TimeoutError(f"{path} is locked by somebody else") from None
            time.sleep(0.02)


def is_there(descriptor: int) -> bool:
    """Whoever had the lock may have put another file in its place, and nobody would ever read this one."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@hook.deliver
def deliver(request: Request) -> Answer:
    try:
        with locked() as descriptor:
            begin, end = append(descriptor, request)
    except OSError as error:
        hook.log.error("mail not stored: %s", error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return defer("cannot store the message: no space left", code=452, enhanced="4.3.1")
        return defer("cannot store the message: see the log", code=451, enhanced="4.3.0")
    recent[request.transaction] = begin, end
    if len(recent) > REMEMBERED:
        recent.popitem(last=False)
    hook.log.notice("mail from=<%s> recipients=%d size=%d file=%s at=%d", printable(request.sender), len(request.to),
                    request.message.size, path, begin)
    return None


def append(descriptor: int, request: Request) -> tuple[int, int]:
    """On disk when this returns; what failed half-way is gone."""
    begin = os.lseek(descriptor, 0, os.SEEK_END)
    try:
        with open(descriptor, "ab", closefd=False) as file, request.message.open() as message:
            file.write(gap(descriptor, begin))
            sender = re.sub(r"[^!-~]", "-", request.sender) or "MAILER-DAEMON"
            file.write(f"From {sender} {time.asctime(time.gmtime())}\n".encode())
            line = b"\n"
            for line in message:
                line = line[:-2] + b"\n" if line.endswith(b"\r\n") else line
                file.write((b">" if quote.match(line) else b"") + line)
            file.write(b"\n" if line.endswith(b"\n") else b"\n\n")
        os.fsync(descriptor)
        if begin == 0:  # the name may be new
            sync(path.parent)
    except BaseException:
        os.ftruncate(descriptor, begin)
        raise
    return begin, os.lseek(descriptor, 0, os.SEEK_END)


def gap(descriptor: int, size: int) -> bytes:
    """What a `From ` line needs before it: a loss of power may have left half a message, and an editor no last newline."""
    tail = os.pread(descriptor, 2, max(0, size - 2))
    return b"" if size == 0 or tail == b"\n\n" else b"\n" if tail.endswith(b"\n") else b"\n\n"


@hook.reset
def reset(request: Request) -> None:
    place = recent.pop(request.transaction, None)
    if place is None:
        return
    begin, end = place
    with locked() as descriptor:
        if os.lseek(descriptor, 0, os.SEEK_END) == end:
            os.ftruncate(descriptor, begin)
            os.fsync(descriptor)
            hook.log.notice("mail taken back, a later hook refused it: file=%s at=%d", path, begin)
        else:
            hook.log.warning("mail not taken back, though a later hook refused it: others follow it in %s, at=%d", path, begin)


def printable(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:200]


if __name__ == "__main__":
    hook.run()
