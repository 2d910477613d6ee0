"""Nodemailer, Node's usual client."""

import base64
import email
import email.policy
import json
import os

import pytest

from interop.conftest import PASSWORD, TOKEN, USER
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


WITH_TLS = {"starttls": {"port": 25, "requireTLS": True}, "required": {"port": 587}, "implicit": {"port": 465, "secure": True}}


def over_tls(mailbox, authority, how: str, auth: dict | None) -> dict:
    transport = {"host": "127.0.0.1", "name": "client.test", "tls": {"ca": authority.file.read_text(), "servername": "localhost"},
                 **WITH_TLS[how]}
    return {"envelope": {"from": "ann@client.test", "to": ["bob@dev.test"]}, "raw": base64.b64encode(MESSAGES["plain"]).decode(),
            "transport": transport | ({"auth": auth} if auth else {})}


@pytest.mark.parametrize("how", ["starttls", "implicit"])
def test_over_tls(secure, authority, how):
    send(secure, over_tls(secure, authority, how, None))
    assert secure.last()[0]["protocol"] == "ESMTPS"


@pytest.mark.parametrize("how", WITH_TLS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_authenticated(secure, authority, how, mechanism):
    mail = over_tls(secure, authority, how, {"user": USER, "pass": PASSWORD})
    mail["transport"]["authMethod"] = mechanism
    send(secure, mail)
    assert secure.last()[0]["user"] == USER


def test_a_wrong_password(secure, authority):
    mail = over_tls(secure, authority, "required", {"user": USER, "pass": "wrong"})
    done = secure.daemon.run(["node", SCRIPT], input=json.dumps(mail).encode())
    assert done.returncode == 1 and b"535 5.7.8" in done.stderr


def test_a_token(by_token, authority):
    send(by_token, over_tls(by_token, authority, "required", {"type": "OAuth2", "user": USER, "accessToken": TOKEN}))
    assert by_token.last()[0]["user"] == USER
