"""Python's smtplib, and through it the exact octets of every message."""

import email.message
import email.policy
import smtplib

import pytest

from interop.messages import RAW_MESSAGES


@pytest.mark.parametrize("name", RAW_MESSAGES)
def test_every_octet_arrives(mailbox, name):
    with mailbox.daemon.network, smtplib.SMTP("127.0.0.1", 25, "client.test") as client:
        options = ["BODY=8BITMIME"] if name in ("eight_bit", "not_utf_8") else []
        # sendmail() would mend what it takes for bad line ends; data() below it only doubles dots.
        client.ehlo()
        assert client.mail("ann@client.test", options)[0] == 250
        assert client.rcpt("bob@dev.test")[0] == 250
        assert client.docmd("DATA")[0] == 354
        stuffed = b"\r\n".join(b"." + line if line[:1] == b"." else line for line in RAW_MESSAGES[name].split(b"\r\n"))
        client.send(stuffed + b".\r\n")
        assert client.getreply()[0] == 250
    request, message = mailbox.last()
    assert message == RAW_MESSAGES[name]
    assert request["message"]["eight_bit"] == any(octet > 127 for octet in message)


def test_send_message_with_attachment_and_several_recipients(mailbox):
    message = email.message.EmailMessage()
    message["From"], message["To"] = "ann@client.test", "bob@dev.test, carl@dev.test"
    message["Subject"] = "Grüße"
    message.set_content("see the attachment\n.\n")
    message.add_attachment(b"\0\1\2" * 1000, maintype="application", subtype="octet-stream", filename="x.bin")
    with mailbox.daemon.network, smtplib.SMTP("127.0.0.1", 25, "client.test") as client:
        assert client.send_message(message) == {}
    request, received = mailbox.last()
    assert request["to"] == ["bob@dev.test", "carl@dev.test"]
    parsed = email.message_from_bytes(received, policy=email.policy.SMTP)
    assert next(parsed.iter_attachments()).get_content() == b"\0\1\2" * 1000


def test_extensions_and_verify(mailbox):
    with mailbox.daemon.network, smtplib.SMTP("127.0.0.1", 25, "client.test") as client:
        client.ehlo()
        for extension in ("pipelining", "size", "8bitmime", "enhancedstatuscodes"):
            assert client.has_extn(extension), extension
        assert client.esmtp_features["size"] == str(25 * 1024 * 1024)
        assert client.verify("bob@dev.test")[0] == 252
        assert client.noop()[0] == 250
        assert client.help().strip()
