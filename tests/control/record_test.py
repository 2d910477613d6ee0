"""hooksmtpctl hook record: everything between the daemon and one hook, for hook replay."""

import base64
import json
import os
import signal
import stat
import sys

from harness import hooks
from harness.listening import Listening, short

HOOK = hooks.by_address(ghost="echo 'reject 550 5.1.1 no such user'", loud="echo careful >&2; echo ok")

CLIENT = """
import smtplib
with smtplib.SMTP("127.0.0.1", 25, "client.test") as server:
    server.ehlo()
    server.docmd("MAIL FROM:<a@client.test>")
    for to in ("ghost", "loud"):
        server.docmd(f"RCPT TO:<{to}@dev.test>")
    server.data("Subject: x\\n\\n" + "hello\\n" * %d)
"""


def started(make_daemon):
    daemon = make_daemon()
    daemon.hook("other", hooks.RECORDER, ["validate_sender"])
    daemon.hook("policy", HOOK, ["validate_recipient", "deliver", "disconnect"])
    return daemon.start()


def record(daemon, file, *arguments: str, lines: int = 1, status: int = 0) -> list[dict]:
    with daemon.network:
        daemon.control("hook", "record", "policy", "--output", str(file), *arguments, "--", sys.executable, "-c", CLIENT % lines,
                       status=status)
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]


def test_a_recording_has_every_request_reply_and_line_of_stderr(make_daemon, tmp_path):
    daemon, file = started(make_daemon), tmp_path / "recording"
    lines = record(daemon, file)
    assert [short(line) for line in lines] == [
        "H? policy validate_recipient", "H policy validate_recipient reject",
        "H? policy validate_recipient", "H! careful", "H policy validate_recipient accept",
        "H? policy deliver", "H policy deliver accept", "H? policy disconnect", "H policy disconnect accept"]
    requests = [line for line in lines if line.get("what") == "request"]
    assert all({"time", "hook", "instance", "event", "request"} <= set(line) for line in requests)
    assert [list(line["request"])[-1] for line in requests] == ["address", "address", "message", "reason"]
    replies = [line for line in lines if "reply" in line]
    assert [line["reply"] for line in replies] == ["reject 550 5.1.1 no such user", "ok", "ok", "ok"]
    assert [line["id"] for line in replies] == [line["request"]["id"] for line in requests]
    assert not any("message_b64" in line for line in lines)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_with_messages_their_octets_are_in_it_up_to_a_size(make_daemon, tmp_path):
    daemon = started(make_daemon)
    for count, kept in ((1, True), (20_000, True), (50_000, False)):  # in memory, in the spool, too large
        lines = record(daemon, tmp_path / f"recording-{count}", "--messages", lines=count)
        (deliver,) = [line for line in lines if line.get("event") == "deliver" and "request" in line]
        assert ("message_b64" in deliver) == kept, count
        if kept:
            message = base64.b64decode(deliver["message_b64"])
            assert len(message) == deliver["request"]["message"]["size"]
            assert message.startswith(b"Return-Path: <a@client.test>\r\n") and message.endswith(b"\r\nhello\r\n")


def test_it_goes_to_standard_output_until_it_is_interrupted(make_daemon):
    daemon = started(make_daemon)
    with Listening(daemon, "hook", "record", "policy") as recording:
        with daemon.session() as client:
            client.expect("MAIL FROM:<a@client.test>", "250")
            client.expect("RCPT TO:<ghost@dev.test>", "550")
        recording.until(lambda line: line.get("action") == "reject")
        os.kill(recording.process.pid, signal.SIGINT)
        recording.finish()


def test_a_hook_that_does_not_exist_is_refused(make_daemon, tmp_path):
    daemon = started(make_daemon)
    assert "did you mean 'policy'" in daemon.control("hook", "record", "polcy", status=64).stderr


def test_a_command_that_fails_fails_it(make_daemon):
    daemon = started(make_daemon)
    assert "status 7" in daemon.control("hook", "record", "policy", "--", "/bin/sh", "-c", "exit 7", status=1).stderr


def test_what_was_recorded_can_be_replayed(make_daemon, tmp_path):
    daemon, file = started(make_daemon), tmp_path / "recording"
    record(daemon, file, "--messages")
    program = str(daemon.folder / "hooks/policy")
    same = daemon.control("hook", "replay", str(file), program)
    changed = tmp_path / "changed"
    changed.write_text((daemon.folder / "hooks/policy").read_text().replace("550 5.1.1", "551 5.1.6"))
    changed.chmod(0o755)
    different = daemon.control("hook", "replay", str(file), str(changed), status=1)
    assert "551" in different.stdout and "551" not in same.stdout
