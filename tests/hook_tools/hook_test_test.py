"""hooksmtpctl hook test: what it finds in a hook, and that it finds nothing in a good one."""

import json
import re

import pytest

from hook_tools.tools import BUILD, ROOT, cases, python, report, run, write

OK = 'print("ok", flush=True)'
ONE = {"request": {"event": "validate_recipient"}, "reply": {"action": "accept"}}


def kinds(found: dict) -> list[str]:
    return [finding["kind"] for finding in found["findings"]]


@pytest.mark.parametrize("hook", ["hooks/shell/blocklist.sh", "hooks/python/blocklist.py", "hooks/node/blocklist.js"])
def test_nothing_is_found_in_a_good_hook(hook):
    found = report(ROOT / hook)
    assert found["ok"] and found["findings"] == []
    assert len(found["cases"]) > 50 and all(case["good"] for case in found["cases"])
    rejected = [case for case in found["cases"] if case["reply"]["action"] == "reject"]
    assert [case["reply"]["text"] for case in rejected] == ["no such user"] * 4


def test_a_ready_made_hook_gets_messages_that_are_there():
    found = report(BUILD / "hooks/maildir/maildir")
    assert found["ok"]
    delivered = [case for case in found["cases"] if case["name"].startswith("deliver ")]
    assert {case["reply"]["action"] for case in delivered} == {"accept"}
    assert "subject=" in delivered[0]["log"][0]


@pytest.mark.parametrize("command", [["hooks/log/log"], ["hooks/exec/exec", "/bin/cat"]])
def test_a_hook_that_refuses_auth_is_not_offered_it(command):
    found = report(BUILD / command[0], *command[1:])
    assert found["ok"] and found["findings"] == []
    assert {case["name"].split()[0] for case in found["cases"]} >= {"validate_recipient", "deliver", "disconnect"}
    refused = report("--events", "auth,deliver", BUILD / command[0], *command[1:], status=1)
    assert kinds(refused) == ["not-ready"] and "`auth`" in refused["findings"][0]["text"]


EVENTS = """if request["event"] == "hello":
    print(request["events"], file=sys.stderr)
print("ok", flush=True)"""


@pytest.mark.parametrize(("arguments", "offered"), [
    (["--events", "deliver,auth"], ["deliver", "auth"]),
    (["--cases", "CASES"], ["validate_sender", "validate_recipient"]),
    (["--cases", "CASES", "--events", "helo"], ["helo"]),
])
def test_hello_offers_what_will_be_asked(tmp_path, arguments, offered):
    recipient, sender = ONE, {"request": {"event": "validate_sender"}}
    own = str(cases(tmp_path, recipient, sender, recipient))
    found = report(*(own if one == "CASES" else one for one in arguments), python(tmp_path, EVENTS))
    assert found["log"] == [str(offered)]
    if "--cases" not in arguments:
        assert {case["name"].split()[0] for case in found["cases"]} == set(offered)


def test_an_event_that_there_is_not(tmp_path):
    assert '--events: no event "deliverr"' in run("test", "--events", "deliverr", "/bin/cat", status=64).stderr


def test_a_hook_that_says_it_handles_auth_is_asked_it(tmp_path):
    hook = python(tmp_path, 'print(\'{"events":["auth"]}\' if request["event"] == "hello" else "reject", flush=True)')
    assert {case["name"].split()[0] for case in report(hook)["cases"]} == {"auth"}


@pytest.mark.parametrize(("text", "mode", "named", "hint"), [
    ("#!/bin/sh\n", 0o755, "hook.sh", "did you mean the one here? write ./ in front"),
    ("#!/bin/sh\n", 0o644, "./hook.sh", "hook.sh: chmod +x makes it a program: Permission denied"),
    ("#!/usr/bin/pyhton3\n", 0o755, "./hook.sh", "hook.sh: the program in its first line: No such file"),
    ("print('ok')\n", 0o755, "./hook.sh", "it needs a first line such as #!/usr/bin/env python3"),
])
def test_a_program_that_cannot_be_started_is_told_with_the_cure(tmp_path, text, mode, named, hint):
    (tmp_path / "hook.sh").write_text(text)
    (tmp_path / "hook.sh").chmod(mode)
    assert hint in run("test", named, status=69, cwd=tmp_path).stderr


def test_people_get_a_line_for_each_case_and_what_the_hook_logs(tmp_path):
    hook = python(tmp_path, 'print("looking \\x1b[2J", file=sys.stderr)\nprint("reject 550 5.1.1 no", flush=True)')
    text = run("test", "--cases", cases(tmp_path, {**ONE, "name": "bob", "reply": {"code": 550}}), hook).stdout
    assert re.search(r'^ok    bob    +\d+\.\d\d ms  reject 550 5\.1\.1 "no"$', text, re.MULTILINE)
    assert r"| looking \x1b[2J" in text and "\x1b" not in text
    assert text.endswith("\n1 case, nothing found\n")


def test_a_buffered_reply_is_told_from_none_with_the_cure(tmp_path):
    hook = write(tmp_path / "hook.pl", "#!/usr/bin/perl\nwhile (<STDIN>) { print qq(ok\\n); }\n")
    found = report("--timeout", "300ms", hook, status=1)
    assert kinds(found) == ["buffered"] and "$| = 1" in found["findings"][0]["text"]
    silent = write(tmp_path / "silent.sh", "#!/bin/sh\ncat > /dev/null\n")
    found = report("--timeout", "300ms", silent, status=1)
    assert kinds(found) == ["timeout"] and found["cases"] == []


@pytest.mark.parametrize(("body", "kind", "text"), [
    ('print("checking"); ' + OK, "stray", 'messages belong on stderr: "checking"'),
    ("""print('{"action":"accept","tags":[]}' if request["event"] != "hello" else "ok", flush=True)""", "unknown-key", '"tags"'),
    ("""print('{"id":77,"action":"accept"}' if request["event"] != "hello" else "ok", flush=True)""", "wrong-id", "77"),
    ("""print("reject 250 fine" if request["event"] != "hello" else "ok", flush=True)""", "broken-reply", "contradicts"),
    ("""print('{"action":"accept","rewrite":"a@b.example"}' if request["event"] != "hello" else "ok", flush=True)""",
     "broken-reply", '"modifies":["recipient"]'),
    ('if request["event"] != "hello": sys.exit(3)\n' + OK, "ended", "it ended with status 3"),
    ('if request["event"] != "hello": os.kill(os.getpid(), 9)\n' + OK, "ended", "signal 9"),
    ('if request["event"] != "hello": continue\n' + OK, "timeout", "did not answer validate_recipient in time"),
    (OK + "\n" + OK, "unasked", "nobody had asked for"),
    ("""print('{"ready":false,"text":"no users.db"}', flush=True)""", "not-ready", "no users.db"),
    ("""print("x" * 70000, flush=True)""", "broken-reply", "more than 65536 octets"),
])
def test_what_it_finds(tmp_path, body, kind, text):
    found = report("--timeout", "2s", "--cases", cases(tmp_path, ONE), python(tmp_path, body), status=1)
    matching = [finding for finding in found["findings"] if finding["kind"] == kind]
    assert matching and text in matching[0]["text"], found["findings"]


def test_a_hook_that_goes_on_after_the_end_of_its_input(tmp_path):
    hook = write(tmp_path / "hook.sh", "#!/bin/sh\nwhile :; do IFS= read -r request && echo ok || sleep 1; done\n")
    found = report("--cases", cases(tmp_path, ONE), hook, status=1)
    assert kinds(found) == ["goes-on"]


def test_a_slow_start(tmp_path):
    found = report("--cases", cases(tmp_path, ONE),
                   python(tmp_path, 'if request["event"] == "hello": time.sleep(2.1)\n' + OK), status=1)
    assert kinds(found) == ["slow-start"] and found["start_ms"] > 2000


def test_a_hook_that_broke_is_started_again_for_the_next_case(tmp_path):
    hook = python(tmp_path, 'if request.get("address") == "crash@x.test": sys.exit(1)\n' + OK)
    rows = [{"request": {"event": "validate_recipient", "address": f"{name}@x.test"}, "reply": {"action": "accept"}}
            for name in ("a", "crash", "b")]
    found = report("--cases", cases(tmp_path, *rows), hook, status=1)
    assert [case["good"] for case in found["cases"]] == [True, False, True]
    assert kinds(found) == ["ended"]


def test_concurrency_is_tried(tmp_path):
    reordering = python(tmp_path, """
if request["event"] == "hello":
    print('{"concurrency":4}', flush=True); waiting = []
else:
    waiting.append(request["id"])
    if request["id"] == 2 or len(waiting) == 4:
        for id in reversed(waiting): print(json.dumps({"id": id, "action": "accept"}), flush=True)
        waiting = []
""")
    assert report("--cases", cases(tmp_path, ONE), reordering)["at_once"] == 4
    wordy = python(tmp_path, "print('{\"concurrency\":4}' if request['event'] == 'hello' else 'ok', flush=True)")
    assert set(kinds(report("--cases", cases(tmp_path, ONE), wordy, status=1))) == {"wrong-id"}


def test_own_cases_say_what_matters_and_the_rest_is_made_up(tmp_path):
    hook = python(tmp_path, """
if request["event"] == "hello": print("ok", flush=True); continue
print(json.dumps({"action": "reject", "code": 550, "text": [line.rstrip(), str(request.get("local")), str(request.get("domain"))]}), flush=True)
""")
    rows = [
        {"request": {"event": "validate_recipient", "address": '"a b"@x.test', "user": "ann", "helo_b64": "/w=="},
         "reply": {"action": "reject", "code": 550, "enhanced": None}},
        {"request": {"event": "validate_sender", "address": ""}, "reply": {"action": "accept"}, "name": "wrong"},
    ]
    found = report("--cases", cases(tmp_path, *rows), hook, status=1)
    first, second = found["cases"]
    line, local, domain = first["reply"]["text"]
    assert (local, domain) == ("a b", "x.test")
    assert line.endswith(r'"user":"ann","address":"\"a b\"@x.test"}'), "the subject is last"
    assert '"helo_b64":"/w==","helo":' in line, "a twin stands before its key"
    assert json.loads(line)["client"]["ip"] == "192.0.2.7"
    assert first["name"] == "cases.jsonl:1" and first["good"] and not second["good"]
    assert found["findings"] == [{"kind": "unexpected", "where": "wrong",
                                  "text": 'expected action "accept", but it is "reject"'}]


def test_messages_of_cases_reach_the_hook_raw(tmp_path):
    (tmp_path / "latin.eml").write_bytes(b"Subject: caf\xe9\r\n\r\n.\r\n")
    hook = python(tmp_path, """
if request["event"] == "hello":
    print(json.dumps({"body": request["options"]["body"]}), flush=True); continue
message = request["message"]
import base64
octets = (open(message["path"], "rb").read() if "path" in message else message["data"].encode() if "data" in message
          else base64.b64decode(message["data_b64"]))
print(json.dumps({"action": "accept", "text": [repr(octets[-18:]), str(len(octets) == message["size"]), *sorted(message)]}), flush=True)
""")
    rows = [{"request": {"event": "deliver"}, "message": "latin.eml", "reply": {}},
            {"request": {"event": "deliver"}, "message": "Subject: hi\n\nx\n", "reply": {}}]
    for body, keys in (("path", ["path", "path"]), ("inline", ["data_b64", "data"])):
        found = report("--options", json.dumps({"body": body}), "--cases", cases(tmp_path, *rows), hook)
        texts = [case["reply"]["text"] for case in found["cases"]]
        assert texts[0][0] == repr(b"bject: caf\xe9\r\n\r\n.\r\n"[-18:])
        assert texts[1][0].endswith(r"Subject: hi\r\n\r\nx\r\n'")
        assert [text[1] for text in texts] == ["True", "True"]
        assert [key in text for key, text in zip(keys, texts)] == [True, True]


def test_trees_come_with_their_files(tmp_path):
    hook = python(tmp_path, """
if request["event"] != "deliver_mime": print("ok", flush=True); continue
def walk(node):
    yield node
    for part in node.get("parts", []) + ([node["message"]] if "message" in node else []): yield from walk(part)
mime = request["mime"]
if "type" not in mime: mime = json.load(open(mime["path"]))
sizes = [(os.path.getsize(part["path"]), part["size"]) for part in walk(mime) if "path" in part]
print(json.dumps({"action": "accept" if sizes and all(a == b for a, b in sizes) else "reject"}), flush=True)
""")
    found = report("--cases", cases(tmp_path, *[{"request": {"event": "deliver_mime"}, "reply": {"action": "accept"}}]), hook)
    assert found["ok"]
    every = [case for case in report(hook, status=None)["cases"] if case["name"].startswith("deliver_mime")]
    assert len(every) == 3 and all(case["good"] and case["reply"]["action"] == "accept" for case in every)


def test_only_what_the_hook_handles_is_asked(tmp_path):
    hook = python(tmp_path, "print('{\"events\":[\"helo\",\"data\"]}' if request['event'] == 'hello' else 'ok', flush=True)")
    assert {case["name"].split()[0] for case in report(hook)["cases"]} == {"helo", "data"}


def test_the_environment_is_the_daemons(tmp_path):
    hook = write(tmp_path / "hook.sh", "#!/bin/sh\nwhile read -r r; do echo \"reject 550 $(env | cut -d= -f1 | sort | tr '\\n' ' ') $(pwd)\"; done\n")
    found = report("--cases", cases(tmp_path, {**ONE, "reply": {}}), hook)
    text = found["cases"][0]["reply"]["text"]
    for name in ("HOME", "HOOK_NAME", "HOOK_SDK", "HOOK_STATE", "LANG", "NODE_PATH", "PATH", "PYTHONPATH", "PYTHONUNBUFFERED"):
        assert name in text
    assert "HOOKSMTPD_BUILD" not in text and "/hooksmtpctl-" in text


def test_mistakes_of_the_caller(tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text('# fine\n\n{"request":{"event":"validate_recipient"}}\n{"request":\n')
    assert "broken.jsonl:4" in run("test", "--cases", broken, "cat", status=66).stderr
    broken.write_text('{"request":{"event":"no_such"}}\n')
    assert "none that there is" in run("test", "--cases", broken, "cat", status=66).stderr
    broken.write_text('{"request":{"event":"deliver_mime"},"message":"Subject: x\\n\\ny\\n"}\n')
    assert "needs its tree" in run("test", "--cases", broken, "cat", status=66).stderr
    assert "cannot be read" in run("test", "--cases", tmp_path / "none", "cat", status=66).stderr
    run("test", status=64)
    run("test", "--timeout", "soon", "cat", status=64)
    run("test", "--options", "[]", "cat", status=64)
    assert "no-such-program" in run("test", "no-such-program", status=69).stderr
    assert "the request back" in run("test", "cat", status=1).stdout
