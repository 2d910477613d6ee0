"""Hook programs for the tests, each a few lines as a user would write them."""

import json
import os
import pathlib
import stat

SHELL, PYTHON = "#!/bin/sh\n", "#!/usr/bin/python3\n"

# Accepts everything; keeps each request in $HOOK_STATE/requests and each message in $HOOK_STATE/ID.eml.
RECORDER = PYTHON + """
import json, os, shutil, sys
requests = open("requests", "a", buffering=1)
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "deliver":
        shutil.copyfile(request["message"]["path"], request["transaction"] + ".eml")
    requests.write(line)
    print("ok", flush=True)
"""

# Answers each event with the word line that `options` has for it, else ok.
SCRIPTED = PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "hello":
        options = request["options"]
    print(options.get(request["event"], "ok"), flush=True)
"""

# Answers what concerns an address by its local part: a line of shell text each, keyed by that part.
def by_address(**answers: str) -> str:
    """A shell hook: for an address `KEY@...` runs the given commands; else says ok."""
    cases = "".join(f"    *'\"address\":\"{key}@'*) {commands} ;;\n" for key, commands in answers.items())
    return SHELL + "while IFS= read -r request; do\n  case $request in\n" + cases + "    *) echo ok ;;\n  esac\ndone\n"


def write(folder: pathlib.Path, name: str, text: str) -> pathlib.Path:
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path


class Recorded:
    """What RECORDER has kept."""

    def __init__(self, state: pathlib.Path) -> None:
        self.state = state

    def requests(self, event: str | None = None) -> list[dict]:
        try:
            lines = (self.state / "requests").read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return []
        found = [json.loads(line) for line in lines]
        return [request for request in found if event in (None, request["event"])]

    def messages(self) -> list[tuple[dict, bytes]]:
        """(request, octets), in order of delivery."""
        return [(request, (self.state / f"{request['transaction']}.eml").read_bytes())
                for request in self.requests("deliver")]

    def only_message(self) -> tuple[dict, bytes]:
        (found,) = self.messages()
        return found


def without_trace(message: bytes, count: int) -> bytes:
    """The message as the client sent it: without the `count` header fields that the daemon put in front."""
    for _ in range(count):
        end = message.index(b"\r\n") + 2
        while message[end:end + 1] in (b" ", b"\t"):
            end = message.index(b"\r\n", end) + 2
        message = message[end:]
    return message


def as_sent(request: dict, message: bytes) -> bytes:
    return without_trace(message, request["message"]["trace_headers"])


def is_gone(path: str) -> bool:
    return not os.path.exists(path)
