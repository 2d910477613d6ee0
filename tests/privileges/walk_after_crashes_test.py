"""The walk after a hundred deaths and reloads: who is started again has no more than who was there first, and nothing has
leaked."""

import os
import signal

from harness import hooks, processes
from privileges.walk import check_everything, kinds

CROWD = 16
ROUNDS = 5  # with a back-off of 0, 0.1, 0.2, 0.4 and 0.8 s; ten deaths of one process within five minutes give it up


def kill_and_wait(daemon, killed: list[int], *started: str) -> int:
    """SIGKILL to all; until what `started` names has come back. How many were killed."""
    mark = daemon.log.mark()
    watched = [processes.Watched(pid) for pid in killed]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert processes.wait_all_gone(watched, 10) == []
    for pattern in started:
        daemon.log.wait(pattern, mark)
    return len(killed)


def reload_twice(daemon) -> int:
    daemon.control("reload")
    mark = daemon.log.mark()
    daemon.signal(signal.SIGHUP)
    daemon.log.wait("^[^ ]+ reload ", mark)
    return 2


def deliver(daemon) -> None:
    with daemon.session() as client:
        assert client.message().code == 250
        client.expect("QUIT", "221")
        assert client.at_end()


def test_the_walk_after_a_hundred_crashes_and_reloads(make_daemon):
    daemon = make_daemon('[tls]\nmode = "starttls"')
    daemon.hook("crowd", hooks.SHELL + "while IFS= read -r request; do echo ok; done\n", "validate_sender", instances=CROWD,
                sandbox_listen=["127.0.0.1:8025"])
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    deliver(daemon)
    check_everything(daemon)
    before = kinds(daemon)
    crowd = [f"hook ready hook=crowd/{number} " for number in range(1, CROWD + 1)]
    done = 0
    for _ in range(ROUNDS):
        done += kill_and_wait(daemon, [process.pid for process in daemon.hook_processes("crowd")], *crowd)
        done += kill_and_wait(daemon, [process.pid for process in daemon.tree() if process.command[0].endswith("/keyholder")],
                              "keyholder start pid=", "keys loaded=1")
        done += kill_and_wait(daemon, [daemon.worker().pid], "worker start pid=", *crowd, "hook ready hook=recorder/1 ")
        done += reload_twice(daemon)
        deliver(daemon)
    assert done == 100
    check_everything(daemon)
    assert kinds(daemon) == before, "descriptors have leaked"
