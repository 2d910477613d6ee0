"""What the mime hook refuses, what it leaves behind, and what it needs."""

import base64
import os
import re
import stat
import subprocess

import pytest

from hooks.mime_tree import Mime, leaves, nodes, octets

LINE = b"x" * 70 + b"\r\n"
TOO_LONG = 25 * 1024 * 1024


@pytest.fixture
def start(tmp_path):
    started = []

    def start(**options):
        started.append(Mime(tmp_path, **options))
        return started[-1]

    yield start
    for hook in started:
        hook.close()


def multipart(*parts, boundary=b"b"):
    return (b"Content-Type: multipart/mixed; boundary=" + boundary + b"\r\n\r\n" +
            b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n")


def nested(depth):
    message = b"\r\ncore"
    for i in range(depth - 1):
        message = multipart(message, boundary=b"b%d" % i)
    return message


def messages_in_messages(depth):
    return b"Content-Type: message/rfc822\r\n\r\n" * (depth - 1) + b"\r\ncore"


def refused(reply, code, text):
    assert {key: reply.get(key) for key in ("action", "code", "enhanced", "text")} == {
        "action": "reject" if code == 554 else "defer", "code": code,
        "enhanced": {554: "5.6.0", 451: "4.3.0", 452: "4.3.1"}[code], "text": text}


def most_memory(hook):
    """In KiB, of all its life."""
    with open(f"/proc/{hook.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])


def seconds(hook):
    """Of the processor, in all its life."""
    with open(f"/proc/{hook.process.pid}/stat", encoding="ascii") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_hello_is_answered_at_once_without_a_word_about_concurrency(start):
    mime = start()
    assert mime.hello == {"id": 1, "ready": True, "name": "mime", "version": mime.hello["version"], "v": 1}


@pytest.mark.parametrize("make, limit", [(nested, 20), (messages_in_messages, 20), (nested, 3), (messages_in_messages, 3)])
def test_parts_may_be_nested_so_deep_and_no_deeper(start, make, limit):
    mime = start(depth=limit)
    assert octets(leaves(mime.tree(make(limit)))[-1]) == b"core"
    mime.reset()
    refused(mime.deliver(make(limit + 1)), 554, f"message has MIME parts nested deeper than {limit}")
    assert os.listdir(mime.shelf) == []


def test_depth_goes_through_messages_that_are_encoded(start):

    message = b"\r\ncore"
    for _ in range(4):
        message = b"Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(message)
    mime = start(depth=5)
    assert octets(leaves(mime.tree(message))[-1]) == b"core"
    mime.close()
    refused(start(depth=4).deliver(message), 554, "message has MIME parts nested deeper than 4")


def test_a_message_may_have_so_many_parts_and_no_more(start):
    mime = start(parts=1000)
    part = b"\r\nx"
    assert len(mime.tree(multipart(*[part] * 999))["parts"]) == 999, "the multipart is a part, too"
    refused(mime.deliver(multipart(*[part] * 1000)), 554, "message has more than 1000 MIME parts")
    assert os.listdir(mime.shelf) == []


def test_ten_thousand_parts_in_a_tree(start):
    mime = start(parts=10_001)
    tree = mime.tree(multipart(*[b"Content-Type: text/plain\r\n\r\n%d" % i for i in range(10_000)]))
    assert [part["text"] for part in tree["parts"]] == [str(i) for i in range(10_000)]
    assert octets(tree["parts"][9_999]) == b"9999"
    assert len(os.listdir(mime.shelf / "t-1")) == 10_001, "and the tree itself"


def test_all_files_together_may_be_so_large_and_no_larger(start):
    mime = start(size=1 << 20)
    half = b"\r\n" + b"x" * (1 << 19)
    assert sum(leaf["size"] for leaf in leaves(mime.tree(multipart(half, half)))) == 1 << 20
    mime.reset()
    refused(mime.deliver(multipart(half, half + b"x")), 554, "message has more than 1048576 octets of decoded parts")
    assert os.listdir(mime.shelf) == []


def test_a_message_in_a_message_counts_as_often_as_it_is_written(start):
    mime = start(size=1 << 20)
    refused(mime.deliver(b"Content-Type: message/rfc822\r\n\r\n" * 3 + b"\r\n" + b"x" * (1 << 19)), 554,
            "message has more than 1048576 octets of decoded parts")


@pytest.mark.parametrize("header", [b"X: " + b"x" * (2 << 20) + b"\r\n", b"X: y\r\n" * (1 << 19), b"no field " * (1 << 18)],
                         ids=["a field", "fields", "junk"])
def test_headers_may_be_so_long_and_no_longer(start, header):
    mime = start()
    refused(mime.deliver(header + b"\r\nx\r\n"), 554, "message has more than 2097152 octets of headers")
    assert os.listdir(mime.shelf) == []
    assert most_memory(mime) < 30_000


def test_the_headers_of_all_parts_count(start):
    part = b"X: " + b"x" * (1 << 18) + b"\r\n\r\n"
    mime = start()
    assert len(mime.tree(multipart(*[part] * 7))["parts"]) == 7
    refused(mime.deliver(multipart(*[part] * 8)), 554, "message has more than 2097152 octets of headers")


def test_a_tree_of_a_large_message_is_a_file(start):
    mime = start()
    text = b"\r\n" + LINE * 20_000
    reply = mime.deliver(text)
    assert reply["mime"] == {"path": str(mime.shelf / "t-1/tree.json")}
    assert os.stat(reply["mime"]["path"]).st_mode & 0o7777 == 0o444
    tree = mime.tree(text)
    assert tree["text"] == (LINE * 20_000).decode().replace("\r\n", "\n")
    assert not tree["broken"]


def test_a_tree_leaves_room_for_recipients_in_the_request_of_the_hook_that_reads_it(start):
    mime = start()
    text = b"\r\n" + LINE * 12_000
    assert "type" in mime.deliver(text)["mime"]
    assert list(mime.deliver(text, to=["x" * 60 + "@example.test"] * 3000)["mime"]) == ["path"]


LARGE = {
    "text": b"\r\n" + LINE * (TOO_LONG // 72),
    "attachment": b"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n" + (b"QUJD" * 19 + b"\r\n") * (TOO_LONG // 78),
    "one line": b"\r\n" + b"x" * TOO_LONG,
    "preamble": multipart(b"\r\nx").replace(b"--b\r\n", LINE * (TOO_LONG // 72) + b"--b\r\n", 1),
    "latin1": b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n" + b"\xe4\xf6\xfc \r\n" * (TOO_LONG // 12),
    "messages": b"Content-Type: message/rfc822\r\n\r\n" * 4 + b"\r\n" + LINE * (TOO_LONG // 72 - 2),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_does_not_grow_with_a_message(start, name):
    mime = start(size=1 << 30)
    mime.tree(b"\r\nx\r\n")
    before = most_memory(mime)
    assert mime.deliver(LARGE[name])["action"] == "accept"
    assert most_memory(mime) - before < 4_000, "KiB, for a message of 25 MiB"


def test_memory_does_not_grow_with_what_is_refused(start):
    mime = start()
    refused(mime.deliver(multipart(*[b""] * 2_000_000)), 554, "message has more than 1000 MIME parts")
    refused(mime.deliver(b"Content-Type: message/rfc822\r\n\r\n" * 100_000), 554, "message has MIME parts nested deeper than 20")
    assert most_memory(mime) < 20_000


@pytest.mark.parametrize("field", [b"=?" * 500_000, b"=?utf-8?q?" * 100_000, b"=?utf-8?q?x?= " * 70_000, b"(" * 1_000_000,
                                   b"=?x?q?x?= =?y?q?x?= " * 2_000], ids=lambda field: field[:10].decode())
@pytest.mark.parametrize("name", [b"Subject", b"Content-Type: a/b; x", b"Content-Disposition: attachment; filename"])
def test_no_header_field_takes_long(start, name, field):
    mime = start()
    assert mime.deliver(name + (b"=" if b";" in name else b": ") + field + b"\r\n\r\nx\r\n")["action"] == "accept"
    assert seconds(mime) < 5


@pytest.mark.parametrize("name", [b"Content-Type: a/b", b"Content-Disposition: attachment"])
def test_of_very_many_parameters_the_first_are_read(start, name):
    field = name + b"; name=n; filename=n" + b"".join(b"; a%d=b" % i for i in range(100_000))
    mime = start()
    tree = mime.tree(field + b"\r\n\r\nx\r\n")
    assert tree["filename"] == "n"
    assert tree["defects"][0].endswith("the first 16384 octets are read")
    many = multipart(*[field[:200_000] + b"\r\n\r\nx"] * 10)
    assert len(mime.tree(many)["parts"]) == 10
    assert seconds(mime) < 5


# Its folders.

def test_a_reset_takes_away_what_belongs_to_that_message(start):
    mime = start()
    mime.tree(b"\r\nx", transaction="t-1")
    mime.tree(b"\r\ny", transaction="t-2")
    assert mime.reset("t-1")["action"] == "accept"
    assert os.listdir(mime.shelf) == ["t-2"]
    assert (mime.shelf / "t-2/1").read_bytes() == b"y"
    mime.reset("t-1"), mime.reset("t-3"), mime.reset("t-2", reader="other")
    assert os.listdir(mime.shelf) == ["t-2"]


def test_a_message_that_comes_again_takes_the_place_of_what_it_left(start):
    mime = start()
    mime.tree(multipart(b"\r\na", b"\r\nb"))
    mime.tree(b"\r\nc")
    assert os.listdir(mime.shelf / "t-1") == ["1"]


def test_hello_takes_away_what_an_earlier_process_left(start, tmp_path):
    mime = start()
    mime.tree(b"\r\nx")
    mime.process.kill()
    mime.process.wait()
    mime.process.stdin.close()
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "file").write_text("x")
    (mime.shelf / "link").symlink_to(keep)
    (mime.shelf / "t-9").symlink_to(keep)
    (mime.shelf / "file").write_text("x")
    start()
    assert os.listdir(mime.shelf) == []
    assert os.listdir(keep) == ["file"]


def test_files_can_be_read_and_the_folder_entered_but_not_listed(start):
    mime = start()
    old = os.umask(0o077)
    try:
        other = start()
        (leaf,) = leaves(other.tree(b"\r\nx"))
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(leaf["path"]).st_mode) == 0o444
    assert stat.S_IMODE(os.stat(os.path.dirname(leaf["path"])).st_mode) == 0o711
    assert mime.shelf == other.shelf


@pytest.mark.parametrize("transaction", ["", ".", "..", "../inbox2", "a/b", "/tmp/x", "a\0b", "x" * 129, "tree.json", "ü"])
def test_no_transaction_leads_out_of_the_folder(start, tmp_path, transaction):
    mime = start()
    (tmp_path / "inbox2").mkdir()
    (tmp_path / "inbox2/file").write_text("x")
    before = sorted(os.listdir(tmp_path))
    refused(mime.deliver(b"\r\nx", transaction=transaction), 451, "the message could not be taken apart")
    mime.reset(transaction)
    assert sorted(os.listdir(tmp_path)) == sorted({*before, "message.eml"})
    assert os.listdir(tmp_path / "inbox2") == ["file"] and os.listdir(mime.shelf) == []


@pytest.mark.parametrize("reader", ["", "other", "../inbox", "."])
def test_nobody_else_gets_a_folder(start, reader):
    mime = start()
    refused(mime.deliver(b"\r\nx", reader=reader), 451, "the message could not be taken apart")
    mime.reset(reader=reader)
    assert os.listdir(mime.shelf) == []


def test_no_link_in_its_folder_is_followed(start, tmp_path):
    mime = start()
    target = tmp_path / "target"
    target.mkdir()
    (target / "1").write_text("mine")
    (mime.shelf / "t-1").symlink_to(target)
    (leaf,) = leaves(mime.tree(b"\r\nx"))
    assert not (mime.shelf / "t-1").is_symlink() and octets(leaf) == b"x"
    mime.reset()
    (mime.shelf / "t-1").symlink_to(target)
    mime.reset()
    assert os.listdir(mime.shelf) == [] and (target / "1").read_text() == "mine"


def test_a_folder_that_is_not_there_is_said_at_hello(start, tmp_path):
    mime = start()
    folders = {"inbox": str(tmp_path / "none")}
    hello = mime.ask({"v": 1, "id": 1, "event": "hello", "options": {**mime.options, "folders": folders}})
    assert hello["ready"] is False and "No such file or directory" in hello["text"]


def test_started_by_hand_it_says_that_it_is_not_for_that(start):
    hello = start().ask({"v": 1, "id": 1, "event": "hello", "options": {}})
    assert hello == {"id": 1, "ready": False, "text": "the mime hook is the daemon's own: it is not to be configured"}


def test_a_message_that_is_not_there_or_not_whole_is_deferred(start, tmp_path):
    mime = start()
    refused(mime.deliver(b"\r\nx", message={"size": 4}), 451, "the message could not be taken apart")
    refused(mime.deliver(b"\r\nx", message={"path": str(tmp_path / "none")}), 451, "the message could not be taken apart")
    assert os.listdir(mime.shelf) == []
    assert "the message has not as many octets as were announced" in mime.log()


@pytest.mark.parametrize("line", ["", "{", "[]", "7", '{"id":7}', '{"id":7,"event":"deliver_mime"}', '{"id":7,"event":"reset","for":1}',
                                  '{"id":7,"event":"hello","options":{"folders":7}}'])
def test_a_request_that_it_does_not_understand_is_answered_once(start, line):
    mime = start()
    reply = mime.ask_line(line)
    assert '"defer"' in reply or '"ready":false' in reply
    assert mime.ask({"v": 1, "id": 8, "event": "later"}) == {"id": 8, "action": "accept"}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
@pytest.mark.parametrize("message", [b"\r\n" + b"x" * (4 << 20), multipart(*[b"\r\n" + b"x" * 100_000] * 40),
                                     b"\r\n" + b"\x01" * 400_000, multipart(*[b"\r\nx"] * 900)],
                         ids=["one part", "many parts", "its tree", "no inode"])
def test_a_full_disk_is_said_and_nothing_stays_behind(start, tmp_path, message):
    shelf = tmp_path / "small"
    shelf.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=100", "none", shelf], check=True)
    try:
        mime = start(shelf=shelf)
        refused(mime.deliver(message), 452, "Insufficient system storage, try again later")
        assert os.listdir(shelf) == []
        assert not mime.tree(b"\r\nx")["broken"], "there is room again"
        mime.reset()
        mime.close()
    finally:
        subprocess.run(["umount", "-l", shelf], check=True)


def test_all_nodes_of_a_broken_tree_say_what_is_wrong_with_them_alone(start):
    tree = start().tree(multipart(b"\r\nfine", b"Content-Transfer-Encoding: base64\r\n\r\n!", b"\r\nfine, too"))
    assert [len(node["defects"]) for node in nodes(tree)] == [0, 0, 1, 0] and tree["broken"]
