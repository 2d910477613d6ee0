"""Promise P2: what a client says is data. Canaries in every field that a client controls, through hooks of every SDK and every
ready-made hook, while strace(1) writes down each program that any process of the tree starts: it is one that the
configuration names, or one that the shell library says it uses; and no canary is in an argument or in the environment of any."""

import base64
import contextlib
import os
import re
import ssl

import pytest

from harness import hooks, processes
from harness.client import Client
from hooks.http_server import WebServer
from hooks.next_server import NextServer
from hooks.pipe import BUILD, ROOT
from hooks.ready import program

MARK = "c7f3a"
CANARIES = [  # each short enough for a local part (RFC 5321 section 4.5.3.1.1)
    f"$(touch {MARK})",
    f"`touch {MARK}`",
    f";touch {MARK}|touch {MARK}&&touch {MARK}>{MARK}",
    f"'$(touch${{IFS}}{MARK})'",
    f"\\\"$(touch {MARK})\\\"",
    f"\\n$(touch {MARK})\\n%0atouch {MARK}=0Atouch {MARK}",
    f"[exec touch {MARK}]{{*}}[open |touch\\ {MARK}]",
    f"%n%s%1$s{{0.__class__}}{{{{7*7}}}}{MARK}",
    f"${{jndi:ldap://127.0.0.1/{MARK}}}",
    f"__import__('os').system('touch {MARK}')",
    f"${{require('fs').writeFileSync('{MARK}','')}}",
    f"-oQ/tmp/{MARK} -X/tmp/{MARK} --exec=touch {MARK}",
    f"../../../tmp/{MARK}",
    f"!touch {MARK} ~/{MARK} /tmp/{MARK}",
    f"'; touch {MARK} #<!--#exec cmd='touch {MARK}'-->",
]
CONTROLS = f"\x1b]0;{MARK}\x07\x1b[2J$(touch {MARK})\x08\x7f"

SDKS = {
    "python": (["auth"], """#!/usr/bin/python3
from hooksmtpd import EVENTS, Hook
hook = Hook()
def look(request):
    print(request, str(request), dict(request))
    if request.event == "deliver":
        request.message.save("message")
    return True
hook.on(*[event for event in EVENTS if event != "hello"])(look)
hook.run()
"""),
    "node": ([], """#!/usr/bin/node
const { EVENTS, hook, raw } = require('hooksmtpd');
const look = (request) => {
  console.log(request, `${request.address}`, Object.hasOwn(request, 'address') && raw(request, 'address'));
  if (request.event === 'deliver') request.message.save('message');
  return true;
};
hook(Object.fromEntries(EVENTS.filter((event) => event !== 'hello').map((event) => [event, look]))).run();
"""),
    "shell": ([], """#!/bin/sh
. "$HOOK_SDK/hooksmtpd.sh"
look() {
  field address local domain from helo name user line client.ip message.path
  printf '%s\\n' "$request" "$address" "$local" "$domain" "$from" "$helo" "$name" "$user" "$line"
  log info "$address$from$helo"
  raw address
  each to printf '%s\\n'
  json '.message.size // empty'
  [ "$event" != deliver ] || save message
  accept "$address"
}
for event in validate_host helo starttls validate_sender validate_recipient data deliver command reset disconnect; do
  eval "on_$event() { look; }"
done
run
"""),
}
PLAIN = hooks.SHELL + """
cat >message
cat <&3 >>requests
printf '%s\\n' "$HOOK_FROM" "$HOOK_TO" "$HOOK_HELO" "$HOOK_USER" "$HOOK_ADDRESS" >>seen
"""
TCL = """package require smtpd
proc judge {address} { puts "asked about $address" }
proc deliver {sender recipients data} { puts "$sender [join $recipients] [join $data]"; set file [open message w]; puts $file $data; close $file }
smtpd::configure -validate_sender judge -validate_recipient judge -deliver deliver
smtpd::start
"""
TREE = hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(request), file=sys.stderr, flush=True)
    print("ok", flush=True)
"""
ALL = ["validate_host", "helo", "starttls", "validate_sender", "validate_recipient", "data", "deliver", "command", "reset", "disconnect"]

# What runs besides the argument vectors of the configuration, FOLDER being the test's: our own processes and helpers; what the
# shell library says that it uses; `cat` of the plain command; and what /usr/bin/env finds for two of the hooks.
BESIDES = [
    "(worker|keyholder) --mapped-files", "tls (make|judge)",
    f"{BUILD}/daemon/launcher/hooksmtpd run --config FOLDER/etc/hooksmtpd[.]toml",
    f"{BUILD}/daemon/keyholder/keyholder --life [0-9]+ --sandbox [a-z,-]+",
    f"{BUILD}/daemon/worker/worker 5=smtp --life [0-9]+ --isolation [a-z]+ --sandbox [a-z,-]+",
    "cat -- FOLDER/run/spool/shell/[a-z0-9-]+[.]eml", "dirname -- message", "jq -r [.]message[.]size // empty", "mktemp",
    "mv -f -- message[.]unfinished message", "rm -f -- /tmp/tmp[.][A-Za-z0-9]+", "sync -- ([.]|message[.]unfinished)",
    "cat", "node FOLDER/hooks/own-js", "python3 FOLDER/hooks/own-py",
]


@pytest.fixture
def next_servers(make_daemon):
    """(a daemon without hooks, a web server, a mail server), in one network."""
    daemon = make_daemon(f"""[tls]
mode = "starttls"
[auth]
source = "hook"
before_tls = true
[[listener]]
address = ["127.0.0.1:25"]
xclient = ["127.0.0.1"]
""")
    web = WebServer(daemon.network)
    with daemon.network:
        mail = NextServer()
    yield daemon, web, mail
    web.close()
    mail.socket.close()


def add_hooks(daemon, web, mail) -> list[list[str]]:
    """Every hook that there is: their argument vectors, with that of the plain command."""
    folder = daemon.folder / "hooks"
    vectors = []

    def add(name, command, events, **settings):
        vectors.append(command)
        daemon.hook_command(name, command, events, sandbox_read=[str(folder), str(BUILD / "hooks/sdk")], **settings)

    for name, (more, text) in SDKS.items():
        add(name, [str(hooks.write(folder, name, text))], ALL + more)
    for path in (ROOT / "hooks/shell/blocklist.sh", ROOT / "hooks/python/blocklist.py", ROOT / "hooks/node/blocklist.js"):
        name = "own-" + path.suffix.removeprefix(".")
        add(name, [str(hooks.write(folder, name, path.read_text()))], ["validate_sender"])
    plain = str(hooks.write(folder, "plain", PLAIN))
    vectors.append([plain])
    add("exec", [str(program("exec")), plain], ["helo", "validate_sender", "validate_recipient", "deliver"])
    add("tcl", [str(program("tcl")), str(hooks.write(folder, "script.tcl", TCL))], ["validate_sender", "validate_recipient", "deliver"])
    add("tree", [str(hooks.write(folder, "tree", TREE))], "deliver_mime")
    ready_made = {"log": {}, "faults": {}, "maildir": {}, "mbox": {}, "inbox": {}, "allowlist": {"domains": ["dev.test"]},
                  "webhook": {"url": f"http://127.0.0.1:{web.port}/"},
                  "relay": {"servers": [f"127.0.0.1:{mail.port}"], "recipients": ["@dev.test"], "tls": "none"}}
    for name, options in ready_made.items():
        table = "options = { " + ", ".join(f"{key} = {value!r}" for key, value in options.items()) + " }\n" if options else ""
        daemon.hook_texts += f'[[hook]]\nuse = "{name}"\n{table}'
        vectors.append([str(program(name))])
    vectors.append([str(program("mime"))])
    return vectors


def quoted(text: str) -> str:
    """A local part (RFC 5321 section 4.1.2)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def xtext(text: str) -> str:
    return "".join(letter if letter.isalnum() else f"+{ord(letter):02X}" for letter in text)


def message(canary: str) -> str:
    encoded = base64.b64encode(canary.encode()).decode()
    return "\r\n".join([
        f"From: {quoted(canary)} <a@client.test>", f"To: {canary} <b@dev.test>", f"Subject: {canary} {CONTROLS}", f"Message-ID: <{canary}@x>",
        f"Reply-To: {canary}", f"X-{MARK}: {canary}", f"X-Mailer: =?utf-8?B?{encoded}?=", f"Date: {canary}", "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="b"; charset={quoted(canary)}', "", canary, "--b",
        f"Content-Type: text/plain; name={quoted(canary)}", f"Content-Disposition: attachment; filename={quoted(canary)}", "",
        f"From {canary}", canary, f"..{canary}", CONTROLS, "--b", f"Content-Type: application/x-sh; name*=utf-8''{xtext(canary).replace('+', '%')}",
        f"Content-Disposition: attachment; filename*=utf-8''..%2F..%2F{MARK}%24%28touch%20{MARK}%29", f"Content-ID: <{canary}>",
        "Content-Transfer-Encoding: base64", "", base64.b64encode(f"#!/bin/sh\ntouch {MARK}\n".encode()).decode(), "--b",
        "Content-Type: message/rfc822", "", f"Subject: {canary}", "", canary, "--b--", ""])


def play(client: Client, canary: str) -> None:
    """A session in which everything that the client may choose is the canary. What is refused may be; the mail is taken."""
    for words in (f"EHLO {canary}", f"HELO {canary.replace(' ', '')}", f"EHLO {canary}.test", f"VRFY {canary}", f"EXPN {canary}",
                  f"HELP {canary}", f"NOOP {canary}", f"{canary}", f"STARTTLS {canary}", f"RSET {canary}", f"MAIL FROM:<a@{canary}>"):
        assert client.say(words).code // 100 in (2, 5), words
    client.say(f"XCLIENT NAME={xtext(canary)} ADDR=192.0.2.7 HELO={xtext(canary)} LOGIN={xtext(canary)} PROTO=ESMTP")
    client.expect("EHLO client.test", "250")
    client.say("AUTH PLAIN " + base64.b64encode(f"\0{canary}\0{canary}".encode()).decode())
    sender, recipient = quoted(canary), quoted(canary + "b")
    client.expect(f"MAIL FROM:<{sender}@client.test> ENVID={xtext(canary)} AUTH={xtext(sender + '@client.test')} RET=HDRS", "250")
    client.expect(f"RCPT TO:<{recipient}@dev.test> NOTIFY=NEVER ORCPT=rfc822;{xtext(canary)}", "250")
    assert client.say(f"RCPT TO:<x@{canary}>").code // 100 == 5
    client.expect("RCPT TO:<b@dev.test>", "250")
    client.expect("DATA", "354")
    client.send(message(canary))
    client.expect(".", "250")
    client.say("QUIT " + canary)


def name_of_server(canary: str) -> str:
    """What a TLS client may say that it wants to talk to."""
    return re.sub(r"[.\s]+", "${IFS}", canary)[:60] + ".test"


ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"')
EXECUTED = re.compile(r'^\d+ +(execve|execveat)\((?:[A-Z0-9_]+, )?"((?:[^"\\]|\\.)*)", \[(.*?)\], \[(.*)')


def executed(trace: str) -> list[tuple[str, list[str], str]]:
    """(program, argument vector, environment) of every call."""
    found = []
    for line in trace.splitlines():
        if "exec" not in line or " resumed>" in line:
            continue
        match = EXECUTED.match(line)
        assert match, line
        found.append((match[2], [one[1] for one in ARGUMENT.finditer(match[3])], match[4]))
    return found


def test_mail_data_is_never_executed(next_servers, tmp_path):
    daemon, web, mail = next_servers
    vectors = add_hooks(daemon, web, mail)
    trace = tmp_path / "trace"
    # -D: the daemon is our own child, and the tracer a stranger.
    daemon.wrapper = ("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-v", "-s", "5000", "-e", "trace=execve,execveat", "-e", "signal=none",
                      "-o", str(trace))
    daemon.start()
    daemon.control("ready")  # every hook is
    tracer = processes.Watched(int(processes.look(daemon.pid).fields["TracerPid"]))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for number, canary in enumerate(CANARIES):
        with daemon.client() as client:
            client.reply()
            if number % 2:
                client.expect("EHLO client.test", "250")
                client.expect("STARTTLS", "220")
                with contextlib.suppress(UnicodeError):
                    client.start_tls(context, name_of_server(canary))
            play(client, canary)
    assert len(mail.messages) == len(CANARIES), "all came through to the end"
    places = [daemon.folder, *(f"/proc/{process.pid}/root/tmp" for process in daemon.tree()[1:])]
    left = [os.path.join(folder, name) for place in places for folder, _, names in os.walk(place) for name in names if name == MARK]
    assert left == []
    assert daemon.stop() == 0
    assert tracer.wait_gone(10)
    commands = executed(trace.read_text())
    assert {tuple(words) for _, words, _ in commands} >= {tuple(words) for words in vectors}, "all of them ran"
    besides = [re.compile(pattern.replace("FOLDER", re.escape(str(daemon.folder)))) for pattern in BESIDES]
    for path, words, environment in commands:
        assert MARK not in path + " ".join(words) + environment, (path, words, environment)
        assert words in vectors or any(pattern.fullmatch(" ".join(words)) for pattern in besides), (path, words)
