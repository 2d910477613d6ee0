"""The Debian package: built, judged by lintian, installed where a systemd runs."""

import os
import pathlib
import subprocess
import time

import pytest

from harness.client import Client
from harness.machine import Machine

PACKAGE = pathlib.Path(__file__).parents[2] / "systemd/package"


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> pathlib.Path:
    """$HOOKSMTPD_PACKAGE, or one that is built now, which takes minutes."""
    if made := os.environ.get("HOOKSMTPD_PACKAGE"):
        return pathlib.Path(made)
    folder = tmp_path_factory.mktemp("package")
    done = subprocess.run([str(PACKAGE), str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    (deb,) = folder.iterdir()
    assert done.stdout.strip() == deb.name
    return deb


@pytest.fixture
def machine(package):
    machine = Machine()
    try:
        (machine.root / "srv/hooksmtpd.deb").write_bytes(package.read_bytes())
        yield machine.boot()
    finally:
        machine.close()


def dpkg(machine, *arguments: str) -> str:
    return machine.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *arguments)


def deliver(machine) -> None:
    with Client(machine.network) as client:
        client.greet()
        assert client.message().code == 250


def test_lintian_has_nothing_to_say(package):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning,info,override", str(package)], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


def test_manual_pages_completions_and_units_are_in_it(package):
    listing = subprocess.run(["dpkg-deb", "--contents", str(package)], check=True, capture_output=True, text=True).stdout
    names = {line.split()[5] for line in listing.splitlines()}
    assert names >= {f"./usr/share/man/{page}.gz" for page in (
        "man1/hooksmtpctl.1", "man5/hooksmtpd.toml.5", "man7/hooksmtpd-hooks.7", "man8/hooksmtpd.8", "man8/hooksmtpd-passwd.8",
        "man8/hooksmtpd-sendmail.8")}
    for program in ("hooksmtpd", "hooksmtpctl"):
        assert names >= {f"./usr/bin/{program}", f"./usr/share/bash-completion/completions/{program}",
                         f"./usr/share/zsh/vendor-completions/_{program}", f"./usr/share/fish/vendor_completions.d/{program}.fish"}
    assert names >= {f"./lib/systemd/system/{unit}" for unit in (
        "hooksmtpd.service", "hooksmtpd-activated.service", "hooksmtpd-activated.socket", "hooksmtpd-unprivileged.service",
        "hooksmtpd-unprivileged.socket")}
    assert not [name for name in names if "/usr/local" in name]


def test_it_serves_after_the_installation_through_an_upgrade_and_not_after_the_removal(machine):
    dpkg(machine, "--install", "/srv/hooksmtpd.deb")
    assert machine.show("hooksmtpd", "ActiveState") == "active"
    assert machine.run("systemctl", "is-enabled", "hooksmtpd").strip() == "enabled"
    deliver(machine)
    assert len(machine.run("hooksmtpctl", "inbox", "list", "--json").splitlines()) == 1
    before = machine.show("hooksmtpd", "MainPID")
    dpkg(machine, "--install", "/srv/hooksmtpd.deb")
    assert machine.show("hooksmtpd", "MainPID") != before
    deliver(machine)
    dpkg(machine, "--remove", "hooksmtpd")
    with pytest.raises(ConnectionRefusedError):
        Client(machine.network)
    dpkg(machine, "--purge", "hooksmtpd")
    left = [path for path in ("etc/hooksmtpd", "var/lib/hooksmtpd", "lib/systemd/system/hooksmtpd.service") if (machine.root / path).exists()]
    assert left == []


def test_another_unit_that_was_chosen_stays_the_one_through_an_upgrade(machine):
    dpkg(machine, "--install", "/srv/hooksmtpd.deb")
    machine.run("systemctl", "disable", "--now", "hooksmtpd")
    machine.run("systemctl", "enable", "--now", "hooksmtpd-activated.service")
    dpkg(machine, "--install", "/srv/hooksmtpd.deb")
    assert machine.show("hooksmtpd-activated", "ActiveState") == "active"
    assert machine.show("hooksmtpd", "ActiveState") == "inactive"
    deliver(machine)


def test_where_port_25_is_taken_it_is_not_started_and_says_by_whom(machine):
    machine.run("systemd-run", "--unit=other", "--", "systemd-socket-activate", "--accept", "-l", "127.0.0.1:25", "cat")
    end = time.monotonic() + 10
    while True:  # systemd-run does not wait for what it has started to listen
        try:
            Client(machine.network).socket.close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < end
    holder = machine.show("other", "MainPID")
    said = dpkg(machine, "--install", "/srv/hooksmtpd.deb")
    assert "not started, for port 25 is taken by" in said and f"(process {holder})" in said, said
    assert machine.show("hooksmtpd", "ActiveState") == "inactive"
    assert machine.run("systemctl", "is-enabled", "hooksmtpd", status=1).strip() == "disabled"
    machine.run("systemctl", "stop", "other")
    machine.run("systemctl", "enable", "--now", "hooksmtpd")
    deliver(machine)
