"""The TLS options of tcllib's smtpd, by their names there: each has its place (DESIGN, same section)."""

import smtplib
import ssl

import pytest

from harness.certificates import Authority, Certificate


@pytest.fixture
def certificate(authority) -> Certificate:
    return authority.issue("127.0.0.1", file="seed")


@pytest.fixture
def start(make_daemon, certificate):
    """With these options of the seed beside usetls, certfile and keyfile."""
    def starter(**options: object):
        options = {"usetls": "true", "certfile": certificate.file, "keyfile": certificate.key, **options}
        arguments = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
        return make_daemon(arguments=tuple(arguments)).start()
    return starter


def handshake(daemon, context: ssl.SSLContext) -> ssl.SSLSocket:
    """After STARTTLS, and an EHLO that went through it: with TLS 1.3 a refused client is told only then."""
    with daemon.network, smtplib.SMTP("127.0.0.1", 25, "client.test") as client:
        client.starttls(context=context)
        assert client.ehlo()[0] == 250
        return client.sock


@pytest.mark.parametrize("wanted", ["true", "false"])
def test_usetls(start, wanted):
    daemon = start(usetls=wanted)
    with daemon.client() as client:
        offered = "STARTTLS" in client.greet()
        assert offered == (wanted == "true")
        if not offered:
            client.expect("STARTTLS", "50")


def test_certfile_and_keyfile(start, authority):
    handshake(start(), authority.trusted())


def test_password(start, authority):
    certificate = authority.issue("127.0.0.1", file="locked", kind="rsa")
    password = authority.lock(certificate)
    handshake(start(certfile=certificate.file, keyfile=certificate.key, password=password), authority.trusted())


def test_cipher(start, authority):
    daemon = start(cipher="ECDHE-ECDSA-CHACHA20-POLY1305")
    context = authority.trusted()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    handshake(daemon, context)
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with pytest.raises(ssl.SSLError):
        handshake(daemon, context)


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
@pytest.mark.parametrize("wanted", ["true", "false"])
def test_tls1(start, authority, version, wanted):
    daemon = start(tls1=wanted, cipher="ALL:@SECLEVEL=0")  # OpenSSL signs these two with SHA-1 at level 0 only
    context = authority.trusted()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = getattr(ssl.TLSVersion, version)
    if wanted == "true":
        handshake(daemon, context)
    else:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            handshake(daemon, context)


@pytest.fixture
def strangers(tmp_path) -> Authority:
    return Authority(tmp_path, "Somebody else")


@pytest.mark.parametrize("option", ["cafile", "cadir"])
def test_require_with_cafile_and_cadir(start, authority, strangers, tmp_path, option):
    folder = tmp_path / "authorities"
    folder.mkdir(mode=0o755)
    (folder / "ca.pem").write_bytes(authority.file.read_bytes())
    daemon = start(require="true", **{option: folder if option == "cadir" else authority.file})
    handshake(daemon, authority.trusted(authority.issue("client.test")))
    stranger = strangers.issue("client.test")
    for context in (authority.trusted(), authority.trusted(stranger)):
        with pytest.raises((ssl.SSLError, ConnectionError, smtplib.SMTPServerDisconnected)):
            handshake(daemon, context)


def test_request(start, authority, strangers):
    """Who has no certificate, or a strange one, comes in all the same."""
    daemon = start(request="true", cafile=authority.file)
    for context in (authority.trusted(), authority.trusted(authority.issue("client.test")), authority.trusted(strangers.issue("client.test"))):
        handshake(daemon, context)


@pytest.mark.parametrize("option", ["ssl2", "ssl3"])
def test_what_does_not_exist_any_more(make_daemon, option):
    daemon = make_daemon(arguments=("--set", f"{option}=true")).start(ready=False)
    assert daemon.wait() == 78
    daemon.log.wait("SSLv2 and SSLv3 .* do not exist any more")
