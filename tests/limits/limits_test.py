"""Every limit a client can run into, with small numbers, over TCP."""

import time

import pytest

from harness import hooks
from harness.client import Client
from harness.network import Network


@pytest.fixture
def limited(make_daemon):
    def start(config: str):
        daemon = make_daemon(config)
        daemon.hook("recorder", hooks.RECORDER)
        return daemon.start()
    return start


def test_connections_in_all(limited):
    daemon = limited("limits.connections = 3")
    with daemon.session(), daemon.session() as second, daemon.session():
        with daemon.client() as fourth:
            assert fourth.reply().startswith("421 ") and fourth.at_end()
        second.expect("QUIT", "221")
        assert second.at_end()
        with daemon.session() as another:
            assert another.message().code == 250


def test_connections_per_address_but_not_from_loopback(make_daemon):
    network = Network()
    network.add_address("192.0.2.1")
    daemon = make_daemon('limits.connections_per_address = 1\n[[listener]]\naddress = ["0.0.0.0:25"]', network=network).start()
    with daemon.session(), daemon.session():
        with daemon.session(address="192.0.2.1"):
            with daemon.client(address="192.0.2.1") as second:
                assert second.reply().startswith("421 ") and second.at_end()
    network.close()


def test_addresses_of_one_ipv6_network_are_one_client(make_daemon):
    network = Network()
    for address in ("2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:3::1"):
        network.add_address(address)
    daemon = make_daemon('limits.connections_per_address = 1\n[[listener]]\naddress = ["[::]:25"]', network=network).start()
    with daemon.session(address="2001:db8:1:2::1"), daemon.session(address="2001:db8:1:3::1"):
        with daemon.client(address="2001:db8:1:2::2") as neighbour:
            assert neighbour.reply().startswith("421 ") and neighbour.at_end()
    network.close()


def test_errors(limited):
    daemon = limited("limits.errors = 3")
    with daemon.session() as client:
        replies = [client.say("NONSENSE").code for _ in range(3)]
        if replies[-1] != 421:
            assert replies == [500, 500, 500]
            assert client.reply().startswith("421 ")
        assert client.at_end()


def test_commands(limited):
    daemon = limited("limits.commands = 5")
    with daemon.session() as client:
        for _ in range(4):
            client.expect("NOOP", "250")
        reply = client.say("NOOP")
        assert reply.startswith("421 ") and client.at_end()


def test_recipients(limited):
    daemon = limited("limits.recipients = 2")
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<one@dev.test>", "250")
        client.expect("RCPT TO:<two@dev.test>", "250")
        client.expect("RCPT TO:<three@dev.test>", "452 4.5.3")
        client.expect("DATA", "354")
        assert client.say("Subject: x\r\n\r\n.").code == 250
    assert daemon.recorded().only_message()[0]["to"] == ["one@dev.test", "two@dev.test"]


def test_command_line(limited):
    daemon = limited("")
    with daemon.session() as client:
        client.expect("NOOP " + "x" * 3000, "500 5.5.2")
        client.expect("NOOP", "250")


def test_endless_command_line(limited):
    daemon = limited("")
    with daemon.session() as client:
        try:
            for _ in range(100):
                client.send(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            return  # closed while we still wrote: the reply may be lost with it
        assert client.reply().code in (421, 500)


@pytest.mark.parametrize("line", [b"NOOP \0", b"NOOP \x07", b"MAIL FROM:<\xfc@client.test>", b"NOOP \x7f"], ids=repr)
def test_bytes_that_no_command_may_have(limited, line):
    daemon = limited("")
    with daemon.session() as client:
        client.expect(line, "5")
        client.expect("NOOP", "250")


def test_strict_lines(limited):
    daemon = limited("limits.strict_lines = true")
    with daemon.session() as client:
        assert client.message(b"Subject: x\r\n\r\n" + b"y" * 1001 + b"\r\n").code == 500
        assert client.message(b"Subject: x\r\n\r\n" + b"y" * 998 + b"\r\n").code == 250


def times_out(client: Client, least: float, most: float) -> None:
    begin = time.monotonic()
    reply = client.reply()
    took = time.monotonic() - begin
    assert reply.startswith("421 ") and " 4.4.2 " in reply and client.at_end()
    assert least <= took <= most, f"{took} s"


def test_idle_timeout(limited):
    daemon = limited('timeouts.idle = "700ms"')
    with daemon.session() as client:
        times_out(client, 0.4, 5)


def test_command_timeout_counts_from_the_first_byte_of_the_line(limited):
    daemon = limited('timeouts.command = "700ms"')
    with daemon.session() as client:
        client.send(b"NO")
        times_out(client, 0.4, 5)


def test_data_timeout(limited):
    daemon = limited('timeouts.data = "700ms"')
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "250")
        client.expect("DATA", "354")
        client.send(b"Subject: x\r\n")
        times_out(client, 0.4, 5)
    assert daemon.recorded().requests("deliver") == []
