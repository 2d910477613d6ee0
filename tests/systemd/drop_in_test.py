"""The drop-ins that come with the units: without each one a service cannot do a thing, and says so; with it, it can."""

import contextlib
import pathlib

import pytest

from harness.client import Client
from harness.machine import Machine

EXAMPLES = "/usr/local/share/hooksmtpd/systemd"


@pytest.fixture(scope="module")
def machine():
    machine = Machine()
    try:
        machine.install_build()
        machine.write("/etc/hooksmtpd/hooksmtpd.toml", 'hostname = "mail.test"\n', 0o640, "hooksmtpd")
        yield machine.boot()
    finally:
        machine.close()


@contextlib.contextmanager
def configured(machine, text: str):
    file = machine.write("/etc/hooksmtpd/conf.d/more.toml", text, 0o640, "hooksmtpd")
    try:
        yield
    finally:
        file.unlink()
        machine.run("systemctl", "stop", "hooksmtpd.service", "hooksmtpd-unprivileged.service", "hooksmtpd-unprivileged.socket")
        machine.run("systemctl", "reset-failed", status=None)


def drop_in(machine, unit: str, name: str) -> None:
    machine.run("install", "-D", "-m", "0644", f"{EXAMPLES}/{name}", f"/etc/systemd/system/{unit}.service.d/{name}")
    machine.run("systemctl", "daemon-reload")


def refused(machine, unit: str) -> str:
    """What it said."""
    machine.run("systemctl", "start", unit, status=1)
    machine.run("journalctl", "--sync")
    return machine.journal("-u", unit, "-n", "15")


def deliver(machine) -> None:
    with Client(machine.network) as client:
        client.greet()
        assert client.message().code == 250


def test_a_network_of_its_own_with_a_loopback_interface(machine):
    hook = '[[hook]]\nname = "looper"\nuse = "maildir"\n[hook.sandbox]\nnetwork = "loopback"\n'
    with configured(machine, hook):
        assert "CAP_NET_ADMIN" in refused(machine, "hooksmtpd")
        drop_in(machine, "hooksmtpd", "loopback.conf")
        machine.run("systemctl", "restart", "hooksmtpd")
        deliver(machine)


def test_a_hook_below_a_home_folder(machine):
    machine.write("/home/ann/hook.sh", "#!/bin/sh\nwhile read -r request; do echo ok; done\n", 0o755)
    hook = '[[hook]]\nname = "ann"\ncommand = ["/home/ann/hook.sh"]\nevents = ["deliver"]\n'
    with configured(machine, hook):
        assert "/home/ann" in refused(machine, "hooksmtpd")
        drop_in(machine, "hooksmtpd", "home.conf")
        machine.run("systemctl", "restart", "hooksmtpd")
        deliver(machine)


def test_a_key_that_only_root_can_read(machine):
    machine.run("hooksmtpd", "tls", "init")
    key = machine.root / "etc/hooksmtpd/tls/key.pem"
    machine.run("chmod", "0600", "/etc/hooksmtpd/tls/key.pem")
    machine.run("chown", "root:root", "/etc/hooksmtpd/tls/key.pem")
    certificate = '[tls]\nmode = "starttls"\ncertificate = "/etc/hooksmtpd/tls/cert.pem"\nkey = "%s"\n'
    with configured(machine, certificate % "/etc/hooksmtpd/tls/key.pem"):
        assert "key.pem" in refused(machine, "hooksmtpd-unprivileged")
    assert pathlib.Path(key).stat().st_uid == 0
    with configured(machine, certificate % "/run/credentials/hooksmtpd-unprivileged.service/tls.key"):
        drop_in(machine, "hooksmtpd-unprivileged", "credentials.conf")
        machine.run("systemctl", "restart", "hooksmtpd-unprivileged.service")
        with Client(machine.network) as client:
            client.greet()
            client.expect("STARTTLS", "220")
        machine.run("systemctl", "reload", "hooksmtpd-unprivileged.service")
