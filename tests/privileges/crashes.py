"""A hundred deaths and reloads of a daemon, here or in a machine of its own. Who is started again must have no more than who was
there first."""

import os
import signal

from harness import processes
from privileges.walk import kinds

CROWD = 16  # instances of the hook `crowd`
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
    daemon.log.wait(r"^([^ ]+ )?reload ", mark)
    return 2


def crash_and_reload(daemon, deliver, *others: str) -> None:
    """`daemon` has TLS, the hook `crowd` and those that `others` names; `deliver` sends it a message. Nothing leaks."""
    crowd = [f"hook ready hook=crowd/{number} " for number in range(1, CROWD + 1)]
    deliver()
    before = kinds(daemon)
    done = 0
    for _ in range(ROUNDS):
        done += kill_and_wait(daemon, [process.pid for process in daemon.hook_processes("crowd")], *crowd)
        done += kill_and_wait(daemon, [process.pid for process in daemon.tree() if process.command[0].endswith("/keyholder")],
                              "keyholder start pid=", "keys loaded=1")
        done += kill_and_wait(daemon, [daemon.worker().pid], "worker start pid=", *crowd,
                              *(f"hook ready hook={name}/1 " for name in others))
        done += reload_twice(daemon)
        deliver()
    assert done == 100
    assert kinds(daemon) == before, "descriptors have leaked"
