"""The PROXY protocol in front of the real daemon: who the client is, for hooks, limits and the log."""

import contextlib
import re
import signal
import socket
import ssl
import struct

import pytest

from harness import hooks
from harness.certificates import Authority
from harness.client import Client
from harness.daemon import Daemon

HEADER = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
HEADER_2 = SIGNATURE + b"\x21\x21" + struct.pack("!H", 36) + socket.inet_pton(socket.AF_INET6, "2001:db8::7") + \
    socket.inet_pton(socket.AF_INET6, "2001:db8::1") + struct.pack("!HH", 4711, 25)


@pytest.fixture
def daemon():
    with contextlib.ExitStack() as stack:
        def start(settings: str = "", network: str = "127.0.0.0/8", listener: str = "") -> Daemon:
            made = Daemon(f'{settings}\n[[listener]]\naddress = ["127.0.0.1:25"]\nproxy_protocol = ["{network}"]\n{listener}')
            stack.callback(made.close)
            made.hook("recorder", hooks.RECORDER, ["validate_sender", "deliver"])
            return made.start()
        yield start


@pytest.mark.parametrize("header, address", [(HEADER, "192.0.2.7"), (HEADER_2, "2001:db8::7")])
def test_the_client_is_who_the_header_says(daemon, header, address):
    running = daemon()
    client = running.client()
    client.send(header + b"EHLO client.test\r\nMAIL FROM:<>\r\n")
    assert [client.reply().code for _ in range(3)] == [220, 250, 250]
    client.expect("QUIT", "221")
    (request,) = running.recorded().requests("validate_sender")
    assert request["client"] == {"ip": address, "port": 4711}
    running.log.wait(f"session id=.* client={re.escape(address)} proxy=127.0.0.1 .*end=quit")


def test_a_header_may_come_in_pieces(daemon):
    running = daemon()
    client = running.client()
    for octet in HEADER_2 + b"EHLO client.test\r\n":
        client.send(bytes([octet]))
    assert client.reply().code == 220
    assert client.reply().code == 250


def test_without_a_header_there_is_no_session_and_no_reply(daemon):
    running = daemon()
    client = running.client()
    client.send("EHLO client.test\r\n")
    assert client.at_end()
    running.log.wait(r'proxy client=127.0.0.1 failed reason="no PROXY header" got="EHLO client.test')


def test_a_header_has_its_time(daemon):
    running = daemon('[timeouts]\nhandshake = "200ms"')
    client = running.client()
    client.send("PROXY TCP4 192.0")
    assert client.at_end()
    running.log.wait(r'proxy client=127.0.0.1 failed reason="no PROXY header in time"')


def test_who_is_no_proxy_is_greeted_at_once_and_its_header_is_a_bad_command(daemon):
    running = daemon(network="10.0.0.0/8")
    with running.session() as client:
        assert client.say(HEADER.removesuffix(b"\r\n")).code == 500
        assert client.message().code == 250


def test_a_health_check_is_served_with_the_address_of_the_proxy(daemon):
    running = daemon()
    client = running.client()
    client.send(SIGNATURE + b"\x20\x00\x00\x00")
    client.greet()
    assert client.message().code == 250
    assert running.recorded().only_message()[0]["client"]["ip"] == "127.0.0.1"


def test_the_limit_for_an_address_counts_clients_and_not_the_proxy(daemon):
    running = daemon("[limits]\nconnections_per_address = 2")
    clients = [running.client() for _ in range(4)]
    for client, last in zip(clients, (7, 7, 7, 8)):
        client.send(HEADER.replace(b"192.0.2.7", b"192.0.2.%d" % last))
    codes = [client.reply().code for client in clients]
    assert sorted(codes[:3]) == [220, 220, 421] and codes[3] == 220
    assert codes[2] == 421


def test_the_header_comes_before_tls(daemon, tmp_path):
    authority = Authority(tmp_path)
    running = daemon(f'[tls]\n{authority.issue("127.0.0.1").toml()}', listener='tls = "implicit"')
    client = running.client()
    client.send(HEADER)
    client.start_tls(authority.trusted())
    client.greet()
    assert client.message().code == 250
    request = running.recorded().only_message()[0]
    assert request["client"]["ip"] == "192.0.2.7" and request["tls"]["version"]
    refused = running.client()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        refused.start_tls(authority.trusted())
    running.log.wait('proxy client=127.0.0.1 failed reason="no PROXY header"')


def test_stop_waits_for_nobody_who_has_not_said_who_it_is(daemon):
    running = daemon('[timeouts]\ndrain = "200ms"')
    client = running.client()
    client.send("PROXY ")
    running.signal(signal.SIGTERM)
    assert running.wait(40) == 0
    assert client.at_end()


def test_xclient_gives_the_session_another_client(daemon):
    running = daemon(network="10.0.0.0/8", listener='xclient = ["127.0.0.1"]')
    client = running.client()
    assert "XCLIENT" in client.greet()
    assert client.say("XCLIENT ADDR=192.0.2.9 PORT=99 NAME=mx.client.test HELO=mx.client.test").code == 220
    client.expect("EHLO client.test", "250")
    assert client.message().code == 250
    assert client.say("XCLIENT ADDR=192.0.2.10 PORT=98").code == 220
    client.expect("EHLO client.test", "250")
    assert client.message().code == 250
    client.expect("QUIT", "221")
    first, second = running.recorded().requests("deliver")
    assert first["client"] == {"ip": "192.0.2.9", "port": 99}
    assert second["client"] == {"ip": "192.0.2.10", "port": 98}
    running.log.wait("session id=.* client=192.0.2.10 .*end=quit")


def test_xclient_is_not_known_to_others(daemon):
    running = daemon(network="10.0.0.0/8", listener='xclient = ["10.0.0.0/8"]')
    with running.client() as client:
        assert "XCLIENT" not in client.greet()
        assert client.say("XCLIENT ADDR=192.0.2.9").code >= 500
