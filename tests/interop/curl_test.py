"""curl's smtp:// client."""

import pytest

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
