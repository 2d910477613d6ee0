"""What hooks cost: which ones there are, what each costs at a bare pipe, and what the figures must be."""

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DECISIONS = 3  # of a message: its sender, its recipient, and itself
EVENTS = ("validate_sender", "validate_recipient", "deliver")
CONFIG = """[[hook]]
name = "{name}"
command = {command}
events = {events}
"""


@dataclass
class Hook:
    title: str
    command: list[str]  # a file of the folder of hooks, and its arguments
    must: float = 0     # added CPU time of a decision, as a multiple of a bare pipe's: with the batching child and 64
    #                     questions out for the SDK, else with the same child and one out
    aim: float = 0


HOOKS = {
    "sdk": Hook("SDK for Python", ["sdk.py"], 2.5, 1.6),
    "batching": Hook("batching Python", ["batching.py"]),  # at a bare pipe only: the floor of the SDK for Python
    "compiled": Hook("compiled", ["accept"]),  # 5 us, aim 3
    "python": Hook("naive Python", ["naive.py"], 1.5, 1.2),
    "sh": Hook("naive sh", ["naive.sh"], 1.5, 1.2),
    "tcl": Hook("hooks/tcl", ["tcl", "-j", "64", "{hooks}/callbacks.tcl", "0"]),
    "late": Hook("compiled, 10 ms late", ["accept", "--after", "10"]),
    "slow": Hook("compiled, 200 ms late, one at a time", ["accept", "--after", "200", "--serial"]),
}
READY_MADE = ("inbox", "maildir")
COMPARED = ("sdk", "compiled", "python", "sh")


def prepare(options: argparse.Namespace, folder: Path) -> Path:
    """A folder with all of them, that only root can write: the daemon runs no other."""
    hooks = folder / "hooks"
    hooks.mkdir(exist_ok=True)
    root = HERE.parents[1]
    for file in (HERE / "hooks/sdk.py", HERE / "hooks/batching.py", HERE / "hooks/naive.py", HERE / "hooks/naive.sh", HERE / "hooks/callbacks.tcl",
                 root / "hooks/python/hooksmtpd.py", options.build / "hooks/tcl/tcl", options.build / "tests/bench/accept"):
        shutil.copyfile(file, hooks / file.name)
        (hooks / file.name).chmod(0o755)
    return hooks


def command(name: str, hooks: Path) -> list[str]:
    file, *arguments = HOOKS[name].command
    return [str(hooks / file), *(argument.format(hooks=hooks) for argument in arguments)]


def config(name: str, hooks: Path) -> str:
    if name in READY_MADE:
        return f'[[hook]]\nuse = "{name}"\n'
    events = (*EVENTS, "validate_host") if name == "tcl" else EVENTS
    return CONFIG.format(name=name, command=json.dumps(command(name, hooks)), events=json.dumps(events))


def at_bare_pipe(name: str, depth: int, options: argparse.Namespace, hooks: Path) -> dict:
    done = subprocess.run(
        [options.build / "tests/bench/hookpipe", "--requests", HERE / "hooks/requests.jsonl", "--depth", str(depth),
         "--seconds", str(options.seconds / 2), "--", *command(name, hooks)], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"hookpipe {name}: {done.stderr}")
    return json.loads(done.stdout)


@contextmanager
def disturbed(port: int, slow_port: int):
    """One client is stuck in half a line, eight wait for a slow hook."""
    stop = threading.Event()

    def wait_for_slow_hook() -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", slow_port)) as client:
            client.sendall(b"EHLO slow.test\r\n")
            while not stop.is_set():
                client.recv(65536)
                client.sendall(b"RSET\r\nMAIL FROM:<sender@example.test>\r\n")

    clients = [threading.Thread(target=wait_for_slow_hook) for _ in range(8)]
    with socket.create_connection(("127.0.0.1", port)) as stuck:
        stuck.sendall(b"EHLO half")
        for client in clients:
            client.start()
        try:
            yield
        finally:
            stop.set()
            for client in clients:
                client.join()


def verdict(value: float, must: float, aim: float) -> str:
    return "aim" if value <= aim else "must" if value <= must else "**missed**"


def report(results: dict) -> None:
    if "hooks" in results:
        report_decisions(results["hooks"])
    if "hooks-one" in results:
        report_latency(results["hooks-one"])
    for scenario, server, title, must, aim in (
            ("hooks-recipients", "hooksmtpd+late", "100 pipelined recipients, a hook that takes 10 ms each", 60, 40),):
        if server in results.get(scenario, {}):
            value = median(results[scenario][server], "p50_ms")
            print(f"\n{title}: {value:.1f} ms a message (must: {must}, {verdict(value, must, aim)})")
    if {"tcllib", "hooksmtpd+tcl"} <= results.get("hooks-tcl", {}).keys():
        theirs, ours = (median(results["hooks-tcl"][name], "cpu_us") for name in ("tcllib", "hooksmtpd+tcl"))
        print(f"\nThe same Tcl callbacks: {theirs:,.0f} us of CPU time a message in process in tcllib's smtpd, {ours:,.0f} us "
              f"behind hooksmtpd: 1/{theirs / ours:.1f} (must: 1/6, aim: 1/10, {verdict(ours / theirs, 1 / 6, 1 / 10)})")
    if "hooksmtpd+inbox" in results.get("inbox", {}):
        value = median(results["inbox"]["hooksmtpd+inbox"], "cpu_us")
        print(f"\nA message of 1 KiB, in the inbox and on disk when it is acknowledged: {value:,.0f} us of CPU time of all processes "
              f"(must: 330, aim: 150, {verdict(value, 330, 150)})")
    if "hooks-burst" in results:
        quiet, busy = (results["hooks-burst"][name] for name in ("hooksmtpd+compiled", "hooksmtpd+compiled+disturbed"))
        ratio = statistics.median(b["p99_ms"] / q["p99_ms"] for q, b in zip(quiet, busy))
        print(f"\n1,000 connections while one is stuck in half a line and a hook is slow: p99 of the others {ratio:.2f} x "
              f"undisturbed, median of {len(busy)} rounds (must: 1.5, {verdict(ratio, 1.5, 1.1)})")


def median(results: list[dict], key: str) -> float:
    return statistics.median(result[key] for result in results)


def report_decisions(servers: dict) -> None:
    base, sink = median(servers["hooksmtpd"], "cpu_us"), median(servers["smtp-sink"], "cpu_us")
    print(f"\nThree decisions a message over 64 connections. Without hooks hooksmtpd takes {base:.1f} us of CPU time a "
          f"message, smtp-sink {sink:.1f}; added by a hook, of the daemon and the hook together, microseconds a decision:\n")
    print("| | bare pipe, 64 out | bare pipe, one out | added | added / bare, 64 out | added / bare, one out | whole / smtp-sink | |")
    print("|---|---|---|---|---|---|---|---|")
    for name in COMPARED:
        if f"hooksmtpd+{name}" not in servers:
            continue
        hook = HOOKS[name]
        whole = median(servers[f"hooksmtpd+{name}"], "cpu_us")
        many, one = (median(servers[f"pipe+{name}"], f"cpu_us_{depth}") for depth in (64, 1))
        added = (whole - base) / DECISIONS
        floor = median(servers["pipe+batching"], "cpu_us_64") if name == "sdk" else one
        judged = verdict(added, 5, 3) if name == "compiled" else verdict(added / floor, hook.must, hook.aim)
        print(f"| {hook.title} | {many:.1f} | {one:.1f} | {added:.1f} | {added / many:.2f} | {added / one:.2f} "
              f"| {whole / sink:.2f} | {judged} |")
        if name == "sdk":
            told = f"A Python child that batches, and does no more, takes {floor:.1f} at a bare pipe with 64 out: the SDK " \
                   f"adds {added / floor:.2f} x that (must: 2.5, aim: 1.6)."
    print(f"\n{told}")


def report_latency(servers: dict) -> None:
    base = median(servers["hooksmtpd"], "p50_ms") * 1000
    print(f"\nOne connection. Without hooks a transaction takes {base:.0f} us (median); with one, microseconds:\n")
    print("| | bare round trip | three of them | added | ratio | must | |\n|---|---|---|---|---|---|---|")
    for name in COMPARED:
        if f"hooksmtpd+{name}" not in servers:
            continue
        bare = median(servers[f"pipe+{name}"], "p50_us_1")
        added = median(servers[f"hooksmtpd+{name}"], "p50_ms") * 1000 - base
        ratio = added / (DECISIONS * bare)
        print(f"| {HOOKS[name].title} | {bare:.0f} | {DECISIONS * bare:.0f} | {added:.0f} | {ratio:.2f} | 1.25 "
              f"| {verdict(ratio, 1.25, 1.1)} |")
