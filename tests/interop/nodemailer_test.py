"""Nodemailer, Node's usual client."""

import base64
import email
import email.policy
import json
import os

import pytest

from interop.messages import MESSAGES

SCRIPT = os.path.join(os.path.dirname(__file__), "nodemailer.js")


def send(mailbox, mail: dict) -> dict:
    done = mailbox.daemon.run(["node", SCRIPT], input=json.dumps(mail).encode())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", MESSAGES)
def test_every_octet_arrives(mailbox, name):
    send(mailbox, {"envelope": {"from": "ann@client.test", "to": ["bob@dev.test"]},
                   "raw": base64.b64encode(MESSAGES[name]).decode()})
    assert mailbox.last()[1] == MESSAGES[name]


def test_composed_with_attachment(mailbox):
    info = send(mailbox, {"from": "Ann <ann@client.test>", "to": "bob@dev.test", "cc": "Käthe <kaethe@dev.test>",
                          "subject": "Grüße", "text": "Hallo\n.\n", "html": "<p>Hallo</p>",
                          "attachments": [{"filename": "a.bin", "content": "AAEC", "encoding": "base64"}]})
    assert info["accepted"] == ["bob@dev.test", "kaethe@dev.test"]
    request, message = mailbox.last()
    assert request["to"] == info["accepted"]
    parsed = email.message_from_bytes(message, policy=email.policy.SMTP)
    assert next(parsed.iter_attachments()).get_content() == b"\0\1\2"
