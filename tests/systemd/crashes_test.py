"""The walk after a hundred deaths and reloads, in a systemd that has really booted (harness/machine.py): for the unit that
begins as root and for the one that never is."""

import os
import signal
import subprocess

import pytest

from harness import hooks, processes
from harness.client import Client
from harness.log import Log
from harness.machine import Machine
from privileges.crashes import CROWD, crash_and_reload
from privileges.walk import walk

CONFIG = f"""
hostname = "mail.test"
[tls]
mode = "starttls"
[[hook]]
name = "crowd"
command = ["/srv/hooks/crowd"]
events = ["validate_sender"]
instances = {CROWD}
[hook.sandbox]
listen = ["127.0.0.1:8025"]
[[hook]]
name = "maildir"
use = "maildir"
"""


class Service:
    """A unit that has started, with the manner of a Daemon (harness/daemon.py)."""

    def __init__(self, machine: Machine, unit: str) -> None:
        self.machine, self.unit = machine, unit
        self.pid = machine.processes_of(unit)[0].pid
        self.log = Log()
        self.follower = subprocess.Popen(
            ["nsenter", "-a", "-t", str(machine.leader), "--", "journalctl", "-q", "-f", "-n", "0", "-o", "cat", "-u", unit],
            stdin=subprocess.DEVNULL, stdout=self.log.writing)
        self.log.close_writing()
        while not self.log.text:  # it follows from now on
            self.control("reload")

    def tree(self) -> list[processes.Process]:
        return processes.tree(self.pid)

    def worker(self) -> processes.Process:
        (found,) = [process for process in self.tree() if os.path.basename(process.command[0]) == "worker"]
        return found

    def hook_processes(self, name: str) -> list[processes.Process]:
        return [process for process in self.tree() if f"/srv/hooks/{name}" in process.command]

    def control(self, order: str) -> None:
        self.machine.run("systemctl", order, self.unit)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def close(self) -> None:
        self.machine.run("systemctl", "stop", f"{self.unit}.socket", f"{self.unit}.service", status=None)
        self.follower.terminate()
        self.follower.wait(10)


@pytest.fixture(scope="module")
def machine():
    machine = Machine()
    try:
        machine.install_build()
        machine.write("/etc/hooksmtpd/hooksmtpd.toml", CONFIG, 0o640, "hooksmtpd")
        machine.write("/srv/hooks/crowd", hooks.SHELL + "while IFS= read -r request; do echo ok; done\n", 0o755)
        yield machine.boot()
    finally:
        machine.close()


@pytest.mark.parametrize("unit", ["hooksmtpd", "hooksmtpd-unprivileged"])
def test_the_walk_after_a_hundred_crashes_and_reloads(machine, unit):
    machine.run("systemctl", "start", f"{unit}.service")
    service = Service(machine, unit)

    def deliver() -> None:
        with Client(machine.network) as client:
            client.greet()
            assert client.message().code == 250
            client.expect("QUIT", "221")
            assert client.at_end()

    try:
        assert len(walk(service)) == 1 + 2 * (CROWD + 3)  # the supervisor; worker, keyholder and hooks, each with its keeper
        crash_and_reload(service, deliver, "maildir")
        assert len(walk(service)) == 1 + 2 * (CROWD + 3)
        assert machine.show(unit, "NRestarts") == "0"
    finally:
        service.close()
