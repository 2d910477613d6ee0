"""The optional events with the real daemon: what a hook is asked, and what its answer does."""

import base64
import signal
import ssl

import pytest

from harness import tls
from hooks_protocol.conftest import vanish

FACTS = ["v", "id", "event", "session", "listener", "client", "server", "helo", "protocol"]


def test_helo_is_asked_before_the_reply_and_a_refused_name_may_be_followed_by_another(talking):
    made = talking().hook("judge", "helo", helo=[{"action": "reject", "text": "who?"}, {}])
    made.daemon.start()
    with made.daemon.client() as client:
        assert client.reply().code == 220
        client.expect("EHLO bad.test", "550 Access denied: who?")
        client.expect("MAIL FROM:<a@b.test>", "503")
        client.expect("HELO good.test", "250")
    first, second = made.requests("judge", "helo")
    assert list(first) == FACTS + ["verb", "name"]
    assert (first["verb"], first["name"], first["helo"]) == ("EHLO", "bad.test", "")
    assert (second["verb"], second["name"], second["helo"]) == ("HELO", "good.test", "")


def test_helo_has_the_name_that_was_said_before(talking):
    made = talking().hook("judge", "helo")
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect("EHLO other.test", "250")
    assert [request["helo"] for request in made.requests("judge", "helo")] == ["", "client.test"]


@pytest.mark.parametrize(("verdict", "start"), [
    ({"action": "accept", "text": "frobbed"}, "250 2.0.0 frobbed"), ({}, "250 2.0.0 OK"),
    ({"action": "reject"}, "500 5.5.1"), ({"action": "defer"}, "451 4.3.0"), ({"action": "discard"}, "250 2.0.0 OK"),
    ({"action": "reject", "code": 502, "enhanced": "5.5.1", "text": ["no", "never"]}, "502-5.5.1 no\n502 5.5.1 never"),
    ({"action": "close", "text": "bye"}, "421 4.7.0")])
def test_a_command_that_the_daemon_does_not_know(talking, verdict, start):
    made = talking().hook("judge", "command", command=verdict)
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect('XFROB a  "b', start)
    (request,) = made.requests("judge", "command")
    assert request["line"] == 'XFROB a  "b' and list(request)[-1] == "line"


@pytest.mark.parametrize("begin", ["DATA", "BDAT 3 LAST\r\nx\r\n"])
def test_data_is_asked_before_the_message_and_may_be_said_again(talking, begin):
    made = talking().hook("judge", "data", "deliver", data=[{"action": "defer"}, {"action": "reject"}, {}])
    made.daemon.start()
    with made.daemon.session() as client:
        for verdict in ("451 4.3.0", "554 5.7.1 Transaction refused"):
            client.expect("MAIL FROM:<a@client.test> SIZE=20", "250")
            client.expect("RCPT TO:<b@dev.test> NOTIFY=NEVER", "250")
            client.send(begin + ("\r\n" if begin == "DATA" else ""))
            assert client.reply().startswith(verdict)
            client.expect("RSET", "250")
        assert client.message().code == 250
    first, _, third = made.requests("judge", "data")
    assert list(first) == [*FACTS[:4], "transaction", *FACTS[4:], "from", "params", "to_params", "to"]
    assert (first["from"], first["params"], first["to"]) == ("a@client.test", {"SIZE": "20"}, ["b@dev.test"])
    assert "to_params" not in third and len(made.requests("judge", "deliver")) == 1


def test_a_message_discarded_at_data_reaches_nobody(talking):
    made = talking().hook("judge", "data", data={"action": "discard"}).hook("store", "deliver")
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message().code == 250
    assert made.requests("store", "deliver") == []


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_starttls_is_asked_once_the_handshake_is_done(talking, authority, tmp_path, mode):
    tls.make(tmp_path)
    made = talking(tls.settings(tmp_path, mode))
    made.hook("judge", "starttls", "validate_host", starttls=[{}, {"action": "reject", "text": "too weak"}])
    made.daemon.start()
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    for start in ("250", "421 4.7.0"):
        with made.daemon.client() as client:
            if mode == "starttls":
                client.greet()
                client.expect("STARTTLS", "220")
            client.start_tls(trusting, "localhost")
            if mode == "implicit" and start == "250":
                assert client.reply().code == 220
            if start == "250":
                client.expect("EHLO client.test", "250")
            else:
                assert client.reply().startswith(start)
                assert client.at_end()
    first = made.requests("judge", "starttls")[0]
    assert list(first)[-1] == "tls" and first["tls"]["version"] == "TLSv1.3"
    asked = [request["event"] for request in made.requests("judge")]
    assert asked[1:3] == (["starttls", "validate_host"] if mode == "implicit" else ["validate_host", "starttls"])


def test_each_request_says_what_the_session_has_become_by_then(talking, authority, tmp_path):
    tls.make(tmp_path)
    made = talking(tls.settings(tmp_path) + '[auth]\nsource = "hook"\n')
    made.hook("judge", "validate_sender", "auth", "deliver")
    made.daemon.start()
    with made.daemon.client() as client:
        client.greet("one.test")
        client.message()
        client.message()
        client.expect("HELO two.test", "250")
        client.message()
        client.expect("STARTTLS", "220")
        client.start_tls(ssl.create_default_context(cafile=str(tmp_path / "ca.pem")), "localhost")
        client.expect("EHLO three.test", "250")
        client.message()
        client.expect("AUTH PLAIN " + base64.b64encode(b"\0ann\0secret").decode(), "235")
        client.message()
    for event in ("validate_sender", "deliver"):
        said = [(request["helo"], request["protocol"], "tls" in request, request.get("user"))
                for request in made.requests("judge", event)]
        assert said == [("one.test", "ESMTP", False, None), ("one.test", "ESMTP", False, None),
                        ("two.test", "SMTP", False, None), ("three.test", "ESMTPS", True, None),
                        ("three.test", "ESMTPSA", True, "ann")]


@pytest.mark.parametrize("event", ["helo", "data", "command"])
def test_hooks_are_asked_one_after_another_until_one_says_no(talking, event):
    made = talking().hook("first", event).hook("second", event, **{event: {"action": "reject", "code": 554, "text": "2"}})
    made.hook("third", event)
    made.daemon.start()
    with made.daemon.client() as client:
        assert client.reply().code == 220
        reply = client.say("EHLO client.test")
        if event == "command":
            reply = client.say("XFROB")
        if event == "data":
            client.expect("MAIL FROM:<a@b.test>", "250")
            client.expect("RCPT TO:<b@dev.test>", "250")
            reply = client.say("DATA")
        assert reply.startswith("554")
    assert len(made.requests("first", event)) == len(made.requests("second", event)) == 1
    assert made.requests("third", event) == []


@pytest.mark.parametrize(("event", "failure", "start"), [
    ("helo", "tempfail", "451"), ("helo", "accept", "250"), ("helo", "reject", "550 Access denied"),
    ("data", "tempfail", "451 4.3.0"), ("data", "accept", "354"), ("data", "reject", "554 5.7.1"),
    ("command", "tempfail", "451 4.3.0"), ("command", "accept", "250"), ("command", "reject", "500 5.5.1")])
def test_a_hook_that_fails_gets_its_on_failure(talking, event, failure, start):
    made = talking().hook("judge", event, settings={"on_failure": failure}, **{event: {"action": "perhaps"}})
    made.daemon.start()
    with made.daemon.client() as client:
        assert client.reply().code == 220
        reply = client.say("EHLO client.test")
        if event == "command":
            reply = client.say("XFROB")
        if event == "data":
            client.expect("MAIL FROM:<a@b.test>", "250")
            client.expect("RCPT TO:<b@dev.test>", "250")
            reply = client.say("DATA")
        assert reply.startswith(start), reply
    made.daemon.log.wait(f"hook judge/1 failed event={event}")


def test_listeners_with_hooks_of_their_own_ask_these_alone(talking):
    made = talking()
    made.daemon.config = ('[[listener]]\nname = "one"\naddress = ["127.0.0.1:25"]\nhooks = ["one"]\n'
                          '[[listener]]\nname = "two"\naddress = ["127.0.0.1:26"]\nhooks = ["two"]\n')
    made.hook("one", "helo", "reset", helo={"action": "reject", "code": 550, "text": "one"})
    made.hook("two", "command", "disconnect", command={"action": "accept", "text": "two"})
    made.daemon.start()
    with made.daemon.client() as client:
        assert client.reply().code == 220
        client.expect("EHLO client.test", "550 one")
    made.daemon.port = 26
    with made.daemon.session() as client:
        client.expect("XFROB", "250 2.0.0 two")
        client.expect("QUIT", "221")
    made.told("two", "disconnect quit")
    assert made.requests("two", "helo") == made.requests("one", "command") == []


def test_a_hook_is_told_when_its_events_and_its_configuration_differ(talking):
    made = talking().hook("odd", "validate_sender", "helo",
                          hello={"events": ["validate_sender", "deliver", "reset"], "dialogue": True})
    made.daemon.start()
    made.daemon.log.wait(r"<4>|hook odd/1: .*asked about helo")
    made.daemon.log.wait(r"hook odd/1: it handles deliver.* add deliver to its events")
    made.daemon.log.wait(r"hook odd/1: it wants the dialogue.*disconnect")


def test_a_connection_is_dropped_without_a_word(talking):
    made = talking().hook("judge", "validate_recipient", "disconnect", validate_recipient={"action": "close", "abrupt": True})
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
        client.send("RCPT TO:<b@dev.test>\r\n")
        with pytest.raises(ConnectionResetError):
            client.reply()
    made.told("judge", "disconnect hook")


def test_a_verdict_may_come_late_and_the_hook_is_free_meanwhile(talking):
    made = talking().hook("judge", "validate_recipient", validate_recipient={"slow": {"action": "accept", "delay_ms": 700}})
    made.daemon.start()
    with made.daemon.session() as slow, made.daemon.session() as other:
        for client in (slow, other):
            client.expect("MAIL FROM:<a@b.test>", "250")
        slow.send("RCPT TO:<slow@dev.test>\r\n")
        other.expect("RCPT TO:<quick@dev.test>", "250")
        slow.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.reply()
        slow.socket.settimeout(20)
        assert slow.reply().code == 250


LATE = {"action": "accept", "delay_ms": 600000}


def test_a_client_that_is_lost_waits_for_no_verdict(talking):
    made = talking().hook("judge", "validate_recipient", "deliver", "disconnect",
                          validate_recipient={"slow": LATE}, deliver=LATE)
    made.daemon.start()
    for recipient, told in (("slow", "disconnect lost"), ("b", "disconnect lost")):
        since = made.daemon.log.mark()
        with made.daemon.session() as client:
            client.expect("MAIL FROM:<a@b.test>", "250")
            client.send(f"RCPT TO:<{recipient}@dev.test>\r\n")
            if recipient == "b":
                assert client.reply().code == 250
                client.expect("DATA", "354")
                client.send("x\r\n.\r\n")
            with made.daemon.session() as other:  # asks the same process, which takes one request after the other
                other.expect("MAIL FROM:<a@b.test>", "250")
                other.expect("RCPT TO:<quick@dev.test>", "250")
                vanish(client)
                made.told("judge", told, since)
    made.daemon.log.wait("outcome=accept the client was gone and did not hear it")
    assert len(made.requests("judge", "deliver")) == 1


def test_the_end_of_the_daemon_waits_for_no_late_verdict(talking):
    made = talking("[timeouts]\ndrain = \"1s\"\n").hook("judge", "helo", helo=LATE)
    made.daemon.start()
    with made.daemon.client() as client:
        assert client.reply().code == 220
        client.send("EHLO client.test\r\n")
        made.daemon.signal(signal.SIGTERM)
        assert client.reply().startswith("421 4.3.2")
        assert made.daemon.wait() == 0
