"""The webhook hook: what was accepted reaches the web server, in order, whatever dies meanwhile."""

import contextlib
import os
import re
import socket
import ssl

import pytest

from hooks.http_server import WebServer
from hooks.pipe import Hook
from hooks.ready import ACCEPT, Ready, add, program, request

HERE = contextlib.nullcontext()
QUICK = {"backoff": [0.05, 0.2], "timeout": 5}


@pytest.fixture
def server():
    made = []

    def make(*statuses, network=HERE, **options):
        made.append(WebServer(network, statuses, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def webhook(tmp_path):
    made = []

    def make(port, folder=tmp_path, **options):
        made.append(Ready("webhook", folder, ["deliver"], **{"url": f"http://127.0.0.1:{port}/mail?a=b", **QUICK, **options}))
        return made[-1]

    yield make
    for hook in made:
        hook.close()


def waiting(folder):
    return sorted(name for name in os.listdir(folder / "outbox") if name[0] != ".")


def test_the_server_gets_the_request_and_the_raw_message(server, webhook):
    web = server()
    hook = webhook(web.port, headers={"X-Mine": "yes"})
    assert hook.hello["stores"] is True
    octets = b"Subject: x\r\n\r\n" + bytes(range(256)) * 3000
    assert hook.deliver(octets) == ACCEPT
    post = web.post()
    assert (post.path, post.message, post.headers["X-Mine"]) == ("/mail?a=b", octets, "yes")
    assert post.request["to"] == ["bob@example.test", "eve@example.test"] and "path" not in post.request["message"]
    assert re.fullmatch(r"[0-9a-f-]{36}", post.key)


def test_it_tries_again_with_the_same_key_and_in_order(server, webhook):
    web = server(503, 0, 500, 302, 404)
    hook = webhook(web.port)
    for transaction in ("a", "b", "c"):
        assert hook.deliver(transaction=transaction) == ACCEPT
    posts = [web.post() for _ in range(8)]
    assert [post.request["transaction"] for post in posts] == ["a"] * 6 + ["b", "c"]
    assert len({post.key for post in posts[:6]}) == 1 and len({post.key for post in posts}) == 3
    log = hook.close()
    assert "status 503; again in 0.05 s" in log and "RemoteDisconnected" in log and "again in 0.2 s" in log


def test_what_the_server_will_never_take_is_kept_aside(server, webhook):
    web = server(413)
    hook = webhook(web.port)
    hook.deliver(transaction="a")
    hook.deliver(transaction="b")
    assert [web.post().request["transaction"] for _ in range(2)] == ["a", "b"]
    (kept,) = (hook.folder / "failed").iterdir()
    assert kept.name.endswith("-a") and "refused for good: status=413" in hook.close()


def test_a_hook_that_is_killed_between_outbox_and_post_sends_it_after_its_restart(server, webhook, tmp_path):
    web = server(503)
    web.close()  # nobody listens
    hook = webhook(web.port)
    assert hook.deliver(transaction="kept") == ACCEPT
    assert len(waiting(tmp_path)) == 1
    hook.process.kill()
    hook.process.communicate()
    again = server(port=web.port)
    webhook(web.port)
    assert again.post().request["transaction"] == "kept"


def test_a_hook_that_is_killed_within_a_post_sends_it_twice_with_one_key(server, webhook):
    web = server(0, 0, 0, 0)
    hook = webhook(web.port)
    hook.deliver()
    first = web.post()
    hook.process.kill()
    hook.process.communicate()
    webhook(web.port)
    assert web.post().key == first.key


def test_instances_share_an_outbox_and_none_sends_what_another_does(server, webhook):
    web = server()
    hooks = [webhook(web.port) for _ in range(3)]
    for number in range(15):
        assert hooks[number % 3].deliver(transaction=f"t{number}") == ACCEPT
    assert sorted(web.post().request["transaction"] for _ in range(15)) == sorted(f"t{number}" for number in range(15))
    for hook in hooks:
        hook.close()
    assert web.posts.empty()


def test_a_full_outbox_is_452(webhook):
    hook = webhook(1, max_messages=2)
    assert [hook.deliver().get("code") for _ in range(3)] == [None, None, 452]
    hook = webhook(1, max_bytes=5000, outbox="other")
    assert [hook.deliver(b"x" * 3000).get("code") for _ in range(2)] == [None, 452]
    assert "the outbox is full" in hook.close()


def test_reset_takes_back_what_waits(webhook, tmp_path):
    hook = webhook(1)
    hook.deliver(transaction="a")
    hook.deliver(transaction="b")
    hook.say("reset", transaction="b")
    hook.say("reset", transaction="gone")
    assert [name.partition("-")[2] for name in waiting(tmp_path)] == ["a"]
    assert "a later hook refused gone, but it was sent" in hook.close()


def test_on_disk_before_the_answer(tmp_path):
    trace = tmp_path / "trace"
    hook = Hook(["strace", "-f", "-y", "-o", trace, "-e", "trace=fsync,rename,write", program("webhook")], {"HOOK_STATE": str(tmp_path)})
    hook.ask(request("hello", options={"url": "http://127.0.0.1:1/", "backoff": [60, 60]}))
    (tmp_path / "spool").write_bytes(b"x")
    hook.ask(request("deliver", message={**request("deliver")["message"], "path": str(tmp_path / "spool")}))
    hook.close()
    calls = trace.read_text()
    order = [r"fsync\(\d+<[^>]*/outbox/\.0", r"rename\(.*/outbox/\.0", r"fsync\(\d+<[^>]*/outbox>", r'write\(\d+<pipe[^>]*>, "\{\\"id\\":5']
    positions = [[match.start() for match in re.finditer(part, calls)][-1] for part in order]
    assert positions == sorted(positions)


def test_new_folders_are_on_disk_before_a_message(tmp_path):
    trace = tmp_path / "trace"
    hook = Hook(["strace", "-f", "-y", "-o", trace, "-e", "trace=fsync,mkdir", program("webhook")], {"HOOK_STATE": str(tmp_path)})
    assert hook.ask(request("hello", options={"url": "http://127.0.0.1:1/", "outbox": "a/outbox"}))["ready"] is True
    hook.close()
    calls = re.findall(rf'(mkdir|fsync)\((?:"|\d+<){tmp_path}([^">]*)', trace.read_text())
    assert calls == [("mkdir", "/a"), ("fsync", ""), ("mkdir", "/a/outbox"), ("fsync", "/a"), ("mkdir", "/a/failed"), ("fsync", "/a")]


def test_a_message_that_may_not_be_on_disk_is_not_sent(tmp_path, server):
    """strace lets fsync of a folder fail: the client was told to come again."""
    web = server()
    os.mkdir(tmp_path / "outbox"), os.mkdir(tmp_path / "failed")
    hook = Hook(["strace", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=2", program("webhook")],
                {"HOOK_STATE": str(tmp_path)})
    hook.ask(request("hello", options={"url": "http://127.0.0.1:1/", "backoff": [60, 60]}))
    (tmp_path / "spool").write_bytes(b"x")
    asked = request("deliver", message={**request("deliver")["message"], "path": str(tmp_path / "spool")})
    assert hook.ask(asked)["action"] == "defer"
    assert waiting(tmp_path) == [] and web.posts.empty()
    hook.close()


def test_a_server_that_refuses_a_message_before_its_end_is_heard(webhook, tmp_path):
    """It says 413, and reads no further."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hook = webhook(listener.getsockname()[1])
        hook.deliver(b"x" * 20_000_000, transaction="large")
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
        hook.wait_logged("refused for good: status=413")


def test_what_is_no_message_does_not_hold_up_the_others(server, webhook, tmp_path):
    web = server()
    os.mkdir(tmp_path / "outbox")
    (tmp_path / "outbox/0-empty").write_bytes(b"")
    (tmp_path / "outbox/0-notes.txt").write_bytes(b"[1]\n")
    (tmp_path / "outbox/0-\xff").write_bytes(b"\xff\n")
    hook = webhook(web.port)
    assert hook.deliver(transaction="a") == ACCEPT
    assert web.post().request["transaction"] == "a"
    assert {one.name for one in (tmp_path / "failed").iterdir()} == {"0-empty", "0-notes.txt", "0-\xff"}
    assert "no message of this outbox" in hook.close()


def test_trouble_with_the_outbox_is_told_and_does_not_end_the_sending(server, webhook, tmp_path):
    web = server(413)
    hook = webhook(web.port)
    os.rmdir(tmp_path / "failed")
    hook.deliver(transaction="a")
    hook.wait_logged("not sent: FileNotFoundError")
    os.mkdir(tmp_path / "failed")
    hook.deliver(transaction="b")
    while web.post().request["transaction"] != "b":
        pass


def test_messages_are_accepted_while_others_leave(server, webhook, tmp_path):
    """What the sender has removed meanwhile takes no room."""
    web = server()
    hook = webhook(web.port)
    for number in range(200):
        assert hook.deliver(transaction=f"t{number}") == ACCEPT
    for number in range(200):
        assert web.post().request["transaction"] == f"t{number}"


def test_certificates_are_verified(server, webhook, authority, tmp_path):
    certificate = authority.issue("127.0.0.1", file="webhook")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    web = server(tls=context)
    url = f"https://127.0.0.1:{web.port}/"
    (tmp_path / "token").write_text("Bearer s3cret\n")
    distrustful = webhook(web.port, url=url, outbox="distrustful", backoff=[60, 60])
    distrustful.deliver(transaction="a")
    hook = webhook(web.port, url=url, ca_file=str(authority.file), authorization=str(tmp_path / "token"))
    hook.deliver(transaction="b")
    post = web.post()
    assert post.request["transaction"] == "b" and post.headers["Authorization"] == "Bearer s3cret"
    distrustful.wait_logged("CERTIFICATE_VERIFY_FAILED")
    assert web.posts.empty() and "s3cret" not in hook.close()


@pytest.mark.parametrize("options, words", [
    ({"url": ""}, "must be a URL"), ({"url": "ftp://x/"}, "must be a URL"), ({"uri": 1}, "unknown option 'uri'"),
    ({"authorization": "/nonexistent"}, "/nonexistent"),
    ({"url": "https://a/", "ca_file": "/nonexistent"}, "ca_file is '/nonexistent': [Errno 2]"), ({"url": "http://a:b/"}, "must be a URL"),
    ({"url": "http://a/\u00fc"}, "must be a URL"), ({"url": "http://a/ b"}, "must be a URL"), ({"url": "http://[::1/"}, "must be a URL"),
    ({"headers": {"X": "a\nb"}}, "header X"), ({"headers": {"X": "\u2028"}}, "header X"), ({"headers": {"X:": "a"}}, "header X:"),
    ({"headers": ["X"]}, "headers"), ({"backoff": [0, 0]}, "backoff"), ({"backoff": 5}, "backoff"), ({"timeout": 0}, "timeout"),
    ({"max_messages": "many"}, "max_messages")])
def test_a_wrong_option_is_said_at_start(webhook, options, words):
    hello = webhook(1, **options).hello
    assert hello["ready"] is False and words in hello["text"]


def test_behind_the_daemon_messages_survive_kills_and_restarts(make_daemon, server, webhook):
    daemon = make_daemon()
    add(daemon, "webhook", "deliver", stores=True, options={"url": "http://127.0.0.1:1/", **QUICK})
    daemon.start()
    with daemon.session() as client:
        assert client.message(b"Subject: one\r\n\r\n..x\r\n").code == 250
        daemon.log.wait("hook webhook/1.*not sent: ")  # there is nothing to be reached
        (process,) = [one for one in daemon.tree() if str(program("webhook")) in one.command]
        since = daemon.log.mark()
        os.kill(process.pid, 9)
        daemon.log.wait("hook ready hook=webhook/1", since)
        assert client.message(b"Subject: two\r\n\r\nx\r\n").code == 250
    daemon.stop()
    web = server()
    webhook(web.port, folder=daemon.state / "hooks/webhook")
    posts = [web.post(), web.post()]
    assert [post.message.rpartition(b"Subject: ")[2] for post in posts] == [b"one\r\n\r\n.x\r\n", b"two\r\n\r\nx\r\n"]


def of_use(port, network=None):
    """The configuration; localhost is to be found inside of the jail, too."""
    access = f'sandbox.network = "{network}"\n' if network else ""
    return (f'[[hook]]\nuse = "webhook"\n{access}'
            f'options = {{ url = "http://localhost:{port}/mail", backoff = [0.05, 0.2], timeout = 5 }}\n')


@pytest.mark.parametrize("network", [None, "host"])
def test_use_reaches_a_web_server_of_the_machine_from_its_jail(make_daemon, server, network):
    daemon = make_daemon()
    web = server(network=daemon.network)
    daemon.config = of_use(web.port, network)
    daemon.start()
    with daemon.session() as client:
        assert client.message(b"Subject: one\r\n\r\nx\r\n").code == 250
    post = web.post()
    assert post.message.endswith(b"Subject: one\r\n\r\nx\r\n") and post.request["to"] == ["b@dev.test"]
    daemon.log.wait("hook webhook/1.*sent: status=200")
    assert waiting(daemon.state / "hooks/webhook") == []


@pytest.mark.parametrize("network, why", [("loopback", "Connection refused"), ("none", "Network is unreachable|Cannot assign")])
def test_use_with_a_network_of_its_own_keeps_what_it_cannot_send(make_daemon, server, network, why):
    daemon = make_daemon()
    web = server(network=daemon.network)
    daemon.config = of_use(web.port, network)
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    daemon.log.wait(f"hook webhook/1.*not sent: .*({why})")
    assert web.posts.empty() and len(waiting(daemon.state / "hooks/webhook")) == 1
