"""The SDK for Python, hooks/python/hooksmtpd.py."""

import base64
import json
import subprocess
import sys

import pytest

from hooks.pipe import ROOT, Hook as Pipe, golden, to_line

sys.path.insert(0, str(ROOT / "hooks/python"))

import hooksmtpd  # noqa: E402
from hooksmtpd import Hook, accept, close, defer, discard, per_recipient, reject  # noqa: E402

HELLO = golden("hello")[0]


def recipient(number=4, **keys):
    return {**json.loads(golden("validate_recipient")[0]), "id": number, **keys}


@pytest.fixture
def start(tmp_path):
    """start("hook = Hook()\\n..."): that hook in a process, after hello, whose reply is `hello`."""
    made = []

    def make(text, hello=HELLO):
        path = tmp_path / "hook.py"
        path.write_text("#!/usr/bin/python3\nimport asyncio, os, subprocess, sys, time\nfrom hooksmtpd import *\n" + text + "\nhook.run()\n")
        path.chmod(0o755)
        pipe = Pipe([path], cwd=tmp_path)
        made.append(pipe)
        pipe.hello = json.loads(pipe.ask_line(hello))
        return pipe

    yield make
    for pipe in made:
        pipe.close()


def answer(returned):
    """The reply to a handler that returns this, or raises it."""
    hook = Hook(modifies=["recipient", "headers"])

    @hook.validate_recipient
    def handler(request):
        if isinstance(returned, Exception) and not isinstance(returned, hooksmtpd.Reply):
            raise returned
        return returned

    reply = hook.ask("validate_recipient", address="bob@example.test")
    assert reply.pop("id") == 1
    return reply


# --- What a handler may return

@pytest.mark.parametrize(("returned", "reply"), [
    (None, {"action": "accept"}),
    (True, {"action": "accept"}),
    (False, {"action": "reject"}),
    ("ok", {"action": "accept"}),
    ("drop", {"action": "discard"}),
    ("reject", {"action": "reject"}),
    ("reject 550 5.1.1 no such user", {"action": "reject", "code": 550, "enhanced": "5.1.1", "text": "no such user"}),
    ("defer 4.2.1 later", {"action": "defer", "enhanced": "4.2.1", "text": "later"}),
    ("reject 5501 is no code", {"action": "reject", "text": "5501 is no code"}),
    ("close bye now", {"action": "close", "text": "bye now"}),
    (accept(), {"action": "accept"}),
    (accept("stored", delay_ms=5), {"action": "accept", "text": "stored", "delay_ms": 5}),
    (accept(rewrite="ann@lists.example", notes={"n": 1}), {"action": "accept", "rewrite": "ann@lists.example", "notes": {"n": 1}}),
    (accept(rewrite="", notes={}), {"action": "accept", "rewrite": "", "notes": {}}),
    (accept(add_headers=[("X-A", "b")]), {"action": "accept", "add_headers": [["X-A", "b"]]}),
    (reject(["one", "two"], code=554), {"action": "reject", "code": 554, "text": ["one", "two"]}),
    (reject(line for line in ("one", "two")), {"action": "reject", "text": ["one", "two"]}),
    (defer("greylisted", code=450, enhanced="4.2.1"), {"action": "defer", "code": 450, "enhanced": "4.2.1", "text": "greylisted"}),
    (discard(), {"action": "discard"}),
    (close(abrupt=True), {"action": "close", "abrupt": True}),
    (per_recipient([True, reject("no", code=550), "defer"]),
     {"recipients": [{"action": "accept"}, {"action": "reject", "code": 550, "text": "no"}, {"action": "defer"}]}),
    (reject("caf\u00e9 \udcff \u2028"), {"action": "reject", "text": "caf\u00e9 \ufffd \u2028"}),
])
def test_an_answer_is_a_reply(returned, reply):
    assert answer(returned) == reply


def test_the_lines_that_the_daemon_takes_for_words_are_words():
    for row in map(json.loads, golden("replies")):
        line = row.get("line", "").rstrip("\r")
        if not line or line.lstrip()[:1] in ("{", "[", '"') or row.get("error") == "broken":
            continue
        if "error" in row:
            assert answer(line) == {"action": "defer"}, line
        else:
            expected = {key: value[0] if key == "text" else value for key, value in row["verdict"].items()}
            assert answer(line) == expected, line


def test_a_reply_may_be_raised():
    hook = Hook()

    @hook.validate_sender
    def handler(request):
        raise reject("no", code=550)

    assert hook.ask("validate_sender", address="")["code"] == 550


def test_one_reply_may_be_raised_again_and_again_and_does_not_grow():
    hook, no = Hook(), reject("no")

    @hook.validate_sender
    def handler(request):
        raise no

    for _ in range(3):
        assert hook.ask("validate_sender", address="")["text"] == "no" and no.__traceback__ is None


@pytest.mark.parametrize("wrong", [
    lambda: reject(code=450), lambda: reject(code=560), lambda: defer(code=550), lambda: reject(enhanced="4.1.1"),
    lambda: reject(enhanced="5.1"), lambda: close(enhanced="5.0.0"), lambda: reject("x" * 66000)])
def test_a_reply_that_the_daemon_would_refuse_is_an_error_where_it_is_made(wrong):
    with pytest.raises(ValueError):
        wrong()


@pytest.mark.parametrize("wrong", [7, {}, "yes", "ok then", ["accept"], b"ok", "reject\n", "reject 550 a\nb"])
def test_what_is_no_answer_is_a_failure(wrong, capfd):
    assert answer(wrong) == {"action": "defer"}
    assert "is no answer" in capfd.readouterr().err


# --- Failures

def test_an_exception_is_a_temporary_failure_with_its_trace_in_the_log(capfd):
    assert answer(KeyError("nobody")) == {"action": "defer"}
    log = capfd.readouterr().err
    assert log.startswith("<3>validate_recipient failed, answered with defer\n<3>Traceback (most recent call last):\n")
    assert log.endswith("<3>KeyError: 'nobody'\n") and "sdk_python_test.py" in log and "hooksmtpd.py" not in log


def test_the_trace_of_auth_has_no_credentials(capfd):
    hook = Hook()

    @hook.auth
    def handler(request):
        print(request)
        raise RuntimeError(f"cannot check {request.password}")

    for line in golden("auth"):
        request = json.loads(line)
        del request["event"]
        assert hook.ask("auth", **request)["action"] == "defer"
    said = "".join(capfd.readouterr())
    for secret in ("s3cret", "ya29", "b913a602", "1896.697", "/w=="):
        assert secret not in said
    assert "RuntimeError (its text is left out: it may hold a secret)" in said and "'user': 'ann'" in said


def test_falling_off_the_end_of_auth_lets_nobody_in(capfd):
    hook = Hook()
    hook.auth(lambda request: {"ann": True, "eve": False}.get(request.user))
    assert [hook.ask("auth", user=user)["action"] for user in ("ann", "eve", "bob")] == ["accept", "reject", "defer"]
    assert "must return True or accept()" not in capfd.readouterr().out


@pytest.mark.parametrize(("event", "action"), [
    ("validate_host", "accept"), ("reset", "accept"), ("later", "accept"), ("auth", "defer"), ("deliver", "defer"), ("deliver_mime", "defer")])
def test_what_nobody_handles_is_accepted_but_for_what_would_be_a_lie(event, action):
    assert Hook().ask(event)["action"] == action


def test_an_event_that_does_not_exist_is_an_error_at_once():
    with pytest.raises(ValueError, match="no such event: validate_recipent"):
        Hook().on("validate_recipent")


def test_a_line_that_is_no_request_is_deferred(start):
    pipe = start("hook = Hook()")
    for line in ("", "x", "[]", "7", '{"v":1,', "null"):
        assert json.loads(pipe.ask_line(line)) == {"action": "defer"}
    pipe.write('x\n' + to_line(recipient()) + "\n[]\n")
    assert [json.loads(pipe.read())["action"] for _ in range(3)] == ["defer", "accept", "defer"]


# --- hello

def test_hello_says_what_the_hook_is(start):
    pipe = start("""hook = Hook("policy.py", "2.1", concurrency=8, dialogue=True, stores=True, body="inline", modifies=["recipient"])
hook.on("validate_recipient", "disconnect")(lambda request: True)""")
    assert pipe.hello == {"id": 1, "ready": True, "v": 1, "concurrency": 8, "name": "policy.py", "version": "2.1", "stores": True,
                          "dialogue": True, "body": "inline", "modifies": ["recipient"],
                          "events": ["validate_recipient", "disconnect"], "decline": ["reset", "cancel"]}


@pytest.mark.parametrize(("text", "concurrency"), [
    ("hook = Hook()", 1), ("hook = Hook(threads=4)", 4), ("hook = Hook(concurrency=7, threads=4)", 7),
    ("hook = Hook()\n@hook.reset\nasync def f(request): pass", 64)])
def test_concurrency_follows_from_the_handlers(start, text, concurrency):
    assert start(text).hello["concurrency"] == concurrency


def test_a_hook_with_tasks_takes_cancel_if_it_is_subscribed(start):
    hello = to_line({**json.loads(HELLO), "events": ["deliver", "cancel"]})
    text = "hook = Hook()\n@hook.deliver\nasync def f(request): pass"
    assert start(text, hello).hello["events"] == ["deliver", "cancel"]
    assert start(text).hello["events"] == ["deliver"]


def test_the_options_are_there_from_hello_on(start):
    pipe = start("""hook = Hook()
@hook.hello
def begin(request):
    assert hook.options.domain == "example.test" and hook.daemon.isolation == "full"
@hook.validate_recipient
def f(request):
    return reject(hook.options["domain"], code=550)""")
    assert pipe.hello["ready"] is True and pipe.ask(recipient())["text"] == "example.test"


@pytest.mark.parametrize(("body", "text"), [
    ("raise OSError('cannot open users.db')", "OSError: cannot open users.db"), ("return 'no database'", "no database"),
    ("raise reject('not today')", "not today"), ("return False", "False")])
def test_a_hook_that_cannot_work_is_not_ready(start, body, text):
    assert start(f"hook = Hook()\n@hook.hello\ndef f(request): {body}").hello == {"id": 1, "ready": False, "text": text}


# --- Standard output

def test_print_and_child_processes_cannot_break_the_protocol(start):
    pipe = start("""print("stray lines before Hook() are skipped by the daemon", file=sys.stderr)
hook = Hook()
print("ok")
@hook.validate_recipient
def f(request):
    print("reject", flush=True)
    sys.stdout.write("no line feed")
    os.write(1, b"straight\\n")
    subprocess.run(["echo", "from a child"], check=True)
    assert subprocess.run(["cat"], capture_output=True).stdout == b""  # and nobody eats requests""")
    pipe.write(to_line(recipient(1)) + "\n" + to_line(recipient(2)) + "\n")
    assert [json.loads(pipe.read())["id"] for _ in range(2)] == [1, 2]
    log = pipe.close()
    for text in ("ok\n", "reject\n", "no line feed", "straight\n", "from a child\n"):
        assert text in log


def test_a_test_that_imports_a_hook_keeps_its_standard_output(capfd):
    Hook()
    print("here")
    assert capfd.readouterr().out == "here\n"


def test_the_log_has_levels_and_each_line_its_own(capfd):
    log = Hook().log
    log.error("one\ntwo")
    log.warning("%s is new", "ann\n<0>forged")
    log.notice("100%")
    log.info("caf\u00e9 \udcff")
    log.debug("5")
    assert capfd.readouterr().err == "<3>one\n<3>two\n<4>ann\n<4><0>forged is new\n<5>100%\n<6>caf\u00e9 \\udcff\n<7>5\n"


# --- Requests

def test_keys_are_attributes_and_the_dict_is_at_hand():
    seen = []
    hook = Hook()
    hook.validate_sender(seen.append)
    for line in golden("validate_sender"):
        hook.ask(**{key: value for key, value in json.loads(line).items() if key not in ("v", "id")})
    first, bounce = seen[:2]
    (odd,) = [request for request in seen if "X_b64" in request.params]
    secure = next(request for request in seen if request.user)
    assert (first.address, first.local, first.domain, first.sender) == ("ann@example.org", "ann", "example.org", "ann@example.org")
    assert (first.client.ip, first.server.port, first.params.SIZE, first["helo"]) == ("192.0.2.7", 25, "1834", "laptop.example")
    assert (first.tls, first.user, first.notes, first.get("more")) == (None, None, {}, None)
    assert bounce.sender == "" and secure.tls.client_verified is True and secure.user == "ann"
    assert odd.raw("address") == b"b\xfc\xc3@example.org" and odd.params.raw("X") == b"\xff" and first.raw("address") == b"ann@example.org"
    with pytest.raises(AttributeError, match="no 'adress' here, but v, id, event, "):
        first.adress


def test_a_list_has_octets_for_each_element():
    hook, seen = Hook(), []
    hook.deliver(seen.append)
    request = json.loads(golden("deliver")[1])
    hook.ask("deliver", **{key: request[key] for key in ("from", "to", "to_b64", "to_params")})
    assert seen[0].raw("to") == [b"bob@example.test", b"\xfc@example.test"] and seen[0].to_params[1] == {"NOTIFY": "NEVER"}


MESSAGE = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\ncaf\xe9\r\n"


@pytest.mark.parametrize("where", ["path", "data", "data_b64"])
def test_a_message_is_octets_a_file_or_an_email(tmp_path, where):
    octets = MESSAGE.replace(b"\xe9", b"\xc3\xa9") if where == "data" else MESSAGE
    (tmp_path / "spool").write_bytes(octets)
    message = {"path": str(tmp_path / "spool")} if where == "path" else \
        {"data": octets.decode()} if where == "data" else {"data_b64": base64.b64encode(octets).decode()}
    hook = Hook()

    @hook.deliver
    def deliver(request):
        assert request.message.bytes() == octets and request.message.size == 7 and request.message.added_headers == 0
        with request.message.open() as file:
            assert file.readline().startswith(b"Subject")
        assert request.message.email()["subject"] == "Gr\u00fc\u00dfe"
        request.message.save(f"{tmp_path}/kept.eml")
        return discard()

    assert hook.ask("deliver", message={"size": 7, **message})["action"] == "discard"
    assert (tmp_path / "kept.eml").read_bytes() == octets and not (tmp_path / "kept.eml.unfinished").exists()


def test_the_tree_is_walked_whether_it_comes_in_the_line_or_in_a_file(tmp_path):
    trees = [json.loads(line) for line in golden("mime_trees")]
    (tmp_path / "tree.json").write_text(json.dumps(trees[1]))
    for mime in (trees[1], {"path": str(tmp_path / "tree.json")}):
        hook = Hook()

        @hook.deliver_mime
        def deliver(request):
            tree = request.mime
            assert tree.header("subject") == "Rechnung" and tree.header("None", "-") == "-" and tree.broken
            return " ".join(["reject 554", *(part.filename or part.type for part in tree.walk())])

        assert hook.ask("deliver_mime", mime=mime)["text"] == "multipart/mixed text/html a.pdf message/rfc822 text/plain"


# --- Concurrency

LATER = """hook = Hook()
@hook.validate_recipient
async def f(request):
    await asyncio.sleep(float(request.local))
    return reject(request.local, code=550)
"""


def test_async_handlers_wait_together_and_answer_as_they_are_ready(start):
    pipe = start(LATER)
    pipe.write("".join(to_line(recipient(number, local=str(wait))) + "\n" for number, wait in ((1, 0.3), (2, 0.15), (3, 0))))
    assert [json.loads(pipe.read())["id"] for _ in range(3)] == [3, 2, 1]


def test_what_was_asked_before_the_end_of_the_input_is_answered(start):
    pipe = start(LATER)
    pipe.write(to_line(recipient(1, local="0.2")) + "\n")
    pipe.process.stdin.close()
    assert json.loads(pipe.read())["id"] == 1 and pipe.process.wait(5) == 0


def cancel(number, target):
    return to_line({"v": 1, "id": number, "event": "cancel", "target": target})


def test_cancel_ends_the_task_and_both_are_answered(start):
    pipe = start("""hook = Hook()
@hook.validate_recipient
async def f(request):
    try:
        await asyncio.sleep(float(request.local))
    except asyncio.CancelledError:
        hook.log.info("cancelled")
        raise""")
    pipe.write(to_line(recipient(1, local="60")) + "\n")
    assert json.loads(pipe.ask_line(to_line(recipient(2, local="0"))))["id"] == 2  # so the first has begun
    pipe.write(cancel(3, 1) + "\n")
    assert {json.loads(pipe.read())["id"] for _ in range(2)} == {1, 3}
    assert json.loads(pipe.ask_line(cancel(4, 1)))["action"] == "accept"  # of what is answered already
    assert pipe.close() == "<6>cancelled\n"


def test_what_is_cancelled_before_it_begins_is_answered_too(start):
    pipe = start(LATER)
    pipe.write(to_line(recipient(1, local="60")) + "\n" + cancel(2, 1) + "\n")
    assert {json.loads(pipe.read())["id"] for _ in range(2)} == {1, 2}
    assert pipe.close() == ""


def test_plain_functions_may_run_in_threads(start):
    pipe = start("""hook = Hook(threads=3)
@hook.validate_recipient
def f(request):
    time.sleep(float(request.local))
    if request.local == "0": raise ValueError("no")""")
    pipe.write("".join(to_line(recipient(number, local=str(wait))) + "\n" for number, wait in ((1, 0.3), (2, 0.15), (3, 0))))
    assert [(reply["id"], reply["action"]) for reply in (json.loads(pipe.read()) for _ in range(3))] == [(3, "defer"), (2, "accept"), (1, "accept")]
    assert "ValueError: no" in pipe.close()


@pytest.mark.parametrize("async_", ["", "async "])
def test_what_comes_together_is_answered_in_one_write(start, async_, tmp_path):
    pipe = start(f"hook = Hook(concurrency=64)\n@hook.validate_recipient\n{async_}def f(request): pass")
    with subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=write", "-o", tmp_path / "strace", "-p", str(pipe.process.pid)],
                          stderr=subprocess.PIPE) as strace:
        json.loads(pipe.ask_line(to_line(recipient(0))))
        pipe.write("".join(to_line(recipient(number)) + "\n" for number in range(1, 65)))
        assert [json.loads(pipe.read())["id"] for _ in range(64)] == list(range(1, 65))
        pipe.close()
        strace.wait()
    assert (tmp_path / "strace").read_text().count("write(") <= 4


def test_a_slow_handler_does_not_keep_the_answers_of_others(start):
    pipe = start("hook = Hook(concurrency=8)\n@hook.validate_recipient\ndef f(request):\n    if request.id == 2: sys.stdin.readline(); time.sleep(60)")
    pipe.write("".join(to_line(recipient(number)) + "\n" for number in (0, 1)))
    assert json.loads(pipe.read())["id"] == 0
    assert json.loads(pipe.read())["id"] == 1


def test_a_hook_can_be_tried_with_a_file():
    example = ROOT / "hooks/python/example.py"
    for text in ("", "async "):
        program = f"import sys; sys.path.insert(0, {str(ROOT / 'hooks/python')!r})\nfrom hooksmtpd import *\nhook = Hook()\n" \
                  f"@hook.validate_sender\n{text}def f(request): pass\nhook.run()"
        with open(ROOT / "tests/golden/v1/validate_sender.jsonl") as file:
            done = subprocess.run([sys.executable, "-c", program], stdin=file, capture_output=True, text=True, timeout=20)
        assert done.stdout.count("accept") == len(golden("validate_sender")) and done.stderr == "", example


def test_the_types_are_right_for_python_3_9(tmp_path):
    hook = tmp_path / "hook.py"
    hook.write_text("""from hooksmtpd import Hook, Reply, Request, reject
hook = Hook()
@hook.validate_recipient
def f(request: Request) -> Reply | None:
    return reject(code=550) if request.tls is None or request.tls.bits < 128 else None
@hook.deliver
async def g(request: Request) -> bool:
    return request.message.size < 100 and request.client.ip != ""
""")
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from hooksmtpd import Hook, Request\nhook = Hook()\n@hook.reset\ndef f(request: Request) -> int:\n    return request.adress\n")
    check = ["mypy", "--strict", "--cache-dir", tmp_path / "cache", "--python-version"]
    options = {"capture_output": True, "text": True, "cwd": tmp_path, "env": {"MYPYPATH": str(ROOT / "hooks/python"), "PATH": "/usr/bin:/bin"}}
    done = subprocess.run([*check, "3.9", ROOT / "hooks/python/hooksmtpd.py"], **options)
    assert done.returncode == 0, done.stdout
    ready_made = [ROOT / f"hooks/{name}/{name}.py" for name in ("allowlist", "faults", "relay")]
    done = subprocess.run([*check, "3.11", *ready_made], **options)
    assert done.returncode == 0, done.stdout
    done = subprocess.run([*check, "3.11", hook, wrong], **options)
    assert '"Request" has no attribute "adress"' in done.stdout and 'cannot be "Callable[[Request], int]"' in done.stdout
    assert "hook.py" not in done.stdout
