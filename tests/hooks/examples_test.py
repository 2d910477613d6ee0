"""The example hooks, as they stand in the README, against the golden lines."""

import json
import re
import shutil

import pytest

from hooks.pipe import ROOT, Hook, golden

SUBJECTS = {"hello": "options", "validate_host": "address", "helo": "name", "starttls": "tls", "auth": "user",
            "validate_sender": "address", "validate_recipient": "address", "data": "to", "deliver": "message",
            "deliver_mime": "message", "command": "line", "reset": "reason", "disconnect": "reason", "cancel": "target"}
EVENTS = tuple(SUBJECTS)
EXAMPLES = {"sh": "hooks/shell/blocklist.sh", "python3": "hooks/python/blocklist.py", "node": "hooks/node/blocklist.js"}
REQUESTS = [line for event in EVENTS for line in golden(event)]


@pytest.fixture(params=EXAMPLES)
def example(request):
    if not shutil.which(request.param):
        pytest.skip(f"needs {request.param}")
    hook = Hook([ROOT / EXAMPLES[request.param]])
    yield hook
    assert hook.close() == ""


def test_an_example_refuses_the_blocked_domain_and_nothing_else(example):
    verdicts = [example.ask_line(line) for line in REQUESTS]
    for line, verdict in zip(REQUESTS, verdicts):
        blocked = json.loads(line).get("address", "").endswith("@blocked.example")
        assert verdict == ("reject 550 5.1.1 no such user" if blocked else "ok"), line
    assert sum(verdict != "ok" for verdict in verdicts) == 4


def test_the_protocol_shows_golden_lines():
    text = (ROOT / "proto/hook/PROTOCOL.md").read_text()
    assert re.findall(r'^\{"v":1,.*$', text, re.MULTILINE) == [golden(event)[0] for event in EVENTS]


def test_the_protocol_shows_the_example():
    assert f"```sh\n{(ROOT / EXAMPLES['sh']).read_text()}```" in (ROOT / "proto/hook/PROTOCOL.md").read_text()


@pytest.mark.parametrize("event", EVENTS)
def test_golden_requests_are_compact_ascii_with_the_subject_last(event):
    for line in golden(event):
        request = json.loads(line)
        assert json.dumps(request, separators=(",", ":")) == line
        assert list(request)[:3] == ["v", "id", "event"] and list(request)[-1] == SUBJECTS[event]
        assert request["event"] == event
