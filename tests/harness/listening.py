"""hooksmtpctl while it listens: trace, hook record."""

import json
import os
import select
import subprocess
import time


class Listening:
    """Begins when nothing can be missed any more, and keeps what is printed."""

    def __init__(self, daemon, *arguments: str, **options: object) -> None:
        self.process = subprocess.Popen([str(daemon.ctl), *arguments], env=daemon.surroundings(), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **options)
        started = self.process.stderr.readline().decode()
        assert started.startswith("hooksmtpctl: "), started
        self.rest = b""
        self.entries: list[dict] = []

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def until(self, wanted, seconds: float = 20) -> dict:
        """Reads until an entry comes for which `wanted` is true."""
        end = time.monotonic() + seconds
        while True:
            while b"\n" in self.rest:
                line, _, self.rest = self.rest.partition(b"\n")
                self.entries.append(json.loads(line))
                if wanted(self.entries[-1]):
                    return self.entries[-1]
            found = select.select([self.process.stdout], [], [], max(end - time.monotonic(), 0))[0]
            piece = os.read(self.process.stdout.fileno(), 65536) if found else b""
            assert piece, f"not within {seconds} s, or it ended; so far: {self.entries}"
            self.rest += piece

    def until_end(self) -> list[dict]:
        """Of a session."""
        self.until(lambda entry: entry.get("what") == "end")
        return self.entries

    def finish(self) -> str:
        """All that it prints until it ends by itself."""
        text, _ = self.process.communicate(timeout=20)
        return text.decode()


def short(entry: dict) -> str:
    """An entry in one word or two."""
    if entry["from"] == "client":
        return "C " + entry.get("line", f"<{entry.get('octets')}>")
    if entry["from"] == "server":
        return "S " + entry["line"][:3]
    if entry["from"] == "daemon" and entry["what"] == "request":
        return f"H? {entry['hook']} {entry['event']}"
    if entry["from"] == "daemon":
        return entry["what"] + (" " + entry["state"] if "state" in entry else "")
    if "stderr" in entry:
        return "H! " + entry["stderr"]
    return f"H {entry['hook']} {entry.get('event')} {entry.get('action', 'failed')}"
