"""Promise P3 under fire: many thousand messages while the worker and the hook are killed again and again. Whatever was
acknowledged has been stored; whatever was not acknowledged is the client's to send again."""

import os
import random
import re
import signal
import threading

from harness.client import Client
from harness.daemon import BUILD, Daemon

MESSAGES = int(os.environ.get("MESSAGES", "100000"))
CLIENTS = 50
KILL_EVERY = MESSAGES // 20

MAILDIR = str(BUILD / "hooks/maildir/maildir")


class Load:
    """`CLIENTS` threads that send numbered messages until each is acknowledged."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.lock = threading.Lock()
        self.next = 0
        self.acknowledged: set[int] = set()
        self.broken = self.deferred = 0
        self.news = threading.Condition(self.lock)

    def take(self) -> int | None:
        with self.lock:
            if self.next >= MESSAGES:
                return None
            self.next += 1
            return self.next

    def run_client(self) -> None:
        number = self.take()
        while number is not None:
            try:
                with self.daemon.client(timeout=120) as client:
                    client.greet()
                    while number is not None:
                        reply = client.message(f"X-Number: {number}\r\n\r\nhello\r\n")
                        if reply.code != 250:
                            with self.lock:
                                self.deferred += 1
                            assert reply.startswith("4"), reply
                            continue
                        with self.news:
                            self.acknowledged.add(number)
                            self.news.notify_all()
                        number = self.take()
            except (ConnectionError, AssertionError) as broken:
                if isinstance(broken, AssertionError) and "421" not in str(broken) and "451" not in str(broken):
                    raise
                with self.lock:
                    self.broken += 1

    def wait_for(self, count: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.acknowledged) >= count, 600), "no progress"


def test_what_was_acknowledged_is_stored():
    daemon = Daemon()
    try:
        daemon.hook_command("maildir", [MAILDIR], "deliver", stores=True, instances=4)
        daemon.start()
        load = Load(daemon)
        threads = [threading.Thread(target=load.run_client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        chance = random.Random(1)
        kills = 0
        for count in range(KILL_EVERY, MESSAGES, KILL_EVERY):
            load.wait_for(count)
            hooks = [process for process in daemon.tree() if MAILDIR in process.command]
            victim = daemon.worker() if kills % 2 == 0 else chance.choice(hooks)
            os.kill(victim.pid, signal.SIGKILL)
            kills += 1
        for thread in threads:
            thread.join()
        new = daemon.state / "hooks/maildir/Maildir/new"
        stored: dict[int, int] = {}
        for file in new.iterdir():
            number = int(re.search(rb"^X-Number: (\d+)\r$", file.read_bytes(), re.MULTILINE)[1])
            stored[number] = stored.get(number, 0) + 1
        twice = sum(count - 1 for count in stored.values())
        print(f"\n{len(load.acknowledged)} acknowledged, {kills} kills, {load.broken} connections broken, "
              f"{load.deferred} deferred, {twice} stored again after an answer that was lost")
        assert len(load.acknowledged) == MESSAGES
        assert load.acknowledged <= stored.keys()
        assert daemon.stop() == 0
    finally:
        daemon.close()
