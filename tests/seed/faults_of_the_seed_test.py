"""What was wrong with tcllib's smtpd and must not come back (DESIGN: "The seed, behaviour by behaviour")."""

import resource
import select

import pytest

from harness import hooks
from harness.client import Client

EVIL = ["a@[exit]", "[exit]@dev.test", "$(touch x)@dev.test", "`touch x`@dev.test", '"; touch x; "@dev.test', "${run{x}}@dev.test"]


def test_client_text_is_never_evaluated(make_daemon):
    daemon = make_daemon()
    daemon.hook("recorder", hooks.RECORDER, ["validate_sender", "validate_recipient", "deliver"])
    daemon.start()
    for evil in EVIL:
        with daemon.session() as client:
            assert client.say(f"MAIL FROM:<{evil}>").code in (250, 501, 553)
            client.say("RSET")
            client.expect("MAIL FROM:<a@client.test>", "250")
            assert client.say(f"RCPT TO:<{evil}>").code in (250, 501, 553)
            client.expect("QUIT", "221")
    assert daemon.process.poll() is None
    files = {path.name for path in (daemon.state / "hooks/recorder").iterdir()}
    assert "x" not in files


def test_recipients_do_not_leak_into_the_next_message(recorder):
    with recorder.session() as client:
        for name in ("one", "two", "three"):
            assert client.message(recipients=(f"{name}@dev.test",)).code == 250
    assert [request["to"] for request, _ in recorder.recorded().messages()] == [
        ["one@dev.test"], ["two@dev.test"], ["three@dev.test"]]


def test_null_sender_is_accepted_and_delivered_with_validate_sender_set(make_daemon):
    daemon = make_daemon()
    daemon.hook("recorder", hooks.RECORDER, ["validate_sender", "deliver"])
    daemon.start()
    with daemon.session() as client:
        assert client.message(sender="").code == 250
    request, message = daemon.recorded().only_message()
    assert request["from"] == "" and message.startswith(b"Return-Path: <>\r\n")
    assert [asked["address"] for asked in daemon.recorded().requests("validate_sender")] == [""]


def test_ehlo_with_an_address_literal(recorder):
    for literal in ("[127.0.0.1]", "[IPv6:::1]"):
        with recorder.client() as client:
            client.greet(literal)
            assert client.message().code == 250


def test_second_ehlo_is_a_reset_not_an_error(recorder):
    with recorder.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("EHLO client.test", "250")
        client.expect("RCPT TO:<b@dev.test>", "503")
        assert client.message().code == 250


@pytest.mark.parametrize("end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\0\r\n.\n"],
                         ids=lambda end: end.hex())
def test_bare_line_ends_smuggle_nothing(recorder, end):
    """Whatever looks like an end of data to somebody else starts no second transaction here."""
    second = b"MAIL FROM:<evil@client.test>\r\nRCPT TO:<victim@dev.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
    with recorder.session() as client:
        reply = client.message(b"Subject: first\r\n\r\nhello" + end + second.removesuffix(b".\r\n"))
        assert reply.startswith("550 5.6.0"), reply
        client.expect("NOOP", "250")
    assert recorder.recorded().requests("deliver") == []


def test_bare_lf_does_not_end_a_command(recorder):
    with recorder.session() as client:
        client.send(b"MAIL FROM:<a@client.test>\n")
        assert client.reply() == "500 5.5.2 lines must end with CRLF (nc -C)"
        client.expect("RCPT TO:<b@dev.test>", "503")


def test_size_is_announced_and_enforced(make_daemon):
    daemon = make_daemon('limits.message_size = 10000')
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with daemon.client() as client:
        assert "250-SIZE 10000" in client.greet() or "250 SIZE 10000" in client.greet()
        client.expect("MAIL FROM:<a@client.test> SIZE=10001", "552 5.3.4")
        assert client.message(b"x" * 70 + b"\r\n" * 200 + b"y" * 900 + b"\r\n").code == 250
        assert client.message((b"x" * 70 + b"\r\n") * 200).startswith("552 5.3.4")
        assert client.message().code == 250
    assert len(daemon.recorded().requests("deliver")) == 2


def test_a_slow_hook_stops_only_the_session_that_waits_for_it(make_daemon):
    daemon = make_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    # `concurrency` lets it hold one answer back while it gives others.
    daemon.hook("slow", hooks.PYTHON + """
import json, sys
held = None
for line in sys.stdin:
    request = json.loads(line)
    reply = {"id": request["id"], "action": "accept"}
    if request["event"] == "hello":
        reply = {"id": request["id"], "concurrency": 8}
    elif request["address"].startswith("hold@"):
        held = reply
        continue
    print(json.dumps(reply), flush=True)
    if request.get("address", "").startswith("release@"):
        print(json.dumps(held), flush=True)
""", "validate_recipient")
    daemon.start()
    with daemon.session() as waiting, daemon.session() as other:
        waiting.expect("MAIL FROM:<a@client.test>", "250")
        waiting.send(b"RCPT TO:<hold@dev.test>\r\n")
        assert other.message().code == 250
        other.expect("MAIL FROM:<a@client.test>", "250")
        assert not select.select([waiting.socket], [], [], 0)[0]
        other.expect("RCPT TO:<release@dev.test>", "250")
        assert waiting.reply().code == 250


def test_half_a_line_from_one_client_stops_nobody_else(recorder):
    with recorder.client() as half, recorder.session() as other:
        half.reply()
        half.send(b"EHLO cli")
        assert other.message().code == 250
        half.send(b"ent.test\r\n")
        assert half.reply().code == 250


def test_more_connections_than_select_can_watch(recorder):
    """The seed failed above 983."""
    wanted = 1500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    clients: list[Client] = []
    try:
        for _ in range(wanted):
            clients.append(recorder.client())
        for client in clients:
            client.greet()
        assert clients[0].message().code == 250
        assert clients[-1].message().code == 250
    finally:
        for client in clients:
            client.socket.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
