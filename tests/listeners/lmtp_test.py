"""LMTP (RFC 2033) over a unix socket with the real daemon: one reply for each recipient."""

import contextlib
import socket

import pytest

from harness import hooks
from harness.client import Client
from harness.daemon import Daemon

# Answers each deliver with the verdicts that its options have for the local parts of `to`.
JUDGE = hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "hello":
        options = request["options"]
    with open("requests", "a") as seen:
        seen.write(line)
    if request["event"] != "deliver":
        print("ok", flush=True)
        continue
    parts = [to.split("@")[0] for to in request["to"]]
    if "for_all" in options:
        print(options["for_all"], flush=True)
    else:
        verdicts = [options.get(part, {"action": "accept"}) for part in parts]
        print(json.dumps({"recipients": verdicts[options.get("forget", 0):]}), flush=True)
"""

REJECT = {"action": "reject", "code": 550, "enhanced": "5.1.1", "text": "Who?"}
DEFER = {"action": "defer", "code": 451, "enhanced": "4.3.0", "text": "Later"}


class Lmtp(Client):
    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.unread = b""

    def deliver(self, *names: str) -> list[str]:
        """The replies to the end of the data, one a recipient."""
        self.expect("MAIL FROM:<a@client.test>", "250")
        for name in names:
            self.expect(f"RCPT TO:<{name}@dev.test>", "250")
        self.expect("DATA", "354")
        self.send("Subject: x\r\n\r\nhello\r\n.\r\n")
        return [str(self.reply()) for _ in names]


@pytest.fixture
def lmtp():
    """start(options, ...): a daemon with a judge for each, asked in this order, and a client that has said LHLO."""
    with contextlib.ExitStack() as stack:
        def start(*options: dict, protocol: str = "lmtp") -> tuple[Daemon, Lmtp]:
            made = Daemon()
            stack.callback(made.close)
            path = made.folder / "run/lmtp.sock"
            made.config = f'[[listener]]\naddress = ["unix:{path}"]\nprotocol = "{protocol}"\n'
            for number, judged in enumerate(options):
                made.hook(f"judge{number}", JUDGE, "deliver", options=judged)
            made.start()
            client = stack.enter_context(Lmtp(str(path)))
            assert client.reply().code == 220
            client.expect("LHLO client.test" if protocol == "lmtp" else "EHLO client.test", "250")
            return made, client
        yield start


def asked(daemon: Daemon, judge: int) -> list[list[str]]:
    """Of each deliver, the local parts."""
    return [[to.split("@")[0] for to in request["to"]]
            for request in daemon.recorded(f"judge{judge}").requests("deliver")]


def codes(replies: list[str]) -> list[int]:
    return [int(reply[:3]) for reply in replies]


def test_each_recipient_has_its_own_reply(lmtp):
    daemon, client = lmtp({"ghost": REJECT, "full": DEFER})
    replies = client.deliver("dev", "ghost", "full")
    assert codes(replies) == [250, 550, 451]
    assert replies[1] == "550 5.1.1 Who?"
    client.expect("QUIT", "221")
    request = daemon.recorded("judge0").requests("deliver")[0]
    assert request["protocol"] == "LMTP" and request["client"]["ip"] == ""
    daemon.log.wait("session id=.* client=unix .*messages=1")


def test_whom_one_hook_refuses_the_next_is_not_asked_about(lmtp):
    daemon, client = lmtp({"ghost": REJECT}, {"full": DEFER})
    assert codes(client.deliver("full", "ghost", "dev")) == [451, 550, 250]
    assert asked(daemon, 0) == [["full", "ghost", "dev"]]
    assert asked(daemon, 1) == [["full", "dev"]]


def test_a_hook_that_knows_nothing_of_recipients_speaks_for_all_that_are_left(lmtp):
    daemon, client = lmtp({"ghost": REJECT}, {"for_all": "defer 452 4.3.1 No room"})
    assert codes(client.deliver("ghost", "dev", "ops")) == [550, 452, 452]


def test_when_nobody_is_left_no_further_hook_is_asked(lmtp):
    daemon, client = lmtp({"for_all": "reject"}, {})
    assert set(codes(client.deliver("dev", "ops"))) == {554}
    assert asked(daemon, 1) == []


def test_only_a_message_that_is_refused_for_everybody_is_taken_back(lmtp):
    daemon, client = lmtp({}, {"ghost": REJECT})
    assert codes(client.deliver("dev", "ghost")) == [250, 550]
    assert codes(client.deliver("ghost")) == [550]
    client.expect("QUIT", "221")
    daemon.log.wait("session id=.*end=quit")
    second = daemon.recorded("judge0").requests("deliver")[1]["transaction"]
    for _ in range(100):
        if resets := daemon.recorded("judge0").requests("reset"):
            break
        daemon.control("status")  # a turn of the worker's
    assert [request["transaction"] for request in resets] == [second]


def test_too_few_verdicts_are_a_failure_of_the_hook(lmtp):
    daemon, client = lmtp({"forget": 1})
    assert set(codes(client.deliver("dev", "ops"))) == {451}
    daemon.log.wait("hook judge0/1 failed event=deliver .*recipients")


def test_over_smtp_there_is_one_reply_and_the_log_says_once_what_was_not_heard(lmtp):
    daemon, client = lmtp({"ghost": REJECT}, protocol="smtp")
    for _ in range(2):
        assert client.message(recipients=("dev@dev.test", "ghost@dev.test")).code == 250
    client.expect("QUIT", "221")
    daemon.log.wait("session id=.*end=quit")
    assert len(daemon.log.lines("hook judge0: `recipients`")) == 1
