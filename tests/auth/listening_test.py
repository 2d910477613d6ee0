"""No credential is in a trace, a recording, the dialogue that hooks get or what a session is compared with: neither a password nor what is made of it,
whatever the mechanism, and whoever checks it."""

import contextlib
import json
import sys

import pytest

from auth.mechanisms_test import BY_HOOK, JUDGE, PASSWORDS, with_passwords
from harness import hooks
from harness.listening import Listening
from harness.sasl import Auth

# Repeats what it was asked in its text, to stderr it says nothing.
TALKATIVE = hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    secret = request.get("password", request.get("token", ""))
    reply = {"id": request["id"], "action": "accept"}
    if request["event"] == "auth":
        reply = {"id": request["id"], "action": "reject", "text": "not with " + secret}
    print(json.dumps(reply), flush=True)
"""


# Wants the whole dialogue with disconnect.
CURIOUS = hooks.PYTHON + """
import sys
for line in sys.stdin:
    print('{"dialogue":true}' if '"event":"hello"' in line else "ok", flush=True)
"""


@contextlib.contextmanager
def listened_to(daemon, *more: str):
    """All that can be listened to."""
    with Listening(daemon, "trace") as trace, contextlib.ExitStack() as stack:
        recordings = [stack.enter_context(Listening(daemon, "hook", "record", hook, "--messages")) for hook in more]
        yield trace, recordings


def heard(trace, recordings) -> bytes:
    trace.until_end()
    text = b"\n".join(json.dumps(entry).encode() for entry in trace.entries)
    for recording in recordings:
        recording.until(lambda line: line.get("event") in ("auth", "disconnect") and "reply" in line)
        text += b"\n".join(json.dumps(line).encode() for line in recording.entries)
    return text


def check(auth: Auth, text: bytes) -> None:
    assert b'"dialogue"' in text
    for secret in auth.secrets() | {challenge for challenge in auth.challenges if challenge}:
        assert secret not in text, secret


@pytest.fixture(scope="module")
def by_passwords(make_module_daemon):
    daemon = with_passwords(make_module_daemon())
    daemon.hook("last", CURIOUS, ["disconnect"])
    return daemon.start()


@pytest.fixture(scope="module")
def by_hook(make_module_daemon):
    daemon = make_module_daemon('log_level = "trace"\n[auth]\nsource = "hook"\nbefore_tls = true\n'
                                'mechanisms = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"]\n')
    daemon.hook("judge", JUDGE, ["auth"])
    daemon.hook("last", CURIOUS, ["disconnect"])
    return daemon.start()


@pytest.mark.parametrize("initial", [True, False], ids=["at_once", "when_asked"])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"])
def test_of_the_password_file(by_passwords, mechanism, initial):
    with listened_to(by_passwords, "last") as listening:
        with by_passwords.session() as client:
            auth = Auth(client)
            assert auth(mechanism, "tim", PASSWORDS["tim"], initial=initial).code == 235
            client.expect("QUIT", "221")
        text = heard(*listening)
    check(auth, text)
    lines = [entry["line"] for entry in listening[0].entries if "line" in entry]
    assert f"AUTH {mechanism}" in " ".join(lines) and any("***" in line for line in lines)


@pytest.mark.parametrize("mechanism", BY_HOOK)
@pytest.mark.parametrize("secret, code", [("let-me-in-please", 235), ("something-else-now", 535)])
def test_of_a_hook(by_hook, mechanism, secret, code):
    with listened_to(by_hook, "last") as listening:
        with by_hook.session() as client:
            auth = Auth(client)
            assert auth(mechanism, "ann", secret).code == code
            client.expect("QUIT", "221")
        text = heard(*listening)
    check(auth, text)
    (request,) = [entry["request"] for entry in listening[0].entries if entry.get("event") == "auth" and "request" in entry]
    assert request["user"] == "ann" and "***" in (request.get("password"), request.get("token"))
    (reply,) = [entry for entry in listening[0].entries if entry.get("event") == "auth" and "reply" in entry]
    assert reply["action"] == ("accept" if code == 235 else "reject") and reply["reply"] == "***"


def test_what_a_hook_repeats_is_not_told_either(make_daemon):
    daemon = make_daemon('[auth]\nsource = "hook"\nbefore_tls = true\n')
    daemon.hook("judge", TALKATIVE, ["auth"])
    daemon.hook("last", CURIOUS, ["disconnect"])
    daemon.start()
    with listened_to(daemon, "judge", "last") as listening:
        with daemon.session() as client:
            auth = Auth(client)
            assert auth("PLAIN", "ann", "not-her-password").code == 535
            client.expect("QUIT", "221")
        text = heard(*listening)
    check(auth, text)


def test_what_a_session_is_compared_with_has_none(by_hook, tmp_path):
    pattern = tmp_path / "pattern"
    pattern.write_text("C: something else\n")
    client = ("import smtplib; server = smtplib.SMTP('127.0.0.1', 25); "
              "server.login('ann', 'let-me-in-please', initial_response_ok=False); server.quit()")
    with by_hook.network:
        done = by_hook.control("expect", str(pattern), "--timeout", "1s", "--", sys.executable, "-c", client, status=1)
    assert "***" in done.stderr
    assert "let-me-in" not in done.stderr and "bGV0LW1l" not in done.stderr
