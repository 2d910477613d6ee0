import importlib.util
import pathlib

import pytest

from hooks.next_server import NextServer

spec = importlib.util.spec_from_file_location("inbox_program", pathlib.Path(__file__).parent / "inbox.py")
inbox_program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(inbox_program)


@pytest.fixture
def start(tmp_path):
    """Starts the inbox, again and again, on the same state."""
    running = []

    def start_one(options=None, **more):
        running.append(inbox_program.Inbox(tmp_path, options, **more))
        return running[-1]

    yield start_one
    for inbox in running:
        inbox.stop()


@pytest.fixture
def inbox(start):
    return start()


@pytest.fixture
def message():
    return inbox_program.message


@pytest.fixture
def neighbours(make_daemon):
    """The daemon, and the mail server to which messages are released."""
    daemon = make_daemon()
    sockets = daemon.folder / "sockets"
    sockets.mkdir(mode=0o755)
    with daemon.network:
        server = NextServer()
    daemon.hook_texts += f"""
[[hook]]
use = "faults"
sandbox.listen = ["unix:{sockets}/faults.sock"]

[[hook]]
use = "relay"
events = []
options = {{ servers = ["localhost:{server.port}"], recipients = ["@example.org"], tls = "none" }}
sandbox.network = "host"
sandbox.listen = ["unix:{sockets}/relay.sock"]

[[hook]]
use = "inbox"
options = {{ relay = "{sockets}/relay.sock", faults = "{sockets}/faults.sock" }}
sandbox.read = ["{sockets}"]
"""
    yield daemon.start(), server
    server.close()
