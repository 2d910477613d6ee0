"""The inbox behind the daemon: two lines of configuration, a jail without a network, a web page all the same."""

import http.client
import json
import os
import socket

import pytest

from harness import processes

WITH_INBOX = '[[hook]]\nuse = "inbox"\n'


def get(daemon, path):
    with daemon.network:
        connection = http.client.HTTPConnection("127.0.0.1", 8025, timeout=20)
        connection.connect()
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read() if path.endswith("/raw") else json.loads(answer.read())
    finally:
        connection.close()


def test_mail_is_there_when_it_is_acknowledged(make_daemon):
    daemon = make_daemon(WITH_INBOX).start()
    with daemon.session() as client:
        assert client.message(b"Subject: over the wire\r\n\r\nhello\r\n").code == 250
        found, = get(daemon, "/api/v2/messages")["messages"]
        assert found["subject"] == "over the wire"
        facts = get(daemon, "/api/v2/info")
        assert (facts["hostname"], facts["smtp"], facts["messages"]) == ("mail.test", ["127.0.0.1:25"], 1)
    session = get(daemon, f"/api/v2/messages/{found['id']}")["session"]
    daemon.log.wait(f"session id={session}")
    entries = wait_for_dialogue(daemon, found["id"])
    assert [each["line"] for each in entries if each["from"] == "client" and "line" in each][-1] == "DATA"
    assert [each["hook"] for each in entries if each["from"] == "hook"] == ["inbox"]


@pytest.mark.parametrize("body", [
    b"caf\xe9 \xff\xfe\r\n", "\u2028 \U0001f600 \"quoted\" \\ \x01 \x7f\r\n".encode(), b"", b"x" * 900 + b"\r\n",
    b"y" * 70_000 + b"\r\n"], ids=["latin1", "utf8", "empty", "small", "large"])
def test_the_octets_are_kept_however_they_come(make_daemon, body):
    daemon = make_daemon(WITH_INBOX).start()
    message = b"Subject: octets\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body
    with daemon.session() as client:
        assert client.message(message).code == 250
    found, = get(daemon, "/api/v2/messages")["messages"]
    raw = get(daemon, f"/api/v2/messages/{found['id']}/raw")
    assert raw.startswith(b"Return-Path: ") and raw.endswith(b"\r\n" + message)


def wait_for_dialogue(daemon, id):
    """The session is stored a moment after its end: the next thing that is stored comes after it."""
    for _ in range(200):
        entries = get(daemon, f"/api/v2/messages/{id}/dialogue")["entries"]
        if entries:
            return entries
        with daemon.session() as client:
            client.expect("NOOP", "250")
    raise AssertionError("the dialogue never came")


def test_an_attempt_that_a_policy_refused(make_daemon):
    daemon = make_daemon()
    daemon.hook("policy", "#!/bin/sh\nwhile read -r request; do case $request in *'\"ghost@'*) echo 'reject 550 5.1.1 no such user' ;; *) echo ok ;; esac; done\n",
                ["validate_recipient"])
    daemon.hook_texts += WITH_INBOX
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@x.test>", "250")
        client.expect("RCPT TO:<ghost@x.test>", "550")
    for _ in range(200):
        attempts = get(daemon, "/api/v2/sessions?attempts=true")["sessions"]
        if attempts:
            break
        with daemon.session() as client:
            client.expect("NOOP", "250")
    found = [each for each in attempts if each["outcome"] == "refused"]
    assert found[0]["reason"] == "550 5.1.1 no such user" and found[0]["hook"] == "policy"


def test_the_web_page_outlives_the_program(make_daemon):
    """The keeper holds the listener: whoever comes while the inbox is started anew waits for it."""
    daemon = make_daemon(WITH_INBOX).start()
    with daemon.session() as client:
        client.message(b"Subject: before\r\n\r\n")
    program, = [one for one in processes.tree(daemon.process.pid) if one.command[0].endswith("/inbox")]
    os.kill(program.pid, 9)
    assert [each["subject"] for each in get(daemon, "/api/v2/messages")["messages"]] == ["before"]


def test_it_has_no_network_of_its_own(make_daemon):
    daemon = make_daemon(WITH_INBOX).start()
    program, = [one for one in processes.tree(daemon.process.pid) if one.command[0].endswith("/inbox")]
    interfaces = [line.split(":")[0].strip() for line in open(f"/proc/{program.pid}/net/dev") if ":" in line]
    assert interfaces == ["lo"] and open(f"/proc/{program.pid}/net/if_inet6").read() == ""
    assert program.namespace("net") != os.readlink(f"/proc/{daemon.process.pid}/ns/net")


LISTENS = {
    "python": "#!/usr/bin/python3\nimport os, socket, sys\nassert int(os.environ['LISTEN_PID']) == os.getpid() and os.environ['LISTEN_FDS'] == '2'\n"
              "sys.stdin.readline()\nprint('ok', flush=True)\nlistener = socket.socket(fileno=3)\n"
              "connection, _ = listener.accept()\nconnection.sendall(b'hello from python\\n')\nconnection.close()\n"
              "for _ in sys.stdin: print('ok', flush=True)\n",
    "node": "#!/usr/bin/node\nrequire('net').createServer(c => c.end('hello from node\\n')).listen({ fd: 3 });\n"
            "require('readline').createInterface({ input: process.stdin }).on('line', () => process.stdout.write('ok\\n')).on('close', () => process.exit());\n",
}


@pytest.mark.parametrize("language", LISTENS)
def test_any_hook_can_listen(make_daemon, language):
    daemon = make_daemon()
    daemon.hook("web", LISTENS[language], sandbox_listen=["127.0.0.1:8080", f"unix:{daemon.runtime}/web.sock"])
    daemon.start()
    with daemon.network:
        client = socket.create_connection(("127.0.0.1", 8080), timeout=20)
    with client:
        assert client.makefile().read() == f"hello from {language}\n"


def test_a_port_that_is_taken_is_told_with_what_says_so(make_daemon):
    daemon = make_daemon()
    daemon.hook("web", "#!/bin/sh\nexec cat\n", sandbox_listen=["127.0.0.1:25"])
    daemon.start(ready=False)
    assert daemon.process.wait(20) == 71
    daemon.log.wait("bind 127.0.0.1:25: Address already in use")
    daemon.log.wait("or listen elsewhere: sandbox.listen of hook web")
