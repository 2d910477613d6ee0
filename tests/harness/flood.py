"""Clients that never end their line, in every state that a session can be in, and what that costs the worker."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from harness.certificates import Authority
from harness.client import Client
from harness.daemon import Daemon
from harness.processes import read

PIECE = 64 * 1024
MIB = 1024 * 1024

SMTP, IMPLICIT, PROXIED = 25, 465, 26


def config(authority: Authority) -> str:
    """A listener for each of the ports above."""
    certificate = authority.issue("127.0.0.1", file="flood")
    return f"""limits.message_size = 1000000
[tls]
{certificate.toml()}
[auth]
source = "accept-any"
before_tls = true
[[listener]]
name = "smtp"
address = ["127.0.0.1:{SMTP}"]
tls = "starttls"
xclient = ["127.0.0.1"]
[[listener]]
name = "implicit"
address = ["127.0.0.1:{IMPLICIT}"]
tls = "implicit"
[[listener]]
name = "proxied"
address = ["127.0.0.1:{PROXIED}"]
proxy_protocol = ["127.0.0.1"]
"""


@dataclass
class Flood:
    begin: bytes                  # of the line or record that never ends
    port: int = SMTP
    before: tuple[str, ...] = ()  # commands after EHLO
    tls: bool = False             # inside of TLS
    greeted: bool = True          # the server speaks first
    closes: bool = True


TRANSACTION = ("MAIL FROM:<a@client.test>", "RCPT TO:<b@dev.test>")
FLOODS = {
    "command": Flood(b"NOOP "),
    "no_command": Flood(b""),
    "parameters": Flood(b"MAIL FROM:<a@client.test> X="),
    "address": Flood(b"RCPT TO:<", before=TRANSACTION[:1]),
    "xclient": Flood(b"XCLIENT NAME="),
    "auth_argument": Flood(b"AUTH PLAIN "),
    "auth_response": Flood(b"", before=("AUTH PLAIN",)),
    "auth_second_response": Flood(b"", before=("AUTH LOGIN", "YQ==")),
    "bdat_size": Flood(b"BDAT 1", before=TRANSACTION),
    "bdat_chunk": Flood(b"BDAT 18446744073709551615\r\n", before=TRANSACTION),
    "data": Flood(b"", before=(*TRANSACTION, "DATA"), closes=False),
    "proxy_header": Flood(b"PROXY TCP4 ", PROXIED, greeted=False),
    "no_proxy_header": Flood(b"", PROXIED, greeted=False),
    "proxy_header_2": Flood(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", PROXIED, greeted=False),
    "command_in_tls": Flood(b"NOOP ", tls=True),
    "auth_in_tls": Flood(b"", before=("AUTH PLAIN",), tls=True),
    "bdat_size_in_tls": Flood(b"BDAT 1", before=TRANSACTION, tls=True),
    "implicit_tls": Flood(b"NOOP ", IMPLICIT, tls=True),
    "no_tls_after_starttls": Flood(b"", before=("STARTTLS",)),
    "no_tls_on_a_port_with_tls": Flood(b"", IMPLICIT, greeted=False),
    "client_hello_without_end": Flood(b"\x16\x03\x01\x40\x00\x01\xff\xff\xff\x03\x03", IMPLICIT, greeted=False),
}


def connect(daemon: Daemon, authority: Authority, flood: Flood) -> Client:
    client = Client(daemon.network, flood.port)
    if flood.tls and flood.port == IMPLICIT:
        client.start_tls(authority.trusted())
    if flood.greeted:
        client.greet()
    if flood.tls and flood.port != IMPLICIT:
        client.expect("STARTTLS", "220")
        client.start_tls(authority.trusted())
        client.expect("EHLO client.test", "250")
    for command in flood.before:
        assert client.say(command).code < 400, command
    return client


def resident(pid: int) -> int:
    fields = dict(line.split(":", 1) for line in read(pid, "status").splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024


def pour(client: Client, flood: Flood, most: int, watch: Callable[[], None] = lambda: None) -> int:
    """Sends until it is refused, or `most` octets: how many went out."""
    sent, piece = 0, b"1" * PIECE
    try:
        client.send(flood.begin)
        while sent < most:
            client.send(piece)
            sent += PIECE
            watch()
    except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
        pass
    return sent


def wait_closed(client: Client) -> None:
    """The server says what it has to say, and that it was all."""
    try:
        while client.socket.recv(4096):
            pass
    except (ConnectionResetError, ssl.SSLError):
        pass


def growth(daemon: Daemon, authority: Authority, flood: Flood, each: int, total: int) -> int:
    """By how many octets the worker grew at most while clients sent `each`, `total` together, and found themselves closed. The
    first two are not counted: what is loaded once is no flood's."""
    def one(watch: Callable[[], None] = lambda: None) -> int:
        with connect(daemon, authority, flood) as client:
            sent = pour(client, flood, each, watch)
            if flood.closes:
                wait_closed(client)
        return max(sent, PIECE)

    one(), one()
    worker = daemon.worker().pid
    before = peak = resident(worker)

    def watch() -> None:
        nonlocal peak
        peak = max(peak, resident(worker))

    sent = 0
    while sent < total:
        sent += one(watch)
        watch()
    return peak - before
