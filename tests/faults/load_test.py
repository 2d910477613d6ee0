"""Reload and stop under load: no client is refused or reset by a reload, and whatever was acknowledged before the end of a
stop is stored. What systemd is told meanwhile."""

import collections
import re
import signal
import threading
import time

from harness.client import Client

CLIENTS = 8


class Load:
    """`CLIENTS` threads that connect, deliver a message and connect again, until they are refused or told to end. Each
    message has a number; what became of it is kept: a reply's code, or the name of what broke its connection."""

    def __init__(self, daemon) -> None:
        self.network, self.news, self.over = daemon.network, threading.Condition(), False
        self.outcomes: dict[str, str] = {}
        with daemon.network:  # the threads begin where this one is
            self.threads = [threading.Thread(target=self.run_client, args=(number,)) for number in range(CLIENTS)]
            for thread in self.threads:
                thread.start()

    def run_client(self, number: int) -> None:
        turn = 0
        while not self.over:
            turn += 1
            name = f"{number}-{turn}"
            outcome = self.deliver(name)
            with self.news:
                self.outcomes[name] = outcome
                self.news.notify_all()
            if outcome == "ConnectionRefusedError":
                return

    def deliver(self, name: str) -> str:
        try:
            with Client(self.network) as client:
                greeting = client.reply()
                if greeting.code != 220:
                    return str(greeting.code)
                for line in ("EHLO client.test", "MAIL FROM:<a@client.test>", "RCPT TO:<b@dev.test>", "DATA"):
                    reply = client.say(line)
                    if reply.code >= 400:
                        return str(reply.code)
                client.send(f"Subject: {name}\r\n\r\nhello\r\n")
                return str(client.say(".").code)
        except OSError as error:
            return type(error).__name__

    def wait_for_more(self, count: int) -> None:
        with self.news:
            goal = len(self.outcomes) + count
            assert self.news.wait_for(lambda: len(self.outcomes) >= goal, 30), collections.Counter(self.outcomes.values())

    def end(self) -> collections.Counter:
        self.over = True
        for thread in self.threads:
            thread.join(30)
        return collections.Counter(self.outcomes.values())


def check_stored(recorder, load: Load) -> None:
    """What was acknowledged is there, and nothing twice. Without a 250 one is there only where the connection broke before
    its reply came: a client that was told no has its message nowhere."""
    found = [re.search(rb"^Subject: (\S+)\r$", message, re.MULTILINE)[1].decode() for _, message in recorder.recorded().messages()]
    assert len(found) == len(set(found))
    acknowledged = {name for name, outcome in load.outcomes.items() if outcome == "250"}
    assert acknowledged and acknowledged <= set(found)
    assert {load.outcomes[name] for name in set(found) - acknowledged} <= {"ConnectionError", "ConnectionResetError"}


def test_a_reload_under_load_refuses_resets_and_loses_nothing_and_systemd_hears_of_it(recorder):
    load = Load(recorder)
    try:
        load.wait_for_more(CLIENTS)
        for turn in range(10):
            recorder.config = f'banner = "turn {turn}"\n'
            recorder.write_config()
            recorder.said.clear()
            before = time.monotonic_ns() // 1000
            recorder.signal(signal.SIGHUP)
            recorder.wait_notified("RELOADING=1")
            recorder.wait_notified("READY=1")
            told = [line.partition("=")[2] for line in recorder.said if line.startswith("MONOTONIC_USEC=")]
            assert len(told) == 1 and before <= int(told[0]) <= time.monotonic_ns() // 1000
            assert recorder.said.index("RELOADING=1") < recorder.said.index("READY=1")
            with recorder.client() as client:
                assert f"turn {turn}" in client.reply()
            load.wait_for_more(CLIENTS)
    finally:
        outcomes = load.end()
    assert set(outcomes) == {"250"}
    check_stored(recorder, load)


def test_a_stop_under_load_loses_nothing_and_nobody_seems_to_have_ended_badly(recorder):
    load = Load(recorder)
    try:
        load.wait_for_more(5 * CLIENTS)
        recorder.said.clear()
        recorder.signal(signal.SIGTERM)
        recorder.wait_notified("STOPPING=1")
        assert recorder.wait() == 0
    finally:
        outcomes = load.end()
    assert outcomes["ConnectionRefusedError"] == CLIENTS  # each found the listener closed in the end
    # Reset is who had connected when the listener was closed, and had not been accepted.
    assert set(outcomes) <= {"250", "421", "ConnectionRefusedError", "ConnectionError", "ConnectionResetError"}
    check_stored(recorder, load)
    assert re.search(r"^\S+ worker exit status=0 ", recorder.log.text, re.MULTILINE), recorder.log.text[-2000:]
