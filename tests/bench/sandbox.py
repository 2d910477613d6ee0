"""What the sandbox costs, beside the same daemon with sandbox = "none"."""

import statistics
from contextlib import suppress
from pathlib import Path

THREE = ("compiled", "python", "sh")  # the hooks of the start


def cpu_of_group(group: Path) -> int:
    """Nanoseconds that a control group of version 1 or 2 has used."""
    with suppress(OSError):
        return int((group / "cpuacct.usage").read_text())
    usage = next(line for line in (group / "cpu.stat").read_text().splitlines() if line.startswith("usage_usec"))
    return int(usage.split()[1]) * 1000


def cpu_of_hooks(group: Path, programs: Path) -> int:
    """Nanoseconds that those processes of it have used that run a program of that folder."""
    used = 0
    for pid in (group / "cgroup.procs").read_text().split():
        with suppress(OSError):
            if str(programs).encode() in Path("/proc", pid, "cmdline").read_bytes():
                used += int(Path("/proc", pid, "schedstat").read_text().split()[0])
    return used


def verdict(value: float, must: float) -> str:
    return "must" if value <= must else "**missed**"


def paired(rows: dict, name: str, key: str, combine) -> float:
    """The median over the rounds of what the sandbox adds."""
    return statistics.median(combine(with_it[key], without[key]) for with_it, without in zip(rows[name], rows[f"{name}+open"]))


def report(results: dict) -> None:
    def ratio(locked: float, unlocked: float) -> float:
        return (locked / unlocked - 1) * 100

    rows = results.get("sandbox", {})
    for name, what in (("hooksmtpd", "without a hook"), ("hooksmtpd+compiled", "with three decisions")):
        if {name, f"{name}+open"} <= rows.keys():
            value = paired(rows, name, "cpu_us", ratio)
            print(f"\nThe sandbox adds {value:+.1f} % of CPU time to a message {what} (must: 5 %, {verdict(value, 5)})")
    rows = results.get("sandbox-tls", {})
    if {"hooksmtpd", "hooksmtpd+open"} <= rows.keys():
        value = paired(rows, "hooksmtpd", "cpu_us", lambda locked, unlocked: locked - unlocked)
        print(f"\nIt adds {value:+.0f} us to a TLS handshake (must: 150, {verdict(value, 150)})")
    rows = results.get("start", {})
    if "hooksmtpd+three" in rows:
        value = statistics.median(row["start_ms"] for row in rows["hooksmtpd+three"])
        print(f"\nFrom the start until three hooks are ready: {value:.0f} ms of CPU time beside the hooks' own (must: 300, {verdict(value, 300)})")
