"""The maildir hook: it answers when the message is on disk, and its log cannot be forged."""

import json
import os
import re
import subprocess

import pytest

from hooks.pipe import MAILDIR, Hook, golden

MESSAGE = b"Return-Path: <ann@example.org>\r\nSubject: hi\r\n there\r\n\r\n.dot\r\n\x00\xff\r\n"


def hello(options=None):
    request = json.loads(golden("hello")[0])
    request["options"] = options or {}
    return request


class Maildir:
    """The hook, with a state folder, after hello."""

    def __init__(self, folder, options=None, prefix=()):
        self.state = folder
        self.spool = folder / "spool.eml"
        self.hook = Hook([*prefix, MAILDIR], {"HOOK_STATE": str(folder)})
        self.ready = self.hook.ask(hello(options))

    def deliver(self, octets=MESSAGE, **changes):
        self.spool.write_bytes(octets)
        request = json.loads(golden("deliver")[0])
        request["message"].update(size=len(octets), path=str(self.spool))
        request.update(changes)
        return self.hook.ask(request)

    def files(self, name="new", box="Maildir"):
        return sorted((self.state / box / name).iterdir())


@pytest.fixture
def maildir(tmp_path):
    box = Maildir(tmp_path)
    yield box
    box.hook.close()


def test_hello_says_that_it_stores(maildir):
    assert maildir.ready == {"id": 1, "ready": True, "name": "maildir", "version": maildir.ready["version"], "v": 1,
                             "stores": True}
    assert [(maildir.state / "Maildir" / name).is_dir() for name in ("tmp", "new", "cur")] == [True] * 3


def test_a_message_is_kept_byte_for_byte(maildir):
    assert maildir.deliver() == {"id": 5, "action": "accept"}
    (file,) = maildir.files()
    assert file.read_bytes() == MESSAGE
    assert file.stat().st_mode & 0o777 == 0o600
    assert maildir.files("tmp") == []
    assert maildir.hook.close() == (
        '<5>mail from=<ann@example.org> to=<bob@example.test>,<eve@example.test> subject="hi there" ' f"file={file}\n")


def test_names_are_unique_and_safe_for_a_maildir(maildir):
    for _ in range(20):
        assert maildir.deliver(b"")["action"] == "accept"
    names = [file.name for file in maildir.files()]
    assert len(set(names)) == 20
    assert all(re.fullmatch(r"\d+\.R[0-9a-f]{16}M\d+P\d+Q\d+\.[^/:]+", name) for name in names)


def test_several_instances_share_a_folder(tmp_path):
    boxes = [Maildir(tmp_path, {"path": "shared"}) for _ in range(3)]
    for _ in range(5):
        assert [box.deliver()["action"] for box in boxes] == ["accept"] * 3
    assert len(boxes[0].files(box="shared")) == 15
    for box in boxes:
        box.hook.close()


def test_on_disk_before_the_answer(tmp_path):
    """The order of the system calls: data, then name, then folder, then the reply."""
    trace = tmp_path / "trace"
    box = Maildir(tmp_path, prefix=["strace", "-f", "-y", "-o", trace, "-e", "trace=fsync,rename,renameat,renameat2,write"])
    assert box.deliver()["action"] == "accept"
    box.hook.close()
    calls = trace.read_text()
    order = [r"fsync\(\d+<[^>]*/Maildir/tmp/", r"rename\w*\(.*/Maildir/tmp/.*/Maildir/new/", r"fsync\(\d+<[^>]*/Maildir/new>",
             r'write\(1<.*\\"action\\":\\"accept']
    positions = [[match.start() for match in re.finditer(part, calls)][-1] for part in order]
    assert positions == sorted(positions)


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts a small tmpfs")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_full_disk_is_452_and_leaves_nothing_behind(small_disk, tmp_path_factory):
    box = Maildir(small_disk)
    box.spool = tmp_path_factory.mktemp("spool") / "message.eml"
    reply = box.deliver(b"x" * 200_000)
    assert (reply["action"], reply["code"], reply["enhanced"]) == ("defer", 452, "4.3.1")
    assert box.files() == box.files("tmp") == []
    assert box.deliver(b"small")["action"] == "accept"  # it recovers by itself
    assert "No space left" in box.hook.close()


def test_other_errors_are_451(maildir):
    reply = maildir.deliver(message={"size": 1, "path": "/nonexistent/file"})
    assert (reply["action"], reply["code"], reply["enhanced"]) == ("defer", 451, "4.3.0")
    reply = maildir.deliver(b"a", message={"size": 2, "path": str(maildir.spool)})
    assert (reply["action"], reply["code"]) == ("defer", 451)
    assert maildir.files() == maildir.files("tmp") == []
    assert "/nonexistent" not in json.dumps(reply)  # paths are for the log
    log = maildir.hook.close()
    assert 'open "/nonexistent/file": No such file or directory' in log
    assert "the message has 1 octets, 2 were announced" in log


def test_a_maildir_that_was_removed_comes_back(maildir):
    subprocess.run(["rm", "-r", maildir.state / "Maildir"], check=True)
    assert maildir.deliver()["action"] == "accept"
    assert len(maildir.files()) == 1


def test_reset_takes_the_message_back(maildir):
    maildir.deliver(transaction="keep")
    maildir.deliver(transaction="lose")
    reset = json.loads(golden("reset")[0])
    assert maildir.hook.ask({**reset, "transaction": "lose"})["action"] == "accept"
    assert maildir.hook.ask({**reset, "transaction": "unknown"})["action"] == "accept"
    assert len(maildir.files()) == 1
    assert "taken back" in maildir.hook.close()


def test_old_drafts_are_removed_at_start(tmp_path):
    drafts = tmp_path / "Maildir/tmp"
    drafts.mkdir(parents=True)
    (drafts / "old").write_text("x")
    os.utime(drafts / "old", (0, 0))
    (drafts / "young").write_text("x")
    Maildir(tmp_path).hook.close()
    assert [file.name for file in drafts.iterdir()] == ["young"]


@pytest.mark.parametrize("options, words", [
    ({"pth": "x"}, 'unknown option "pth"'),
    ({"path": 7}, "must name a folder"),
    ({"path": "/proc/nothing"}, "mkdir"),
])
def test_a_wrong_option_is_said_at_start(tmp_path, options, words):
    box = Maildir(tmp_path, options)
    assert box.ready["ready"] is False and words in box.ready["text"]
    assert box.deliver()["code"] == 451
    box.hook.close()


def test_a_path_is_taken_from_the_state_folder_on(tmp_path):
    box = Maildir(tmp_path, {"path": "a/b/"})
    assert box.deliver()["action"] == "accept"
    assert len(box.files(box="a/b")) == 1
    box.hook.close()


@pytest.mark.parametrize("field, shown", [
    (b"Subject: \x1b[2J\x1b]0;owned\x07 \r<3>forged", r'\x1b[2J\x1b]0;owned\x07 \x0d<3>forged'),
    (b'SUBJECT:\t"quoted" \\ \xc3\xbc \xff  ', r'\"quoted\" \\ \xc3\xbc \xff'),
    (b"Subject: " + b"x" * 5000, "x" * 120 + "..."),
    (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=", "=?utf-8?q?Gr=C3=BC=C3=9Fe?="),
    (b"Subject:", ""),
    (b"Subject:\r\n folded\r\n\tagain", "folded\\x09again"),
    (b"X-Other: a\r\n Subject: b", ""),
    (b"\r\nSubject: in the body", ""),
    (b"Subject: one\r\nSubject: two", "one"),
])
def test_a_hostile_subject_stays_one_clean_line(maildir, field, shown):
    assert maildir.deliver(field + b"\r\n\r\nbody")["action"] == "accept"
    log = maildir.hook.close()
    assert log.count("\n") == 1 and log.isascii() and log.rstrip("\n").isprintable()
    assert f'subject="{shown}" file=' in log


def test_hostile_addresses_and_many_of_them(maildir):
    assert maildir.deliver(**{"from": "", "to": ["a\"b\x1b\u202e@x.test"] + ["r@x.test"] * 999})["action"] == "accept"
    log = maildir.hook.close()
    assert r'from=<> to=<a\"b\x1b\xe2\x80\xae@x.test>,<r@x.test>,<r@x.test>,<r@x.test>,<r@x.test> and 995 more' in log


def test_what_it_does_not_know_it_accepts(maildir):
    for name in ("validate_host", "validate_sender", "validate_recipient", "disconnect"):
        for line in golden(name):
            assert maildir.hook.ask_line(line) == json.dumps({"action": "accept", "id": json.loads(line)["id"]},
                                                            separators=(",", ":"))
    assert maildir.hook.ask({"v": 1, "id": 9, "event": "from the future"})["action"] == "accept"
    assert maildir.hook.ask({"v": 1, "id": 9})["code"] == 451
