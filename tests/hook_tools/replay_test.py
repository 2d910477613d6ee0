"""hooksmtpctl hook replay: what another hook would have said to the same requests."""

import base64
import json

import pytest

from hook_tools.tools import ROOT, python, run

BLOCKED = json.loads((ROOT / "tests/golden/v1/validate_recipient.jsonl").read_text().splitlines()[3])
WELCOME = json.loads((ROOT / "tests/golden/v1/validate_recipient.jsonl").read_text().splitlines()[0])
DELIVER = json.loads((ROOT / "tests/golden/v1/deliver.jsonl").read_text().splitlines()[0])
HELLO = json.loads((ROOT / "tests/golden/v1/hello.jsonl").read_text().splitlines()[0])
BLOCKLIST = ROOT / "hooks/python/blocklist.py"


@pytest.fixture
def recording(tmp_path):
    """Writes one: pairs of a request and the reply to it."""
    def write(*entries, hook="policy"):
        path = tmp_path / "recording.jsonl"
        rows = []
        for number, (request, reply, *more) in enumerate(entries, 1):
            of = {"hook": hook, "instance": 1}
            rows.append({"ms": number, "from": "daemon", "what": "request", **of, "request": {**request, "id": number}, **(more[0] if more else {})})
            rows.append({"ms": number, "from": "hook", **of, "stderr": "<6>thinking"})
            if reply is not None:
                rows.append({"ms": number, "from": "hook", **of, "reply": reply})
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    return write


def test_the_same_verdicts_are_no_difference_however_they_are_spelt(recording):
    path = recording((HELLO, "ok"), (BLOCKED, '{"action":"reject","code":550,"enhanced":"5.1.1","text":"no such user"}'),
                     (WELCOME, '{"id":3,"action":"accept","v":1}'))
    assert run("replay", path, BLOCKLIST).stdout == "0 of 2 verdicts differ\n"


def test_what_differs_is_shown(recording):
    path = recording((BLOCKED, "ok"), (WELCOME, "reject 550 5.1.1 who?"), (WELCOME, None))
    done = run("replay", path, BLOCKLIST, status=1)
    assert done.stdout.splitlines() == [
        "validate_recipient 1", "  - accept", '  + reject 550 5.1.1 "no such user"',
        "validate_recipient 2", '  - reject 550 5.1.1 "who?"', "  + accept",
        "validate_recipient 3", "  - no answer", "  + accept",
        "3 of 3 verdicts differ"]
    found = json.loads(run("replay", "--json", path, BLOCKLIST, status=1).stdout)
    assert found["differences"][0] == {"request": "validate_recipient 1", "before": "accept",
                                       "now": 'reject 550 5.1.1 "no such user"'}


def test_messages_and_options_are_there_again(recording, tmp_path):
    hook = python(tmp_path, """
if request["event"] == "hello": mark = request["options"]["domain"].encode(); print("ok", flush=True); continue
octets = open(request["message"]["path"], "rb").read()
print("reject" if octets == b"Subject: " + mark + b"\\r\\n\\r\\n\\xff\\r\\n" else "ok", flush=True)
""")
    message = b"Subject: example.test\r\n\r\n\xff\r\n"
    path = recording((HELLO, "ok"), (DELIVER, "reject", {"message_b64": base64.b64encode(message).decode()}))
    run("replay", path, hook)
    path = recording((HELLO, "ok"), (DELIVER, "ok"))
    assert "1 messages were not recorded" in run("replay", path, hook).stdout


def test_replies_out_of_order_are_told_by_their_ids(tmp_path):
    path = tmp_path / "recording.jsonl"
    of = {"hook": "policy", "instance": 1}
    path.write_text("".join(json.dumps(row) + "\n" for row in [
        {**of, "request": {**BLOCKED, "id": 5}}, {**of, "request": {**WELCOME, "id": 6}},
        {**of, "reply": '{"id":6,"action":"accept"}'},
        {**of, "reply": '{"id":5,"action":"reject","code":550,"enhanced":"5.1.1","text":"no such user"}'}]))
    run("replay", path, BLOCKLIST)


def test_what_cannot_be_replayed_is_counted(recording):
    auth = json.loads((ROOT / "tests/golden/v1/auth.jsonl").read_text().splitlines()[0])
    path = recording(({**auth, "password": "***"}, "ok"), (WELCOME, "ok"))
    assert run("replay", path, BLOCKLIST).stdout == "0 of 1 verdicts differ; 1 requests (auth, cancel) cannot be replayed\n"


def test_one_hook_of_several(recording, tmp_path):
    path = recording((BLOCKED, "ok"))
    other = recording((WELCOME, "ok"), hook="other").read_text()
    path.write_text(other + json.dumps({"hook": "policy", "request": {**BLOCKED, "id": 1}}) + "\n")
    assert "say --hook other" in run("replay", path, BLOCKLIST, status=66).stderr
    run("replay", "--hook", "other", path, BLOCKLIST)
    run("replay", "--hook", "policy", path, BLOCKLIST, status=1)


def test_mistakes_of_the_caller(tmp_path):
    path = tmp_path / "recording.jsonl"
    path.write_text('{"stderr":"x"}\n')
    assert "no request in it" in run("replay", path, BLOCKLIST, status=66).stderr
    path.write_text('{}\nno\n')
    assert "recording.jsonl:2" in run("replay", path, BLOCKLIST, status=66).stderr
    run("replay", tmp_path / "none", BLOCKLIST, status=66)
    run("replay", path, status=64)
