"""Each unit in a systemd that has really booted (harness/machine.py)."""

import json
import os
import signal
import socket
import threading

import pytest

from harness import processes
from harness.client import Client
from harness.machine import Machine

UNITS = {"hooksmtpd": "/var/lib/hooksmtpd", "hooksmtpd-activated": "/var/lib/hooksmtpd",
         "hooksmtpd-unprivileged": "/var/lib/hooksmtpd-unprivileged"}

CONFIG = """
hostname = "mail.test"
[[hook]]
name = "maildir"
use = "maildir"
"""


@pytest.fixture(scope="module")
def machine():
    machine = Machine()
    try:
        machine.install_build()
        machine.write("/etc/hooksmtpd/hooksmtpd.toml", CONFIG, 0o640, "hooksmtpd")
        yield machine.boot()
    finally:
        machine.close()


@pytest.fixture(params=UNITS)
def unit(machine, request):
    """Started, by its socket where it has one; stopped afterwards."""
    name = request.param
    machine.run("systemctl", "reset-failed")
    start(machine, name)
    yield name
    machine.run("systemctl", "stop", f"{name}.service")
    machine.run("systemctl", "stop", f"{name}.socket", status=None)


def start(machine, name: str) -> None:
    machine.run("systemctl", "start", f"{name}.service")


def deliver(machine) -> None:
    with Client(machine.network) as client:
        client.greet()
        assert client.message().code == 250


def stored(machine, unit: str) -> int:
    return len(list((machine.root / UNITS[unit].lstrip("/") / "hooks/maildir").glob("**/new/*")))


def check_walk(found: list[processes.Process], least: int) -> None:
    assert len(found) >= least, found
    for process in found:
        assert 0 not in {*process.uids, *process.gids, *process.groups}, process
        assert process.capabilities == dict.fromkeys(process.capabilities, 0), process
        assert process.fields["NoNewPrivs"] == "1" and process.fields["Seccomp"] == "2", process


def test_mail_is_taken_and_stored_by_a_hook(machine, unit):
    before = stored(machine, unit)
    deliver(machine)
    assert stored(machine, unit) == before + 1
    assert machine.show(unit, "StatusText").startswith("serving")


def test_no_process_of_it_has_any_privilege(machine, unit):
    deliver(machine)
    found = machine.processes_of(unit)
    check_walk(found, least=5)  # supervisor; worker and hook, each with its keeper
    users = {process.uids[0] for process in found}
    assert len(users) == (1 if unit == "hooksmtpd-unprivileged" else 3)


def test_a_reload_takes_the_new_configuration_or_fails_with_the_reason(machine, unit):
    file = machine.root / "etc/hooksmtpd/hooksmtpd.toml"
    good = file.read_text()
    main = machine.show(unit, "MainPID")
    try:
        file.write_text('banner = "reloaded"\n' + good)
        machine.run("systemctl", "reload", unit)
        with Client(machine.network) as client:
            assert "reloaded" in client.reply()
        file.write_text("banner = 7\n")
        machine.run("systemctl", "reload", unit, status=1)
        assert "hooksmtpd.toml:1" in machine.journal("-u", unit, "-n", "20")
        deliver(machine)
    finally:
        file.write_text(good)
        machine.run("systemctl", "reload", unit)
    assert machine.show(unit, "MainPID") == main
    assert machine.show(unit, "ActiveState") == "active"


def test_a_stop_leaves_nothing(machine, unit):
    deliver(machine)
    watched = [processes.Watched(process.pid) for process in machine.processes_of(unit)]
    machine.run("systemctl", "stop", f"{unit}.service")
    assert processes.wait_all_gone(watched, 1) == []
    assert machine.show(unit, "Result") == "success"


def test_the_journal_has_fields(machine, unit):
    """By its own protocol: what a line is about can be asked for, and its level."""
    deliver(machine)
    machine.run("systemctl", "stop", f"{unit}.service")  # by then all has been said
    machine.run("journalctl", "--sync")
    fields = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,HOOKSMTPD_SESSION,HOOKSMTPD_HOOK"
    lines = [json.loads(line) for line in machine.journal("-u", unit, "-o", "json", f"--output-fields={fields},_TRANSPORT").splitlines()]
    message = [line for line in lines if line["MESSAGE"].startswith("message id=")][-1]
    session = message["HOOKSMTPD_SESSION"]
    assert message["PRIORITY"] == "6" and message["_TRANSPORT"] == "journal" and message["SYSLOG_IDENTIFIER"] == "hooksmtpd"
    about = [json.loads(line)["MESSAGE"].split()[0] for line in machine.journal(f"HOOKSMTPD_SESSION={session}", "-o", "json").splitlines()]
    assert about == ["hook", "message", "session"]  # what the hook said to its standard error is among them
    by_hook = machine.journal("HOOKSMTPD_HOOK=maildir", "-u", unit, "-o", "cat", "-n", "4")
    assert "mail from=<a@client.test>" in by_hook
    assert machine.journal(f"HOOKSMTPD_TRANSACTION={session}-1", "-o", "cat").count("\n") == 2


@pytest.fixture
def impatient(machine, unit):
    """With a watchdog of two seconds. And of what is left systemd hears late in a container with control groups of version 1:
    it is waited for in vain, but not for long."""
    folder = f"/run/systemd/system/{unit}.service.d"
    machine.run("mkdir", "-p", folder)
    machine.run("sh", "-c", f"printf '[Service]\\nWatchdogSec=2\\nTimeoutStopSec=3\\n' >{folder}/watchdog.conf")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", unit)
    yield unit
    machine.run("rm", "-r", folder)
    machine.run("systemctl", "daemon-reload")


def test_a_worker_that_hangs_is_replaced_and_the_service_goes_on(machine, impatient):
    found = machine.processes_of(impatient)
    (worker,) = [process for process in found if os.path.basename(process.command[0]) == "worker"]
    watched = processes.Watched(worker.pid)
    os.kill(worker.pid, signal.SIGSTOP)
    deliver(machine)
    assert watched.wait_gone(5)
    assert machine.show(impatient, "NRestarts") == "0"
    assert machine.processes_of(impatient)[0].pid == found[0].pid


def test_a_supervisor_that_hangs_is_replaced_by_systemd(machine, impatient):
    main = machine.processes_of(impatient)[0]
    watched = processes.Watched(main.pid)
    os.kill(main.pid, signal.SIGSTOP)
    assert watched.wait_gone(10)
    machine.run("systemctl", "start", impatient)  # waits for the restart that is under way
    deliver(machine)
    assert machine.show(impatient, "NRestarts") == "1"


@pytest.mark.parametrize("unit", ["hooksmtpd-activated", "hooksmtpd-unprivileged"], indirect=True)
def test_a_restart_refuses_no_connection(machine, unit):
    over = threading.Event()
    greetings, refused = [], []

    def knock() -> None:
        while not over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", 25), 20) as client:
                    client.settimeout(20)
                    greetings.append(client.recv(1000)[:3])
            except OSError as error:
                refused.append(error)

    with machine.network:
        clients = [threading.Thread(target=knock) for _ in range(4)]
        for client in clients:
            client.start()
    try:
        for _ in range(3):
            machine.run("systemctl", "restart", f"{unit}.service")
    finally:
        over.set()
        for client in clients:
            client.join()
    assert not [error for error in refused if isinstance(error, ConnectionRefusedError)]
    assert len(greetings) > 20 and greetings.count(b"220") >= len(greetings) * 0.9


@pytest.mark.parametrize("unit", ["hooksmtpd-activated", "hooksmtpd-unprivileged"])
def test_a_connection_to_the_socket_starts_it(machine, unit):
    machine.run("systemctl", "start", f"{unit}.socket")
    try:
        assert machine.show(unit, "ActiveState") == "inactive"
        deliver(machine)
        assert machine.show(unit, "ActiveState") == "active"
    finally:
        machine.run("systemctl", "stop", f"{unit}.socket", f"{unit}.service")


def test_one_unit_takes_the_place_of_another(machine):
    for name in (*UNITS, "hooksmtpd"):
        start(machine, name)
        deliver(machine)
        running = [other for other in UNITS if machine.show(other, "ActiveState") == "active"]
        assert running == [name]
    machine.run("systemctl", "stop", "hooksmtpd")


def test_a_port_that_is_taken_is_said(machine):
    with machine.network:
        taken = socket.create_server(("127.0.0.1", 25))
    try:
        machine.run("systemctl", "start", "hooksmtpd", status=1)
        said = machine.journal("-u", "hooksmtpd", "-n", "30")
        assert "bind 127.0.0.1:25: Address already in use" in said
    finally:
        taken.close()
        machine.run("systemctl", "stop", "hooksmtpd")
