"""An inbox with many messages: what each question to it costs, what it takes of memory, and how it starts."""

import importlib.util
import os
import pathlib
from urllib.parse import quote

import pytest

MESSAGES = int(os.environ.get("MESSAGES", "100000"))
AT_ONCE = 64
SEARCH_MS, START_MS, MEMORY_MIB = 50, 200, 96

spec = importlib.util.spec_from_file_location("inbox_program", pathlib.Path(__file__).parents[1] / "inbox/inbox.py")
inbox_program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(inbox_program)

SENDERS = [f"Sender {i} <sender{i}@example.org>" for i in range(40)]
WORDS = "order invoice report build deploy alert welcome password newsletter receipt ticket meeting".split()


def cpu_ms(inbox) -> float:
    """Of all its threads."""
    threads = pathlib.Path(f"/proc/{inbox.process.pid}/task")
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads.iterdir()) / 1e6


def memory_mib(inbox) -> float:
    lines = pathlib.Path(f"/proc/{inbox.process.pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def number_of(i: int) -> bytes:
    body = f"This is message number{i} about {WORDS[i % 7]} and {WORDS[i % 11]}.\r\n" + "It goes on for a while. " * 38 + "\r\n"
    return inbox_program.message(f"{WORDS[i % 12]} {i}", body, SENDERS[i % 40])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One in which MESSAGES messages have been stored, and the inbox has ended."""
    folder = tmp_path_factory.mktemp("many")
    with inbox_program.Inbox(folder) as inbox:
        requests = [inbox.deliver_request(b"") for _ in range(AT_ONCE)]
        for first in range(0, MESSAGES, AT_ONCE):
            several = range(first, min(first + AT_ONCE, MESSAGES))
            for i, request in zip(several, requests):
                raw = number_of(i)
                pathlib.Path(request["message"]["path"]).write_bytes(raw)
                request["message"]["size"] = len(raw)
                request["transaction"] = f"c7f3a1-{i}"
            for _ in inbox.write(*requests[:len(several)]):
                assert inbox.read()["action"] == "accept"
        print(f"stored: {1000 * cpu_ms(inbox) / MESSAGES:.0f} us of CPU time each, memory {memory_mib(inbox):.0f} MiB")
        assert memory_mib(inbox) < MEMORY_MIB
    return folder


def test_it_starts_quickly(folder):
    with inbox_program.Inbox(folder) as inbox:
        took = cpu_ms(inbox)
        print(f"start: {took:.0f} ms")
        assert inbox.get("/api/v2/messages?limit=1")["total"] == MESSAGES
    assert took < START_MS


@pytest.mark.parametrize("query", (
    "", "number77", "invoice", "goes", "-goes", '"goes on for"', "from:sender7", "-from:sender7", "subject:invoice number4", "i",
    "is:unread", "is:read", "has:attachment", "-has:attachment", "tag:none", "larger:1k", "larger:1M", "after:1d", "before:1d",
    "to:bob invoice -report larger:10", "message-id:<none@example.test>", "mailbox:inbox", "nowhere"))
def test_a_search_is_quick(folder, running, query):
    path = f"/api/v2/messages?limit=50&query={quote(query)}"
    running.get(path)  # once, so that the files are in memory
    costs = []
    for _ in range(5):
        before = cpu_ms(running)
        found = running.get(path)
        costs.append(cpu_ms(running) - before)
    print(f"{query!r}: {found['total']} found, {sorted(costs)[2]:.1f} ms")
    assert sorted(costs)[2] < SEARCH_MS
    assert memory_mib(running) < MEMORY_MIB


def test_a_page_far_down_is_quick(running):
    """By its cursor, as who scrolls comes to it."""
    page, left = running.get("/api/v2/messages?limit=1000"), MESSAGES - 1000
    while left > 1000:
        page, left = running.get(f"/api/v2/messages?limit=1000&cursor={page['next']}"), left - 1000
    before = cpu_ms(running)
    last = running.get(f"/api/v2/messages?limit=50&cursor={page['next']}")
    took = cpu_ms(running) - before
    print(f"a page far down: {took:.1f} ms")
    assert len(last["messages"]) == 50 and took < SEARCH_MS


@pytest.fixture(scope="module")
def running(folder):
    with inbox_program.Inbox(folder) as inbox:
        yield inbox
