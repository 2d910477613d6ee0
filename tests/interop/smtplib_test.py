"""Python's smtplib, and through it the exact octets of every message."""

import email.message
import email.policy
import smtplib
import ssl

import pytest

from harness import hooks

from interop.conftest import PASSWORD, TOKEN, USER
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


@pytest.mark.parametrize("port", [25, 465, 587])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_over_tls_and_authenticated(secure, authority, port, mechanism):
    context = authority.trusted()
    with secure.daemon.network:
        if port == 465:
            client = smtplib.SMTP_SSL("localhost", port, "client.test", context=context)
        else:
            client = smtplib.SMTP("localhost", port, "client.test")
    with client:
        if port != 465:
            assert client.starttls(context=context)[0] == 220
        client.ehlo()
        assert mechanism in client.esmtp_features["auth"].split()
        client.esmtp_features["auth"] = mechanism  # the only one that login() shall know of
        assert client.login(USER, PASSWORD)[0] == 235
        assert client.sendmail("ann@client.test", ["bob@dev.test"], RAW_MESSAGES["plain"]) == {}
    request, message = secure.last()
    assert message == RAW_MESSAGES["plain"] and request["user"] == USER and request["protocol"] == "ESMTPSA"


def test_a_certificate_that_is_not_believed(secure):
    with secure.daemon.network, smtplib.SMTP("localhost", 25, "client.test") as client:
        with pytest.raises(ssl.SSLCertVerificationError):
            client.starttls(context=ssl.create_default_context())
        client.sock = None


def test_authentication_is_not_offered_before_tls(secure):
    with secure.daemon.network, smtplib.SMTP("127.0.0.1", 25, "client.test") as client:
        client.ehlo()
        assert client.has_extn("starttls") and not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AGFubgB4")[0] == 538


def test_a_token(by_token, authority):
    for token, code in ((TOKEN, 235), ("wrong", 535)):
        with by_token.daemon.network, smtplib.SMTP("localhost", 25, "client.test") as client:
            client.starttls(context=authority.trusted())
            client.ehlo()
            words = f"user={USER}\x01auth=Bearer {token}\x01\x01"
            if code == 235:
                assert client.auth("XOAUTH2", lambda challenge=None: words)[0] == code
            else:
                with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
                    client.auth("XOAUTH2", lambda challenge=None: words if challenge is None else "")
                assert refused.value.smtp_code == code


def test_lmtp_over_a_unix_socket(make_daemon):
    daemon = make_daemon()
    socket = daemon.folder / "run/lmtp.sock"
    daemon.config = f'[[listener]]\naddress = ["unix:{socket}"]\nprotocol = "lmtp"\n'
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with smtplib.LMTP(str(socket), local_hostname="client.test") as client:
        assert client.sendmail("ann@client.test", ["bob@dev.test"], RAW_MESSAGES["plain"]) == {}
        client.mail("ann@client.test")
        assert [client.rcpt(f"{name}@dev.test")[0] for name in ("bob", "carl")] == [250, 250]
        assert client.docmd("DATA")[0] == 354
        client.send(RAW_MESSAGES["plain"] + b".\r\n")
        assert [client.getreply()[0] for _ in range(2)] == [250, 250]  # one for each recipient (RFC 2033 §4.2)
    assert daemon.recorded().requests("deliver")[-1]["to"] == ["bob@dev.test", "carl@dev.test"]
