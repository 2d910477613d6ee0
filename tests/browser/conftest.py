"""Debian's Chromium beside the daemon: both in a network namespace of the test's own."""

import pathlib
import shutil
import subprocess

import pytest

from harness import hooks
from harness.daemon import BUILD

FOLDER = pathlib.Path(__file__).parent
MODULES = BUILD / "npm/node_modules"

# Knows everybody but ghost, so that the page has a refusal to show.
POLICY = hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    ghost = json.loads(line).get("address", "").startswith("ghost@")
    print("reject 550 5.1.1 no such user" if ghost else "ok", flush=True)
"""


@pytest.fixture
def chromium(make_daemon):
    """run(file): what that file of tests says in a browser, before the page of an inbox that has a daemon of its own."""
    if not shutil.which("chromium") or not (MODULES / "playwright-core").exists():
        pytest.skip("needs chromium and playwright-core (tests/run installs both)")
    daemon = make_daemon()
    daemon.hook("policy", POLICY, ["validate_sender", "validate_recipient"])
    daemon.hook_texts += '[[hook]]\nname = "inbox"\nuse = "inbox"\n'
    daemon.start()

    def run(file: str) -> subprocess.CompletedProcess:
        environment = {**daemon.surroundings(), "NODE_PATH": str(MODULES), "INBOX_URL": "http://127.0.0.1:8025/", "SMTP_PORT": "25"}
        with daemon.network:
            return subprocess.run(["node", "--test", FOLDER / file], env=environment, capture_output=True, text=True, timeout=85)

    return run
