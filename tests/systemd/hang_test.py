"""A worker that hangs is replaced, with systemd's watchdog and without it. (tests/daemon/launcher/pulse_test.cc has the
30 s that it gets without.)"""

import os
import signal

import pytest

from harness import hooks, processes

WATCHDOG = {"WATCHDOG_USEC": "2000000"}  # then it gets a second


@pytest.fixture
def watched_daemon(make_daemon):
    daemon = make_daemon()
    daemon.environment = WATCHDOG
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


def test_a_stopped_worker_is_killed_and_replaced_and_clients_wait_in_the_backlog(watched_daemon):
    daemon = watched_daemon
    worker = processes.Watched(daemon.worker().pid)
    os.kill(worker.pid, signal.SIGSTOP)
    with daemon.session() as client:  # accepted by the next one
        assert client.message().code == 250
    assert worker.wait_gone(5)
    daemon.log.wait("worker hangs: it has not answered for 1000 ms, so it is killed")
    daemon.log.wait('worker exit signal=9 .*reason="it does not answer"')
    assert len(daemon.recorded().messages()) == 1


def test_systemd_hears_of_a_worker_that_answers_and_not_of_one_that_does_not(watched_daemon):
    daemon = watched_daemon
    for _ in range(3):
        daemon.wait_notified("WATCHDOG=1")
        daemon.said.clear()
    worker = processes.Watched(daemon.worker().pid)
    os.kill(worker.pid, signal.SIGSTOP)
    daemon.log.wait("worker hangs")
    daemon.notify.setblocking(False)
    said = []
    try:
        while True:
            said.append(daemon.notify.recv(4096))
    except BlockingIOError:
        pass
    assert said.count(b"WATCHDOG=1") <= 1, said  # at most that of the moment before
    daemon.notify.setblocking(True)
    daemon.wait_notified("WATCHDOG=1")  # the next worker
