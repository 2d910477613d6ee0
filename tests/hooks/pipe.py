"""A hook at the other end of a pipe, and the golden lines to put into it."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("HOOKSMTPD_BUILD", ROOT / "build"))
MAILDIR = BUILD / "hooks/maildir/maildir"


def golden(event: str) -> list[str]:
    return (ROOT / f"tests/golden/v1/{event}.jsonl").read_text().splitlines()


class Hook:
    """One request at a time, as the daemon does it: pipes, and no terminal."""

    def __init__(self, command, environment=None):
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **(environment or {})})

    def ask_line(self, line: str) -> str:
        self.process.stdin.write(line.encode("ascii") + b"\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline().decode()
        assert reply.endswith("\n"), self.process.stderr.read().decode()
        return reply[:-1]

    def ask(self, request: dict) -> dict:
        return json.loads(self.ask_line(json.dumps(request, separators=(",", ":"))))

    def close(self) -> str:
        """Ends it as the daemon does, by the end of its input; gives what it wrote to stderr."""
        if self.process.stdin.closed:
            return ""
        rest, log = self.process.communicate(timeout=10)
        assert rest == b"", "one line for each request, no more"
        assert self.process.returncode == 0
        return log.decode()
