"""Frames that nobody honest sends, over the daemon's own sockets: the test takes a copy of one end (pidfd_getfd) and speaks in the place of
whoever holds it. Who gets them ends, with a line in the log, and takes along what it started; nobody else does.

What a worker that was taken over sends to the supervisor stands in evil_worker_test.py; every reader has a fuzz target, too (tests/fuzz)."""

import ctypes
import os
import re
import socket
import struct
import subprocess

import pytest

from harness import hooks, processes
from harness.network import libc

PIDFD_GETFD = 438
BROKEN = 70  # EX_SOFTWARE

# daemon/sys/frame.h
START, STOP, RELEASE, REPORT, STARTED, _, _, CONFIG, HOOK, SERVE = range(1, 11)


def frame(kind: int, body: bytes = b"", lie: int = 0) -> bytes:
    return struct.pack("=II", kind, len(body) + lie) + body


# A packet, and how many descriptors ride along. Bad for whoever reads them.
NO_FRAMES = {
    "half a header": (b"\1\0\0\0", 0),
    "no kind": (frame(0), 0),
    "unknown kind": (frame(0xFFFFFFFF, b"body"), 0),
    "too short for its length": (frame(STOP, b"1234", 400), 0),
    "more descriptors than any frame has": (frame(RELEASE), 100),
}
# And what is a frame, but not one for them to read, or not now.
TO_KEEPER = {
    "words of a keeper": (frame(STARTED, b"\7\0\0\0"), 2),
    "words for a worker": (frame(SERVE), 0),
    "a second start": (frame(START, b"/bin/sh\0"), 0),
    "a descriptor with a stop": (frame(STOP, b"\0\0\0\0"), 1),
}
TO_WORKER = {
    "no kind": NO_FRAMES["no kind"],
    "words for a keeper": (frame(START, b"/bin/sh\0"), 0),
    "a configuration that is a pipe": (frame(CONFIG), 1),
    "a hook that there is not": (frame(HOOK, struct.pack("=III", 1, 1, 1) + b"nobody"), 3),
}
TO_KEYHOLDER = {
    "no kind": NO_FRAMES["no kind"],
    "words for the worker": (frame(SERVE), 0),
    "a configuration that is a pipe": (frame(CONFIG), 1),
}
FROM_KEEPER = {
    "no kind": NO_FRAMES["no kind"],
    "words of the supervisor": (frame(START, b"/bin/sh\0"), 0),
    "started twice": (frame(STARTED, b"\7\0\0\0"), 3),
    "a report once more": (frame(REPORT, bytes(128)), 0),
}


def sockets(pid: int) -> dict[int, int]:
    """Inode -> descriptor."""
    found = {number: re.fullmatch(r"socket:\[(\d+)\]", target) for number, target in processes.look(pid).descriptors().items()}
    return {int(match[1]): number for number, match in found.items() if match}


def pairs(pid: int) -> dict[int, int]:
    """Inode -> inode of the other end: what is connected in the network that the process has."""
    listed = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "ss", "--unix", "--all", "--no-header"], check=True, capture_output=True, text=True)
    return {int(match[1]): int(match[2]) for match in re.finditer(r"^u_seq.* \* (\d+) +\* (\d+)\s*$", listed.stdout, re.MULTILINE)}


def take(pid: int, descriptor: int) -> socket.socket:
    pidfd = os.pidfd_open(pid)
    try:
        taken = libc.syscall(PIDFD_GETFD, pidfd, descriptor, 0)
        assert taken >= 0, os.strerror(ctypes.get_errno())
        return socket.socket(fileno=taken)
    finally:
        os.close(pidfd)


class Between:
    """Both ends of the socket between the supervisor and `pid`, at once theirs and ours."""

    def __init__(self, daemon, pid: int) -> None:
        held, supervisors = sockets(pid), sockets(daemon.pid)
        # The supervisor's network is the machine's, which it was born in; a child's socket was made in its keeper's.
        ends = [(mine, other) for mine, other in {**pairs(daemon.pid), **pairs(pid)}.items() if mine in held and other in supervisors]
        ((mine, other),) = ends
        self.supervisors, self.theirs = take(daemon.pid, supervisors[other]), take(pid, held[mine])

    def __enter__(self) -> "Between":
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisors.close()
        self.theirs.close()


def send(end: socket.socket, packet: bytes, descriptors: int) -> None:
    reading, writing = os.pipe()
    try:
        socket.send_fds(end, [packet], [reading] * descriptors)
    finally:
        os.close(reading)
        os.close(writing)


def say_to(daemon, pid: int, packet: bytes, descriptors: int) -> None:
    """In the supervisor's place."""
    with Between(daemon, pid) as between:
        send(between.supervisors, packet, descriptors)


def say_as(daemon, pid: int, packet: bytes, descriptors: int) -> None:
    """In the place of `pid`, to the supervisor."""
    with Between(daemon, pid) as between:
        send(between.theirs, packet, descriptors)


def keeper_of(daemon, title: str) -> int:
    (found,) = [process.pid for process in daemon.tree() if process.command[0] == f"hooksmtpd: keeper of {title}"]
    return found


def program(daemon, name: str) -> processes.Process:
    (found,) = [process for process in daemon.tree() if os.path.basename(process.command[0]) == name]
    return found


def below(pid: int) -> list[processes.Watched]:
    """It and all that it has started."""
    return [processes.Watched(process.pid) for process in processes.tree(pid)]


# Answers, and has left somebody behind who has gone out of its session.
HOOK = hooks.SHELL + "setsid sleep 1000 &\nwhile read -r request; do echo ok; done\n"


@pytest.mark.parametrize("say, words, reason", [
    (say_to, NO_FRAMES | TO_KEEPER, r"it (closed its control socket|ended \(status=76\))"),  # whatever is seen first
    (say_as, FROM_KEEPER, "it sent a bad frame"),
], ids=["to the keeper", "of the keeper"])
def test_a_bad_frame_ends_the_keeper_of_a_hook_and_what_it_started_and_nothing_else(make_daemon, say, words, reason):
    daemon = make_daemon()
    daemon.hook("asked", HOOK, instances=len(words))
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    others = {process.pid for process in daemon.tree()}
    for number, (what, (packet, descriptors)) in enumerate(words.items(), start=1):
        keeper = keeper_of(daemon, f"asked/{number}")
        watched = below(keeper)
        assert len(watched) == 3, "keeper, hook, and whom the hook left behind"
        mark = daemon.log.mark()
        say(daemon, keeper, packet, descriptors)
        daemon.log.wait(rf'hook keeper lost hook=asked/{number} reason="{reason}"', mark)
        assert not processes.wait_all_gone(watched, 5), what
        others -= {process.pid for process in watched}
    assert {process.pid for process in daemon.tree()} == others
    *gone, other = daemon.control_json("status")["hooks"]
    assert {hook["state"] for hook in gone} == {"gone"} and other["state"] == "ready"
    assert all(re.fullmatch(rf"its keeper is gone \({reason}\): restart hooksmtpd", hook["last_error"]) for hook in gone), gone
    with daemon.session() as client:
        client.expect("NOOP", "250")


def test_a_bad_frame_to_the_keeper_of_the_worker_ends_the_daemon_which_nobody_could_serve(recorder):
    watched = [processes.Watched(process.pid) for process in recorder.tree()[1:]]
    say_to(recorder, keeper_of(recorder, "the worker"), *TO_KEEPER["words for a worker"])
    recorder.log.wait("worker keeper is gone, and only root can make another one: stopping")
    assert recorder.wait() == BROKEN
    assert not processes.wait_all_gone(watched, 5)


def test_a_bad_frame_to_the_keeper_of_the_keyholder_costs_tls_only(make_daemon):
    daemon = make_daemon('[tls]\nmode = "starttls"')
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    watched = below(keeper_of(daemon, "the keyholder"))
    assert len(watched) == 2
    say_to(daemon, watched[0].pid, *TO_KEEPER["words for a worker"])
    daemon.log.wait("keyholder keeper is gone, and only root can make another one: no TLS until hooksmtpd is restarted")
    assert not processes.wait_all_gone(watched, 5)
    with daemon.session() as client:
        assert client.message().code == 250


@pytest.mark.parametrize("name, words", [("worker", TO_WORKER), ("keyholder", TO_KEYHOLDER)])
def test_a_bad_frame_to_worker_or_keyholder_ends_it_and_the_next_one_serves(make_daemon, name, words):
    daemon = make_daemon('[tls]\nmode = "starttls"')
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    for what, (packet, descriptors) in words.items():
        before, mark = program(daemon, name), daemon.log.mark()
        say_to(daemon, before.pid, packet, descriptors)
        daemon.log.wait(rf"{name} stops: \S", mark)
        # By itself, or the supervisor has seen its socket close first.
        daemon.log.wait(rf'{name} exit (status=1 |signal=9 .*reason="it closed its control socket")', mark)
        daemon.log.wait("worker serves again" if name == "worker" else "keys loaded=1", mark)
        assert program(daemon, name).pid != before.pid, what
    with daemon.session() as client:
        assert client.message().code == 250


def test_a_bad_frame_of_the_keyholder_ends_it_and_the_next_one_serves(make_daemon):
    daemon = make_daemon('[tls]\nmode = "starttls"')
    daemon.start()
    mark = daemon.log.mark()
    say_as(daemon, program(daemon, "keyholder").pid, *TO_KEYHOLDER["words for the worker"])
    daemon.log.wait('keyholder exit .*reason="it sent a bad frame"', mark)
    daemon.log.wait("keys loaded=1", mark)
