"""hooks/exec: one process for each event; what it is given, and what its end means."""

import json
import os
import re
import time

import pytest

from hooks.pipe import BUILD, Hook, golden

EXEC = BUILD / "hooks/exec/exec"
SHELL = "#!/bin/sh\n"


def write(folder, text, name="command"):
    path = folder / name
    path.write_text(SHELL + text)
    path.chmod(0o755)
    return path


@pytest.fixture
def command(tmp_path):
    """command("exit 75", "-j", "4"): the hook after hello, with that as its command."""
    made = []

    def make(text, *options, events=("validate_recipient", "deliver"), timeout_ms=None):
        hook = Hook([EXEC, *options, write(tmp_path, text)], {"HOOK_STATE": str(tmp_path), "MINE": "kept"})
        made.append(hook)
        hook.folder = tmp_path
        hook.hello = hook.ask({**json.loads(golden("hello")[0]), "events": events, "timeout_ms": timeout_ms or {}})
        return hook

    yield make
    for hook in made:
        hook.close()


def recipient(**changes):
    return {**json.loads(golden("validate_recipient")[0]), **changes}


def deliver(hook, octets=b"Subject: x\r\n\r\n\x00\xff\r\n", **changes):
    (hook.folder / "spool").write_bytes(octets)
    request = json.loads(golden("deliver")[0])
    request["message"]["path"] = str(hook.folder / "spool")
    return hook.ask({**request, **changes})


STATUSES = [
    (0, {"action": "accept"}),
    (1, {"action": "reject"}),
    (2, {"action": "reject"}),
    (20, {"action": "reject"}),
    (64, {"action": "reject"}),
    (65, {"action": "reject", "code": 554, "enhanced": "5.6.0", "text": "bad message"}),
    (66, {"action": "reject"}),
    (67, {"action": "reject", "code": 550, "enhanced": "5.1.1", "text": "no such user"}),
    (68, {"action": "reject", "code": 550, "enhanced": "5.1.2", "text": "no such host"}),
    (69, {"action": "reject"}),
    (70, {"action": "defer"}),
    (71, {"action": "defer"}),
    (72, {"action": "defer"}),
    (73, {"action": "defer", "code": 452, "enhanced": "4.3.1"}),
    (74, {"action": "defer"}),
    (75, {"action": "defer"}),
    (76, {"action": "reject", "code": 554, "enhanced": "5.5.0", "text": "bad protocol"}),
    (77, {"action": "reject", "code": 550, "enhanced": "5.7.1", "text": "not permitted"}),
    (78, {"action": "defer"}),
    (99, {"action": "reject"}),
    (126, {"action": "defer"}),
    (127, {"action": "defer"}),
    (255, {"action": "reject"}),
]


def test_the_exit_status_is_the_verdict(command):
    hook = command("exit ${HOOK_FROM%@*}")
    for status, reply in STATUSES:
        assert hook.ask(recipient(**{"from": f"{status}@a.test"})) == {"id": 4, **reply}, status
    log = hook.close()
    assert [int(line) for line in re.findall(r"^<4>deferred: the command ended with status (\d+)$", log, re.MULTILINE)] == [70, 72, 73, 78, 126, 127]


def test_the_table_in_the_manual_is_that_of_the_program():
    text = (BUILD / "hooks/exec/exec").read_text()
    table = re.search(r"    0  +accept\n(.*?)    any other", text, re.DOTALL)[1]
    rows = [re.fullmatch(r"(.*?)(reject|defer)\b(.*)", line).groups() for line in table.splitlines()]
    said = {int(number): (action, rest) for numbers, action, rest in rows for number in re.findall(r"\b\d+\b", numbers)}
    known = {status: reply for status, reply in STATUSES if status in said}
    assert len(known) == len(said)
    for status, (action, rest) in said.items():
        assert known[status]["action"] == action and str(known[status].get("code", "")) in rest
    assert all(reply in ({"action": "reject"}, {"action": "accept"}) for status, reply in STATUSES if status not in said)


def test_the_message_is_on_standard_input_and_the_request_on_descriptor_3(command):
    hook = command('cat > "$HOOK_STATE/message" && cat <&3 > "$HOOK_STATE/request"')
    octets = b"Subject: x\r\n\r\n" + bytes(range(256)) * 4000
    assert deliver(hook, octets)["action"] == "accept"
    assert (hook.folder / "message").read_bytes() == octets
    line = (hook.folder / "request").read_text()
    assert json.loads(line)["message"]["path"] == str(hook.folder / "spool")
    assert line.startswith('{"v":1,"id":5,"event":"deliver",') and line.endswith("}\n") and line.count("\n") == 1
    many = recipient(accepted=1, params={"X": "y" * 200_000})  # more than a pipe holds
    assert hook.ask(many)["action"] == "accept"
    assert json.loads((hook.folder / "request").read_text()) == many
    assert (hook.folder / "message").read_bytes() == b""


def variables(hook, **changes):
    hook.ask(recipient(**changes))
    pairs = (line.split("=", 1) for line in (hook.folder / "variables").read_text().splitlines())
    return {name: value for name, value in pairs if name.startswith("HOOK_") and name not in ("HOOK_STATE", "HOOK_SDK") or name == "MINE"}


def test_what_is_harmless_is_in_the_environment(command):
    hook = command('env > "$HOOK_STATE/variables"')
    assert variables(hook) == {
        "MINE": "kept", "HOOK_EVENT": "validate_recipient", "HOOK_SESSION": "c7f3a1", "HOOK_TRANSACTION": "c7f3a1-1",
        "HOOK_LISTENER": "smtp", "HOOK_PROTOCOL": "ESMTP", "HOOK_CLIENT_IP": "192.0.2.7", "HOOK_HELO": "laptop.example",
        "HOOK_USER": "", "HOOK_ADDRESS": "bob@example.test", "HOOK_FROM": "ann@example.org", "HOOK_TO": "", "HOOK_SIZE": "",
        "HOOK_REASON": "", "HOOK_UNSAFE": ""}
    deliver(hook)
    found = (hook.folder / "variables").read_text()
    assert "HOOK_TO=bob@example.test eve@example.test\n" in found and "HOOK_SIZE=1901\n" in found
    assert variables(hook, client={"ip": "2001:db8::7", "port": 1})["HOOK_CLIENT_IP"] == "2001:db8::7"


def test_what_is_too_long_for_the_environment_is_named_and_left_out(command):
    hook = command('env > "$HOOK_STATE/variables"')
    many = [f"{number:060}@example.test" for number in range(2000)]  # more than the kernel takes in one variable
    assert deliver(hook, to=many)["action"] == "accept"
    found = (hook.folder / "variables").read_text()
    assert "HOOK_TO=\n" in found and "HOOK_UNSAFE=HOOK_TO\n" in found


def test_a_command_that_writes_without_end_is_killed_when_its_time_is_up(command):
    hook = command("exec yes", "-t", "0.5")
    begin = time.monotonic()
    assert hook.ask(recipient())["action"] == "defer"
    assert time.monotonic() - begin < 5 and "took too long" in hook.close()


def test_what_goes_on_writing_in_the_background_holds_nothing_up(command):
    hook = command('timeout 20 yes & echo $! > "$HOOK_STATE/pid"', "-t", "10")
    begin = time.monotonic()
    assert hook.ask(recipient())["action"] == "accept" and time.monotonic() - begin < 5


@pytest.mark.parametrize("text", [
    "$(touch owned)@x.test", "`touch owned`@x.test", '"a b"@x.test', "a;touch owned@x.test", "a|b@x.test", "a&b@x.test", "a\nb@x.test",
    "a'b@x.test", "a\\b@x.test", "a*b@x.test", "a?b@x.test", "~a@x.test", "a#b@x.test", "a%b@x.test", "a/b@x.test", "a{b}@x.test",
    "() { :;}@x.test", "b\u00fc@x.test", "b\ufffd@x.test", "\u2028@x.test", "\ud800@x.test", "a\u0000b@x.test", "[exit]@x.test", "a:b@x.test"])
def test_what_is_not_harmless_is_named_and_left_out(command, text):
    hook = command('env > "$HOOK_STATE/variables"; eval "x=$HOOK_ADDRESS"; cat <&3 > "$HOOK_STATE/request"')
    found = variables(hook, address=text, helo=text, **{"from": "fine+a_b=c@x.test"})
    assert (found["HOOK_ADDRESS"], found["HOOK_HELO"], found["HOOK_FROM"]) == ("", "", "fine+a_b=c@x.test")
    assert found["HOOK_UNSAFE"] == "HOOK_HELO HOOK_ADDRESS"
    assert json.loads((hook.folder / "request").read_text())["address"] == text
    assert not (hook.folder / "owned").exists()
    deliver(hook, to=["fine@x.test", text])
    assert "HOOK_UNSAFE=HOOK_TO\n" in (hook.folder / "variables").read_text()


@pytest.mark.parametrize("output, reply", [
    ("go away", {"text": "go away"}),
    ("first\nlast  \n\n", {"text": "last"}),
    ("550 5.7.1 not here", {"code": 550, "enhanced": "5.7.1", "text": "not here"}),
    ("550 not here", {"code": 550, "text": "not here"}),
    ("450 4.7.1 later", {"text": "450 4.7.1 later"}),  # not of a reject
    ("550 4.7.1 later", {"text": "550 4.7.1 later"}),
    ("599 x", {"text": "599 x"}),
    ("\x1b[31mred\x1b[0m \ttab\r", {"text": "[31mred[0m tab"}),
    ("\xff\xfe ok", {"text": "\ufffd\ufffd ok"}),
    pytest.param("x" * 9999, {"text": "x" * 400}, id="long"),
])
def test_the_last_line_of_output_is_the_text(command, output, reply):
    hook = command('cat "$HOOK_STATE/output"; exit 1')
    (hook.folder / "output").write_bytes(output.encode("latin-1"))
    assert hook.ask(recipient()) == {"id": 4, "action": "reject", **reply}


def test_a_flood_of_output_is_bounded(command):
    hook = command("head -c 50000000 /dev/zero; echo; echo enough; exit 1")
    assert hook.ask(recipient())["text"] == "enough"


def test_a_killed_command_is_a_defer(command):
    hook = command("kill -9 $$")
    assert hook.ask(recipient()) == {"id": 4, "action": "defer"}
    assert hook.close() == "<4>deferred: the command was killed by signal 9\n"


def test_a_command_that_takes_too_long_is_killed_with_its_children(command):
    hook = command('sleep 1000 & echo $! > "$HOOK_STATE/child"; wait', timeout_ms={"validate_recipient": 300})
    began = time.monotonic()
    assert hook.ask(recipient()) == {"id": 4, "action": "defer"}
    assert 0.2 < time.monotonic() - began < 5
    child = int((hook.folder / "child").read_text())
    with pytest.raises((FileNotFoundError, AssertionError)):
        for _ in range(1000):  # until its parent of the machine has taken note
            assert "State:\tZ" not in open(f"/proc/{child}/status").read()
    hook = command("sleep 1000", "-t", "0.2")
    assert hook.ask(recipient())["action"] == "defer"


def test_what_a_command_leaves_in_the_background_does_not_hold_up_the_reply(command):
    hook = command('sleep 1000 & echo $! > "$HOOK_STATE/child"')
    began = time.monotonic()
    assert hook.ask(recipient()) == {"id": 4, "action": "accept"}
    assert time.monotonic() - began < 10
    os.kill(int((hook.folder / "child").read_text()), 9)


def test_several_run_at_once_if_told_so(command):
    """Each waits for the other."""
    hook = command('touch "$HOOK_STATE/$HOOK_TRANSACTION"; until [ -e "$HOOK_STATE/a" ] && [ -e "$HOOK_STATE/b" ]; do :; done', "-j", "2")
    assert hook.hello["concurrency"] == 2
    lines = [json.dumps(recipient(id=number, transaction=name)) + "\n" for number, name in ((1, "a"), (2, "b"))]
    hook.process.stdin.write("".join(lines).encode())
    hook.process.stdin.flush()
    replies = [json.loads(hook.process.stdout.readline()) for _ in lines]
    assert sorted(reply["id"] for reply in replies) == [1, 2] and {reply["action"] for reply in replies} == {"accept"}


def test_standard_error_is_the_log_and_signals_are_as_a_shell_expects_them(command):
    hook = command('echo "<6>hello from $HOOK_EVENT" >&2; yes | head -n 1')
    assert hook.ask(recipient()) == {"id": 4, "action": "accept"}
    assert hook.close() == "<6>hello from validate_recipient\n"  # SIGPIPE ignored would be a complaint of `yes`


def test_reset_is_for_those_that_ask_for_it(command):
    assert "reset" not in command("exit 1").hello["events"]
    hook = command('echo "$HOOK_REASON" > "$HOOK_STATE/reason"', events=("deliver", "reset"))
    assert "reset" in hook.hello["events"]
    hook.ask(json.loads(golden("reset")[0]))
    assert (hook.folder / "reason").read_text() == "refused\n"


def test_auth_is_refused_at_start(command):
    hello = command("exit 0", events=("auth",)).hello
    assert hello["ready"] is False and "`auth`" in hello["text"]


def test_a_command_that_cannot_run_is_said_at_start(tmp_path):
    hook = Hook([EXEC, tmp_path / "nothing"])
    hello = hook.ask(json.loads(golden("hello")[0]))
    assert hello["ready"] is False and "cannot run" in hello["text"]
    hook.close()


def test_behind_the_daemon(make_daemon):
    daemon = make_daemon()
    path = write(daemon.folder / "hooks", """
        case $HOOK_EVENT in
          validate_recipient) case $HOOK_ADDRESS in
              ghost@*) exit 67 ;;
              busy@*) echo "450 4.2.1 mailbox busy"; exit 75 ;;
              "") echo "550 5.1.3 too strange"; exit 1 ;;
            esac ;;
          deliver) [ "$HOOK_TO" = full@dev.test ] && exit 73
            cat > "$HOOK_STATE/$HOOK_TRANSACTION.eml" || exit 75 ;;
        esac
        """)
    daemon.hook_command("plain", [str(EXEC), "-j", "4", str(path)], ["validate_recipient", "deliver"],
                        sandbox_read=[str(path.parent), str(BUILD / "hooks/sdk")])
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<ghost@dev.test>") == "550 5.1.1 no such user"
        assert client.say("RCPT TO:<busy@dev.test>") == "450 4.2.1 mailbox busy"
        assert client.say('RCPT TO:<"$(id)"@dev.test>') == "550 5.1.3 too strange"
        client.expect("RSET", "250")
        assert client.message(recipients=("full@dev.test",)).startswith("452 4.3.1")
        assert client.message(b"Subject: x\r\n\r\n..hi\r\n").code == 250
    (file,) = (daemon.state / "hooks/plain").glob("*.eml")
    assert file.read_bytes().endswith(b"Subject: x\r\n\r\n.hi\r\n")
