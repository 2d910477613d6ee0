"""The allowlist hook: who is on it gets in, however the address is written; nobody else does."""

import os

import pytest

from hooks.ready import ACCEPT, Ready, add

NO_HOST = {"action": "reject", "text": "not on the list of clients"}
NO_SENDER = {"action": "reject", "code": 550, "enhanced": "5.7.1", "text": "sender not on the list"}
NO_RECIPIENT = {"action": "reject", "code": 550, "enhanced": "5.7.1", "text": "recipient not on the list"}


@pytest.fixture
def allowlist(tmp_path):
    made = []

    def make(**options):
        made.append(Ready("allowlist", tmp_path, ["validate_host"], **options))
        return made[-1]

    yield make
    for hook in made:
        hook.close()


@pytest.mark.parametrize("clients, address, allowed", [
    (["192.0.2.0/24"], "192.0.2.7", True), (["192.0.2.0/24"], "192.0.3.7", False), (["192.0.2.7"], "192.0.2.7", True),
    (["2001:db8::/32"], "2001:db8::7", True), (["2001:db8::/32"], "192.0.2.7", False), (["192.0.2.0/24"], "::ffff:192.0.2.7", True),
    (["unix"], "", True), (["192.0.2.0/24"], "", False), (["unix"], "192.0.2.7", False), (["::/0", "0.0.0.0/0"], "10.1.2.3", True)])
def test_clients(allowlist, clients, address, allowed):
    assert allowlist(clients=clients).say("validate_host", address=address) == (ACCEPT if allowed else NO_HOST)


@pytest.mark.parametrize("entry, address, allowed", [
    ("ann@example.org", "ann@example.org", True), ("Ann@Example.org", "aNN@example.org", True), ("ann@example.org", "bob@example.org", False),
    ("@example.org", "bob@example.org", True), ("@example.org", "bob@sub.example.org", False), ("@.example.org", "bob@a.b.example.org", True),
    ("@.example.org", "bob@example.org", True), ("@example.org", "bob@notexample.org", False), ("@.example.org", "bob@notexample.org", False),
    ("@example.org", '"x@example.org"@evil.test', False), ("ann@example.org", '"ann@example.org"@evil.test', False),
    ("<>", "", True), ("@example.org", "", False), ("@xn--kln-sna.example", "b@k\u00f6ln.example", True), ("@k\u00f6ln.example", "b@k\u00f6ln.example", True)])
def test_addresses(allowlist, entry, address, allowed):
    more = {"domain_ascii": "xn--kln-sna.example"} if "k\u00f6ln" in address else {}
    hook = allowlist(senders=[entry], recipients=[entry])
    assert hook.about("validate_sender", address, **more) == (ACCEPT if allowed else NO_SENDER)
    assert hook.about("validate_recipient", address, **more) == (ACCEPT if allowed else NO_RECIPIENT)


def test_what_no_list_speaks_of_is_let_in(allowlist):
    hook = allowlist(domains=["example.test"])
    assert hook.say("validate_host") == hook.about("validate_sender", "x@y.test") == ACCEPT
    assert hook.about("validate_recipient", "bob@example.test") == ACCEPT
    assert hook.about("validate_recipient", "bob@example.org") == NO_RECIPIENT


def test_a_file_is_read_again_when_it_changes_and_a_mistake_in_it_changes_nothing(allowlist, tmp_path):
    file = tmp_path / "allowed"
    file.write_text("# who may write\nsender @one.test  # a comment\n\nrecipient bob@example.test\nclient 192.0.2.0/24\ndomain two.test\n")
    hook = allowlist(file=str(file), senders=["ann@three.test"])
    assert [hook.about("validate_sender", address) for address in ("a@one.test", "ann@three.test", "a@two.test")] == [ACCEPT, ACCEPT, NO_SENDER]
    assert hook.about("validate_recipient", "x@two.test") == hook.say("validate_host", address="192.0.2.1") == ACCEPT
    file.write_text("sender @two.test\n")
    assert hook.about("validate_sender", "a@two.test") == ACCEPT and hook.about("validate_sender", "a@one.test") == NO_SENDER
    file.write_text("sender @one.test\nsender nobody\n")
    for _ in range(2):
        assert hook.about("validate_sender", "a@two.test") == ACCEPT and hook.about("validate_sender", "a@one.test") == NO_SENDER
    for nothing in ("", "# nobody yet\n\n"):  # as while somebody writes it, or on a full disk
        file.write_text(nothing)
        assert hook.about("validate_sender", "a@two.test") == ACCEPT and hook.about("validate_sender", "a@one.test") == NO_SENDER
    file.unlink()
    assert hook.about("validate_sender", "a@two.test") == ACCEPT
    (tmp_path / "new").write_text("sender @one.test\n")
    os.rename(tmp_path / "new", file)
    assert hook.about("validate_sender", "a@one.test") == ACCEPT
    log = hook.close()
    assert log.count("allowed names nobody") == 2
    assert log.count("allowed:2: 'nobody' is no address") == 1 and log.count("No such file") == 1 and log.count("read again") == 2


@pytest.mark.parametrize("options, words", [
    ({}, "nothing is allowed"), ({"sender": []}, "unknown option 'sender'"), ({"senders": "x"}, "must be a list"),
    ({"senders": ["x"]}, "'x' is no address"), ({"clients": ["1.2.3.4/8"]}, "host bits"), ({"file": "/nonexistent"}, "/nonexistent"),
    ({"file": "/dev/null"}, "names nobody, which would let everybody in")])
def test_a_wrong_option_is_said_at_start(allowlist, options, words):
    hello = allowlist(**options).hello
    assert hello["ready"] is False and words in hello["text"]


def test_behind_the_daemon(make_daemon):
    daemon = make_daemon()
    add(daemon, "allowlist", ["validate_host", "validate_sender", "validate_recipient"],
        options={"clients": ["127.0.0.0/24"], "senders": ["@client.test"], "recipients": ["b@dev.test"]})
    daemon.start()
    with daemon.session() as client:
        assert client.say("MAIL FROM:<a@evil.test>") == "550 5.7.1 sender not on the list"
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<c@dev.test>") == "550 5.7.1 recipient not on the list"
        client.expect("RCPT TO:<B@DEV.test>", "250")
        client.expect("RCPT TO:<postmaster>", "250")
    with daemon.client(source="127.9.0.1") as client:
        assert client.reply() == "550 Access denied: not on the list of clients"
