"""Whatever the daemon writes, every SDK and every ready-made hook answers it in one line that the daemon understands."""

import contextlib
import json
import re
import signal

import jsonschema
import pytest

from hooks.pipe import ROOT, golden, to_line
from hooks.programs import PROGRAMS

FIRST = ("hello", "validate_host")
EVENTS = (*FIRST, *sorted({path.stem for path in (ROOT / "tests/golden/v1").glob("*.jsonl")}
                          - {"replies", "hello_replies", "mime_trees", *FIRST}))
SCHEMAS = {name: json.loads((ROOT / f"proto/hook/schema/{name}.schema.json").read_text()) for name in ("reply", "hello-reply")}
# PROTOCOL.md, "Replies".
WORDS = re.compile(r"(ok|accept|discard|drop)|close( [^\n]*)?"
                   r"|reject( 5[0-5]\d)?( 5\.\d{1,3}\.\d{1,3})?( (?!\d{3}( |$))[^\n]*)?"
                   r"|defer( 4[0-5]\d)?( 4\.\d{1,3}\.\d{1,3})?( (?!\d{3}( |$))[^\n]*)?")


@pytest.fixture(params=PROGRAMS)
def program(request):
    return PROGRAMS[request.param]


@pytest.fixture
def hook(program, tmp_path):
    hook = program.start(tmp_path)
    yield hook
    log = hook.close()
    assert not program.is_quiet or log == ""


def understood(request: dict, line: str) -> dict:
    """The reply, held against the schema: {} for words."""
    assert len(line) < 65536
    if not line.startswith("{"):
        assert WORDS.fullmatch(line), line
        return {}
    reply = json.loads(line)
    jsonschema.Draft202012Validator(SCHEMAS["hello-reply" if request["event"] == "hello" else "reply"]).validate(reply)
    assert reply.get("id", request["id"]) == request["id"]
    return reply


def ask(hook, request: dict) -> dict:
    return understood(request, hook.ask_line(to_line(request)))


def test_each_golden_request_has_one_reply(hook):
    for event in EVENTS:
        for line in golden(event):
            understood(json.loads(line), hook.ask_line(line))


def test_a_whole_session_with_a_message(hook, program, tmp_path):
    message = tmp_path / "message"
    message.write_bytes(b"Subject: hi\r\n\r\ncaf\xe9\r\n")
    assert ask(hook, program.hello()).get("ready", True) is True
    for event in ("validate_host", "helo", "validate_sender", "validate_recipient", "data", "deliver", "reset", "disconnect"):
        request = json.loads(golden(event)[0])
        if event == "deliver":
            request["message"] |= {"size": message.stat().st_size, "path": str(message)}
        reply = ask(hook, request)
        assert reply.get("action", "accept") == "accept" or event == "deliver" and not program.takes_messages, event


def test_an_event_and_keys_of_a_later_version_are_no_obstacle(hook, program):
    ask(hook, program.hello())
    facts = json.loads(golden("validate_host")[0])
    assert ask(hook, {**facts, "event": "later", "subject": {"of": ["another", "kind"]}}).get("action", "accept") == "accept"
    assert ask(hook, {**facts, "more": {"deep": [[[{}]]]}, "most": None}).get("action", "accept") == "accept"


def test_a_request_may_come_in_pieces(hook, program):
    ask(hook, program.hello())
    request = golden("validate_sender")[0]
    for piece in (request[:1], request[1:100], request[100:], "\n"):
        hook.write(piece)
    understood(json.loads(request), hook.read())


def test_requests_that_come_at_once_are_all_answered(hook, program):
    concurrency = ask(hook, program.hello()).get("concurrency", 1)
    request = json.loads(golden("validate_sender")[0])
    ids = list(range(100, 100 + concurrency))
    hook.write("".join(to_line({**request, "id": number}) + "\n" for number in ids))
    replies = [hook.read() for _ in ids]
    if concurrency > 1:
        assert sorted(json.loads(reply)["id"] for reply in replies) == ids


def test_the_longest_request_is_read(hook, program, tmp_path):
    message = tmp_path / "message"
    message.write_bytes(b"\r\n")
    ask(hook, program.hello())
    request = json.loads(golden("deliver")[0])
    request |= {"to": [f"user{number:04}@{'long' * 50}.example" for number in range(4700)],
                "message": {**request["message"], "size": 2, "path": str(message)}}
    assert 1_000_000 < len(to_line(request)) < 1 << 20  # what the daemon writes at most
    ask(hook, request)


def test_it_ends_with_its_input(hook, program):
    ask(hook, program.hello())


@pytest.mark.parametrize("name", [name for name in PROGRAMS if PROGRAMS[name].text])
def test_half_a_request_is_none_to_an_sdk(name, tmp_path):
    hook = PROGRAMS[name].start(tmp_path)
    ask(hook, PROGRAMS[name].hello())
    hook.write(golden("validate_sender")[0][:50])
    hook.close()


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_ends_when_nobody_reads_its_replies_any_more(name, tmp_path):
    """The worker has died while the hook was at work: its output is closed first, and then its input."""
    hook = PROGRAMS[name].start(tmp_path)
    ask(hook, PROGRAMS[name].hello())
    hook.process.stdout.close()
    with contextlib.suppress(BrokenPipeError):
        hook.write(golden("validate_sender")[0] + "\n")
        hook.write(golden("validate_sender")[0] + "\n")
    with contextlib.suppress(BrokenPipeError):
        hook.process.stdin.close()
    # A bare program of a language that throws at a closed pipe may see that first.
    throws = name in ("bare python", "bare node")
    assert hook.process.wait(10) in (0, -signal.SIGPIPE, *([1] if throws else []))
    assert "Traceback" not in hook.log() or name == "bare python"
