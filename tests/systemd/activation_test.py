"""Sockets that systemd has bound (sd_listen_fds(3)): no privilege for a low port, no connection refused at a restart."""

import os
import socket
import stat

import pytest

from harness import hooks
from harness.client import Client


def listening(network, *addresses: str) -> list[socket.socket]:
    made = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with network:
            one = socket.socket(family, socket.SOCK_STREAM)
        one.bind((host.strip("[]"), int(port)))
        one.listen(128)
        made.append(one)
    return made


def activated(make, *names_and_addresses: tuple[str, str], config: str = ""):
    daemon = make(config)
    daemon.sockets = [(name, listening(daemon.network, address)[0]) for name, address in names_and_addresses]
    daemon.hook("recorder", hooks.RECORDER)
    return daemon


def test_a_socket_is_the_listeners_whose_name_it_has(make_daemon):
    daemon = activated(make_daemon, ("submission", "127.0.0.1:587"), ("smtp", "127.0.0.1:25"), config="""
[[listener]]
name = "smtp"
address = ["127.0.0.1:25"]
[[listener]]
name = "submission"
address = ["127.0.0.1:2587"]
banner = "the other one"
""").start()
    shown = {one["listener"]: one["address"] for one in daemon.control_json("status")["addresses"]}
    assert shown == {"smtp": "127.0.0.1:25", "submission": "127.0.0.1:587"}
    daemon.log.wait("listener submission: systemd has bound 127.0.0.1:587, so its address in the configuration is not")
    with daemon.session() as client:
        assert client.message().code == 250
    with Client(daemon.network, 587) as client:
        assert "the other one" in client.reply()


def test_a_socket_with_another_name_is_the_listeners_whose_address_it_has(make_daemon):
    daemon = activated(make_daemon, ("hooksmtpd.socket", "127.0.0.1:25")).start()
    with daemon.session() as client:
        assert client.message().code == 250
    assert not daemon.log.lines("systemd has bound")


def test_port_25_as_a_user_who_could_not_bind_it(make_daemon, programs):
    daemon = make_daemon(user=61999, programs=programs)
    daemon.network, daemon.owns_network = make_daemon().network, False  # one with a free port 25
    daemon.sockets = [("smtp", listening(daemon.network, "127.0.0.1:25")[0])]
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    assert daemon.port == 25
    with daemon.session() as client:
        assert client.message().code == 250


def test_a_restart_refuses_no_connection(make_daemon):
    daemon = activated(make_daemon, ("smtp", "127.0.0.1:25")).start()
    assert daemon.stop() == 0
    with daemon.network:  # in the gap
        waiting = [socket.create_connection(("127.0.0.1", 25), 5) for _ in range(10)]
    again = make_daemon(network=daemon.network)
    again.sockets = daemon.sockets
    again.runtime, again.state = daemon.runtime, daemon.state
    again.hook("recorder", hooks.RECORDER)
    again.start()
    for one in waiting:
        one.settimeout(10)
        assert one.recv(1000).startswith(b"220 ")
        one.close()


def test_a_socket_that_is_nobodys_stops_the_start_with_the_way_out(make_daemon):
    daemon = activated(make_daemon, ("smpt", "127.0.0.1:2525")).start(ready=False)
    assert daemon.wait() == 78
    daemon.log.wait(r'no listener is meant for what systemd bound: 127\.0\.0\.1:2525 \("smpt"\)')
    daemon.log.wait(r"either name the listener in the \.socket unit: FileDescriptorName=")


@pytest.mark.parametrize("kind", ["datagram", "connected"])
def test_what_does_not_listen_is_refused(make_daemon, kind):
    daemon = make_daemon()
    pair = socket.socketpair(type=socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
    daemon.sockets = [("smtp", pair[0])]
    daemon.start(ready=False)
    assert daemon.wait() == 78
    daemon.log.wait("is no listening stream socket: the .socket unit needs ListenStream= and Accept=no")


def test_variables_of_another_process_mean_nothing(make_daemon):
    daemon = make_daemon()
    daemon.environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "smtp"}
    daemon.hook("show", hooks.SHELL + 'env | sed "s/^/environment: /" >&2\nwhile read -r request; do echo ok; done\n')
    daemon.start()
    daemon.log.wait("environment: HOOK_")
    assert not daemon.log.lines("environment: (LISTEN_|WATCHDOG_|NOTIFY_)")
    with daemon.session() as client:
        assert client.message().code == 250


def test_a_unix_socket_stays_systemds(make_daemon):
    daemon = make_daemon(config='[[listener]]\nname = "local"\naddress = ["unix:/run/x.sock"]\nsocket_mode = "0666"\n')
    path = daemon.runtime / "local.sock"
    with daemon.network:
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(path))
    bound.listen(8)
    daemon.sockets = [("local", bound)]
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        assert client.recv(1000).startswith(b"220 ")
    daemon.stop()
    assert stat.S_ISSOCK(os.stat(path).st_mode), "it was removed, and systemd would listen at no name"
