"""swaks, the way README.md shows it and with messages of its own."""

import pytest

from interop.conftest import PASSWORD, USER
from interop.messages import MESSAGES

SWAKS = ["swaks", "--server", "127.0.0.1", "--from", "ann@client.test", "--helo", "client.test"]


# swaks takes a last line "." for the end of data, and gives a message without a body an empty line as one.
NAMES = [name for name in MESSAGES if name not in ("only_a_dot", "empty_body", "headers_only")]


@pytest.mark.parametrize("name", NAMES)
def test_every_octet_arrives(mailbox, name, tmp_path):
    file = tmp_path / "message"
    # swaks makes CRLF of every line end, and of an end of file.
    file.write_bytes(MESSAGES[name].replace(b"\r\n", b"\n").removesuffix(b"\n"))
    done = mailbox.daemon.run([*SWAKS, "--to", "bob@dev.test", "--data", f"@{file}"])
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    assert mailbox.last()[1] == MESSAGES[name]


def test_pipelined(mailbox):
    done = mailbox.daemon.run([*SWAKS, "--to", "bob@dev.test,carl@dev.test", "--pipeline"])
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    assert len(mailbox.last()[0]["to"]) == 2


def test_its_own_message_with_attachment(mailbox, tmp_path):
    file = tmp_path / "x.bin"
    file.write_bytes(bytes(range(256)) * 400)
    done = mailbox.daemon.run([*SWAKS, "--to", "bob@dev.test", "--attach", f"@{file}", "--header", "Subject: with file"])
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    assert b"\r\nSubject: with file\r\n" in mailbox.last()[1]


WITH_TLS = {"starttls": ["--tls"], "implicit": ["--tls-on-connect", "--port", "465"]}


@pytest.mark.parametrize("how", WITH_TLS)
@pytest.mark.parametrize("mechanism", ["none", "PLAIN", "LOGIN", "CRAM-MD5"])
def test_over_tls(secure, how, mechanism):
    auth = [] if mechanism == "none" else ["--auth", mechanism, "--auth-user", USER, "--auth-password", PASSWORD]
    done = secure.daemon.run([*SWAKS, "--to", "bob@dev.test", *WITH_TLS[how], "--tls-verify", "--tls-ca-path", secure.ca, *auth])
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    request, _ = secure.last()
    assert request["protocol"] == ("ESMTPS" if mechanism == "none" else "ESMTPSA")


def test_a_wrong_password_and_none_at_all(secure):
    submission = [*SWAKS, "--port", "587", "--to", "bob@dev.test", "--tls"]
    done = secure.daemon.run([*submission, "--auth", "PLAIN", "--auth-user", USER, "--auth-password", "wrong"])
    assert done.returncode == 28 and b"535 5.7.8" in done.stdout
    done = secure.daemon.run(submission)
    assert done.returncode == 23 and b"530 5.7.0" in done.stdout
