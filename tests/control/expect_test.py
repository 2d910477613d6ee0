"""hooksmtpctl expect: a session's dialogue against a file."""

import json
import os
import signal
import subprocess
import sys

import pytest

from harness import hooks

POLICY = hooks.by_address(ghost="echo 'reject 550 5.1.1 no such user'")

# A client that names a recipient whom nobody knows, and then another one.
CLIENT = """
import smtplib
with smtplib.SMTP("127.0.0.1", 25, "client.test") as server:
    server.ehlo()
    server.docmd("MAIL FROM:<a@client.test>")
    server.docmd("RCPT TO:<ghost@dev.test>")
    server.docmd("RCPT TO:<bob@dev.test>")
    server.data("Subject: x\\n\\nhello\\n")
"""
COMMAND = ["--", sys.executable, "-c", CLIENT]

GOOD = """
# what it looks like today
S: 220 mail.test *
C: ehlo client.test
...
C: MAIL FROM:<a@*>
S: 250 *
C: RCPT TO:<ghost@dev.test>
H: policy validate_recipient reject
S: 550 5.1.1 no such user
...
C: <* octets>
H: policy deliver accept
S: 250 *
C: QUIT
S: 221 *
"""


@pytest.fixture(scope="module")
def daemon(make_module_daemon):
    daemon = make_module_daemon()
    daemon.hook("policy", POLICY, ["validate_recipient", "deliver"])
    return daemon.start()


@pytest.fixture
def expect(daemon, tmp_path):
    def run(pattern: str, *arguments: str, status: int = 0):
        file = tmp_path / "pattern"
        file.write_text(pattern)
        with daemon.network:
            return daemon.control("expect", str(file), *arguments, status=status)

    return run


def test_a_session_that_goes_as_the_file_says(expect):
    done = expect(GOOD, *COMMAND)
    assert done.stdout.startswith("session ") and done.stdout.endswith(" is as expected\n")
    assert json.loads(expect(GOOD, "--json", *COMMAND).stdout)["ok"] is True


def test_one_that_does_not_is_shown_line_by_line(expect):
    done = expect(GOOD.replace("no such user", "go away"), "--timeout", "1s", *COMMAND, status=1)
    assert "no such session within 1s" in done.stderr
    lines = done.stderr.splitlines()
    assert "- S: 550 5.1.1 go away" in lines and ". S: 550 5.1.1 no such user" in lines
    assert "  C: RCPT TO:<ghost@dev.test>" in lines
    reply = json.loads(expect("S: 220 *\n", "--timeout", "1s", "--json", *COMMAND, status=1).stdout)
    assert reply["ok"] is False and "+ S: 221 2.0.0 mail.test Service closing transmission channel" in reply["difference"]


def test_kinds_of_lines_that_the_file_does_not_have_are_not_compared(expect):
    expect("H: policy validate_recipient reject\nH: policy validate_recipient accept\nH: policy deliver accept\n", *COMMAND)
    expect("...\nC: RCPT TO:<ghost*\n...\n", *COMMAND)


def test_the_nearest_session_is_shown(expect, daemon):
    twice = [COMMAND[0], "/bin/sh", "-c", '"$1" -c "$2"; "$1" -c "import socket; socket.create_connection((\'127.0.0.1\', 25)).close()"',
             "sh", *COMMAND[1:2], COMMAND[-1]]
    done = expect(GOOD.replace("QUIT", "STOP"), "--timeout", "2s", *twice, status=1)
    assert "- C: STOP" in done.stderr.splitlines() and "+ C: QUIT" in done.stderr.splitlines()


def test_without_any_session_that_is_said(expect):
    assert "there was no session" in expect(GOOD, "--timeout", "0s", status=1).stderr


def test_a_command_that_fails_fails_it_though_the_session_was_right(expect):
    done = expect(GOOD, *COMMAND[:-1], CLIENT + "\nraise SystemExit(5)\n", status=1)
    assert "the command failed: status 5" in done.stderr


def test_sessions_that_are_over_are_found_behind_a_cursor(expect, daemon):
    first = daemon.control("expect", "--cursor").stdout.strip()
    with daemon.network:
        subprocess.run(COMMAND[1:], check=True)
    second = daemon.control_json("expect", "--cursor")["cursor"]
    assert expect(GOOD, "--since", first, "--timeout", "0s").stdout.endswith(" is as expected\n")
    assert "there was no session" in expect(GOOD, "--since", second, "--timeout", "0s", status=1).stderr
    expect(GOOD, "--since", second, *COMMAND)
    done = expect(GOOD.replace("QUIT", "STOP"), "--since", first, "--timeout", "0s", status=1)
    assert "- C: STOP" in done.stderr.splitlines() and "+ C: QUIT" in done.stderr.splitlines()


def test_credentials_are_not_kept_either(make_daemon, tmp_path):
    daemon = make_daemon('[auth]\nsource = "accept-any"\nbefore_tls = true\n')
    daemon.start()
    cursor = daemon.control("expect", "--cursor").stdout.strip()
    with daemon.session() as client:
        client.say("AUTH PLAIN AGFubgBzM2NyZXQ=")
        client.say("QUIT")
    (tmp_path / "pattern").write_text("...\nC: AUTH PLAIN secret\n...\n")
    done = daemon.control("expect", str(tmp_path / "pattern"), "--since", cursor, "--timeout", "0s", status=1)
    assert "AGFubg" not in done.stderr and ". C: AUTH PLAIN ***" in done.stderr.splitlines()


def test_a_cursor_of_a_worker_that_is_gone_is_said_to_be_one(make_daemon, tmp_path):
    daemon = make_daemon()
    daemon.hook("policy", POLICY, ["validate_recipient", "deliver"])
    daemon.start()
    cursor = daemon.control("expect", "--cursor").stdout.strip()
    mark = daemon.log.mark()
    os.kill(daemon.worker().pid, signal.SIGKILL)
    daemon.log.wait("worker start", mark)
    (tmp_path / "pattern").write_text(GOOD)
    with daemon.network:
        done = daemon.control("expect", str(tmp_path / "pattern"), "--since", cursor, *COMMAND)
    assert "the worker was started anew since the cursor" in done.stderr


def test_a_cursor_that_is_none_is_refused(expect):
    assert "since: that is no cursor" in expect(GOOD, "--since", "yesterday", status=64).stderr


def test_files_that_are_none_are_refused(expect, daemon):
    assert "line 2: it begins with C:, S: or H:, or is ..." in expect("S: 220 *\nEHLO x\n", status=65).stderr
    assert "no line" in expect("...\n", status=65).stderr
    assert "which FILE?" in daemon.control("expect", status=64).stderr
    assert "cannot be read" in daemon.control("expect", "/nonexistent", status=66).stderr
