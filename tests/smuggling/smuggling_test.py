"""SMTP smuggling (CVE-2023-51764, -51765, -51766): whatever of CR, LF and NUL stands around a dot, and however the stream is
cut there, nothing but CRLF.CRLF ends a message, and nothing inside of one becomes a command."""

import itertools
import re

import pytest

from harness import hooks
from harness.client import Client

TEXT = b"Subject: x\r\n\r\ntext"
SMUGGLED = (b"MAIL FROM:<smuggled@evil.test>\r\nRCPT TO:<victim@dev.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nhello\r\n")
SEQUENCES = [b"".join(octets) for length in range(3) for octets in itertools.product((b"\r", b"\n", b"\0"), repeat=length)]
# The one that is an end of data stands alone, below.
AROUND_THE_DOT = [(before, after) for before in SEQUENCES for after in SEQUENCES if (before, after) != (b"\r\n", b"\r\n")]


def cuts(before: bytes, after: bytes):
    """The stream in two pieces, cut everywhere around the dot; and octet by octet there."""
    stream = TEXT + before + b"." + after + SMUGGLED
    around = range(len(TEXT), len(TEXT) + len(before) + len(after) + 2)
    for at in around:
        yield [stream[:at], stream[at:]]
    yield [stream[:around[0]], *(stream[at:at + 1] for at in around), stream[around[-1] + 1:]]


def bare_line_end(message: bytes) -> bool:
    return re.search(rb"\r(?!\n)|(?<!\r)\n", message) is not None


def unstuffed(message: bytes) -> bytes:
    return b"\r\n".join(line.removeprefix(b".") for line in message.split(b"\r\n"))


@pytest.fixture(scope="module")
def daemon(make_module_daemon, authority):
    certificate = authority.issue("127.0.0.1", file="smuggling")
    daemon = make_module_daemon(f"""limits.errors = 100000
limits.commands = 1000000
[tls]
mode = "starttls"
{certificate.toml()}""")
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


@pytest.fixture(params=["plain", "tls"])
def client(daemon, authority, request):
    with daemon.session() as client:
        if request.param == "tls":
            client.expect("STARTTLS", "220")
            client.start_tls(authority.trusted())  # here each piece is a record of its own: a cut that no kernel mends
            client.expect("EHLO client.test", "250")
        yield client


def begin(client: Client, *last: bytes) -> None:
    client.send(b"".join([b"MAIL FROM:<ann@client.test>\r\n", b"RCPT TO:<bob@dev.test>\r\n", *last]))
    for code in (250, 250, 354)[:2 + len(last)]:
        assert client.reply().code == code


def nothing_is_left(client: Client) -> None:
    client.expect("NOOP", "250 2.0.0")


def delivered(daemon) -> list[bytes]:
    return [hooks.as_sent(request, message) for request, message in daemon.recorded().messages()]


def test_no_other_end_of_data(daemon, client):
    expected, before_all = [], len(delivered(daemon))
    for before, after in AROUND_THE_DOT:
        for pieces in cuts(before, after):
            begin(client, b"DATA\r\n")
            for piece in pieces:
                client.send(piece)
            reply = client.say(b".")
            message = b"".join(pieces)
            if bare_line_end(message):
                assert reply.startswith("550 5.6.0"), (before, after, pieces, reply)
            else:
                assert reply.code == 250, (before, after, pieces, reply)
                expected.append(unstuffed(message))
        nothing_is_left(client)
    assert delivered(daemon)[before_all:] == expected and expected
    assert {request["from"] for request in daemon.recorded().requests("deliver")} == {"ann@client.test"}


def test_the_one_end_of_data_at_every_cut(daemon, client):
    """What comes after it is the client's own next command, with its own authority."""
    for pieces in cuts(b"\r\n", b"\r\n"):
        begin(client, b"DATA\r\n")
        for piece in pieces:
            client.send(piece)
        assert [client.reply().code for _ in range(4)] == [250, 250, 250, 354]
        assert client.say(b".").code == 250
    requests = daemon.recorded().requests("deliver")
    assert [request["from"] for request in requests[-2:]] == ["ann@client.test", "smuggled@evil.test"]


def test_a_chunk_has_no_end_but_its_size(daemon, client):
    """BDAT (RFC 3030): the same streams, cut into chunks; the end of data of DATA is text here."""
    expected, before_all = [], len(delivered(daemon))
    for before, after in [*AROUND_THE_DOT, (b"\r\n", b"\r\n")]:
        for pieces in cuts(before, after):
            begin(client)
            client.send(b"".join(b"BDAT %d\r\n%b" % (len(piece), piece) for piece in pieces) + b"BDAT 0 LAST\r\n")
            replies = [client.reply() for _ in range(len(pieces) + 1)]
            message = b"".join(pieces)
            if bare_line_end(message):
                # Refused as soon as it is seen, and with it the transaction.
                codes = [reply.code for reply in replies]
                assert codes == sorted(codes, key=(250, 550, 503).index) and codes.count(550) == 1, (before, after, pieces, replies)
            else:
                assert {reply.code for reply in replies} == {250}, (before, after, pieces, replies)
                expected.append(message)
        nothing_is_left(client)
    assert delivered(daemon)[before_all:] == expected and expected
