"""A hook at the other end of a pipe, and the golden lines to put into it."""

import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("HOOKSMTPD_BUILD", ROOT / "build"))
MAILDIR = BUILD / "hooks/maildir/maildir"
SDK = BUILD / "hooks/sdk"


def golden(event: str) -> list[str]:
    return (ROOT / f"tests/golden/v1/{event}.jsonl").read_text().splitlines()


def to_line(request: dict) -> str:
    return json.dumps(request, separators=(",", ":"))


class Hook:
    """One request at a time, as the daemon does it: pipes, no terminal, and its environment."""

    def __init__(self, command, environment=None, **options):
        self.stderr = tempfile.TemporaryFile()  # which never fills
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "HOOK_SDK": str(SDK), "PYTHONPATH": str(SDK),
                 "NODE_PATH": str(SDK), **(environment or {})}, **options)

    def write(self, text: str) -> None:
        self.process.stdin.write(text.encode("ascii"))
        self.process.stdin.flush()

    def read(self) -> str:
        reply = self.process.stdout.readline().decode()
        assert reply.endswith("\n"), self.log()
        return reply[:-1]

    def log(self) -> str:
        """What it has written to stderr so far."""
        return os.pread(self.stderr.fileno(), 1 << 24, 0).decode(errors="backslashreplace")

    def ask_line(self, line: str) -> str:
        self.write(line + "\n")
        return self.read()

    def ask(self, request: dict) -> dict:
        return json.loads(self.ask_line(to_line(request)))

    def close(self) -> str:
        """Ends it as the daemon does, by the end of its input; gives what it wrote to stderr."""
        if self.process.stdin.closed:
            return ""
        rest, _ = self.process.communicate(timeout=10)
        assert rest == b"", "one line for each request, no more"
        assert self.process.returncode == 0, self.log()
        return self.log()
