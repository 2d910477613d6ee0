"""Descriptors run out, nobody reads the log, signals come in heaps: mail goes on."""

import contextlib
import signal

from harness import hooks
from harness.log import UnreadLog


def test_a_log_that_nobody_reads_blocks_no_mail_and_tells_of_its_losses(make_daemon):
    daemon = make_daemon(log=UnreadLog())
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    count = 1000  # lines of some hundred octets each, into a pipe that holds 64 KiB
    with daemon.session() as client:
        for _ in range(count):
            assert client.message().code == 250
    assert len(daemon.recorded().requests("deliver")) == count
    daemon.log.begin()
    with daemon.session() as client:
        assert client.message().code == 250
    daemon.log.wait(r"(?i)\b\d+ .*(lost|dropped)|(lost|dropped)\D*\d+")
    assert daemon.stop() == 0


def test_descriptors_run_out(make_daemon):
    daemon = make_daemon(wrapper=("prlimit", "--nofile=80:80"))
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(daemon.session())
        clients = [stack.enter_context(daemon.client()) for _ in range(150)]
        assert first.message().code == 250
        # Whoever is not told 421 at once is greeted, or waits for a place.
        for client in clients[:10]:
            assert client.reply().code in (220, 421)
        assert first.message().code == 250
    with daemon.session() as client:
        assert client.message().code == 250


def test_many_signals_are_one_reload_after_the_other(recorder):
    for _ in range(300):
        recorder.signal(signal.SIGHUP)
    with recorder.session() as client:
        assert client.message().code == 250
    recorder.signal(signal.SIGTERM)
    assert recorder.wait() == 0
    assert recorder.log.lines("reload by=")
