"""A session that ends while hooks still judge its questions, and clients that do not read: the worker goes on."""

import contextlib

from harness import hooks
from harness.daemon import Daemon

# Answers `first@` with close, everything else ok; says on standard error what it has answered.
CLOSER = hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    print("close enough" if request.get("local") == "first" else "ok", flush=True)
    print("answered", request.get("local"), file=sys.stderr, flush=True)
"""


@contextlib.contextmanager
def running(text: str, config: str = ""):
    daemon = Daemon(config)
    try:
        daemon.hook("judge", text, "validate_recipient")
        daemon.start()
        worker = daemon.worker().pid
        yield daemon
        with daemon.session() as client:
            assert client.message().code == 250
        assert daemon.worker().pid == worker
        assert daemon.stop() == 0
    finally:
        daemon.close()


def test_a_hook_that_closes_while_other_recipients_are_out():
    with running(CLOSER) as daemon:
        with daemon.session() as client:
            client.expect("MAIL FROM:<a@client.test>", "250")
            client.send(b"RCPT TO:<first@dev.test>\r\nRCPT TO:<second@dev.test>\r\n")
            assert client.reply() == "421 4.7.0 mail.test enough"
            assert client.at_end()


def test_an_error_limit_that_is_reached_while_recipients_are_out():
    with running(hooks.by_address(bad="echo 'reject 550 5.1.1 no'"), "[limits]\nerrors = 3\n") as daemon:
        with daemon.session() as client:
            client.expect("MAIL FROM:<a@client.test>", "250")
            client.send(b"RCPT TO:<bad@dev.test>\r\n" * 50)
            for _ in range(3):
                assert client.reply() == "550 5.1.1 no"
            assert client.reply().startswith("421 4.7.0 ")
            assert client.at_end()


def test_a_client_that_never_reads_costs_little_memory():
    with running(hooks.SHELL + "while read -r _; do echo ok; done\n") as daemon:
        before = resident(daemon.worker().pid)
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                client = stack.enter_context(daemon.session())
                client.socket.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    while True:
                        client.send(b"HELP\r\n" * 10000)
            assert resident(daemon.worker().pid) - before < 8 * 1024
            with daemon.session() as other:
                assert other.message().code == 250


def resident(pid: int) -> int:
    """KiB."""
    with open(f"/proc/{pid}/status") as status:
        (line,) = [line for line in status if line.startswith("VmRSS:")]
    return int(line.split()[1])
