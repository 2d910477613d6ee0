"""msmtp, as a stand-in for sendmail."""

import pytest

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
