"""The inbox of a plain user without user namespaces: its neighbours serve as everywhere, but no hook can open a socket to ask
them, and it says so."""

import http.client
import json
import shutil
import socket

import pytest

from harness.daemon import BUILD
from privileges.sandbox_test import NO_USER_NAMESPACES

REASON = ("does not answer: the inbox may open no socket at this isolation level; it may where hooksmtpd is started as root, or user namespaces "
          "are allowed")


@pytest.fixture
def filtered(plain_daemon, programs):
    """The daemon, and the port of the inbox."""
    for name in ("hooks/faults/faults", "hooks/relay/relay", "hooks/sdk/hooksmtpd.py"):
        (programs / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(BUILD / name, programs / name)
    daemon = plain_daemon(wrapper=NO_USER_NAMESPACES)
    sockets = daemon.folder / "sockets"
    daemon.own(sockets, make=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon.hook_texts += f"""
[[hook]]
use = "faults"
sandbox.listen = ["unix:{sockets}/faults.sock"]

[[hook]]
use = "relay"
events = []
options = {{ servers = ["127.0.0.1:9"], recipients = ["@example.org"], tls = "none" }}
sandbox.network = "host"
sandbox.listen = ["unix:{sockets}/relay.sock"]

[[hook]]
use = "inbox"
options = {{ relay = "{sockets}/relay.sock", faults = "{sockets}/faults.sock" }}
sandbox.read = ["{sockets}"]
sandbox.listen = ["127.0.0.1:{port}"]
"""
    return daemon.start(), port


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()
    finally:
        connection.close()


def ask_at(path, question, octets=b""):
    """What the hook that listens there answers to somebody who may open a socket."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(20)
        asking.connect(str(path))
        asking.sendall(json.dumps(question).encode() + b"\n" + octets)
        return json.loads(asking.makefile().readline())


def test_release_and_chaos_say_why_there_are_none_where_hooks_open_no_sockets(filtered):
    daemon, port = filtered
    assert daemon.control_json("status")["isolation"]["level"] == "filtered"
    with daemon.session() as client:
        assert client.message().code == 250
    to = {"to": ["new@example.org"], "To": ["new@example.org"]}
    assert ask(port, "POST", "/api/v1/message/latest/release", to) == (502, "text/plain; charset=utf-8", f"the relay hook {REASON}")
    assert ask(port, "GET", "/api/v1/chaos") == ask(port, "PUT", "/api/v1/chaos", {}) == (502, "text/plain; charset=utf-8", f"the faults hook {REASON}")
    status, kind, text = ask(port, "POST", "/api/v2/messages/latest/release", to)
    problem = json.loads(text)
    assert (status, kind, problem["status"], problem["title"]) == (502, "application/problem+json", 502, "It was not released")
    assert problem["detail"] == f"the relay hook {REASON}"
    assert json.loads(ask(port, "GET", "/api/v2/messages")[2])["total"] == 1


def test_hooks_that_listen_serve_where_they_open_no_sockets(filtered):
    daemon, _ = filtered
    daemon.control("ready")
    sockets = daemon.folder / "sockets"
    assert set(ask_at(sockets / "faults.sock", {"get": "chaos"})) == {"Authentication", "Recipient", "Sender"}
    refused = ask_at(sockets / "relay.sock", {"from": "a@example.test", "to": ["other@evil.test"], "size": 17}, b"Subject: x\r\n\r\nx\r\n")
    assert refused["code"] == 550 and refused["text"] == "relaying to this recipient is not allowed"
