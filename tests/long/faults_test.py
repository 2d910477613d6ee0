"""The matrix of faults (../faults/README.md) at its full counts: 200 deaths, 200 reloads and 200 stops at any moment, under load."""

import collections
import os
import random
import signal

from harness import hooks, processes
from harness.daemon import Daemon
from harness.load import BROKEN, Load, check_stored

TIMES = int(os.environ.get("TIMES", "200"))
CLIENTS = 50
DEATHS = 5  # of one daemon: ten of one process within five minutes are too many
HOOKS = ("judge", "recorder")

# Refuses every fifth message, by its Subject: what Load calls it.
JUDGE = hooks.PYTHON + """
import json, re, sys
for line in sys.stdin:
    request = json.loads(line)
    refused = request["event"] == "deliver" and re.search(rb"^Subject: .*[05]\\r$", open(request["message"]["path"], "rb").read(), re.MULTILINE)
    print("reject no" if refused else "ok", flush=True)
"""


def started(*, judged: bool = False) -> Daemon:
    daemon = Daemon()
    if judged:
        daemon.hook("judge", JUDGE)
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


def test_deaths_under_load():
    """Of the worker or a hook; now and then, in the end, of a hook's keeper, without which that hook does not come back.
    What the first hook refuses reaches the second one never."""
    chance = random.Random(1)
    outcomes: collections.Counter = collections.Counter()
    victims: collections.Counter = collections.Counter()
    while victims.total() < TIMES:
        daemon = started(judged=True)
        try:
            load = Load(daemon, CLIENTS)
            for death in range(DEATHS):
                who = chance.choice(["worker", "hook"] if death < DEATHS - 1 else ["worker", "hook", "keeper"])
                load.wait_for_more(chance.randrange(1, 2 * CLIENTS))
                name = chance.choice(HOOKS)
                (hook,) = daemon.hook_processes(name)
                pid = {"worker": daemon.worker().pid, "hook": hook.pid, "keeper": hook.parent}[who]
                mark = daemon.log.mark()
                watched = processes.Watched(pid)
                os.kill(pid, signal.SIGKILL)
                assert watched.wait_gone(10)
                comes_back = {"worker": HOOKS, "hook": (name,), "keeper": ()}[who]
                for one in comes_back:
                    daemon.log.wait(f"hook ready hook={one}/1 ", mark)
                victims[who] += 1
            load.wait_for_more(CLIENTS)
            outcomes += load.end()
            check_stored(daemon, load, {"421", "451"} | BROKEN)
            assert daemon.stop() == 0
        finally:
            daemon.close()
    print(f"\n{dict(victims)} killed: {dict(outcomes)}")
    assert outcomes["554"] and set(outcomes) <= {"250", "421", "451", "554"} | BROKEN


def test_reloads_under_load():
    daemon = started()
    try:
        load = Load(daemon, CLIENTS)
        for turn in range(TIMES):
            daemon.config = f'banner = "turn {turn}"\n'
            daemon.write_config()
            daemon.said.clear()
            daemon.signal(signal.SIGHUP)
            daemon.wait_notified("READY=1")
            with daemon.client() as client:
                assert f"turn {turn}" in client.reply()
            load.wait_for_more(CLIENTS)
        outcomes = load.end()
        print(f"\n{TIMES} reloads: {dict(outcomes)}")
        assert set(outcomes) == {"250"}
        check_stored(daemon, load)
    finally:
        daemon.close()


def test_stops_at_any_moment():
    chance = random.Random(2)
    outcomes: collections.Counter = collections.Counter()
    for _ in range(TIMES):
        daemon = started()
        try:
            load = Load(daemon, CLIENTS // 5)
            load.wait_for_more(chance.randrange(1, CLIENTS))
            assert daemon.stop() == 0
            outcomes += load.end()
            check_stored(daemon, load)
        finally:
            daemon.close()
    print(f"\n{TIMES} stops: {dict(outcomes)}")
    assert set(outcomes) <= {"250", "421", "ConnectionRefusedError"} | BROKEN
