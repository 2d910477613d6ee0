"""Hooks written with the SDKs behind the real daemon: what the most hostile client can say there arrives as it was said."""

import shutil

import pytest

from hooks.pipe import ROOT

# Each keeps the octets of what it is asked in its state folder, and the message.
HOOKS = {
    "python": """#!/usr/bin/python3
from hooksmtpd import Hook, reject
hook = Hook()
@hook.on("helo", "validate_sender", "validate_recipient", "command")
def keep(request):
    print(request, request.get("address"))
    if request.get("local") == "nobody":
        return reject("no such user", code=550, enhanced="5.1.1")
    if request.get("local") == "broken":
        raise RuntimeError("as it happens")
    subject = {"helo": "name", "command": "line"}.get(request.event, "address")
    with open(request.event, "wb") as file:
        file.write(request.raw(subject))
@hook.deliver
def deliver(request):
    request.message.save("message")
hook.run()
""",
    "node": """#!/usr/bin/node
const fs = require('fs');
const { hook, raw, reject } = require('./hooksmtpd.js');
const keep = (request) => {
  console.log(request, request.address);
  if (request.local === 'nobody') return reject('no such user', { code: 550, enhanced: '5.1.1' });
  if (request.local === 'broken') throw new Error('as it happens');
  fs.writeFileSync(request.event, raw(request, { helo: 'name', command: 'line' }[request.event] ?? 'address'));
};
hook({
  helo: keep, validate_sender: keep, validate_recipient: keep, command: keep,
  deliver: (request) => request.message.save('message'),
}).run();
""",
    "shell": """#!/bin/sh
. "${0%/*}/hooksmtpd.sh"
keep() {
  field local
  case $local in
    nobody) reject 550 5.1.1 no such user ;;
    broken) cat /as/it/happens ;;
  esac
  printf '%s\\n' "$local" "$request"
  raw "$1" >"$event"
}
on_helo() { keep name; }
on_validate_sender() { keep address; }
on_validate_recipient() { keep address; }
on_command() { keep line; }
on_deliver() { save message; }
run
""",
}
SDKS = ("python/hooksmtpd.py", "node/hooksmtpd.js", "shell/hooksmtpd.sh")
LOCAL_PARTS = [
    r'"$(touch canary)`touch canary`;touch canary|touch canary&"', r'"\"}\\"', r'"a\\\\\"b"', '"* ? [a-z] ~root {a,b} !!"', "-rf", "'x'",
    '"[exec touch canary] $env(PATH) %n%s%x"', "__proto__", "constructor", '"one  two \' three"', '"\\",\\"address\\":\\"forged"', "a`id`b",
    '"$(id)"', "{0.__class__}", '"<3>forged"', '"..\\\\..\\\\x"',
]


@pytest.fixture(params=HOOKS)
def daemon(request, make_daemon):
    daemon = make_daemon()
    for sdk in SDKS:
        shutil.copy2(ROOT / "hooks" / sdk, daemon.folder / "hooks")  # a copy beside the hook will do
    daemon.hook("sdk", HOOKS[request.param], ["helo", "validate_sender", "validate_recipient", "command", "deliver"])
    daemon.start()
    yield daemon
    assert "forged" not in {line.partition("level=")[2].partition(" ")[0] for line in daemon.log.text.splitlines()}


def kept(daemon, name: str) -> bytes:
    return (daemon.state / "hooks/sdk" / name).read_bytes()


def test_addresses_arrive_as_they_were_sent_and_are_executed_by_none(daemon):
    with daemon.session() as client:
        for local in LOCAL_PARTS:
            address = f"{local}@example.test"
            client.expect(f"MAIL FROM:<{address}>", "250")
            assert kept(daemon, "validate_sender").decode() == address
            client.expect(f"RCPT TO:<{address}>", "250")
            assert kept(daemon, "validate_recipient").decode() == address
            client.expect("RSET", "250")
    assert [path for folder in (daemon.state, daemon.folder / "hooks") for path in folder.rglob("canary*")] == []


def test_any_script_arrives(daemon):
    with daemon.session() as client:
        client.expect("MAIL FROM:<j\u00f6rg\u65e5\U0001f600@k\u00f6ln.example> SMTPUTF8".encode(), "250")
        assert kept(daemon, "validate_sender").decode() == "j\u00f6rg\u65e5\U0001f600@k\u00f6ln.example"


def test_a_name_and_a_command_arrive(daemon):
    with daemon.session() as client:
        assert kept(daemon, "helo") == b"client.test"
        client.expect("XFROB $(touch canary) `touch canary` \"\\ [exit] %n -rf *", "250")
        assert kept(daemon, "command") == b"XFROB $(touch canary) `touch canary` \"\\ [exit] %n -rf *"


def test_a_message_is_kept_octet_for_octet(daemon):
    body = b"Subject: $(touch canary)\r\n\r\n" + bytes(set(range(256)) - {10, 13}) + b"\r\n`touch canary`\r\n"
    with daemon.session() as client:
        client.message(body)
    assert kept(daemon, "message").endswith(body)


def test_a_rejection_is_heard_and_a_failure_is_temporary_with_its_trace_in_the_log(daemon):
    with daemon.session() as client:
        client.expect("MAIL FROM:<ann@example.org>", "250")
        assert client.say("RCPT TO:<nobody@example.test>") == "550 5.1.1 no such user"
        client.expect("RCPT TO:<broken@example.test>", "451 4.3.0")
        client.expect("RCPT TO:<bob@example.test>", "250")
    daemon.log.wait("as.it.happens")


CHILDREN = {
    "python": "#!/usr/bin/python3\nimport subprocess\nfrom hooksmtpd import Hook\nhook = Hook()\n@hook.validate_sender\n"
              "def f(request):\n    subprocess.run(['echo', 'ok from a child'], check=True)\nhook.run()\n",
    "node": "#!/usr/bin/node\nconst { hook } = require('./hooksmtpd.js');\nhook({ validate_sender() {\n"
            "  require('child_process').execFileSync('echo', ['ok from a child'], { stdio: 'inherit' });\n} }).run();\n",
    "shell": "#!/bin/sh\n. \"${0%/*}/hooksmtpd.sh\"\non_validate_sender() { /bin/echo ok from a child; }\nrun\n",
}


@pytest.mark.parametrize("language", CHILDREN)
def test_what_a_child_process_prints_is_in_the_log_also_in_a_jail(make_daemon, language):
    daemon = make_daemon()
    for sdk in SDKS:
        shutil.copy2(ROOT / "hooks" / sdk, daemon.folder / "hooks")
    daemon.hook("sdk", CHILDREN[language], "validate_sender")
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<ann@example.org>", "250")
    daemon.log.wait("hook sdk/1 session=[^ ]+: ok from a child")
    assert "stray" not in daemon.log.text and "hook restart" not in daemon.log.text
