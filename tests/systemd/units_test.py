"""The units as files: what systemd says of them without starting one."""

import pathlib
import re
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "systemd"
# "Overall exposure level", ten times: starts as root; has its sockets from systemd; is never root.
EXPOSURE = {"hooksmtpd": 32, "hooksmtpd-activated": 25, "hooksmtpd-unprivileged": 10}


@pytest.fixture(scope="module")
def units(tmp_path_factory) -> pathlib.Path:
    """All of them, with programs that this machine has."""
    folder = tmp_path_factory.mktemp("units")
    for file in FOLDER.glob("*.in"):
        text = re.sub(r"@bindir@/\w+", "/bin/true", file.read_text())
        (folder / file.stem).write_text(text.replace("@examples@", "/usr/share/hooksmtpd/systemd"))
    for file in FOLDER.glob("*.socket"):
        (folder / file.name).write_text(file.read_text())
    return folder


def analyze(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["systemd-analyze", "--man=no", "--no-pager", *arguments], capture_output=True, text=True)


def with_drop_in(units: pathlib.Path, unit: str, drop_in: str) -> str:
    """A unit of one file: systemd-analyze reads no drop-in of a file that it is given by name."""
    changed = units / f"{unit}-with-{drop_in.removesuffix('.conf')}.service"
    changed.write_text((units / f"{unit}.service").read_text() + "\n" + (FOLDER / drop_in).read_text())
    return str(changed)


def test_systemd_finds_nothing_wrong_with_them(units):
    files = [str(file) for file in units.iterdir()]
    assert len(files) == 5
    done = analyze("verify", *files)
    assert done.returncode == 0 and not done.stdout and not done.stderr, done


@pytest.mark.parametrize("unit", EXPOSURE)
def test_the_exposure_of_each_is_what_we_promise(units, unit):
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE[unit]}", str(units / f"{unit}.service"))
    assert done.returncode == 0, done.stdout


def test_homes_that_can_be_read_cost_nothing_of_the_promise(units):
    path = with_drop_in(units, "hooksmtpd", "home.conf")
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE['hooksmtpd']}", path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("drop_in", ["home.conf", "loopback.conf", "credentials.conf"])
def test_a_drop_in_can_be_read_by_systemd(units, drop_in):
    done = analyze("verify", with_drop_in(units, "hooksmtpd", drop_in))
    assert done.returncode == 0 and not done.stderr, done


def settings(unit: str) -> str:
    return (FOLDER / f"{unit}.service.in").read_text()


@pytest.mark.parametrize("unit", EXPOSURE)
def test_what_a_supervisor_of_jails_needs_from_each(unit):
    """Nothing of it shows in the exposure."""
    text = settings(unit)
    for line in ("Type=notify", "KillMode=mixed", "WatchdogSec=60", "NoNewPrivileges=yes", "SystemCallErrorNumber=EPERM"):
        assert f"\n{line}\n" in text, line
    assert re.search(r"^SystemCallFilter=.*\bseccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self$", text, re.MULTILINE)
    others = set(EXPOSURE) - {unit}
    (conflicts,) = re.findall(r"^Conflicts=(.*)$", text, re.MULTILINE)
    assert set(conflicts.split()) == {f"{other}.service" for other in others}


@pytest.mark.parametrize("unit", EXPOSURE)
def test_hooks_have_control_groups_and_may_run_out_of_memory_alone(unit):
    assert "\nDelegate=memory pids cpu\nOOMPolicy=continue\n" in settings(unit)
