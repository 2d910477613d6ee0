"""systemd/install and systemd/uninstall, but for the building, in a systemd that has booted."""

import json
import pathlib
import shutil
import subprocess

import pytest

from harness.client import Client
from harness.daemon import BUILD
from harness.machine import Machine

FOLDER = pathlib.Path(__file__).parents[2] / "systemd"
UNITS = ["hooksmtpd", "hooksmtpd-activated", "hooksmtpd-unprivileged"]


@pytest.fixture(scope="module")
def machine():
    machine = Machine()
    try:
        machine.install_build()
        shutil.copytree(FOLDER, machine.root / "srv/clone/systemd")
        machine.write("/etc/hooksmtpd/hooksmtpd.toml", 'hostname = "mail.test"\n', 0o640, "hooksmtpd")
        yield machine.boot()
    finally:
        machine.close()


def test_the_unit_of_choice_serves_and_no_other_one(machine):
    for unit in (*UNITS, UNITS[0]):
        machine.run("bash", "-euc", f". /srv/clone/systemd/units.bash; use_unit {unit}")
        enabled = [other for other in UNITS if machine.run("systemctl", "is-enabled", other, status=None).strip() == "enabled"]
        active = [other for other in UNITS if machine.run("systemctl", "is-active", other, status=None).strip() == "active"]
        assert enabled == active == [unit]
        with Client(machine.network) as client:
            assert client.reply().code == 220


@pytest.mark.parametrize("arguments", [["no-such-unit"], ["hooksmtpd", "hooksmtpd-activated", "--help"]])
def test_a_wrong_word_gets_the_usage(arguments):
    done = subprocess.run([str(FOLDER / "install"), *arguments], capture_output=True, text=True)
    assert done.returncode == 64
    assert "systemd/install [UNIT] [DROP-IN...]" in done.stderr and "hooksmtpd-unprivileged" in done.stderr


def test_uninstall_leaves_nothing_but_configuration_and_state(machine):
    """The last test of this machine."""
    listing = subprocess.run(["meson", "introspect", "--installed", str(BUILD)], check=True, capture_output=True, text=True)
    installed = [machine.root / path.lstrip("/") for path in json.loads(listing.stdout).values()]
    assert len(installed) > 20 and all(path.exists() for path in installed)
    machine.run("/srv/clone/systemd/uninstall")
    assert [path for path in installed if path.exists()] == []
    assert machine.run("systemctl", "list-unit-files", "--no-legend", "hooksmtpd*", status=None).strip() == ""
    assert (machine.root / "etc/hooksmtpd/hooksmtpd.toml").exists() and (machine.root / "var/lib/hooksmtpd").exists()
    machine.run("/srv/clone/systemd/uninstall", "--purge")
    assert not (machine.root / "etc/hooksmtpd").exists() and not (machine.root / "var/lib/hooksmtpd").exists()
