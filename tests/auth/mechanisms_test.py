"""AUTH (RFC 4954) with a real daemon: every mechanism, whom it lets in, and how little it tells the others."""

import contextlib
import os
import subprocess
import time

import pytest

from harness import hooks
from harness.client import Client
from harness.daemon import BUILD, supervisor_gid
from harness.sasl import Auth

PASSWORDS = {"ann": "correct horse battery", "tim": "tanstaaftanstaaf", "b=o,b": "comma,equals=", "zo\u00eb": "p\u00e4ssword"}
BY_PASSWORDS = ("SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5")
BY_HOOK = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")

# Lets in who has the password or token "let me in please".
JUDGE = hooks.PYTHON + """
import hmac, json, sys
requests = open("requests", "a", buffering=1)
for line in sys.stdin:
    request = json.loads(line)
    requests.write(line)
    secret = request.get("password", request.get("token", ""))
    if request["event"] != "auth":
        print("ok", flush=True)
    elif request["user"] == "later":
        print("defer", flush=True)
    elif request["user"] == "told":
        print("reject 535 5.7.8 not you", flush=True)
    else:
        print("ok" if hmac.compare_digest(secret, "let-me-in-please") else "reject", flush=True)
"""


def make_passwords(path, iterations: int = 4096) -> None:
    for name, password in PASSWORDS.items():
        cram = ("--cram",) if name == "tim" else ()
        subprocess.run([BUILD / "daemon/passwd/passwd", name, "--file", path, "--iterations", str(iterations), *cram],
                       input=password.encode(), check=True, capture_output=True)
    os.chown(path, 0, supervisor_gid())


def with_passwords(daemon, **options):
    """The daemon with a password file; every request is kept by a hook."""
    path = daemon.folder / "etc/passwords"
    make_passwords(path, **options)
    daemon.config += f'log_level = "trace"\n[auth]\nsource = "passwords"\npasswords = "{path}"\nbefore_tls = true\n'
    daemon.hook("recorder", hooks.RECORDER, ["deliver", "validate_sender"])
    return daemon


@pytest.fixture(scope="module")
def by_passwords(make_module_daemon):
    return with_passwords(make_module_daemon()).start()


@pytest.fixture(scope="module")
def by_hook(make_module_daemon):
    daemon = make_module_daemon('log_level = "trace"\n[auth]\nsource = "hook"\nbefore_tls = true\n')
    daemon.hook("judge", JUDGE, ["auth", "deliver"])
    return daemon.start()


@pytest.fixture(scope="module")
def for_anybody(make_module_daemon):
    return make_module_daemon('log_level = "trace"\n[auth]\nsource = "accept-any"\nbefore_tls = true\n').start()


def no_secrets_in_log(daemon, auth: Auth) -> None:
    """Called while the connection is open: what it caused is logged before its reply to NOOP at the latest."""
    auth.client.expect("NOOP", "250")
    auth.client.expect("QUIT", "221")
    assert auth.client.at_end()
    log = daemon.log.text.encode()
    found = {secret for secret in auth.secrets() if secret in log}
    assert not found, f"in the log: {found}"


@pytest.mark.parametrize("initial", (True, False), ids=("at_once", "when_asked"))
@pytest.mark.parametrize("mechanism", BY_PASSWORDS)
def test_a_user_of_the_password_file_gets_in(by_passwords, mechanism, initial):
    with by_passwords.session() as client:
        auth = Auth(client)
        assert auth(mechanism, "tim", PASSWORDS["tim"], initial=initial).startswith("235 2.7.0")
        assert client.say("AUTH PLAIN AHRpbQB0").startswith("503 5.5.1")
        assert client.message().code == 250
        request, message = by_passwords.recorded().messages()[-1]
        assert request["user"] == "tim" and request["protocol"] == "ESMTPA"
        assert b" with ESMTPA " in message.split(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ").replace(b"\r\n", b" ")
        no_secrets_in_log(by_passwords, auth)


@pytest.mark.parametrize("mechanism", ("SCRAM-SHA-256", "PLAIN", "LOGIN"))
@pytest.mark.parametrize("user", ("b=o,b", "zo\u00eb"))
def test_names_and_passwords_may_have_any_letter(by_passwords, mechanism, user):
    with by_passwords.session() as client:
        assert Auth(client)(mechanism, user, PASSWORDS[user]).code == 235


def test_a_name_may_be_typed_with_its_accent_apart(by_passwords):
    with by_passwords.session() as client:
        assert Auth(client)("PLAIN", "zoe\u0308", "pa\u0308ssword").code == 235  # RFC 4013


@pytest.mark.parametrize("mechanism", BY_PASSWORDS)
def test_a_wrong_password_and_an_unknown_name_hear_the_same(by_passwords, mechanism):
    replies = []
    with by_passwords.session() as client:
        auth = Auth(client)
        for user in ("tim", "nobody at all", "ann"):  # ann has no entry for CRAM-MD5
            replies.append(auth(mechanism, user, "wrong password"))
            replies.append([len(challenge) for challenge in auth.challenges])
        assert replies[0].startswith("535 5.7.8") and replies[:2] == replies[2:4] == replies[4:]
        assert auth(mechanism, "tim", PASSWORDS["tim"]).code == 235  # and may try again
        no_secrets_in_log(by_passwords, auth)


def test_an_unknown_name_has_the_same_salt_each_time(by_passwords):
    seen = []
    for _ in range(2):
        with by_passwords.session() as client:
            auth = Auth(client)
            auth("SCRAM-SHA-256", "nobody", "wrong password")
            seen.append(auth.challenges[0].split(b",", 1)[1])
    assert seen[0] == seen[1]


def test_a_client_that_tries_many_passwords_at_once_does_not_keep_others_waiting_for_all_of_them(make_daemon):
    """Each check takes 18 ms of the only event loop: between two of them others have their turn."""
    daemon = with_passwords(make_daemon(), iterations=100_000).start()
    with daemon.session() as greedy, daemon.session() as other:
        greedy.send(b"AUTH PLAIN AGFubgB3cm9uZw==\r\n" * 9)
        assert greedy.reply().code == 535
        assert other.say("NOOP").code == 250
        greedy.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            greedy.unread += greedy.socket.recv(65536)
        assert greedy.unread.count(b"535 ") < 8
        greedy.socket.setblocking(True)
        for _ in range(8):
            assert greedy.reply().code == 535


def test_an_unknown_name_costs_as_much_time_as_a_wrong_password(make_daemon):
    daemon = with_passwords(make_daemon(), iterations=100_000).start()

    def fastest(user: str) -> float:
        times = []
        with daemon.session() as client:
            for _ in range(5):
                begin = time.monotonic()
                assert Auth(client)("PLAIN", user, "wrong password").code == 535
                times.append(time.monotonic() - begin)
        return min(times)

    known, unknown = fastest("ann"), fastest("nobody")
    assert 0.5 < unknown / known < 2, (known, unknown)


@pytest.mark.parametrize("mechanism", ("SCRAM-SHA-256", "PLAIN"))
def test_nobody_acts_as_another_by_the_password_file(by_passwords, mechanism):
    with by_passwords.session() as client:
        auth = Auth(client)
        assert auth(mechanism, "ann", PASSWORDS["ann"], authorization="tim").startswith("535 5.7.8")
        assert auth(mechanism, "ann", PASSWORDS["ann"], authorization="ann").code == 235


def test_a_client_that_could_do_channel_binding_gets_in_without(by_passwords):
    with by_passwords.session() as client:
        assert Auth(client)("SCRAM-SHA-256", "ann", PASSWORDS["ann"], header="y").code == 235
    with by_passwords.session() as client:
        assert Auth(client)("SCRAM-SHA-256", "ann", PASSWORDS["ann"], header="p=tls-unique").code == 535


@pytest.mark.parametrize("commands", [
    ("AUTH PLAIN", "*"), ("AUTH LOGIN", "*"), ("AUTH LOGIN", "dGlt", "*"), ("AUTH CRAM-MD5", "*"),
    ("AUTH SCRAM-SHA-256", "*"), ("AUTH SCRAM-SHA-256 biwsbj10aW0scj1hYmM=", "*"),
])
def test_a_star_ends_the_exchange(by_passwords, commands):
    with by_passwords.session() as client:
        for command in commands[:-1]:
            client.expect(command, "334 ")
        client.expect(commands[-1], "501 ")
        assert Auth(client)("PLAIN", "tim", PASSWORDS["tim"]).code == 235


@pytest.mark.parametrize("command, reply", [
    ("AUTH", "501 "), ("AUTH PLAIN !", "501 5.5.2"), ("AUTH PLAIN AHRpbQ", "501 5.5.2"), ("AUTH PLAIN =", "501 5.5.2"),
    ("AUTH PLAIN dGlt", "501 5.5.2"), ("AUTH CRAM-MD5 dGlt", "501 5.5.2"), ("AUTH CRAM-MD5 =", "501 5.5.2"),
    ("AUTH SCRAM-SHA-256 dGlt", "501 5.5.2"), ("AUTH SCRAM-SHA-256-PLUS", "504 5.5.4"), ("AUTH XOAUTH2", "504 5.5.4"),
    ("AUTH DIGEST-MD5", "504 5.5.4"), ("AUTH EXTERNAL =", "504 5.5.4"),
])
def test_what_is_no_exchange_is_refused_and_the_session_goes_on(by_passwords, command, reply):
    with by_passwords.session() as client:
        client.expect(command, reply)
        assert client.message().code == 250


def test_ehlo_offers_what_the_source_can_judge(by_passwords, by_hook, for_anybody):
    for daemon, names in ((by_passwords, " ".join(BY_PASSWORDS)), (by_hook, " ".join(BY_HOOK)),
                          (for_anybody, "PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER")):
        with Client(daemon.network, daemon.port) as client:
            assert f"250-AUTH {names}" in client.greet().splitlines() or f"250 AUTH {names}" in client.greet().splitlines()


@pytest.mark.parametrize("initial", (True, False), ids=("at_once", "when_asked"))
@pytest.mark.parametrize("mechanism", BY_HOOK)
def test_a_hook_lets_in_and_keeps_out(by_hook, mechanism, initial):
    with by_hook.session() as client:
        auth = Auth(client)
        assert auth(mechanism, "ann", "anything-else-at-all", initial=initial).startswith("535 5.7.8")
        if mechanism == "OAUTHBEARER":
            assert auth.challenges[-1] == b'{"status":"invalid_token"}'
        assert auth(mechanism, "told", "anything-else-at-all").startswith("535 5.7.8 not you")
        assert auth(mechanism, "later", "anything-else-at-all").startswith("454 4.7.0")
        assert auth(mechanism, "ann", "let-me-in-please", initial=initial).startswith("235 2.7.0")
        assert client.message().code == 250
        asked = by_hook.recorded("judge").requests("auth")[-1]
        assert (asked["mechanism"], asked["user"]) == (mechanism, "ann")
        assert asked["token" if "OAUTH" in mechanism else "password"] == "let-me-in-please"
        assert by_hook.recorded("judge").requests("deliver")[-1]["user"] == "ann"
        no_secrets_in_log(by_hook, auth)


def test_a_hook_is_told_whom_the_client_wants_to_act_for(by_hook):
    with by_hook.session() as client:
        assert Auth(client)("PLAIN", "ann", "let-me-in-please", authorization="boss").code == 235
    assert by_hook.recorded("judge").requests("auth")[-1]["authorization_id"] == "boss"


@pytest.mark.parametrize("mechanism", (*BY_HOOK, "CRAM-MD5"))
def test_accept_any_accepts_any(for_anybody, mechanism):
    with for_anybody.session() as client:
        auth = Auth(client)
        assert auth(mechanism, "whoever", "whatever it is" if "OAUTH" not in mechanism else "whatever-it-is").code == 235
        no_secrets_in_log(for_anybody, auth)


def test_the_keys_of_the_password_file_are_shown_nowhere(by_passwords):
    shown = by_passwords.log.text + by_passwords.control("cget").stdout + by_passwords.control("status", "--json").stdout
    for line in (by_passwords.folder / "etc/passwords").read_text().splitlines():
        for key in line.replace(":", "$").split("$")[2:]:
            assert key not in shown
