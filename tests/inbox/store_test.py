"""What is told to be stored is there, whatever happens; and what cannot be stored is not told to be."""

import os
import sqlite3
import subprocess

import pytest


def test_the_octets_are_the_messages_own(inbox):
    raw = bytes(range(256)) * 5 + b"\r\n\x00\xff no header at all"
    assert inbox.deliver(raw)["action"] == "accept"
    found, = inbox.get("/api/v2/messages")["messages"]
    assert inbox.http("GET", f"/api/v2/messages/{found['id']}/raw")[2] == raw
    assert found["size"] == len(raw)


def test_who_writes_by_hand_is_named_by_the_envelope(inbox):
    inbox.deliver(b"Subject: hello\r\n\r\nIt works.\r\n")
    found, = inbox.get("/api/v2/messages")["messages"]
    assert found["from"] == {"name": "", "address": "ann@example.org"}
    assert found["to"] == [{"name": "", "address": "bob@example.test"}]
    inbox.deliver(b"Cc: carol@example.test\r\nSubject: blind\r\n\r\n")
    found = inbox.get("/api/v2/messages")["messages"][0]
    assert (found["subject"], found["to"]) == ("blind", [])  # who was not to be named


def test_a_message_that_is_large_goes_in_and_comes_out(inbox, message):
    raw = message(body="0123456789abcdef\r\n" * 1_000_000)
    assert inbox.deliver(raw)["action"] == "accept"
    found, = inbox.get("/api/v2/messages")["messages"]
    assert inbox.http("GET", f"/api/v2/messages/{found['id']}/raw")[2] == raw


@pytest.mark.parametrize("size", (1, 32 * 1024, 32 * 1024 + 1))
def test_a_message_of_any_size_is_the_one_that_was_told_of_or_is_deferred(inbox, size):
    raw = (b"\r\n" + bytes(range(256)) * 200)[:size]
    assert inbox.deliver(raw)["action"] == "accept"
    assert inbox.http("GET", "/api/v2/messages/latest/raw")[2] == raw
    for told in (size - 1, size + 1):
        request = inbox.deliver_request(raw)
        request["message"]["size"] = told
        assert inbox.ask(request)["action"] == "defer"
    assert inbox.get("/api/v2/messages")["total"] == 1


def test_many_at_once_share_a_commit_and_all_are_there(inbox, message):
    for burst in range(5):
        requests = [inbox.deliver_request(message(f"burst {burst} {i}")) for i in range(64)]
        numbers = inbox.write(*requests)
        replies = [inbox.read() for _ in numbers]
        assert {reply["id"] for reply in replies} == set(numbers) and {reply["action"] for reply in replies} == {"accept"}
    page = inbox.get("/api/v2/messages?limit=1000")
    assert page["total"] == 320 and len({each["subject"] for each in page["messages"]}) == 320


@pytest.mark.parametrize("after", (1, 40, 150))
def test_what_was_accepted_is_there_after_a_kill(start, message, after):
    inbox = start()
    accepted = set()
    subjects = {}
    for i in range(after + 60):
        number, = inbox.write(inbox.deliver_request(message(f"kept {i}")))
        subjects[number] = f"kept {i}"
        if i >= 60:
            accepted.add(subjects[inbox.read()["id"]])
    inbox.kill()
    again = start()
    stored = {each["subject"] for each in again.get("/api/v2/messages?limit=1000")["messages"]}
    assert accepted <= stored and len(accepted) == after


def test_a_full_disk_defers_and_goes_on_once_there_is_room(start, message, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("a small file system takes root")
    state = tmp_path / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", state], check=True)
    try:
        inbox = start()
        raw = message(body="x" * 70 + "\r\n" * 10_000)
        replies = []
        while not replies or (replies[-1]["action"] == "accept" and len(replies) < 500):
            replies.append(inbox.deliver(raw))
        refused = replies.pop()
        assert (refused["action"], refused["code"], refused["enhanced"]) == ("defer", 452, "4.3.1")
        assert inbox.get("/api/v2/messages?limit=1")["total"] == len(replies)
        subprocess.run(["mount", "-o", "remount,size=64m", state], check=True)
        assert inbox.deliver(raw)["action"] == "accept"
        assert inbox.get("/api/v2/messages?limit=1")["total"] == len(replies) + 1
        inbox.stop()
    finally:
        subprocess.run(["umount", "--lazy", state], check=True)


def test_a_corrupt_database_is_set_aside_and_told(start, message, tmp_path):
    inbox = start()
    inbox.deliver(message())
    inbox.stop()
    file = tmp_path / "state/inbox.db"
    octets = bytearray(file.read_bytes())
    octets[0:4000] = os.urandom(4000)
    file.write_bytes(octets)
    again = start()
    assert again.get("/api/v2/messages")["total"] == 0
    assert "is corrupt" in again.log() and ".corrupt-" in again.log()
    assert [path for path in file.parent.iterdir() if ".corrupt-" in path.name]
    assert again.deliver(message())["action"] == "accept"


def test_a_database_of_a_newer_version_is_left_alone(start, tmp_path):
    start().stop()
    with sqlite3.connect(tmp_path / "state/inbox.db") as database:
        database.execute("PRAGMA user_version = 1000")
    database.close()
    inbox = start(expect_ready=False)
    assert inbox.ready["ready"] is False and "newer hooksmtpd" in inbox.ready["text"]
    inbox.kill()


def test_the_oldest_go_when_there_are_too_many(start, message):
    inbox = start({"retain": {"messages": 10}})
    for i in range(25):
        inbox.deliver(message(f"number {i}"))
    assert inbox.find("") == [f"number {i}" for i in range(15, 25)]
    assert inbox.get("/api/v2/mailboxes")["mailboxes"] == [{"name": "inbox", "messages": 10, "unread": 10}]
    assert inbox.find("number") == [f"number {i}" for i in range(15, 25)]


def test_the_oldest_go_when_they_are_too_large_together(start, message):
    inbox = start({"retain": {"size": "100K"}})
    for i in range(30):
        inbox.deliver(message(f"number {i}", body="x" * 9_000 + "\r\n"))
    assert 8 <= len(inbox.find("")) <= 11 and inbox.find("")[-1] == "number 29"


def test_a_message_that_a_later_hook_refuses_is_taken_back(inbox, message):
    request = inbox.deliver_request(message("refused later"))
    assert inbox.ask(request)["action"] == "accept"
    inbox.deliver(message("kept"))
    reset = {key: request[key] for key in ("session", "transaction", "listener", "client", "server", "helo", "protocol")}
    assert inbox.ask({"event": "reset", **reset, "reason": "refused"})["action"] == "accept"
    assert inbox.find("") == ["kept"]


@pytest.mark.parametrize("options, said", (
    ({"retain": {"size": "2 lumps"}}, "retain.size"),
    ({"retain": {"age": "a while"}}, "retain.age"),
    ({"retains": {}}, "no option `retains`"),
    ({"mailboxes": [{"recipient": "*"}]}, "mailboxes.name"),
    ({"password_file": "/nowhere"}, "password_file"),
))
def test_a_wrong_option_is_named(start, options, said):
    inbox = start(options, expect_ready=False)
    assert inbox.ready["ready"] is False and said in inbox.ready["text"]
    inbox.kill()


def test_mailboxes_by_recipient_user_and_what_a_hook_says(start, message):
    inbox = start({"mailboxes": [{"name": "billing", "recipient": "*@billing.test"}, {"name": "ci", "user": "ci"}]})
    inbox.deliver(message("a"))
    inbox.deliver(message("b"), to=["x@other.test", "y@Billing.test"])
    inbox.deliver(message("c"), user="ci")
    chosen = message("d", more="").replace(b"From:", b"X-Inbox-Mailbox: special\r\nX-Inbox-Tags: red, green\r\nFrom:")
    request = inbox.deliver_request(chosen)
    request["message"]["added_headers"] = 2
    inbox.ask(request)
    inbox.deliver(chosen.replace(b"Subject: d", b"Subject: forged"))
    found = {each["subject"]: (each["mailbox"], each["tags"]) for each in inbox.get("/api/v2/messages")["messages"]}
    assert found == {"a": ("inbox", []), "b": ("billing", []), "c": ("ci", []), "d": ("special", ["green", "red"]),
                     "forged": ("inbox", [])}


def test_what_cannot_be_read_is_deferred_and_the_inbox_goes_on(inbox, message):
    request = inbox.deliver_request(message())
    request["message"]["path"] = "/nowhere"
    assert inbox.ask(request)["code"] == 451
    assert inbox.ask({"event": "deliver"})["code"] == 451
    assert inbox.deliver(message())["action"] == "accept"


def test_a_database_that_breaks_while_it_is_read_is_told_once(start, message, tmp_path):
    start().stop()
    inbox = start()
    inbox.deliver(message("first"))
    for file in ("inbox.db", "inbox.db-wal"):  # in place: it is open
        with open(tmp_path / "state" / file, "r+b") as octets:
            octets.write(os.urandom(os.path.getsize(tmp_path / "state" / file)))
    statuses = {inbox.http("GET", f"/api/v1/{path}")[0] for path in ("messages", "search?query=first", "tags", "message/latest")}
    assert 500 in statuses
    assert inbox.log().count("the database cannot be read") == 1
    inbox.kill()
