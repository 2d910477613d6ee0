"""hooksmtpctl trace: what happens, live, in order, to whoever may ask; nobody waits for who listens."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from harness import hooks
from harness.listening import Listening, short

POLICY = hooks.by_address(ghost="echo 'reject 550 5.1.1 no such user'", loud="echo careful >&2; echo ok")


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon()
    daemon.hook("policy", POLICY, ["validate_recipient"])
    daemon.hook("store", hooks.RECORDER, ["deliver"])
    return daemon.start()


def one_session(daemon, recipients=("ghost", "loud")) -> None:
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        for recipient in recipients:
            client.say(f"RCPT TO:<{recipient}@dev.test>")
        client.expect("DATA", "354")
        client.send("Subject: x\r\n\r\n..hello\r\n")
        client.expect(".", "250")
        client.expect("QUIT", "221")


def test_a_session_comes_line_by_line_in_order(daemon):
    with Listening(daemon, "trace") as trace:
        one_session(daemon)
        entries = trace.until_end()
    told = [short(entry) for entry in entries if "line" not in entry or not entry["line"].startswith("250-")]
    assert told == [
        "begin", "S 220", "C EHLO client.test", "S 250",
        "C MAIL FROM:<a@client.test>", "S 250",
        "C RCPT TO:<ghost@dev.test>", "H? policy validate_recipient", "H policy validate_recipient reject", "S 550",
        "C RCPT TO:<loud@dev.test>", "H? policy validate_recipient", "H! careful",
        "H policy validate_recipient accept", "S 250",
        "C DATA", "S 354", "C <22>", "H? store deliver", "H store deliver accept", "S 250",
        "C QUIT", "S 221", "end"]
    assert len({entry["session"] for entry in entries}) == 1
    assert {entry["listener"] for entry in entries} == {"smtp"}
    assert {entry["client"] for entry in entries} == {"127.0.0.1"}
    times = [entry["ms"] for entry in entries]
    assert times == sorted(times)
    rejected = next(entry for entry in entries if entry.get("action") == "reject")
    assert rejected["reply"] == "reject 550 5.1.1 no such user" and rejected["took_ms"] > 0 and rejected["code"] == 550
    request = next(entry["request"] for entry in entries if entry.get("event") == "deliver")
    assert list(request)[:3] == ["v", "id", "event"] and list(request)[-1] == "message", "as the hook was given it"


def test_filters(daemon):
    with Listening(daemon, "trace", "--hook", "policy") as by_hook, \
         Listening(daemon, "trace", "--client", "127.0.0.0/8") as by_network, \
         Listening(daemon, "trace", "--client", "192.0.2.1") as nobody, \
         Listening(daemon, "trace", "--listener", "smtp") as by_listener:
        one_session(daemon)
        assert {entry["hook"] for entry in by_hook.until_end() if "hook" in entry} == {"policy"}
        assert not [entry for entry in by_hook.entries if entry["from"] in ("client", "server")]
        session = by_network.until_end()[0]["session"]
        assert by_listener.until_end()
        with Listening(daemon, "trace", "--session", session) as by_session:
            one_session(daemon)
            by_network.until_end()
            assert not select.select([nobody.process.stdout, by_session.process.stdout], [], [], 0)[0]


@pytest.mark.parametrize("arguments, why", [(["--client", "nonsense"], "client"), (["--client", "10.0.0.1/8"], "client")])
def test_a_filter_that_is_none_is_refused(daemon, arguments, why):
    done = daemon.control("trace", *arguments, status=64)
    assert why in done.stderr


def test_once_ends_with_the_first_session(daemon):
    with Listening(daemon, "trace", "--once") as trace:
        with daemon.session() as other:
            one_session(daemon)
            other.expect("QUIT", "221")
        entries = [json.loads(line) for line in trace.finish().splitlines()]
    assert trace.process.returncode == 0
    assert len({entry["session"] for entry in entries if "session" in entry}) == 1
    assert short(entries[0]) == "begin" and short(entries[-1]) == "end"


def subscriber(daemon, **request: object) -> socket.socket:
    """A client of the control socket that says what it wants, hears that it is heard, and then reads nothing."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(str(daemon.runtime / "control.sock"))
    client.sendall(json.dumps({"command": "trace", **request}).encode() + b"\n")
    assert client.recv(4096) == b'{"ok":true}\n'
    return client


def test_who_does_not_read_loses_lines_and_nobody_waits_for_him(daemon):
    with subscriber(daemon) as slow:
        with daemon.session() as client:
            begun = time.monotonic()
            for _ in range(40):
                client.send(b"NOOP " + b"x" * 400 + b"\r\n")
                assert client.reply().code == 250
            usual = time.monotonic() - begun
            for _ in range(60):
                client.send((b"NOOP " + b"y" * 400 + b"\r\n") * 100)
                for _ in range(100):
                    assert client.reply().code == 250
            begun = time.monotonic()
            for _ in range(40):
                client.expect("NOOP " + "x" * 400, "250")
            assert time.monotonic() - begun < 10 * usual + 1
            client.expect("QUIT", "221")
        slow.settimeout(10)
        text = b""
        while b'"what":"dropped"' not in text:
            text += slow.recv(1 << 20)
        lines = text.rpartition(b"\n")[0].decode().splitlines()
        (dropped,) = [json.loads(line) for line in lines if '"what":"dropped"' in line]
        assert dropped["count"] > 1000
        # What comes when there is room again is told again.
        with daemon.session() as client:
            client.expect("QUIT", "221")
        rest = b""
        while b'"what":"end"' not in rest:
            rest += slow.recv(1 << 20)


def test_so_many_may_listen_and_those_that_have_hung_up_do_not_count(daemon):
    for _ in range(3):
        listening = [subscriber(daemon) for _ in range(16)]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one_more:
            one_more.connect(str(daemon.runtime / "control.sock"))
            one_more.sendall(b'{"command":"trace"}\n')
            refusal = json.loads(one_more.recv(4096))
            assert refusal["ok"] is False and refusal["kind"] == "unavailable"
            assert one_more.recv(1) == b""
        for one in listening:
            one.close()
        one_session(daemon)


def on_a_terminal(daemon, *arguments: str, environment: dict[str, str], act) -> str:
    """What hooksmtpctl writes to a terminal, until it ends."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([str(daemon.ctl), *arguments], env={**daemon.surroundings(), "TERM": "xterm", **environment},
                               stdout=follower, stderr=subprocess.PIPE)
    os.close(follower)
    assert process.stderr.readline() == b"hooksmtpctl: listening\n"
    act()
    text = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # EIO: the other end is closed
            break
        text += piece
    os.close(leader)
    process.communicate(timeout=10)
    assert process.returncode == 0
    return text.decode()


HOSTILE = b"\x1b[2J\x1b]0;title\x07\x9b\x08\x7f\xc2\x9b\xe2\x80\xae<\xff>"

HOSTILE_HOOK = hooks.PYTHON + r"""
import sys
for line in sys.stdin:
    if '"validate_recipient"' in line:
        sys.stderr.buffer.write(b"\x1b[2J\x9b\xc2\x9b\xe2\x80\xae stderr\n")
        sys.stderr.flush()
        print('{"action":"reject","code":550,"text":"\\u001b[2J\\u009b\\u202e text"}', flush=True)
    else:
        print("ok", flush=True)
"""


@pytest.mark.parametrize("environment, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_nothing_that_anybody_says_moves_the_cursor(make_daemon, environment, coloured):
    daemon = make_daemon()
    daemon.hook("hostile", HOSTILE_HOOK, ["validate_recipient"])
    daemon.start()

    def act():
        with daemon.session() as client:
            client.say(b"NOOP " + HOSTILE)
            client.expect("MAIL FROM:<a@client.test>", "250")
            client.say("RCPT TO:<b@dev.test>")
            client.expect("QUIT", "221")

    text = on_a_terminal(daemon, "trace", "--once", environment=environment, act=act)
    plain = re.sub(r"\x1b\[\d*m", "", text)
    assert (plain != text) == coloured
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e\u2028]", plain)
    assert all(line.endswith("\r") for line in plain.split("\n")[:-1]), "one line for each entry"
    assert r"C: NOOP \x1b[2J\x1b]0;title\x07" in plain
    assert "hostile/1 validate_recipient reject 550" in plain and r"\x1b[2J" in plain
    assert "H! hostile/1 " in plain and "stderr" in plain
    # As JSON, also on a terminal: pure ASCII.
    lines = on_a_terminal(daemon, "trace", "--once", "--json", environment=environment, act=act)
    assert lines.isascii() and "\x1b" not in lines
    assert all(json.loads(line) for line in lines.splitlines())


def test_a_hook_that_is_restarted_is_told(daemon):
    with Listening(daemon, "trace", "--hook", "policy") as trace:
        daemon.control("hooks", "restart", "policy")
        trace.until(lambda entry: entry.get("state") == "ready")
    assert [short(entry) for entry in trace.entries] == ["hook gone", "H? policy hello", "H policy hello accept", "hook ready"]
    assert trace.entries[0]["reason"] == "it is to be replaced"


def test_a_worker_that_is_killed_takes_the_trace_with_it_and_it_is_taken_up_again(daemon):
    with Listening(daemon, "trace") as trace:
        one_session(daemon)
        trace.until_end()
        mark = daemon.log.mark()
        os.kill(daemon.worker().pid, signal.SIGKILL)
        trace.until(lambda entry: entry.get("what") == "restarted")
        daemon.log.wait("worker serves again", mark)
        one_session(daemon)
        trace.until_end()


def test_it_ends_when_the_daemon_stops(daemon):
    with Listening(daemon, "trace") as trace:
        assert daemon.stop() == 0
        trace.finish()
    assert trace.process.returncode == 69


def test_while_nobody_listens_nothing_is_kept(daemon):
    one_session(daemon)
    with Listening(daemon, "trace") as trace:
        one_session(daemon)
        assert short(trace.until_end()[0]) == "begin"
