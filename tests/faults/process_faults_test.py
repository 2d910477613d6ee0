"""Killed processes: nothing acknowledged is lost, queued clients are served, and the tree never outlives its head."""

import os
import signal
import threading

import pytest

from harness import hooks, processes
from harness.client import Client


def kill_worker(daemon) -> None:
    watched = processes.Watched(daemon.worker().pid)
    os.kill(watched.pid, signal.SIGKILL)
    assert watched.wait_gone(5)


def test_clients_that_connect_while_the_worker_is_dead_are_served(recorder):
    kill_worker(recorder)
    clients = [recorder.client() for _ in range(20)]
    for client in clients:
        client.greet()
        assert client.message().code == 250
        client.socket.close()
    assert len(recorder.recorded().messages()) == 20


def test_a_worker_that_ends_by_itself_is_logged_with_its_own_exit_status(make_daemon):
    daemon = make_daemon()
    daemon.start()
    for _ in range(5):  # SIGTERM is one way to end it
        with daemon.client() as client:
            client.reply()
            mark = daemon.log.mark()
            os.kill(daemon.worker().pid, signal.SIGTERM)
            assert daemon.log.wait("worker exit (.*) ran_ms=", mark)[1] == "status=0"


def kill_hook(daemon) -> None:
    for process in daemon.hook_processes("recorder"):
        watched = processes.Watched(process.pid)
        os.kill(watched.pid, signal.SIGKILL)
        assert watched.wait_gone(5)


@pytest.mark.parametrize("kill", [kill_worker, kill_hook])
def test_nothing_acknowledged_is_lost_under_load(recorder, kill):
    acknowledged: list[str] = []
    enough = threading.Condition()

    def send(number: int) -> None:
        for turn in range(30):
            subject = f"{number}-{turn}"
            try:
                with Client(recorder.network) as client:
                    client.greet()
                    if client.message(f"Subject: {subject}\r\n\r\nx\r\n").code == 250:
                        with enough:
                            acknowledged.append(subject)
                            enough.notify_all()
            except (OSError, AssertionError):
                pass  # reset, or 421: the mail stays with the client

    with recorder.network:  # the threads begin where this one is
        senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for sender in senders:
            sender.start()
    for kills in range(4):
        with enough:
            goal = len(acknowledged) + 10
            enough.wait_for(lambda: len(acknowledged) >= goal, timeout=10)
        kill(recorder)
    for sender in senders:
        sender.join(60)
    stored = [message.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for _, message in recorder.recorded().messages()]
    assert len(acknowledged) > 50
    assert set(acknowledged) <= set(stored)


def test_everything_is_gone_within_a_second_when_the_supervisor_is_killed(make_daemon):
    daemon = make_daemon()
    daemon.hook("recorder", hooks.RECORDER, instances=3)
    daemon.hook("stubborn", hooks.SHELL + "trap '' TERM HUP PIPE\nwhile read -r request; do echo ok; done\nexec sleep 1000\n",
                "validate_sender")
    daemon.start()
    watched = [processes.Watched(process.pid) for process in daemon.tree()]
    daemon.process.kill()
    assert processes.wait_all_gone(watched, 1.0) == []


def test_everything_is_gone_also_while_a_hook_waits_in_its_back_off(make_daemon):
    daemon = make_daemon()
    daemon.hook("broken", hooks.SHELL + "exit 1\n", "deliver", start_timeout="500ms")
    daemon.start()
    watched = [processes.Watched(process.pid) for process in daemon.tree()]
    daemon.process.kill()
    assert processes.wait_all_gone(watched, 1.0) == []


def test_a_killed_keeper_does_not_take_the_daemon_along(recorder):
    (hook,) = recorder.hook_processes("recorder")
    watched = processes.Watched(hook.pid)
    os.kill(hook.parent, signal.SIGKILL)
    assert watched.wait_gone(5), "the hook outlived its keeper"
    recorder.log.wait("recorder")
    with recorder.session() as client:
        assert client.message().code in (250, 451)
        client.expect("NOOP", "250")


def test_a_client_that_goes_away_in_the_middle_costs_nothing(recorder):
    for depth in range(5):
        with recorder.session() as client:
            for command in ("MAIL FROM:<a@client.test>", "RCPT TO:<b@dev.test>", "DATA", "Subject: x")[:depth]:
                client.send(command + "\r\n")
    with recorder.session() as client:
        assert client.message().code == 250
    assert len(recorder.recorded().messages()) == 1, "an unfinished message was delivered"
