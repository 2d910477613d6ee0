"""The settings of [tls], as clients of the real daemon meet them: names, versions, ciphers, client certificates."""

import contextlib
import pathlib
import re
import smtplib
import ssl
import subprocess

import pytest

from harness import hooks

CONFIG_ERROR = 78


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)


class Certificates:
    """A folder with an authority ("ca.pem") and what it has signed."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "ca.key",
                "-out", folder / "ca.pem", "-subj", "/CN=authority", "-addext", "keyUsage=critical,keyCertSign")

    def sign(self, name: str, hosts: str, *, key: str = "ec", subject: str | None = None, password: str = "") -> None:
        """NAME.pem and NAME.key."""
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["-newkey", key]
        secret = ["-passout", f"pass:{password}"] if password else ["-nodes"]
        openssl("req", *new, *secret, "-keyout", self.folder / f"{name}.key", "-out", self.folder / "request", "-subj",
                subject or f"/CN={name}")
        (self.folder / "extensions").write_text(f"subjectAltName={hosts}\n")
        openssl("x509", "-req", "-in", self.folder / "request", "-CA", self.folder / "ca.pem", "-CAkey", self.folder / "ca.key",
                "-out", self.folder / f"{name}.pem", "-extfile", self.folder / "extensions")
        (self.folder / f"{name}.pem").chmod(0o644)

    def named(self, name: str) -> str:
        return f'certificate = "{self.folder}/{name}.pem"\nkey = "{self.folder}/{name}.key"\n'


@pytest.fixture
def certificates(tmp_path):
    for above in (tmp_path, *list(tmp_path.parents)[:2]):
        above.chmod(0o755)
    made = Certificates(tmp_path)
    made.sign("mail", "DNS:mail.test,DNS:localhost")
    return made


@pytest.fixture
def serve(make_daemon, certificates):
    """serve(SETTINGS of [tls]): a daemon with STARTTLS and the certificate of mail.test."""

    def start(more: str = "", first: str = "mail", after: str = ""):
        daemon = make_daemon(f'[tls]\nmode = "starttls"\n{certificates.named(first)}{more}\n{after}')
        daemon.hook("recorder", hooks.RECORDER)
        return daemon.start()

    return start


@pytest.fixture
def client_context(certificates):
    return ssl.create_default_context(cafile=certificates.folder / "ca.pem")


@contextlib.contextmanager
def starttls(daemon, context: ssl.SSLContext, name: str = "mail.test"):
    with daemon.network:
        client = smtplib.SMTP("127.0.0.1", daemon.port, local_hostname="client.test", timeout=20)
    with client:
        client._host = name  # SNI, and the name that the certificate must have
        client.starttls(context=context)
        client.ehlo()
        assert client.noop()[0] == 250  # TLS 1.3: a client learns here that the server did not like its certificate
        yield client


def shown(client: smtplib.SMTP) -> str:
    return dict(pair for part in client.sock.getpeercert()["subject"] for pair in part)["commonName"]


def test_each_name_has_its_certificate(serve, certificates, client_context):
    certificates.sign("wild", "DNS:*.example.test")
    certificates.sign("exact", "DNS:smtp.example.test", key="rsa:2048")
    daemon = serve(after="".join(f"[[tls.sni]]\n{certificates.named(name)}" for name in ("wild", "exact")))
    for name, expected in (("mail.test", "mail"), ("imap.example.test", "wild"), ("smtp.example.test", "exact")):
        with starttls(daemon, client_context, name) as client:
            assert shown(client) == expected
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"), starttls(daemon, client_context, "other.test"):
        pass


def test_versions_below_the_minimum_are_refused_and_the_daemon_goes_on(serve, client_context):
    daemon = serve('min_version = "1.3"')
    client_context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError), starttls(daemon, client_context):
        pass
    client_context.maximum_version = ssl.TLSVersion.TLSv1_3
    with starttls(daemon, client_context) as client:
        assert client.sock.version() == "TLSv1.3"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_old_versions_work_where_they_are_asked_for(serve, client_context):
    daemon = serve('min_version = "1.0"')
    client_context.minimum_version = client_context.maximum_version = ssl.TLSVersion.TLSv1
    client_context.set_ciphers("ALL:@SECLEVEL=0")
    with starttls(daemon, client_context) as client:
        assert client.sock.version() == "TLSv1"


def test_ciphers_and_suites_are_those_configured(serve, client_context):
    daemon = serve('ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"\nciphersuites = "TLS_CHACHA20_POLY1305_SHA256"')
    with starttls(daemon, client_context) as client:
        assert client.sock.cipher()[0] == "TLS_CHACHA20_POLY1305_SHA256"
    client_context.maximum_version = ssl.TLSVersion.TLSv1_2
    with starttls(daemon, client_context) as client:
        assert client.sock.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"


def test_a_session_is_resumed(serve, client_context):
    daemon = serve()
    client_context.maximum_version = ssl.TLSVersion.TLSv1_2  # where Python has the ticket right after the handshake
    with daemon.network:
        session = None
        for resumed in (False, True):
            client = smtplib.SMTP("127.0.0.1", daemon.port, local_hostname="client.test", timeout=20)
            client.docmd("EHLO", "client.test")
            assert client.docmd("STARTTLS")[0] == 220
            with client_context.wrap_socket(client.sock, server_hostname="mail.test", session=session) as secured:
                assert secured.session_reused is resumed
                session = secured.session


def test_an_encrypted_key_is_opened_with_its_password(serve, certificates, client_context):
    certificates.sign("locked", "DNS:mail.test", password="open sesame")
    (certificates.folder / "password").write_text("open sesame\n")
    (certificates.folder / "password").chmod(0o600)
    daemon = serve(f'key_password_file = "{certificates.folder}/password"', first="locked")
    with starttls(daemon, client_context) as client:
        assert shown(client) == "locked"


def test_request_takes_every_client_certificate(serve, certificates, client_context, tmp_path):
    daemon = serve(f'client_certificates = "request"\nca_file = "{certificates.folder}/ca.pem"')
    with starttls(daemon, client_context):
        pass
    stranger = tmp_path / "stranger"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{stranger}.key", "-out", f"{stranger}.pem", "-subj",
            "/CN=stranger")
    client_context.load_cert_chain(f"{stranger}.pem", f"{stranger}.key")
    with starttls(daemon, client_context):
        pass


def test_require_takes_only_those_of_its_authority(serve, certificates, client_context):
    daemon = serve(f'client_certificates = "require"\nca_file = "{certificates.folder}/ca.pem"')
    with pytest.raises((ssl.SSLError, smtplib.SMTPServerDisconnected, ConnectionError)), starttls(daemon, client_context):
        pass
    certificates.sign("ann", "email:ann@client.test")
    client_context.load_cert_chain(certificates.folder / "ann.pem", certificates.folder / "ann.key")
    with starttls(daemon, client_context):
        pass


def test_renegotiation_is_refused(serve, certificates):
    daemon = serve()
    with daemon.network:
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.port}", "-starttls", "smtp", "-tls1_2",
                               "-CAfile", certificates.folder / "ca.pem"], input="R\n", capture_output=True, text=True, timeout=30)
    assert "no renegotiation" in done.stderr


@pytest.mark.parametrize("more, sentence", [
    ('ciphers = "NONSENSE"', 'tls.ciphers = "NONSENSE" selects no cipher'),
    ('ciphersuites = "RC4"', '"RC4" is no TLS 1.3 ciphersuite'),
    ('client_certificates = "require"', "set tls.ca_file or tls.ca_dir"),
])
def test_settings_that_cannot_work_refuse_the_start_with_a_sentence(make_daemon, certificates, more, sentence):
    daemon = make_daemon(f'[tls]\nmode = "starttls"\n{certificates.named("mail")}{more}\n')
    daemon.start(ready=False)
    assert daemon.process.wait(20) == CONFIG_ERROR
    daemon.log.wait(re.escape(sentence))


@pytest.mark.parametrize("kind, sentence", [
    ("ed25519", "has an Ed25519 key, with which the keyholder cannot sign"),
    ("rsa:1024", "has an RSA key of 1024 bits, which clients refuse as too short"),
])
def test_keys_that_cannot_work_refuse_the_start_with_a_sentence(make_daemon, certificates, kind, sentence):
    certificates.sign("odd", "DNS:mail.test", key=kind)
    daemon = make_daemon(f'[tls]\nmode = "starttls"\n{certificates.named("odd")}\n')
    daemon.start(ready=False)
    assert daemon.process.wait(20) == CONFIG_ERROR
    daemon.log.wait(re.escape(sentence))
