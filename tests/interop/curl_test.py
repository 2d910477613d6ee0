"""curl's smtp:// client."""

import pytest

from interop.conftest import PASSWORD, TOKEN, USER
from interop.messages import RAW_MESSAGES

# curl takes a file that does not end with CRLF for one whose last line end is missing, and an empty one for a mistake.
NAMES = [name for name, message in RAW_MESSAGES.items() if message.endswith(b"\r\n")]


@pytest.mark.parametrize("name", NAMES)
def test_every_octet_arrives(mailbox, name, tmp_path):
    file = tmp_path / "message"
    file.write_bytes(RAW_MESSAGES[name])
    done = mailbox.daemon.run(["curl", "--silent", "--show-error", "smtp://127.0.0.1/client.test", "--mail-from", "ann@client.test",
                               "--mail-rcpt", "bob@dev.test", "--upload-file", str(file)])
    assert done.returncode == 0, done.stderr
    assert mailbox.last()[1] == RAW_MESSAGES[name]


def test_verify_and_help(mailbox):
    done = mailbox.daemon.run(["curl", "--silent", "smtp://127.0.0.1", "--mail-rcpt", "bob@dev.test"])
    assert done.returncode == 0 and done.stdout.startswith(b"252 ")
    done = mailbox.daemon.run(["curl", "--silent", "smtp://127.0.0.1", "--request", "HELP"])
    assert done.returncode == 0 and done.stdout.startswith(b"214")


def send(mailbox, url: str, *options: str):
    return mailbox.daemon.run(["curl", "--silent", "--show-error", "--cacert", mailbox.ca, *options, f"{url}/client.test",
                               "--mail-from", "ann@client.test", "--mail-rcpt", "bob@dev.test", "--upload-file", "-"],
                              input=RAW_MESSAGES["dot_lines"])


WITH_TLS = {"starttls": ("smtp://localhost:25", "--ssl-reqd"), "implicit": ("smtps://localhost:465",)}


@pytest.mark.parametrize("how", WITH_TLS)
def test_over_tls(secure, how):
    done = send(secure, *WITH_TLS[how])
    assert done.returncode == 0, done.stderr
    request, message = secure.last()
    assert message == RAW_MESSAGES["dot_lines"]
    assert request["tls"]["version"] == "TLSv1.3" and request["protocol"] == "ESMTPS" and "user" not in request


@pytest.mark.parametrize("how", WITH_TLS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_authenticated(secure, how, mechanism):
    done = send(secure, *WITH_TLS[how], "--user", f"{USER}:{PASSWORD}", "--login-options", f"AUTH={mechanism}")
    assert done.returncode == 0, done.stderr
    request, _ = secure.last()
    assert request["user"] == USER and request["protocol"] == "ESMTPSA"


def test_a_wrong_password(secure):
    before = secure.count()
    assert send(secure, *WITH_TLS["starttls"], "--user", f"{USER}:wrong").returncode == 67  # CURLE_LOGIN_DENIED
    assert secure.count() == before


def test_a_certificate_of_somebody_else(secure):
    assert send(secure, "smtps://localhost:465", "--cacert", "/etc/ssl/certs/ca-certificates.crt").returncode in (60, 77)


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token(by_token, mechanism):
    arguments = (*WITH_TLS["starttls"], "--user", USER, "--login-options", f"AUTH={mechanism}", "--oauth2-bearer")
    done = send(by_token, *arguments, TOKEN)
    assert done.returncode == 0, done.stderr
    assert by_token.last()[0]["user"] == USER
    assert send(by_token, *arguments, "wrong").returncode == 67
