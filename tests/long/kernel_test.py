"""Under Debian 12's own kernel, 6.1: Landlock there knows files only, and control groups are of version 2. Each unit, with
hooks that want more than their profile grants, and a hundred deaths and reloads."""

import json
import pathlib
import re

import pytest

from harness import virtual_machine
from harness.machine import Machine

UNITS = ("hooksmtpd", "hooksmtpd-activated", "hooksmtpd-unprivileged")

LOOPBACK = pathlib.Path(__file__).parents[2] / "systemd/loopback.conf"
CROWD = 16  # instances
CALLERS = {"none": 8026, "loopback": 8027, "host": 8028}  # by their network: what they listen on
PROCESSES = 1 + 2 * (1 + 2 + CROWD + len(CALLERS))  # the supervisor; the worker and the hooks, each with its keeper

CONFIG = """
hostname = "mail.test"
[[hook]]
name = "greedy"
command = ["/srv/hooks/greedy"]
events = ["validate_sender"]
[hook.sandbox]
memory = "48M"
processes = 8
cpu = "50%"
[[hook]]
name = "maildir"
use = "maildir"
""" + f"""
[[hook]]
name = "crowd"
command = ["/srv/hooks/crowd"]
events = ["validate_sender"]
instances = {CROWD}
""" + "".join(f"""
[[hook]]
name = "caller-{network}"
command = ["/srv/hooks/caller"]
events = []
[hook.sandbox]
network = "{network}"
listen = ["127.0.0.1:{port}"]
""" for network, port in CALLERS.items())

CROWD_HOOK = "#!/bin/sh\nwhile IFS= read -r request; do echo ok; done\n"

# It shuts what it listens on down, and calls the daemon by it. What else may be wrong with that call comes after the question
# whether it may be made.
CALLER = """#!/usr/bin/perl
use Errno "EACCES";
use Fcntl;
use Socket;
open(my $way, "+<&=", 3) or die $!;
shutdown($way, 2);
fcntl($way, F_SETFL, O_NONBLOCK);
my $may = connect($way, pack_sockaddr_in(25, inet_aton("127.0.0.1"))) || $! != EACCES;
print STDERR $may ? "it may\\n" : "it may not\\n";
$| = 1;
print "ok\\n" while <STDIN>;
"""

# For who writes as "memory@" it takes too much memory, for "processes@" too many processes.
GREEDY = """#!/bin/bash
while IFS= read -r request; do
  case $request in
    *'"memory@'*) exec dd if=/dev/zero bs=100M count=1 ;;
    *'"processes@'*) for i in 1 2 3 4 5 6 7 8 9 10; do sleep 60 & done ;;
  esac
  echo ok
done
"""

ERRAND = r"""
section() { printf '\n== %s\n' "$1"; }
say() {  # SENDER: one message; the replies
  exec 5<>/dev/tcp/127.0.0.1/25
  for line in '' 'HELO client.test' "MAIL FROM:<$1>" 'RCPT TO:<b@dev.test>' DATA $'Subject: x\r\n\r\nhello\r\n.' QUIT; do
    [ -z "$line" ] || printf '%s\r\n' "$line" >&5
    IFS= read -r -t 60 reply <&5 || break
    printf '%s\n' "$reply"
    case $reply in [45]*) break ;; esac
  done
  exec 5>&-
}
walk() {
  for pid in $(find "$group" -name cgroup.procs -exec cat {} +); do
    printf '%s|' "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
    sed -n -E 's/^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):\s*(.*)/\1=\2|/p' "/proc/$pid/status" | tr -d '\n'
    printf 'descriptors=%s|group=%s\n' "$(ls -l "/proc/$pid/fd" | grep -vc '\.eml')" "$(sed -n 's/^0:://p' "/proc/$pid/cgroup")"
  done
}
named() {  # PROGRAM: the processes that run it
  for pid in $(find "$group" -name cgroup.procs -exec cat {} +); do
    mapfile -d '' -t words <"/proc/$pid/cmdline" || continue
    case " ${words[*]} " in *"$1 "*) echo "$pid" ;; esac
  done 2>/dev/null
}
done=0
kill_all() {  # PROGRAM: until as many are there again
  local pid old; old=$(named "$1")
  kill -KILL $old
  for pid in $old; do
    while [ -e "/proc/$pid" ]; do sleep 0.1; done
    done=$((done + 1))
  done
  until [ "$(named "$1" | wc -w)" = "$(echo $old | wc -w)" ]; do sleep 0.1; done
}
section kernel; uname -r; stat -f -c %T /sys/fs/cgroup
section sandbox; hooksmtpd check-sandbox --json
for unit in UNITS; do
  section "$unit start"; systemctl start "$unit.service"; echo "$?"; journalctl -q -o cat -u "$unit"
  section "$unit message"; say a@client.test
  section "$unit reload"; systemctl reload "$unit"; echo "$?"
  section "$unit walk"
  group=/sys/fs/cgroup$(systemctl show --value -p ControlGroup "$unit")
  walk
  done=0
  for round in 1 2 3 4 5; do
    kill_all /srv/hooks/crowd
    kill_all /worker
    for again in 1 2 3; do systemctl reload "$unit" && done=$((done + 1)); done
    section "$unit message $round"; say a@client.test
  done
  section "$unit crashes"; echo "$done"
  section "$unit walk after"; walk
  section "$unit groups"; grep -H . "$group"/hooksmtpd.greedy*/{memory,pids,cpu}.max
  section "$unit memory"; say memory@client.test
  section "$unit processes"; say processes@client.test
  section "$unit again"; say a@client.test
  section "$unit stop"; systemctl stop "$unit.service" 2>/dev/null; echo "$?"  # it warns of a socket
  systemctl stop "$unit.socket" 2>/dev/null
  systemctl show --value -p Result "$unit"
  section "$unit journal"; journalctl -q -o cat -u "$unit"
done
section end
echo 'the end'
""".replace("UNITS", " ".join(UNITS))


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """Section -> text."""
    machine = Machine()
    try:
        machine.install_build()
        machine.write("/etc/hooksmtpd/hooksmtpd.toml", CONFIG, 0o640, "hooksmtpd")
        for name, text in {"greedy": GREEDY, "crowd": CROWD_HOOK, "caller": CALLER}.items():
            machine.write(f"/srv/hooks/{name}", text, 0o755)
        for unit in UNITS[:2]:  # which begin as root
            machine.write(f"/etc/systemd/system/{unit}.service.d/loopback.conf", LOOPBACK.read_text())
        text = virtual_machine.run(machine, ERRAND)
        print(text)
        return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in text.split("\n== ")[1:]}
    finally:
        machine.close()


def test_it_is_debians_kernel_with_control_groups_of_version_2(told):
    release, groups = told["kernel"].split()
    assert release.startswith("6.1.") and groups == "cgroup2fs"


def test_every_layer_is_there(told):
    layers = json.loads(told["sandbox"])
    assert layers["level"] == "full"
    # prctl(PR_SET_MDWE) came with Linux 6.3, and is an extra.
    assert [layer["name"] for layer in layers["layers"] if not layer["present"]] == ["fixed-code"]
    (landlock,) = [layer for layer in layers["layers"] if layer["name"] == "landlock"]
    assert "ABI 2" in landlock["why"], landlock


@pytest.mark.parametrize("unit", UNITS)
def test_it_starts_serves_reloads_and_stops(told, unit):
    assert told[f"{unit} start"].startswith("0\n"), told[f"{unit} start"]
    assert [line[:3] for line in told[f"{unit} message"].splitlines()] == ["220", "250", "250", "250", "354", "250", "221"]
    assert told[f"{unit} reload"] == "0"
    assert told[f"{unit} stop"].split() == ["0", "success"]


def walked(told, unit: str, when: str) -> list[str]:
    """A line for each process that was still there when it was looked at."""
    return [line for line in told[f"{unit} {when}"].splitlines() if "NoNewPrivs=" in line and "|group=/" in line]


def descriptors(lines: list[str]) -> dict[tuple[str, str], int]:
    """How many each process has, by its command line and its control group, which name it."""
    found = [re.fullmatch(r"(.*?)\|.*\|descriptors=(\d+)\|group=(.*)", line) for line in lines]
    return {(each[1], each[3]): int(each[2]) for each in found}


@pytest.mark.parametrize("when", ["walk", "walk after"])
@pytest.mark.parametrize("unit", UNITS)
def test_no_process_has_any_privilege(told, unit, when):
    found = [dict(re.findall(r"(\w+)=([^|\n]*)", line)) for line in walked(told, unit, when)]
    assert len(found) == PROCESSES, told[f"{unit} {when}"]
    for process in found:
        assert "0" not in (process["Uid"] + " " + process["Gid"] + " " + process["Groups"]).split(), process
        assert {int(process[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}, process
        assert process["NoNewPrivs"] == "1" and process["Seccomp"] == "2", process


@pytest.mark.parametrize("unit", UNITS)
def test_a_hundred_deaths_and_reloads_leave_everybody_with_what_he_had(told, unit):
    assert told[f"{unit} crashes"] == "100"
    for number in range(1, 6):
        assert [line[:3] for line in told[f"{unit} message {number}"].splitlines()][-2:] == ["250", "221"]
    before, after = (descriptors(walked(told, unit, when)) for when in ("walk", "walk after"))
    assert before.keys() == after.keys() and len(before) == PROCESSES
    # The connection of the message before may be there still.
    assert {who: (count, after[who]) for who, count in before.items() if after[who] > count + (who[0].split()[0].endswith("/worker"))} == {}


@pytest.mark.parametrize("unit", UNITS)
def test_what_a_hook_listens_on_leads_it_nowhere_else(told, unit):
    """Landlock cannot deny it here; the filter does."""
    said = {network: set(re.findall(rf"^hook caller-{network}/1: (it may.*)", told[f"{unit} journal"], re.MULTILINE)) for network in CALLERS}
    assert said == {"none": {"it may not"}, "loopback": {"it may not"}, "host": {"it may"}}


@pytest.mark.parametrize("unit", UNITS)
def test_the_profile_of_a_hook_is_in_force(told, unit):
    limits = dict(re.findall(r"/hooksmtpd\.greedy\S*/(\w+\.max):(.*)", told[f"{unit} groups"]))
    assert limits == {"memory.max": str(48 << 20), "pids.max": "8", "cpu.max": "50000 100000"}
    inside = [line for line in told[f"{unit} walk"].splitlines() if "/srv/hooks/greedy|" in line.replace(" |", "|")]
    assert len(inside) == 1 and "/hooksmtpd.greedy" in inside[0], told[f"{unit} walk"]


@pytest.mark.parametrize("unit", UNITS)
def test_who_wants_more_is_stopped_and_told_and_the_service_goes_on(told, unit):
    journal = told[f"{unit} journal"]
    for what in ("memory", "processes"):
        assert told[f"{unit} {what}"].splitlines()[-1].startswith("451 "), told[f"{unit} {what}"]
    assert re.search(r'^hook exit hook=greedy/1 signal=9 why="it needs more than sandbox.memory"', journal, re.MULTILINE), journal
    assert 'denied what=process why="sandbox.processes is 8"' in journal, journal
    assert told[f"{unit} again"].splitlines()[-2].startswith("250 "), told[f"{unit} again"]
