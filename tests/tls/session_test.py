"""Sessions over TLS with the real daemon: after STARTTLS (RFC 3207) and from the first octet (RFC 8314)."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import ssl
import tempfile

import pytest

from harness import hooks
from harness.certificates import Authority
from harness.client import Client
from harness.daemon import Daemon
from harness.tls import keyholder_gid

PORTS = """
[[listener]]
name = "smtp"
address = ["127.0.0.1:25"]
tls = "starttls"
[[listener]]
name = "smtps"
address = ["127.0.0.1:465"]
tls = "implicit"
"""


@pytest.fixture(scope="module")
def authority() -> Authority:
    with tempfile.TemporaryDirectory(prefix="hooksmtpd-test-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # a reload reads it without root
        yield Authority(folder)


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("127.0.0.1")


@pytest.fixture
def daemon(certificate):
    """start(settings, hook=..., tls=...): listens on 25 with STARTTLS and on 465."""
    with contextlib.ExitStack() as stack:
        def start(settings: str = "", *, tls: str = "", hook: str = hooks.RECORDER, events: object = "deliver", ports: str = PORTS,
                  **more: object) -> Daemon:
            made = Daemon(f"{settings}\n[tls]\n{certificate.toml()}{tls}{ports}")
            stack.callback(made.close)
            made.hook("recorder", hook, events, **more)
            return made.start()
        yield start


def implicit(daemon: Daemon, context: ssl.SSLContext) -> Client:
    client = Client(daemon.network, 465)
    client.start_tls(context)
    return client


def started(daemon: Daemon, context: ssl.SSLContext) -> Client:
    """A session that has said EHLO, STARTTLS and EHLO again."""
    client = Client(daemon.network)
    assert "STARTTLS" in client.greet()
    client.expect("STARTTLS", "220 2.0.0")
    client.start_tls(context)
    assert "STARTTLS" not in client.expect("EHLO client.test", "250")
    return client


class Records:
    """TLS of which the test decides when which octets travel."""

    def __init__(self, daemon: Daemon, context: ssl.SSLContext, port: int = 465) -> None:
        self.socket = Client(daemon.network, port).socket
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")

    def flush(self) -> None:
        self.socket.sendall(self.outgoing.read())

    def until_done(self, step):
        """What `step` gives once enough has come."""
        while True:
            try:
                done = step()
                self.flush()
                return done
            except ssl.SSLWantReadError:
                self.flush()
                piece = self.socket.recv(65536)
                if piece:
                    self.incoming.write(piece)
                else:
                    self.incoming.write_eof()

    def handshake(self) -> "Records":
        self.until_done(self.tls.do_handshake)
        return self

    def send(self, *records: bytes) -> None:
        """All of them in one packet."""
        for record in records:
            self.tls.write(record)
        self.flush()

    def read_to_the_end(self) -> bytes:
        got = b""
        while piece := self.until_done(lambda: self.tls.read(65536)):
            got += piece
        return got

    def close_notify(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.flush()


def replies(wire: bytes) -> list[str]:
    """The codes of the replies, without the lines that only go on."""
    return [line[:3].decode() for line in wire.split(b"\r\n") if line[3:4] == b" "]


def logged(daemon: Daemon, *parts: str) -> None:
    """A line with all of these, in this order."""
    daemon.log.wait(".*".join(map(re.escape, parts)))


def plain_works(daemon: Daemon) -> None:
    with daemon.session() as client:
        assert client.message().code == 250


TRANSACTION = (b"EHLO client.test\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<b@dev.test>\r\nRCPT TO:<c@dev.test>\r\n"
               b"DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n")
ANSWERS = ["220", "250", "250", "250", "250", "354", "250", "221"]


def test_a_message_after_starttls_and_its_hook_is_told_of_tls(daemon, authority):
    running = daemon()
    client = started(running, authority.trusted())
    assert client.message().code == 250
    client.expect("QUIT", "221")
    assert client.at_end()
    request, message = running.recorded().only_message()
    assert request["protocol"] == "ESMTPS"
    assert request["tls"]["version"] == "TLSv1.3"
    assert request["tls"]["cipher"] == client.socket.cipher()[0]
    assert b" with ESMTPS " in message.replace(b"\r\n", b" ")
    logged(running, "session id=", "tls=TLSv1.3", "messages=1", "end=quit")


def test_implicit_tls_greets_after_the_handshake(daemon, authority):
    running = daemon()
    client = implicit(running, authority.trusted())
    assert "STARTTLS" not in client.greet()
    client.expect("STARTTLS", "503")
    assert client.message().code == 250
    assert running.recorded().only_message()[0]["listener"] == "smtps"


def test_what_stands_behind_starttls_in_the_clear_is_never_run(daemon, authority):
    running = daemon()
    client = Client(running.network)
    client.greet()
    client.send("STARTTLS\r\nMAIL FROM:<evil@client.test>\r\nRSET\r\nEHLO evil.test\r\n")
    assert client.reply().code == 220
    client.start_tls(authority.trusted())
    client.expect("MAIL FROM:<a@client.test>", "503")  # and no EHLO either: RFC 3207 §4.2
    client.expect("EHLO client.test", "250")
    assert client.message().code == 250
    assert running.recorded().only_message()[0]["helo"] == "client.test"


@pytest.mark.parametrize("records", ["one", "each", "octets"])
def test_a_whole_session_in_one_packet_needs_no_other_to_be_read(daemon, authority, records):
    running = daemon(hook=hooks.by_address(b="sleep 0.2; echo ok"), events=["validate_recipient", "deliver"])
    client = Records(running, authority.trusted()).handshake()
    lines = TRANSACTION.splitlines(keepends=True)
    client.send(*{"one": [TRANSACTION], "each": lines, "octets": [bytes([octet]) for octet in TRANSACTION]}[records])
    assert replies(client.read_to_the_end()) == ANSWERS


def test_a_client_that_has_half_closed_gets_its_replies_and_close_notify(daemon, authority):
    running = daemon(hook=hooks.by_address(b="sleep 0.2; echo ok"), events=["validate_recipient", "deliver"])
    client = Records(running, authority.trusted()).handshake()
    client.send(TRANSACTION.removesuffix(b"QUIT\r\n"))
    client.close_notify()
    client.socket.shutdown(socket.SHUT_WR)
    wire = b""
    while piece := client.socket.recv(65536):
        wire += piece
    assert len(wire) > 200  # more than a close_notify: the client's own end lets it read nothing
    assert len(running.recorded().messages()) <= 1
    logged(running, "session id=", "messages=1", "end=lost")


def test_a_big_message_and_a_client_that_reads_late(daemon, authority):
    running = daemon()
    client = started(running, authority.trusted())
    body = b"".join(b"%07d %s\r\n" % (i, b"x" * 90) for i in range(100_000))
    assert client.message(body).code == 250
    assert hooks.as_sent(*running.recorded().only_message()) == body
    count = 50_000
    client.socket.setblocking(False)
    left, got = b"NOOP\r\n" * count, b""
    while left:  # until the daemon reads no more, since nobody reads what it says
        try:
            left = left[client.socket.send(left[:65536]):]
        except ssl.SSLWantWriteError:
            break
    while got.count(b"\n") < count:
        with contextlib.suppress(ssl.SSLWantReadError):
            got += client.socket.recv(65536)
        with contextlib.suppress(ssl.SSLWantWriteError):
            if left:
                left = left[client.socket.send(left[:16384]):]
    assert set(got.split(b"\r\n")) == {b"250 2.0.0 OK", b""}


@pytest.mark.parametrize("port", [25, 465])
def test_a_handshake_has_its_time(daemon, authority, port):
    running = daemon('[timeouts]\nhandshake = "200ms"')
    client = Client(running.network, port)
    if port == 25:
        client.greet()
        client.expect("STARTTLS", "220")
    client.send(b"\x16\x03\x01")
    assert client.at_end()
    logged(running, "tls id=", "client=127.0.0.1", 'failed reason="no handshake in time"')
    logged(running, "session id=", "end=timeout")
    plain_works(running)


@pytest.mark.parametrize("said, reason", [("EHLO client.test\r\n", "wrong version number"),
                                          ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "http request")])
def test_who_speaks_in_the_clear_where_tls_is_expected_gets_a_clean_end(daemon, said, reason):
    running = daemon()
    client = Client(running.network, 465)
    client.send(said * 1000)
    while client.socket.recv(65536):  # perhaps an alert, and no reset
        pass
    logged(running, "tls id=", f'failed reason="{reason}"')


def test_a_client_that_trusts_nobody_is_named_in_the_log(daemon):
    running = daemon()
    with pytest.raises(ssl.SSLCertVerificationError):
        implicit(running, ssl.create_default_context())
    logged(running, "tls id=", "client=127.0.0.1", "failed reason=", "unknown ca")
    assert running.control_json("status")["worker"]["tls_failed"] == 1


def test_handshakes_are_counted(daemon, authority):
    running = daemon()
    for _ in range(3):
        started(running, authority.trusted()).expect("QUIT", "221")
    status = running.control_json("status")["worker"]
    assert (status["tls_handshakes"], status["tls_failed"]) == (3, 0)


def test_half_handshakes_do_not_keep_others_from_being_served(daemon, authority):
    running = daemon()
    idle = [Client(running.network, 465) for _ in range(200)]
    for client in idle:
        client.send(b"\x16\x03\x01\x02")
    plain_works(running)
    assert started(running, authority.trusted()).message().code == 250


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificates_on_request(daemon, authority, tmp_path, version):
    running = daemon(tls=f'client_certificates = "request"\nca_file = "{authority.file}"\n')
    known, stranger = authority.issue("ann.test"), Authority(tmp_path).issue("mallory.test")
    for certificate in (None, known, stranger):
        context = authority.trusted(certificate)
        context.minimum_version = context.maximum_version = version
        assert started(running, context).message().code == 250
    nobody, ann, mallory = (request["tls"] for request in running.recorded().requests("deliver"))
    assert not nobody["client_subject"] and not nobody["client_verified"]
    assert ann["client_subject"] == "CN=ann.test" and ann["client_verified"]
    assert mallory["client_subject"] == "CN=mallory.test" and not mallory["client_verified"]
    assert len(mallory["client_fingerprint"]) == 64


def test_client_certificates_required(daemon, authority):
    running = daemon(tls=f'client_certificates = "require"\nca_file = "{authority.file}"\n')
    assert started(running, authority.trusted(authority.issue("ann.test"))).message().code == 250
    client = implicit(running, authority.trusted())
    with pytest.raises((ssl.SSLError, ConnectionError)):
        client.reply()  # with TLS 1.3 the client learns of it only now
    logged(running, "tls id=", 'failed reason="peer did not return a certificate"')


def test_each_name_has_its_certificate(daemon, authority):
    other = authority.issue("mail.dev.test")
    running = daemon(tls=f"[[tls.sni]]\n{other.toml()}", events=["validate_sender"], hook=hooks.RECORDER)
    for name, expected in (("127.0.0.1", "127.0.0.1"), ("mail.dev.test", "mail.dev.test")):
        client = Client(running.network, 465)
        client.start_tls(authority.trusted(), name)
        assert client.socket.getpeercert()["subject"] == ((("commonName", expected),),)
        client.greet()
        client.expect("MAIL FROM:<>", "250")
    asked = running.recorded().requests("validate_sender")
    assert [request["tls"]["server_name"] for request in asked] == ["", "mail.dev.test"]


def renew(daemon: Daemon, authority: Authority) -> None:
    """Another certificate with another key, by a reload."""
    other = authority.issue("localhost", file="second")
    os.chown(other.key, 0, keyholder_gid())
    other.key.chmod(0o640)
    daemon.file.write_text(daemon.file.read_text().replace("127.0.0.1.pem", "second.pem").replace("127.0.0.1-key", "second-key"))
    daemon.control("reload")


def test_a_session_lives_through_a_reload_and_the_next_has_the_new_certificate(daemon, authority):
    running = daemon()
    old = started(running, authority.trusted())
    renew(running, authority)
    assert old.message().code == 250
    new = Client(running.network, 465)
    new.start_tls(authority.trusted(), "localhost")
    assert new.greet().code == 250


def test_a_handshake_that_a_reload_comes_across_goes_on_with_the_certificate_that_it_began_with(daemon, authority):
    running = daemon()
    clients = [Client(running.network) for _ in range(3)]
    for client in clients:
        client.greet()
        client.expect("STARTTLS", "220")
    renew(running, authority)
    for client in clients:
        client.start_tls(authority.trusted())
        assert client.socket.getpeercert()["subject"] == ((("commonName", "127.0.0.1"),),)
        client.expect("EHLO client.test", "250")
        assert client.message().code == 250


def test_a_dead_keyholder_costs_no_session(daemon, authority):
    running = daemon()
    old = started(running, authority.trusted())
    (keyholder,) = [process for process in running.tree() if os.path.basename(process.command[0]) == "keyholder"]
    os.kill(keyholder.pid, signal.SIGKILL)
    assert old.message().code == 250
    plain_works(running)
    for _ in range(100):  # until there is a new one: told to come back later, or not answered
        with contextlib.suppress(OSError, AssertionError):
            assert started(running, authority.trusted()).message().code == 250
            break
    else:
        pytest.fail("no handshake succeeds any more")
