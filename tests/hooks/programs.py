"""The programs of ours that speak the hook protocol, for the tests that are about all of them."""

import json
import pathlib
from dataclasses import dataclass, field

from hooks.pipe import BUILD, MAILDIR, ROOT, Hook, golden
from hooks.ready import program

# The SDKs, by the program that runs a hook: a hook that looks at each request in every way, and accepts.
PYTHON = """#!/usr/bin/python3
import asyncio
from hooksmtpd import EVENTS, Hook
hook = Hook(%s)
def look(request):
    print(request, request.client.ip if "client" in request else "")
    return True
async def look_later(request):
    await asyncio.sleep(0)
    return look(request)
hook.on(*EVENTS)(%s)
hook.run()
"""
NODE = """#!/usr/bin/node
const { EVENTS, hook } = require('hooksmtpd');
const look = %s (request) => { console.log(request); process.stdout.write(JSON.stringify(request.message ?? null)); return true; };
hook(Object.fromEntries(EVENTS.map((event) => [event, look]))).run();
"""
SHELL = """#!%s
. "$HOOK_SDK/hooksmtpd.sh"
on_validate_host() { printf '%%s\\n' "$request"; field address session client.ip; echo "$address"; }
on_helo() { field name; echo "$name"; }
on_starttls() { field tls.cipher; echo "$tls_cipher"; }
on_auth() { field user; accept; }
on_validate_sender() { field address local domain; echo "$address"; }
on_validate_recipient() { field address from accepted; echo "$address"; }
on_data() { each to echo; }
on_deliver() { field message.size; each to echo; }
on_deliver_mime() { field message.size; }
on_command() { field line; echo "$line"; }
on_reset() { field reason; }
on_disconnect() { field reason; }
on_cancel() { field target; }
run
"""


EVENTS = ["validate_host", "helo", "starttls", "validate_sender", "validate_recipient", "data", "deliver", "deliver_mime", "command",
          "reset", "disconnect", "cancel"]  # but for auth, which some refuse


@dataclass
class Program:
    """`text` is written to a file and run, else `command` is. `options`: of its configuration. `is_quiet`: it logs
    nothing. Not `takes_messages`: here it has no use for them."""

    text: str = ""
    command: list = field(default_factory=list)
    options: dict = field(default_factory=dict)
    is_quiet: bool = False
    takes_messages: bool = True

    def start(self, folder: pathlib.Path) -> Hook:
        if not self.text:
            return Hook(self.command, cwd=folder, environment={"HOOK_STATE": str(folder)})
        path = folder / "hook"
        path.write_text(self.text)
        path.chmod(0o755)
        return Hook([path], cwd=folder, environment={"HOOK_STATE": str(folder)})

    def hello(self) -> dict:
        return {**json.loads(golden("hello")[0]), "events": EVENTS, "options": self.options}


PROGRAMS = {
    "bare shell": Program(command=[ROOT / "hooks/shell/blocklist.sh"], is_quiet=True),
    "bare python": Program(command=[ROOT / "hooks/python/blocklist.py"], is_quiet=True),
    "bare node": Program(command=[ROOT / "hooks/node/blocklist.js"], is_quiet=True),
    "python": Program(PYTHON % ("", "look")),
    "python, 64 at once": Program(PYTHON % ("concurrency=64", "look")),
    "python, async": Program(PYTHON % ("", "look_later")),
    "python, threads": Program(PYTHON % ("threads=4", "look")),
    "node": Program(NODE % ""),
    "node, async": Program(NODE % "async"),
    "dash": Program(SHELL % "/usr/bin/dash"),
    "busybox": Program(SHELL % "/usr/bin/busybox sh"),
    "example.py": Program(command=[ROOT / "hooks/python/example.py"]),
    "example.js": Program(command=[ROOT / "hooks/node/example.js"]),
    "example.sh": Program(command=[ROOT / "hooks/shell/example.sh"]),
    "maildir": Program(command=[MAILDIR]),
    "exec": Program(command=[BUILD / "hooks/exec/exec", "/usr/bin/env"]),
    "exec, 4 at once": Program(command=[BUILD / "hooks/exec/exec", "-j", "4", "/bin/cat"]),
    "allowlist": Program(command=[program("allowlist")], options={"senders": ["@example.org", "<>"], "domains": ["example.test"]},
                         takes_messages=False),
    "faults": Program(command=[program("faults")]),
    "log": Program(command=[program("log")]),
    "mbox": Program(command=[program("mbox")]),
    "relay": Program(command=[program("relay")], options={"servers": ["127.0.0.1:1"], "recipients": ["@example.test"]}, takes_messages=False),
    "webhook": Program(command=[program("webhook")], options={"url": "http://127.0.0.1:1/"}),
    "tcl": Program(command=[BUILD / "hooks/tcl/tcl", ROOT / "tests/hooks/tcl/smtpd.tcl", "25", "fine"]),
}
