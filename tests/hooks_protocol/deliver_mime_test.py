"""Messages as trees: the mime hook is asked first, then the hook that wants the tree; the mime hook's faults cost that
message alone. The mime hook is played by the test: what a tree is made of is tests/hooks' matter."""

import shutil

import pytest

from harness import hooks
from harness.daemon import BUILD, copy_programs
from hooks_protocol.conftest import Talking, vanish

# Makes a tree of one part. What it does otherwise it reads from the first recipient.
MIME = hooks.PYTHON + """
import json, os, signal, sys
for line in sys.stdin:
    open("requests", "a").write(line)
    request = json.loads(line)
    reply = {"id": request["id"], "action": "accept"}
    if request["event"] == "deliver_mime":
        octets = open(request["message"]["path"], "rb").read()
        wish = request["to"][0].split("@")[0]
        reply["mime"] = {"type": "text/plain", "for": request["for"], "octets": len(octets)}
        if wish == "crash":
            os._exit(1)
        if wish == "hang":
            print("<6>hangs", file=sys.stderr, flush=True)
            signal.pause()
        if wish == "garbage":
            reply["action"] = "perhaps"
        if wish == "no-tree":
            del reply["mime"]
        if wish == "large":
            reply["mime"]["text"] = "x" * 900_000
        if wish == "refuse":
            reply = {"id": request["id"], "action": "reject", "code": 554, "enhanced": "5.6.0",
                     "text": "message has more than 1000 MIME parts"}
    if request["event"] == "reset":
        print("<6>told", request["reason"], request["for"], file=sys.stderr, flush=True)
    print(json.dumps(reply), flush=True)
"""


@pytest.fixture
def trees(make_daemon, tmp_path_factory):
    """trees(config): as talking(), with the mime hook above."""
    programs = tmp_path_factory.mktemp("programs")
    copy_programs(programs)
    shutil.copytree(BUILD / "hooks/sdk", programs / "hooks/sdk")
    for folder in (programs, programs.parent):
        folder.chmod(0o755)
    hooks.write(programs / "hooks/mime", "mime", MIME)  # in the place of the real one
    return lambda config="": Talking(make_daemon(config, programs=programs))


def overs(made: Talking) -> list[tuple[str, str]]:
    return [(request["reason"], request["for"]) for request in made.requests("mime", "reset")]


def test_the_hook_gets_the_tree_and_the_mime_hook_is_told_when_it_was_read(trees):
    made = trees().hook("store", "deliver_mime", "deliver")
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message().code == 250
    made.told("mime", "over store")
    (asked,) = made.requests("mime", "deliver_mime")
    (request,) = [request for request in made.requests("store") if request["event"] != "hello"]
    assert request["event"] == "deliver_mime"
    assert list(asked)[-2:] == ["for", "message"] and "mime" not in asked
    assert list(request)[-2:] == ["mime", "message"] and "for" not in request
    assert request["mime"] == {"type": "text/plain", "for": "store", "octets": request["message"]["size"]}
    assert request["transaction"] == asked["transaction"] and overs(made) == [("over", "store")]
    assert len(made.message("store")) == request["message"]["size"]


def test_a_chain_of_both_kinds_where_one_adds_a_header_field(trees):
    made = trees().hook("plain", "deliver", hello={"modifies": ["headers"]},
                        deliver={"action": "accept", "add_headers": [["X-A", "b"]]})
    made.hook("one", "deliver_mime").hook("two", "deliver_mime", deliver_mime={"action": "defer"})
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message().startswith("451 4.3.0")
    made.told("plain", "reset refused")
    made.told("one", "reset refused")
    made.told("mime", "over two")
    assert [request["for"] for request in made.requests("mime", "deliver_mime")] == ["one", "two"]
    assert overs(made) == [("over", "one"), ("over", "two")]
    (plain,), (one,) = made.requests("plain", "deliver"), made.requests("one", "deliver_mime")
    assert one["mime"]["octets"] == one["message"]["size"] == plain["message"]["size"] + len("X-A: b\r\n")


@pytest.mark.parametrize("wish", ["crash", "hang", "garbage", "no-tree"])
def test_a_fault_of_the_mime_hook_costs_that_message_alone(trees, wish):
    made = trees('[mime]\ntimeout = "700ms"\n').hook("store", "deliver_mime", settings={"on_failure": "reject"})
    made.daemon.start()
    worker = made.daemon.worker().pid
    with made.daemon.session() as client, made.daemon.session() as other:
        assert client.message(recipients=(f"{wish}@dev.test",)).startswith("451 4.3.0")
        made.daemon.log.wait("hook mime/1 failed event=deliver_mime")
        assert other.message().code == 250
        assert client.message().code == 250
    assert made.daemon.worker().pid == worker
    assert len(made.requests("store", "deliver_mime")) == 2


def test_what_the_mime_hook_refuses_is_refused(trees):
    made = trees().hook("store", "deliver_mime", "reset").hook("behind", "deliver")
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message(recipients=("refuse@dev.test",)) == "554 5.6.0 message has more than 1000 MIME parts"
        made.told("store", "reset failed")
        made.told("mime", "over store")
        assert client.message().code == 250
    assert len(made.requests("behind", "deliver")) == 1


def test_a_large_tree_arrives_whole(trees):
    made = trees().hook("store", "deliver_mime")
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message(recipients=("large@dev.test",)).code == 250
    assert len(made.requests("store", "deliver_mime")[0]["mime"]["text"]) == 900_000


def test_a_hook_that_fails_lets_the_tree_go(trees):
    made = trees().hook("store", "deliver_mime", deliver_mime={"action": "perhaps"})
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message().startswith("451 4.3.0")
    made.told("mime", "over store")


def test_a_client_that_is_gone_while_the_tree_is_made_sends_its_message_again(trees):
    made = trees('[mime]\ntimeout = "700ms"\n').hook("store", "deliver_mime", "reset")
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
        client.expect("RCPT TO:<hang@dev.test>", "250")
        client.expect("DATA", "354")
        client.send("x\r\n.\r\n")
        made.daemon.log.wait("hook mime/1.*: hangs")
        vanish(client)
    made.told("store", "reset lost")
    assert made.requests("store", "deliver_mime") == []


def test_the_mime_hook_is_told_even_if_the_daemon_ends(trees):
    made = trees('[timeouts]\ndrain = "1s"\n').hook("store", "deliver_mime", deliver_mime={"action": "accept", "delay_ms": 600000})
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "250")
        client.expect("DATA", "354")
        client.send("x\r\n.\r\n")
        made.told("mime", "over store")
        assert made.daemon.stop() == 0
    assert overs(made) == [("over", "store")]


def test_a_tree_that_leaves_no_room_for_its_recipients_comes_as_a_file(talking):
    made = talking().hook("store", "deliver_mime")
    made.daemon.start()
    orcpt = "ö" * 230
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test> SMTPUTF8", "250")
        for i in range(300):
            client.expect(f"RCPT TO:<{i}@dev.test> ORCPT=utf-8;{orcpt}".encode(), "250")
        client.expect("DATA", "354")
        client.send("Subject: x\r\n\r\n" + ("z" * 70 + "\r\n") * 10_000)
        assert client.say(".").code == 250
    (request,) = made.requests("store", "deliver_mime")
    assert list(request["mime"]) == ["path"] and request["mime"]["path"].endswith("/tree.json")
    assert len(request["to"]) == 300
