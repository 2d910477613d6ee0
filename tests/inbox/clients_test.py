"""Clients that were written for Mailpit, as they come from npm, with the inbox behind the daemon."""

import shutil
import subprocess

import pytest

from harness.daemon import BUILD

MODULES = BUILD / "npm/node_modules"


@pytest.mark.parametrize("client", ("mailpit-api", "cypress-mailpit"))
def test_a_client_of_mailpit_finds_what_it_expects(neighbours, client, request):
    if not shutil.which("node") or not (MODULES / client).exists():
        pytest.skip(f"needs node and {client} (tests/run installs both)")
    daemon, server = neighbours
    with daemon.session() as session:
        assert session.message(b"From: ann@client.test\r\nTo: bob@dev.test\r\nSubject: by SMTP\r\n\r\nhello\r\n").code == 250
    environment = {**daemon.surroundings(), "NPM_MODULES": str(MODULES), "INBOX_URL": "http://127.0.0.1:8025"}
    with daemon.network:
        done = subprocess.run(["node", "--test", request.path.parent / f"{client}.test.js"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "# fail 0" in done.stdout and "# pass 0" not in done.stdout, done.stdout + done.stderr
    assert len(server.messages) == (1 if client == "mailpit-api" else 0)
