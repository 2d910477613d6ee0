"""hooksmtpctl wait: until a message comes; nothing that came since the cursor, or since the command began, is missed."""

import json
import os
import signal
import sys

import pytest

from harness import hooks

# Sends one message to its argument, as a test suite under test would; then ends with the status that is asked for.
SENDER = """
import smtplib, sys, time
to, status, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
with smtplib.SMTP("127.0.0.1", 25) as server:
    server.sendmail("ann@client.test", [to], "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_aus_?=\\r\\n =?utf-8?b?S8O2bG4=?=\\r\\n\\r\\nx\\r\\n")
time.sleep(pause)
sys.exit(status)
"""


def send(to: str, status: int = 0, pause: float = 0) -> list[str]:
    return [sys.executable, "-c", SENDER, to, str(status), str(pause)]


@pytest.fixture(scope="module")
def daemon(make_module_daemon):
    daemon = make_module_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


def in_network(daemon, *arguments: str, status: int = 0):
    with daemon.network:
        return daemon.control(*arguments, status=status)


def message(daemon, **options: object) -> None:
    with daemon.session() as client:
        assert client.message(**options).code == 250


def test_what_came_behind_the_cursor_is_found_at_once(daemon):
    cursor = daemon.control("wait", "--cursor").stdout.strip()
    message(daemon, recipients=("one@dev.test", "two@dev.test"), sender="ann@client.test")
    found = json.loads(daemon.control("wait", "--since", cursor, "--to", "TWO@*", "--json").stdout)
    assert found["from"] == "ann@client.test" and found["to"] == ["one@dev.test", "two@dev.test"]
    assert found["listener"] == "smtp" and found["client"] == "127.0.0.1" and found["subject_text"] == "x"
    assert found["transaction"].startswith(found["session"]) and found["size"] > 10
    daemon.control("wait", "--since", found["cursor"], "--timeout", "0s", status=1)


def test_no_character_of_a_message_reaches_a_terminal_as_it_is(daemon):
    cursor = daemon.control("wait", "--cursor").stdout.strip()
    with daemon.session() as client:
        assert client.message(b"Subject: =?utf-8?q?a=C2=9B1m=7F=E2=80=AEb?=\r\n\r\nx\r\n").code == 250
    line = daemon.control("wait", "--since", cursor, "--json").stdout
    assert line.rstrip("\n").isascii() and line.rstrip("\n").isprintable() and json.loads(line)["subject_text"] == "a\x9b1m\x7f\u202eb"


def test_without_a_cursor_only_what_is_still_to_come_counts(daemon):
    message(daemon)
    daemon.control("wait", "--timeout", "100ms", status=1)


def test_a_command_is_run_once_nothing_can_be_missed(daemon):
    """Fifty times: a race would show."""
    for number in range(50):
        done = in_network(daemon, "wait", "--to", f"u{number}@dev.test", "--timeout", "20s", "--", *send(f"u{number}@dev.test"))
        assert f"-> u{number}@dev.test: Grüße aus Köln" in done.stdout, number


@pytest.mark.parametrize("option, pattern", [
    ("--from", "bob@*"), ("--to", "nobody@*"), ("--subject", "*Bonn"), ("--listener", "submission"), ("--user", "ann")])
def test_what_does_not_match_is_told_when_the_time_is_up(daemon, option, pattern):
    done = in_network(daemon, "wait", option, pattern, "--timeout", "500ms", "--", *send("x@dev.test"), status=1)
    assert "no such message within 500ms" in done.stderr
    assert "<ann@client.test> -> x@dev.test: Grüße aus Köln" in done.stderr


@pytest.mark.parametrize("option, pattern", [
    ("--from", "ann@client.*"), ("--to", "x@dev.test"), ("--subject", "Grüße*"), ("--listener", "s?tp"), ("--user", "")])
def test_what_matches_is_found(daemon, option, pattern):
    in_network(daemon, "wait", option, pattern, "--", *send("x@dev.test"))


def test_the_null_sender_is_empty(daemon):
    cursor = daemon.control("wait", "--cursor").stdout.strip()
    message(daemon, sender="")
    daemon.control("wait", "--since", cursor, "--from", "")
    daemon.control("wait", "--since", cursor, "--from", "?*", "--timeout", "0s", status=1)


def test_several_are_counted(daemon):
    cursor = daemon.control("wait", "--cursor").stdout.strip()
    for _ in range(3):
        message(daemon)
    assert len(daemon.control("wait", "--since", cursor, "--count", "3").stdout.splitlines()) == 3
    daemon.control("wait", "--since", cursor, "--count", "4", "--timeout", "100ms", status=1)


def test_a_command_that_fails_fails_it(daemon):
    done = in_network(daemon, "wait", "--to", "x@*", "--", *send("x@dev.test", status=3), status=1)
    assert "the command failed: status 3" in done.stderr
    done = in_network(daemon, "wait", "--to", "nobody@*", "--", *send("x@dev.test", status=4), status=1)
    assert "the command failed: status 4" in done.stderr
    in_network(daemon, "wait", "--", "/nonexistent/command", status=69)


def test_a_command_that_goes_on_for_too_long_fails_it(daemon):
    done = in_network(daemon, "wait", "--to", "x@*", "--timeout", "1s", "--", *send("x@dev.test", pause=60), status=1)
    assert "the command still runs" in done.stderr


def test_a_message_that_was_refused_did_not_come(make_daemon):
    daemon = make_daemon()
    daemon.hook("refuses", hooks.SCRIPTED, options={"deliver": "reject 554 no"})
    daemon.start()
    cursor = daemon.control("wait", "--cursor").stdout.strip()
    with daemon.session() as client:
        assert client.message().code == 554
    daemon.control("wait", "--since", cursor, "--timeout", "0s", status=1)


def test_a_large_message_has_a_subject_too(daemon):
    cursor = daemon.control("wait", "--cursor").stdout.strip()
    message(daemon, body="Subject: large\r\n\r\n" + ("x" * 78 + "\r\n") * 2000)
    daemon.control("wait", "--since", cursor, "--subject", "large", "--timeout", "0s")


def test_where_no_hook_wants_messages_they_come_all_the_same_and_nobody_looks_into_them(make_daemon):
    daemon = make_daemon().start()
    cursor = daemon.control("wait", "--cursor").stdout.strip()
    message(daemon)
    assert json.loads(daemon.control("wait", "--since", cursor, "--json").stdout)["subject"] == ""


def test_a_worker_that_is_started_anew_is_waited_for(make_daemon):
    daemon = make_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    cursor = daemon.control("wait", "--cursor").stdout.strip()
    mark = daemon.log.mark()
    os.kill(daemon.worker().pid, signal.SIGKILL)
    daemon.log.wait("worker exit", mark)
    in_network(daemon, "wait", "--since", cursor, "--to", "x@*", "--", *send("x@dev.test"))
    daemon.control("wait", "--since", cursor, "--to", "x@*")  # all that the new one knows is behind it


def test_a_cursor_that_is_none_is_refused(daemon):
    assert "cursor" in daemon.control("wait", "--since", "yesterday", status=64).stderr
    assert "--timeout" in daemon.control("wait", "--timeout", "soon", status=64).stderr
