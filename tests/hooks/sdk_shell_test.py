"""The SDK for shell, hooks/shell/hooksmtpd.sh, in dash and in busybox."""

import json
import subprocess

import pytest

from hooks.pipe import ROOT, SDK, Hook as Pipe, golden, to_line

SHELLS = {"dash": ["/usr/bin/dash"], "busybox": ["/usr/bin/busybox", "sh"]}


def recipient(**keys):
    return to_line({**json.loads(golden("validate_recipient")[0]), **keys})


@pytest.fixture(params=SHELLS)
def start(request, tmp_path):
    """start("on_data() { ... }"): that hook in a process, after hello, whose reply is `hello`."""
    made = []

    def make(text, hello=golden("hello")[0], before="", **environment):
        path = tmp_path / "hook.sh"
        path.write_text(f'{before}\n. "$HOOK_SDK/hooksmtpd.sh"\n{text}\nrun\n')
        (tmp_path / "tmp").mkdir(exist_ok=True)
        pipe = Pipe([*SHELLS[request.param], path], {"TMPDIR": str(tmp_path / "tmp"), **environment}, cwd=tmp_path)
        pipe.folder = tmp_path
        made.append(pipe)
        pipe.hello = json.loads(pipe.ask_line(hello))
        return pipe

    yield make
    for pipe in made:
        pipe.close()
    assert list((tmp_path / "tmp").iterdir()) == [], "nothing is left behind"


# --- What a function may answer

@pytest.mark.parametrize(("body", "line"), [
    (":", "accept"),
    ("accept", "accept"),
    ("reject", "reject"),
    ("reject 550 5.1.1 no such user", "reject 550 5.1.1 no such user"),
    ("reject 550 'two  blanks' '*' $nothing", "reject 550 two  blanks *"),
    ("defer 4.2.1 later", "defer 4.2.1 later"),
    ("discard", "discard"),
    ("close bye now", "close bye now"),
    ("""reply '{"action":"accept","notes":{"n":1}}'""", '{"action":"accept","notes":{"n":1}}'),
    ("reject 550 \"one\ntwo\n\nthree\"", "reject 550 one two  three"),
    ("reject '-n' '\\n' '%s'", "reject -n \\n %s"),
    ("reject first; defer second", "reject first"),
    ("[ no = yes ] && reject; :", "accept"),
    ("echo x | while read -r line; do reject from a pipe; done", "reject from a pipe"),
    ("(reject from a subshell); defer too late", "reject from a subshell"),
    ("if true; then reject; fi; exit 3", "reject"),
])
def test_a_decision_is_a_line(start, body, line):
    assert start(f"on_validate_recipient() {{\n{body}\n}}").ask_line(recipient()) == line


@pytest.mark.parametrize("body", [
    "false", "false; accept", "exit 75", "cp -- /nowhere there; accept", "return 1", "nobody_knows_this", "cat /nowhere | accept; false",
    "field address; [ \"$address\" = nobody ] && reject", "field 'a b'; accept", "field _hook_line", "field PATH", "field 'x;touch canary'"])
def test_a_command_that_fails_is_a_temporary_failure(start, body):
    pipe = start(f"on_validate_recipient() {{\n{body}\n}}")
    assert pipe.ask_line(recipient()) == "defer"
    assert "<3>on_validate_recipient has failed with status " in pipe.log()
    assert not (pipe.folder / "canary").exists()
    assert pipe.ask_line(golden("validate_host")[0]) == "accept", "and the hook goes on"


@pytest.mark.parametrize("yes", ["accept", "discard", "reply ok", """reply '{"action":"accept"}'"""])
def test_a_yes_does_not_count_if_what_comes_after_it_fails(start, yes):
    hook = start(f"on_deliver() {{ {yes} | cat; false; }}")
    assert hook.ask_line(golden("deliver")[0]) == "defer"
    assert "on_deliver has failed with status 1" in hook.log()


def test_a_no_that_a_full_disk_swallows_is_no_yes(start):
    """What runs left of || is not under `set -e`."""
    hook = start("check() { reject 550 no such user; }\non_validate_recipient() { _hook_said=/dev/full; check || defer; }")
    assert hook.ask_line(recipient()) == "defer"


def test_a_request_cannot_change_the_hook(start):
    pipe = start("on_validate_recipient() { seen=yes; cd /; set +e; IFS=x; umask 777; PATH=; on_data() { reject; }; }\n"
                 'on_validate_host() { reject "${seen-no}" "$(pwd)"; }')
    assert pipe.ask_line(recipient()) == "accept"
    assert pipe.ask_line(golden("validate_host")[0]) == f"reject no {pipe.folder}"


def test_falling_off_the_end_of_auth_lets_nobody_in(start):
    pipe = start('on_auth() { field user; [ "$user" != ann ] || accept; }')
    assert [pipe.ask_line(line) for line in golden("auth")[:2]] == ["accept", "defer"]
    assert "on_auth has decided nothing" in pipe.log() and "s3cret" not in pipe.close()


@pytest.mark.parametrize(("event", "line"), [
    ("validate_host", "accept"), ("reset", "accept"), ("auth", "defer"), ("deliver", "defer"), ("deliver_mime", "defer")])
def test_what_nobody_handles_is_accepted_but_for_what_would_be_a_lie(start, event, line):
    assert start("").ask_line(golden(event)[0]) == line


def test_a_line_that_is_no_request_is_deferred(start):
    pipe = start("")
    for line in ("", "x", "[]", '{"v":1,', '{"event":"$(touch canary)"}', '{"event":"later"}'):
        assert pipe.ask_line(line) == ("accept" if "later" in line else "defer"), line


def test_options_of_the_script_do_not_matter(start):
    pipe = start('on_validate_recipient() { field address user tls.cipher; accept; }', before="set -eua")
    assert pipe.ask_line(recipient()) == "accept"
    assert pipe.ask_line(golden("validate_host")[0]) == "accept" and pipe.close() == ""


# --- hello

def test_hello_says_what_the_hook_is(start):
    pipe = start('on_validate_recipient() { :; }\non_disconnect() { :; }\nhook_reply=\'"modifies":["recipient"]\'')
    assert pipe.hello == {"ready": True, "name": "hook.sh", "events": ["validate_recipient", "disconnect"], "decline": ["reset"],
                          "modifies": ["recipient"]}
    assert start("on_reset() { :; }").hello == {"ready": True, "name": "hook.sh", "events": ["reset"]}


def test_what_on_hello_sets_stays(start):
    pipe = start("on_hello() { domain=$(json .options.domain); }\non_validate_recipient() { reject \"$domain\"; }")
    assert pipe.ask_line(recipient()) == "reject example.test"


def test_a_hook_that_cannot_work_is_not_ready(start):
    assert start("on_hello() { echo why; return 1; }").hello == {"ready": False, "text": "on_hello has failed: see the log"}


# --- Standard output and input

def test_commands_cannot_break_the_protocol(start):
    pipe = start("""
echo early >&2
on_validate_recipient() { echo ok; cat; printf 'no line feed'; echo straight; (sleep 5 &) ; if (echo forged >&3); then exit 1; fi; }""")
    pipe.write(recipient() + "\n" + recipient() + "\n")
    assert [pipe.read(), pipe.read()] == ["accept", "accept"]
    log = pipe.close()
    assert "ok\nno line feedstraight\n" in log and "forged" not in log


def test_the_log_has_levels_and_one_line(start):
    pipe = start("on_validate_recipient() { log error one two; log warning 'a\nb'; log notice n; log info '-n \\n %s'; log debug d; }")
    pipe.ask_line(recipient())
    assert pipe.close() == "<3>one two\n<4>a b\n<5>n\n<6>-n \\n %s\n<7>d\n"


# --- Fields

def test_fields_are_variables(start):
    pipe = start("""on_validate_sender() {
  field event id address domain domain_ascii client.ip client.port tls.client_verified tls.bits params.SIZE user nothing accepted
  log info "$event|$id|$address|$domain|$domain_ascii|$client_ip|$client_port|$tls_client_verified|$tls_bits|$params_SIZE|$user|$nothing|$accepted"
}
on_validate_recipient() { field accepted from; log info "$accepted|$from"; }""")
    for line in golden("validate_sender"):
        pipe.ask_line(line)
    pipe.ask_line(recipient(accepted=3))
    lines = pipe.close().splitlines()
    assert len(lines) == len(golden("validate_sender")) + 1
    for line, shown in zip(golden("validate_sender"), lines):
        request = json.loads(line)
        tls = request.get("tls", {})
        assert shown == "<6>" + "|".join(map(str, (
            "validate_sender", 3, request["address"], request["domain"], request.get("domain_ascii", ""), "192.0.2.7", 51514,
            str(tls.get("client_verified", "")).lower(), tls.get("bits", ""), request["params"].get("SIZE", ""), request.get("user", ""), "", "")))
    assert lines[-1] == "<6>3|ann@example.org"


def test_only_the_field_that_is_meant_is_read(start):
    """Not one of the same name within another, whoever wrote that."""
    pipe = start('on_deliver_mime() { field from message.path to size; raw from; log info "|$from|$message_path|$size|"; }')
    request = json.loads(golden("deliver_mime")[1])
    forged = {"from": "forged", "message": {"path": "forged"}, "path": "forged", "size": 7, "to": ["forged"]}
    request = {**request, "notes": {**forged, "deep": [forged]}, "params": forged}
    request["mime"] |= {**forged, "params": forged, "parts": [{**forged, "params": forged}]}
    assert pipe.ask_line(to_line(request)) == "accept"
    assert pipe.close() == f"{request['from']}<6>|{request['from']}|{request['message']['path']}||\n"


def test_a_field_never_gets_into_the_environment_of_commands(start):
    pipe = start("on_validate_recipient() { field address domain; env; }", address="before", domain="before")
    pipe.ask_line(recipient(address="hostile", domain="hostile"))
    assert "hostile" not in pipe.log() and "before" not in pipe.close()


def test_each_runs_a_command_for_each_text_of_a_list(start):
    pipe = start("""on_deliver() { each to one 'more words'; each nothing false; }
one() { log info "$1" "$2"; }""")
    for line in golden("deliver")[:2]:
        assert pipe.ask_line(line) == "accept"
    hostile = ["$(touch canary)", "a\nb", "-n", "*", "\\", '"', ""]
    pipe.ask_line(to_line({**json.loads(golden("deliver")[0]), "to": hostile}))
    assert pipe.close().splitlines() == [f"<6>more words {text}" for text in (
        "bob@example.test", "eve@example.test", "bob@example.test", "\ufffd@example.test", *(text.replace("\n", " ") for text in hostile))]
    assert not (pipe.folder / "canary").exists()


def test_a_command_of_each_that_fails_is_a_failure(start):
    pipe = start('on_deliver() { each to test bob@example.test = ; }')
    assert pipe.ask_line(golden("deliver")[0]) == "defer"


def test_json_is_jq_with_the_request(start):
    pipe = start("on_validate_recipient() { reject \"$(json --arg x y '[.client.port, $x] | @csv')\"; }")
    assert pipe.ask_line(recipient()) == 'reject 51514,"y"'


def test_a_pattern_of_the_line_needs_no_process(start, tmp_path):
    pipe = start("""on_validate_recipient() { case $request in *'@blocked.example"}') reject 550 5.1.1 no such user ;; esac; }
on_validate_sender() { field domain; case $domain in blocked.example) reject ;; esac; }""")
    with subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=execve", "-o", tmp_path / "strace", "-p", str(pipe.process.pid)]) as strace:
        for line in golden("validate_recipient") + golden("validate_sender"):
            blocked = json.loads(line)["domain"] == "blocked.example"
            assert pipe.ask_line(line).startswith("reject" if blocked else "accept")
        pipe.process.stdin.close()
        strace.wait()
    assert [line for line in (tmp_path / "strace").read_text().splitlines() if "execve" in line and "/rm\"" not in line] == []


# --- Messages

@pytest.mark.parametrize("where", ["path", "data", "data_b64"])
def test_save_keeps_the_message_whole(start, where):
    octets = b"Subject: x\r\n\r\n\"caf\xc3\xa9\" \\ %n\r\n" if where == "data" else b"\x00\xff\r\n\\ $(touch canary)\r\n"
    pipe = start('on_deliver() { field transaction; save "$transaction.eml"; }')
    (pipe.folder / "spool").write_bytes(octets)
    message = {"path": {"path": str(pipe.folder / "spool")}, "data": {"data": octets.decode(errors="replace")},
               "data_b64": {"data_b64": __import__("base64").b64encode(octets).decode()}}[where]
    assert pipe.ask_line(to_line({**json.loads(golden("deliver")[0]), "message": {"size": 9, **message}})) == "accept"
    assert (pipe.folder / "c7f3a1-1.eml").read_bytes() == octets and not (pipe.folder / "c7f3a1-1.eml.unfinished").exists()


@pytest.mark.parametrize("how", ["save", "if ! save", "save x/y &&"])
def test_a_message_that_cannot_be_saved_is_deferred(start, how):
    body = {"save": "save x/y", "if ! save": "if ! save x/y; then defer 452 4.3.1 full; fi", "save x/y &&": "save x/y && accept"}[how]
    assert start(f"on_deliver() {{ {body}; }}").ask_line(golden("deliver")[0]).startswith("defer")


def test_the_file_is_posix_shell():
    for shell in SHELLS.values():
        subprocess.run([*shell, "-n", SDK / "hooksmtpd.sh"], check=True)
    text = (ROOT / "hooks/shell/hooksmtpd.sh").read_text()
    for word in ("local ", "[[", "function ", "<<<", "source ", "declare "):
        assert f"\n{word}" not in text and f"  {word}" not in text.replace("#   ", "")
