"""The relay hook: what the next server says is what the client hears, and nobody is relayed to by accident."""

import ssl

import pytest

from hooks.next_server import NextServer
from hooks.ready import ACCEPT, Ready, add

MESSAGE = b"Return-Path: <ann@example.org>\r\nReceived: from a\r\n\tby b\r\nSubject: x\r\n\r\n.dot\r\n"
NOT_ALLOWED = {"action": "reject", "code": 550, "enhanced": "5.7.1", "text": "relaying to this recipient is not allowed"}


@pytest.fixture
def server():
    made = []

    def make(**options):
        made.append(NextServer(**options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def relay(tmp_path):
    made = []

    def make(*servers, **options):
        names = [f"127.0.0.1:{one.port}" if isinstance(one, NextServer) else one for one in servers]
        given = {"servers": names, "recipients": ["@example.test"], "tls": "none", "hostname": "relay.test", "timeout": 5, **options}
        made.append(Ready("relay", tmp_path, ["validate_recipient", "deliver"], **given))
        return made[-1]

    yield make
    for hook in made:
        hook.close()


@pytest.mark.parametrize("options", [{}, {"servers": ["x"]}, {"recipients": ["@x"]}])
def test_it_is_off_by_default(tmp_path, options):
    hook = Ready("relay", tmp_path, ["deliver"], **options)
    assert hook.hello["ready"] is False and "relay is off" in hook.hello["text"]
    assert hook.deliver()["action"] == "defer"
    hook.close()


def test_the_message_goes_on_without_its_return_path(server, relay):
    next_server = server()
    hook = relay(next_server)
    assert hook.hello["stores"] is True
    assert hook.deliver(MESSAGE) == ACCEPT
    assert next_server.messages == [MESSAGE.partition(b"\r\n")[2]]
    size = len(next_server.messages[0])
    assert next_server.lines[:4] == ["ehlo relay.test", f"MAIL FROM:<ann@example.org> SIZE={size}", "RCPT TO:<bob@example.test>",
                                     "RCPT TO:<eve@example.test>"]
    assert hook.deliver(**{"from": ""}) == ACCEPT and "MAIL FROM:<> SIZE=" in "\n".join(next_server.lines)


@pytest.mark.parametrize("answers, reply", [
    ({"MAIL": "550 5.7.1 not from you"}, {"action": "reject", "code": 550, "enhanced": "5.7.1", "text": ["not from you"]}),
    ({"MAIL": "451-4.3.0 one\r\n451 4.3.0 two"}, {"action": "defer", "code": 451, "enhanced": "4.3.0", "text": ["one", "two"]}),
    ({"RCPT TO:<eve": "550 no such user"}, {"action": "reject", "code": 550, "text": ["<eve@example.test>: no such user"]}),
    ({"RCPT TO:<bob": "450 4.2.1 busy", "RCPT TO:<eve": "550 5.1.1 who"}, {"action": "reject", "code": 550, "enhanced": "5.1.1", "text": ["<eve@example.test>: who"]}),
    ({"DATA": "554 5.7.1 no"}, {"action": "reject", "code": 554, "enhanced": "5.7.1", "text": ["no"]}),
    ({"end": "552 5.3.4 too big"}, {"action": "reject", "code": 552, "enhanced": "5.3.4", "text": ["too big"]}),
    ({"end": "571 5.7.1 no code"}, {"action": "reject", "code": 554, "enhanced": "5.7.1", "text": ["no code"]}),
    ({"end": "550 4.7.1 muddled"}, {"action": "reject", "code": 550, "text": ["muddled"]}),
    ({"MAIL": "421 4.3.2 closing"}, {"action": "defer", "code": 451, "enhanced": "4.4.2", "text": ["the next server is not available", "closing"]}),
    ({"MAIL": None}, {"action": "defer", "code": 451, "enhanced": "4.4.1", "text": "the next server cannot be reached"}),
    ({"end": None}, {"action": "defer", "code": 451, "enhanced": "4.4.1", "text": "the next server cannot be reached"}),
    ({"greeting": "554 no service"}, {"action": "defer", "code": 451, "enhanced": "4.4.1", "text": "the next server cannot be reached"}),
])
def test_the_next_servers_answer_is_handed_back(server, relay, answers, reply):
    next_server = server(**answers)
    assert relay(next_server).deliver(MESSAGE) == reply
    assert bool(next_server.messages) == ("end" in answers)


def test_a_refusal_of_many_lines_stays_one(server, relay):
    reply = relay(server(end="550-no\r\n" * 200 + "550 no")).deliver(MESSAGE)
    assert reply == {"action": "reject", "code": 550, "text": ["no"] * 100}


def test_the_log_says_what_became_of_a_message(server, relay):
    hook = relay(server(end="550 5.7.1 no\x1b"))
    hook.deliver(MESSAGE)
    log = hook.close()
    assert "<4>not relayed: 550 no\x1b transaction=c7f3a1-1 recipients=2\n" in log and "<6>relayed" not in log
    hook = relay(server(**{"RCPT TO:<eve": "550 who"}))
    hook.deliver(MESSAGE, protocol="LMTP")
    log = hook.close()
    assert "not relayed: 550 <eve@example.test>: who transaction=c7f3a1-1 recipients=1\n" in log
    assert "relayed transaction=c7f3a1-1 recipients=1 " in log


def test_only_listed_recipients(server, relay):
    next_server = server()
    hook = relay(next_server, recipients=["@example.test", "ann@one.test", "@.sub.test"])
    allowed = {address: hook.about("validate_recipient", address) == ACCEPT for address in (
        "x@example.test", "X@EXAMPLE.test", "Ann@one.test", "bob@one.test", "x@a.sub.test", "x@sub.test", "x@nosub.test", "x@a.example.test",
        '"x@example.test"@evil.test')}
    assert list(allowed.values()) == [True, True, True, False, True, True, False, False, False]
    assert hook.about("validate_recipient", "bob@one.test") == NOT_ALLOWED
    assert hook.deliver(to=["x@example.test", "x@evil.test"]) == NOT_ALLOWED and next_server.lines == []


def test_over_lmtp_each_recipient_gets_its_own_answer(server, relay):
    next_server = server(**{"RCPT TO:<eve": "550 5.1.1 who", "end": "250 2.0.0 taken"})
    reply = relay(next_server).deliver(MESSAGE, protocol="LMTP", to=["bob@example.test", "eve@example.test", "x@evil.test"])
    assert reply == {"recipients": [ACCEPT, {"action": "reject", "code": 550, "enhanced": "5.1.1", "text": ["<eve@example.test>: who"]}, NOT_ALLOWED]}
    assert len(next_server.messages) == 1
    next_server = server(end="452 4.3.1 full")
    reply = relay(next_server).deliver(MESSAGE, protocol="LMTP")
    assert [one["code"] for one in reply["recipients"]] == [452, 452]


def test_the_second_server_is_asked_when_the_first_cannot_be_reached(server, relay):
    first, second = server(greeting="554 no service"), server()
    hook = relay("127.0.0.1:1", first, second)
    assert hook.deliver(MESSAGE) == ACCEPT and len(second.messages) == 1
    assert hook.close().count("next server not usable: ") == 2


def test_a_loop_ends(server, relay):
    next_server = server()
    hook = relay(next_server, hops=3)
    assert hook.deliver(b"Received: x\r\n" * 3 + b"\r\nReceived: y\r\n") == ACCEPT
    assert hook.deliver(b"Received: x\r\n" * 4 + b"\r\n")["enhanced"] == "5.4.6"


@pytest.mark.parametrize("octets", [b"Subject: x\r\n\r\na\n.\nMAIL FROM:<x@y>\r\n", b"Subject: x\r\n\r\na\r.\r\r\n"])
def test_what_another_server_could_read_as_the_end_is_refused(server, relay, octets):
    next_server = server()
    assert relay(next_server).deliver(octets)["enhanced"] == "5.6.0" and next_server.lines == []


def test_what_the_next_server_cannot_take_is_refused(server, relay):
    plain, able = server(extensions=[]), server(extensions=["8BITMIME", "SMTPUTF8"])
    hook = relay(plain)
    assert hook.deliver("\u00fc".encode(), message={"eight_bit": True})["enhanced"] == "5.6.3"
    utf8 = {"params": {"SMTPUTF8": True}, "to": ["j\u00f6rg@example.test"]}
    assert hook.deliver(**utf8)["enhanced"] == "5.6.7"
    assert hook.deliver(params={"SMTPUTF8": True}) == ACCEPT
    assert hook.deliver(params={"REQUIRETLS": True})["enhanced"] == "5.7.30"
    hook = relay(able)
    assert hook.deliver("\u00fc".encode(), message={"eight_bit": True}, **utf8) == ACCEPT
    assert able.lines[1:3] == ["MAIL FROM:<ann@example.org> BODY=8BITMIME SMTPUTF8", "RCPT TO:<j\u00f6rg@example.test>"]


@pytest.fixture
def tls(authority):
    def make(name):
        certificate = authority.issue(name, file=f"relay-{name}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        return context

    return make


def test_starttls_as_the_option_wants_it(server, relay, tls, authority):
    good, wrong, without = server(tls=tls("127.0.0.1")), server(tls=tls("other.test")), server()
    trusted = {"ca_file": str(authority.file)}
    taken = {(mode, name): relay(one, tls=mode, **more).deliver(MESSAGE) == ACCEPT
             for mode, more in (("verify", trusted), ("encrypt", {}), ("may", {}), ("none", {}))
             for name, one in (("good", good), ("wrong", wrong), ("without", without))}
    assert [key for key, value in taken.items() if not value] == [("verify", "wrong"), ("verify", "without"), ("encrypt", "without")]
    assert relay(good, tls="verify").deliver(MESSAGE)["enhanced"] == "4.4.1"  # the system does not know this authority
    assert good.lines.count("STARTTLS") == 4


def test_tls_from_the_first_octet_on(server, relay, tls, authority):
    good, wrong, without = server(tls=tls("127.0.0.1"), implicit=True), server(tls=tls("other.test"), implicit=True), server()
    trusted = {"ca_file": str(authority.file)}
    assert relay(good, tls="implicit", **trusted).deliver(MESSAGE) == ACCEPT
    assert len(good.messages) == 1 and "STARTTLS" not in good.lines
    for other in (wrong, without):
        assert relay(other, tls="implicit", **trusted).deliver(MESSAGE)["enhanced"] == "4.4.1"


def test_it_authenticates_over_tls_only(server, relay, tls, authority, tmp_path):
    (tmp_path / "password").write_text("s3cret\n")
    given = {"user": "ann", "password_file": str(tmp_path / "password")}
    assert "a password needs tls" in relay("127.0.0.1", **given).hello["text"]
    next_server = server(extensions=["AUTH PLAIN"], tls=tls("127.0.0.1"), AUTH="235 2.7.0 welcome")
    hook = relay(next_server, tls="verify", ca_file=str(authority.file), **given)
    assert hook.deliver(MESSAGE) == ACCEPT
    lines = next_server.lines
    assert lines.index("STARTTLS") < lines.index("AUTH PLAIN AGFubgBzM2NyZXQ=") < lines.index("RCPT TO:<bob@example.test>")
    assert "s3cret" not in hook.close()


@pytest.mark.parametrize("options, words", [
    ({"servrs": 1}, "unknown option 'servrs'"), ({"tls": "maybe"}, "must be one of verify"), ({"servers": ["a b"]}, "HOST:PORT"),
    ({"user": "ann"}, "password_file"), ({"servers": "mail.example.org"}, "must be lists"), ({"ca_file": "/nonexistent"}, "ca_file is '/nonexistent': [Errno 2]"),
    ({"recipients": ["example.org"]}, '"@example.org"')])
def test_a_wrong_option_is_said_at_start(relay, options, words):
    hello = relay("127.0.0.1", **options).hello
    assert hello["ready"] is False and words in hello["text"]


def test_behind_the_daemon_what_cannot_go_on_stays_with_the_client(make_daemon):
    daemon = make_daemon()
    add(daemon, "relay", ["validate_recipient", "deliver"], options={"servers": ["127.0.0.1:1"], "recipients": ["@dev.test"]})
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<b@evil.test>") == "550 5.7.1 relaying to this recipient is not allowed"
        client.expect("RSET", "250")
        assert client.message() == "451 4.4.1 the next server cannot be reached"


def of_use(port, network=None):
    access = f'sandbox.network = "{network}"\n' if network else ""
    return (f'[[hook]]\nuse = "relay"\n{access}'
            f'options = {{ servers = ["localhost:{port}"], recipients = ["@dev.test"], tls = "none" }}\n')


@pytest.mark.parametrize("network", [None, "host"])
def test_use_reaches_a_server_of_the_machine_from_its_jail(make_daemon, server, network):
    daemon = make_daemon()
    with daemon.network:
        next_server = server()
    daemon.config = of_use(next_server.port, network)
    daemon.start()
    with daemon.session() as client:
        assert client.message(b"Subject: one\r\n\r\nx\r\n").code == 250
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<b@evil.test>") == "550 5.7.1 relaying to this recipient is not allowed"
    (message,) = next_server.messages
    assert message.startswith(b"Received: ") and message.endswith(b"Subject: one\r\n\r\nx\r\n")


@pytest.mark.parametrize("network", ["loopback", "none"])
def test_use_with_a_network_of_its_own_reaches_nobody(make_daemon, server, network):
    daemon = make_daemon()
    with daemon.network:
        next_server = server()
    daemon.config = of_use(next_server.port, network)
    daemon.start()
    with daemon.session() as client:
        assert client.message() == "451 4.4.1 the next server cannot be reached"
    assert next_server.lines == []
