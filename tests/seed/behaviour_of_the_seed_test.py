"""What a client or the author of a callback could see of tcllib's smtpd, seen over TCP (DESIGN, same section)."""

import contextlib
import re

import pytest

from harness import hooks


def scripted(make_daemon, events: list[str], config: str = "", **answers: str):
    daemon = make_daemon(config)
    daemon.hook("policy", hooks.SCRIPTED, events, options=answers)
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


def test_greeting_has_server_banner_and_date(make_daemon):
    daemon = make_daemon('banner = "my banner"').start()
    with daemon.client() as client:
        assert re.fullmatch(r"220 mail\.test my banner; \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", client.reply())


def test_refused_host_may_only_quit(make_daemon):
    daemon = scripted(make_daemon, ["validate_host"], validate_host="reject not from there")
    with daemon.client() as client:
        assert client.reply() == "550 Access denied: not from there"
        for command in ("EHLO client.test", "MAIL FROM:<a@client.test>", "NOOP", "HELP"):
            client.expect(command, "503")
        client.expect("QUIT", "221")
        assert client.at_end()


def test_text_of_a_bare_reject_is_logged_not_sent(make_daemon):
    daemon = scripted(make_daemon, ["validate_sender", "validate_recipient"], validate_recipient="reject secret reason")
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        reply = client.say("RCPT TO:<b@dev.test>")
        assert reply.startswith("553 ") and reply.endswith("Requested action not taken: mailbox name not allowed")
    daemon.log.wait("secret reason")


def test_explicit_reply_is_sent_as_given(make_daemon):
    daemon = scripted(make_daemon, ["validate_recipient"], validate_recipient="reject 550 5.1.1 no such user")
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<b@dev.test>") == "550 5.1.1 no such user"
        client.expect("DATA", "5")


def test_postmaster_is_accepted_without_asking(make_daemon):
    daemon = scripted(make_daemon, ["validate_recipient"], validate_recipient="reject")
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "553")
        client.expect("RCPT TO:<Postmaster>", "250")
        client.expect("RCPT TO:<postmaster@mail.test>", "250")


def test_refused_delivery(make_daemon):
    daemon = scripted(make_daemon, ["deliver"], deliver="reject no room")
    with daemon.session() as client:
        reply = client.message()
        assert reply.startswith("554 ") and reply.endswith("Transaction failed: no room")
    assert daemon.recorded().requests("deliver") == []


def test_success_names_the_message(recorder):
    with recorder.session() as client:
        reply = client.message()
    request, message = recorder.recorded().only_message()
    assert reply.startswith("250 ") and reply.endswith(f"{request['transaction']} Message accepted for delivery")
    assert re.match(rb"Return-Path: <a@client\.test>\r\nReceived: from client\.test \(.*\[127\.0\.0\.1\].*\)\r\n?\s+by mail\.test "
                    rb"(?s:.*?)with ESMTP\s+id " + request["transaction"].encode(), message), message


def test_data_without_sender_or_recipient(recorder):
    with recorder.session() as client:
        client.expect("DATA", "503")
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("DATA", "503")


def test_help_has_topics(recorder):
    with recorder.session() as client:
        assert "RCPT" in client.expect("HELP", "214")
        client.expect("HELP RCPT", "214")
        client.expect("HELP NONSENSE", "504")


def test_listeners_take_host_names_and_port_zero(make_daemon):
    daemon = make_daemon('[[listener]]\nname = "first"\naddress = ["localhost:0"]').start()
    bound = [listener["address"].rpartition(":") for listener in daemon.control_json("status")["addresses"]]
    (port,) = [int(port) for host, _, port in bound if host == "127.0.0.1"]
    assert port > 0
    daemon.port = port
    with daemon.session() as client:
        client.expect("NOOP", "250")


def test_stop_releases_the_listener_and_lets_sessions_finish(recorder):
    with recorder.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "250")
        client.expect("DATA", "354")
        recorder.control("stop")
        with pytest.raises(ConnectionRefusedError):
            for _ in range(1000):  # the order reaches the worker and its keeper as fast as we can ask
                with contextlib.suppress(ConnectionResetError):
                    recorder.client().socket.close()
        client.send("Subject: last\r\n\r\nx\r\n")
        assert client.say(".").code == 250
    assert recorder.wait() == 0
    assert len(recorder.recorded().requests("deliver")) == 1
