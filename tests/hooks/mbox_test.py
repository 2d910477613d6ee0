"""The mbox hook: what it stores is what came, nobody's line is taken for a new message, and it answers when it is on disk."""

import fcntl
import mailbox
import os
import re
import subprocess
import threading
import time

import pytest

from hooks.pipe import Hook
from hooks.ready import ACCEPT, Ready, add, program, request

MESSAGE = b"Return-Path: <ann@example.org>\r\nSubject: hi\r\n\r\nFrom here\r\n>From there\r\n>>From where\r\n From\r\n\xff\x00\r\n"


@pytest.fixture
def mbox(tmp_path):
    made = []

    def make(**options):
        made.append(Ready("mbox", tmp_path, ["deliver"], **options))
        return made[-1]

    yield make
    for hook in made:
        hook.close()


def test_mboxrd_can_be_undone(mbox):
    hook = mbox()
    assert hook.hello["stores"] is True
    assert hook.deliver(MESSAGE) == ACCEPT
    assert hook.deliver(b"\r\nno end of line", **{"from": ""}) == ACCEPT
    text = (hook.folder / "mbox").read_bytes()
    assert text.count(b"\nFrom ") == 1 and text.endswith(b"\n\nno end of line\n\n")
    head, first, second = re.split(rb"(?m)^From .*\n", text)
    assert head == b"" and re.sub(rb"(?m)^>(>*From )", rb"\1", first) == MESSAGE.replace(b"\r\n", b"\n") + b"\n"
    froms = re.findall(rb"(?m)^From (\S+) (\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})$", text)
    assert [sender for sender, _ in froms] == [b"ann@example.org", b"MAILER-DAEMON"]
    assert (hook.folder / "mbox").stat().st_mode & 0o777 == 0o600
    assert [len(one.as_bytes()) > 0 for one in mailbox.mbox(hook.folder / "mbox")] == [True, True]


def test_mboxo_quotes_what_old_readers_unquote(mbox):
    hook = mbox(format="mboxo", path="sub/old")
    hook.deliver(MESSAGE)
    assert b"\n>From here\n>From there\n>>From where\n From\n" in (hook.folder / "sub/old").read_bytes()


def test_a_hostile_sender_stays_in_its_line(mbox):
    hook = mbox()
    hook.deliver(**{"from": '"a\nFrom b"@x.test\u2028\x1b'})
    assert re.match(rb'From "a-From-b"@x.test-- \w{3} ', (hook.folder / "mbox").read_bytes())
    assert hook.close().isascii()


def test_half_a_message_of_a_crash_does_not_swallow_the_next(mbox):
    hook = mbox()
    (hook.folder / "mbox").write_bytes(b"From a Mon\nSubject: x\n\nhalf a li")
    hook.deliver()
    assert b"half a li\n\nFrom ann@example.org " in (hook.folder / "mbox").read_bytes()
    assert len(mailbox.mbox(hook.folder / "mbox")) == 2


def test_several_instances_do_not_mix(tmp_path):
    hooks = [Ready("mbox", tmp_path, ["deliver"]) for _ in range(3)]
    (tmp_path / "big.eml").write_bytes(b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 50_000)

    def many(hook):
        for _ in range(5):
            message = {**request("deliver")["message"], "path": str(tmp_path / "big.eml")}
            assert hook.say("deliver", message=message) == ACCEPT

    threads = [threading.Thread(target=many, args=(hook,)) for hook in hooks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({len(one.as_bytes()) for one in mailbox.mbox(tmp_path / "mbox")}) == 1
    assert len(mailbox.mbox(tmp_path / "mbox")) == 15
    for hook in hooks:
        hook.close()


def test_a_locked_file_is_waited_for(mbox):
    hook = mbox()
    with open(hook.folder / "mbox", "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        asked = threading.Thread(target=hook.deliver)
        asked.start()
        time.sleep(0.3)
        assert asked.is_alive() and file.read() == b""
        fcntl.lockf(file, fcntl.LOCK_UN)
        asked.join(10)
    assert len(mailbox.mbox(hook.folder / "mbox")) == 1


def test_a_file_that_is_moved_away_meanwhile_gets_no_message(mbox):
    hook = mbox()
    file = hook.folder / "mbox"
    with open(file, "r+b") as reader:
        fcntl.lockf(reader, fcntl.LOCK_EX)
        asked = threading.Thread(target=hook.deliver)
        asked.start()
        while str(file) not in [os.readlink(f"/proc/{hook.process.pid}/fd/{one}") for one in os.listdir(f"/proc/{hook.process.pid}/fd")]:
            time.sleep(0.01)
        file.rename(hook.folder / "read")
    asked.join(10)
    assert (hook.folder / "read").read_bytes() == b"" and len(mailbox.mbox(file)) == 1


def test_the_lock_lasts_until_the_message_is_on_disk(tmp_path):
    """strace holds fsync up, so that there is a while to look."""
    hook = Hook(["strace", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=500000", program("mbox")],
                {"HOOK_STATE": str(tmp_path)})
    hook.ask(request("hello", options={}))
    (tmp_path / "spool").write_bytes(MESSAGE)
    asked = threading.Thread(target=hook.ask, args=(request("deliver", message={**request("deliver")["message"], "path": str(tmp_path / "spool")}),))
    asked.start()
    while not (tmp_path / "mbox").read_bytes():
        time.sleep(0.01)
    with open(tmp_path / "mbox", "r+b") as file, pytest.raises(BlockingIOError):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert asked.is_alive()
    asked.join(10)
    hook.close()


def test_new_folders_are_on_disk_before_the_file(tmp_path):
    trace = tmp_path / "trace"
    hook = Hook(["strace", "-y", "-o", trace, "-e", "trace=fsync,mkdir", program("mbox")], {"HOOK_STATE": str(tmp_path)})
    assert hook.ask(request("hello", options={"path": "a/b/mbox"}))["ready"] is True
    hook.close()
    calls = re.findall(rf'(mkdir|fsync)\((?:"|\d+<){tmp_path}([^">]*)', trace.read_text())
    assert calls == [("mkdir", "/a"), ("fsync", ""), ("mkdir", "/a/b"), ("fsync", "/a")]


def test_on_disk_before_the_answer(tmp_path):
    trace = tmp_path / "trace"
    hook = Hook(["strace", "-f", "-y", "-o", trace, "-e", "trace=fsync,write", program("mbox")], {"HOOK_STATE": str(tmp_path)})
    hook.ask(request("hello", options={}))
    (tmp_path / "spool").write_bytes(MESSAGE)
    hook.ask(request("deliver", message={**request("deliver")["message"], "path": str(tmp_path / "spool")}))
    hook.close()
    calls = trace.read_text()
    order = [r"write\(\d+<[^>]*/mbox>", r"fsync\(\d+<[^>]*/mbox>", rf"fsync\(\d+<{tmp_path}>", r'write\(\d+<pipe[^>]*>, "\{\\"id\\":5']
    positions = [[match.start() for match in re.finditer(part, calls)][-1] for part in order]
    assert positions == sorted(positions)


def test_reset_takes_the_last_message_back_and_says_where_it_cannot(mbox):
    hook = mbox()
    hook.deliver(transaction="a")
    before = (hook.folder / "mbox").read_bytes()
    hook.deliver(transaction="b")
    hook.say("reset", transaction="b")
    assert (hook.folder / "mbox").read_bytes() == before
    hook.deliver(transaction="c")
    hook.say("reset", transaction="a")
    hook.say("reset", transaction="nobody")
    assert len(mailbox.mbox(hook.folder / "mbox")) == 2
    log = hook.close()
    assert log.count("taken back, a later hook") == 1 and log.count("<4>mail not taken back") == 1


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts a small tmpfs")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_full_disk_is_452_and_the_file_as_before(small_disk, tmp_path_factory):
    hook = Ready("mbox", small_disk, ["deliver"])
    hook.deliver()
    before = (small_disk / "mbox").read_bytes()
    big = tmp_path_factory.mktemp("spool") / "big"
    big.write_bytes(b"x\r\n" * 100_000)
    reply = hook.say("deliver", message={**request("deliver")["message"], "path": str(big)})
    assert (reply["action"], reply["code"], reply["enhanced"]) == ("defer", 452, "4.3.1")
    assert (small_disk / "mbox").read_bytes() == before
    assert hook.deliver() == ACCEPT
    hook.close()


def test_other_errors_are_451(mbox):
    hook = mbox()
    reply = hook.say("deliver", message={**request("deliver")["message"], "path": "/nonexistent/file"})
    assert (reply["action"], reply["code"]) == ("defer", 451) and "/nonexistent" not in reply["text"]
    assert (hook.folder / "mbox").read_bytes() == b""


@pytest.mark.parametrize("options, words", [({"pth": 1}, "unknown option 'pth'"), ({"format": "mbx"}, "mboxrd or mboxo"),
                                            ({"path": "/proc/nothing/x"}, "/proc/nothing")])
def test_a_wrong_option_is_said_at_start(mbox, options, words):
    hello = mbox(**options).hello
    assert hello["ready"] is False and words in hello["text"]


def test_behind_the_daemon(make_daemon):
    daemon = make_daemon()
    add(daemon, "mbox", "deliver", stores=True)
    daemon.start()
    with daemon.session() as client:
        assert client.message(b"Subject: x\r\n\r\nFrom me\r\n..dot\r\n").code == 250
    (message,) = mailbox.mbox(daemon.state / "hooks/mbox/mbox")
    assert message.get_payload() == ">From me\n.dot\n" and message["Received"]
