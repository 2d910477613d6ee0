"""Clients that send message after message while something is done to the daemon, and what became of each message."""

import collections
import re
import threading

from harness.client import Client


class Load:
    """`clients` threads that connect, deliver a message and connect again, until they are refused or told to end. Each
    message has a number; what became of it is kept: a reply's code, or the name of what broke its connection."""

    def __init__(self, daemon, clients: int) -> None:
        self.network, self.news, self.over = daemon.network, threading.Condition(), False
        self.outcomes: dict[str, str] = {}
        with daemon.network:  # the threads begin where this one is
            self.threads = [threading.Thread(target=self.run_client, args=(number,)) for number in range(clients)]
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


BROKEN = {"ConnectionError", "ConnectionResetError", "BrokenPipeError"}


def check_stored(recorder, load: Load, unsure: set[str] = BROKEN) -> None:
    """What was acknowledged is there, and nothing twice. Without a 250 one is there only where the connection broke before
    its reply came, or another outcome of `unsure` is all that the client has: who was told no has his message nowhere."""
    found = [re.search(rb"^Subject: (\S+)\r$", message, re.MULTILINE)[1].decode() for _, message in recorder.recorded().messages()]
    assert len(found) == len(set(found))
    acknowledged = {name for name, outcome in load.outcomes.items() if outcome == "250"}
    assert acknowledged and acknowledged <= set(found)
    assert {load.outcomes[name] for name in set(found) - acknowledged} <= unsure
