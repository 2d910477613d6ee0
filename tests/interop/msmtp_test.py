"""msmtp, as a stand-in for sendmail."""

import pytest

from interop.conftest import PASSWORD, TOKEN, USER
from interop.messages import MESSAGES

# msmtp turns a message without the empty line that ends its header into one with it.
NAMES = [name for name in MESSAGES if name != "headers_only"]


@pytest.mark.parametrize("name", NAMES)
def test_every_octet_arrives(mailbox, name):
    done = mailbox.daemon.run(["msmtp", "--host=127.0.0.1", "--port=25", "--from=ann@client.test", "--domain=client.test",
                               "bob@dev.test"], input=MESSAGES[name].replace(b"\r\n", b"\n"))
    assert done.returncode == 0, done.stderr
    assert mailbox.last()[1] == MESSAGES[name]


def test_server_information(mailbox):
    done = mailbox.daemon.run(["msmtp", "--host=127.0.0.1", "--port=25", "--serverinfo"])
    assert done.returncode == 0, done.stderr
    for word in (b"SIZE 26214400", b"PIPELINING"):
        assert word in done.stdout


def send(mailbox, port: int, mechanism: str, secret: str):
    return mailbox.daemon.run(["msmtp", "--host=localhost", f"--port={port}", "--from=ann@client.test", "--domain=client.test",
                               "--tls=on", f"--tls-starttls={'off' if port == 465 else 'on'}", f"--tls-trust-file={mailbox.ca}",
                               f"--auth={mechanism}", f"--user={USER}", f"--passwordeval=printf %s '{secret}'", "bob@dev.test"],
                              input=MESSAGES["plain"].replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("port", [25, 465, 587])
@pytest.mark.parametrize("mechanism", ["on", "plain", "login", "cram-md5", "scram-sha-256"])
def test_authenticated_over_tls(secure, port, mechanism):
    done = send(secure, port, mechanism, PASSWORD)
    assert done.returncode == 0, done.stderr
    request, message = secure.last()
    assert message == MESSAGES["plain"] and request["user"] == USER


@pytest.mark.parametrize("mechanism", ["plain", "cram-md5", "scram-sha-256"])
def test_a_wrong_password(secure, mechanism):
    done = send(secure, 587, mechanism, "wrong")
    assert done.returncode == 77 and b"535" in done.stderr, done


@pytest.mark.parametrize("mechanism", ["oauthbearer", "xoauth2"])
def test_a_token(by_token, mechanism):
    done = send(by_token, 587, mechanism, TOKEN)
    assert done.returncode == 0, done.stderr
    assert by_token.last()[0]["user"] == USER
    assert send(by_token, 587, mechanism, "wrong").returncode == 77
