"""hooksmtpctl hook, and hooks for it: each a few lines that make one mistake."""

import json
import os
import pathlib
import stat
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("HOOKSMTPD_BUILD", ROOT / "build"))
HOOKSMTPCTL = BUILD / "daemon/ctl/hooksmtpctl"


def run(*arguments, status=0, **more) -> subprocess.CompletedProcess:
    done = subprocess.run([HOOKSMTPCTL, "hook", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, **more)
    assert status is None or done.returncode == status, done.stdout + done.stderr
    return done


def report(*arguments, status=0) -> dict:
    """What `hook test --json` says."""
    return json.loads(run("test", "--json", *arguments, status=status).stdout)


def write(path: pathlib.Path, text: str) -> pathlib.Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def python(folder: pathlib.Path, body: str) -> pathlib.Path:
    """A hook whose loop has `request` and `line`, and says what it likes."""
    indented = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return write(folder / "hook.py", "#!/usr/bin/python3\nimport json, os, sys, time\n"
                 f"for line in sys.stdin:\n    request = json.loads(line)\n{indented}")


def cases(folder: pathlib.Path, *rows: dict) -> pathlib.Path:
    path = folder / "cases.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
