"""Runs the servers one after the other, round after round, and compares the medians. Called by tests/bench/run."""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import hooks
import sandbox
from server import Server, make_certificate

MIB = 1024 * 1024


@dataclass
class Scenario:
    title: str
    load: str            # options of smtpload
    key: str = "cpu_us"  # what is compared with smtp-sink, or with Postfix where it is about TLS
    must: float | None = None
    aim: float | None = None
    tls: bool = False
    peers: tuple[str, ...] = ()

    @property
    def servers(self) -> list[str]:
        return list(self.peers) or (["postfix", "hooksmtpd"] if self.tls else ["floor", "smtp-sink", "hooksmtpd"])


SCENARIOS = {
    "session": Scenario("100 messages of 1 KiB a connection", "--connections 64 --messages 100", must=0.85, aim=0.65),
    "pipelined": Scenario("the same with PIPELINING", "--connections 64 --messages 100 --pipelining", must=0.75, aim=0.60),
    "single": Scenario("one message a connection", "--connections 64 --messages 1", must=0.70, aim=0.55),
    "mib1": Scenario("messages of 1 MiB", f"--connections 16 --messages 10 --size {MIB}", must=0.30, aim=0.15),
    "mib25": Scenario("messages of 25 MiB", f"--connections 2 --messages 1 --size {25 * MIB - 4096}", must=0.30, aim=0.15),
    "idle": Scenario("10,000 idle connections", "--idle 10000", key="bytes_each"),
    "tls-full": Scenario("TLS 1.3, full handshake, EHLO, QUIT", "--connections 16 --messages 0 --rate 250", tls=True, must=1.0, aim=0.7),
    "tls-resumed": Scenario("the same with a resumed session", "--connections 16 --messages 0 --rate 250 --resume", tls=True, must=1.0, aim=0.7),
    "tls-mib8": Scenario("messages of 8 MiB over TLS", f"--connections 4 --messages 4 --size {8 * MIB}", tls=True, must=0.8, aim=0.5),
}
# hooksmtpd+NAME is hooksmtpd with that hook, pipe+NAME the hook at a bare pipe.
SCENARIOS |= {
    "hooks": Scenario("three decisions a message", "--connections 64 --messages 100", peers=(
        "smtp-sink", "hooksmtpd", "pipe+batching",
        *(f"{what}+{name}" for name in hooks.COMPARED for what in ("pipe", "hooksmtpd")))),
    "hooks-one": Scenario("the same, one connection", "--connections 1 --messages 100000", peers=(
        "hooksmtpd", *(f"{what}+{name}" for name in hooks.COMPARED for what in ("pipe", "hooksmtpd")))),
    "hooks-recipients": Scenario("100 pipelined recipients, a hook that takes 10 ms",
                                 "--connections 1 --messages 100 --pipelining --recipients 100", peers=("hooksmtpd+late",)),
    "hooks-tcl": Scenario("the same Tcl callbacks", "--connections 64 --messages 100", peers=("tcllib", "hooksmtpd+tcl")),
    "inbox": Scenario("messages of 1 KiB, stored", "--connections 64 --messages 100",
                      peers=("maildev", "hooksmtpd", "hooksmtpd+maildir", "hooksmtpd+inbox")),
    "inbox-single": Scenario("one message a connection, stored", "--connections 64 --messages 1", peers=("maildev", "hooksmtpd+inbox")),
    "inbox-one": Scenario("one message after the other, each on a connection of its own, stored", "--connections 1 --messages 1",
                          peers=("maildev", "hooksmtpd+inbox")),
    "hooks-burst": Scenario("1,000 connections", "--connections 1000 --messages 1",
                            peers=("hooksmtpd+compiled", "hooksmtpd+compiled+disturbed")),
}
# +open: with sandbox = "none".
SCENARIOS |= {
    "sandbox": Scenario("messages of 1 KiB in the sandbox", "--connections 64 --messages 100", peers=(
        "hooksmtpd", "hooksmtpd+open", "hooksmtpd+compiled", "hooksmtpd+compiled+open")),
    "sandbox-tls": Scenario("TLS handshakes in the sandbox", "--connections 16 --messages 0 --rate 250", tls=True, peers=(
        "hooksmtpd", "hooksmtpd+open")),
    "start": Scenario("start with three hooks", "", key="start_ms", peers=("hooksmtpd+three", "hooksmtpd+three+open")),
}
SERVERS = ["floor", "smtp-sink", "postfix", "tcllib", "maildev", "hooksmtpd"]
# Figures that are compared with a number and not with smtp-sink: (scenario, key, what it is called, divisor, must, aim).
ABSOLUTE = [
    ("mib25", "memory_growth_kib", "memory growth with 25 MiB messages, MiB", 1024, 8, 2),
    ("idle", "bytes_each", "10,000 idle connections, bytes each (PSS)", 1, 4096, 2048),
]

def run(options: argparse.Namespace) -> dict:
    """{scenario: {server: [result]}}"""
    results: dict[str, dict[str, list[dict]]] = {}
    with tempfile.TemporaryDirectory(prefix="hooksmtpd-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("run", "state"):
            (folder / part).mkdir()
        make_certificate(folder)
        for scenario in options.scenario:
            servers = [name for name in SCENARIOS[scenario].servers
                       if name.split("+")[0] in [*options.server, "pipe"] or name in options.server]
            load = SCENARIOS[scenario].load.split() + ([] if scenario == "idle" else ["--seconds", str(options.seconds)])
            for turn in range(options.rounds):
                turned = turn % len(servers)
                for server_name in servers[turned:] + servers[:turned]:
                    if server_name.startswith("pipe+"):
                        result = bare_pipe(server_name.removeprefix("pipe+"), options, folder)
                        results.setdefault(scenario, {}).setdefault(server_name, []).append(result)
                        continue
                    server = Server(server_name, options, folder, SCENARIOS[scenario].tls)
                    try:
                        server.wait_for_greeting()
                        with server.disturbance():
                            result = server.start_cost() if scenario == "start" else \
                                server.measure(options.build / "tests/bench/smtpload", load)
                    finally:
                        server.stop()
                    results.setdefault(scenario, {}).setdefault(server_name, []).append(result)
                    print(f"{scenario} {turn + 1}/{options.rounds} {server_name}: {json.dumps(result)}", file=sys.stderr)
    return results


def bare_pipe(name: str, options: argparse.Namespace, folder: Path) -> dict:
    """{key_DEPTH: value}, with one question out and with 64."""
    found = {}
    for depth in (1, 64):
        result = hooks.at_bare_pipe(name, depth, options, hooks.prepare(options, folder))
        found |= {f"{key}_{depth}": value for key, value in result.items()}
    return found


def median(results: list[dict], key: str) -> float:
    return statistics.median(result[key] for result in results)


def spread(results: list[dict], key: str) -> str:
    values = [result[key] for result in results]
    return f"{statistics.median(values):,.1f} [{min(values):,.1f}-{max(values):,.1f}]"


def verdict(value: float, must: float, aim: float) -> str:
    return "aim" if value <= aim else "must" if value <= must else "**missed**"


def report(results: dict, options: argparse.Namespace) -> None:
    cores = len(os.sched_getaffinity(0))
    print(f"Linux {platform.release()}, {cores} cores, load {os.getloadavg()[0]:.1f}, {options.rounds} rounds of "
          f"{options.seconds} s, interleaved. Where no hook is named, messages are accepted and thrown away.\n")
    if any(not SCENARIOS[name].peers for name in results):
        print("CPU time per message of all processes of the server, ratios of medians to smtp-sink:\n")
        print("| | floor | smtp-sink | hooksmtpd | must | aim | |\n|---|---|---|---|---|---|---|")
    for name, servers in results.items():
        scenario = SCENARIOS[name]
        if scenario.tls or scenario.must is None or not {"smtp-sink", "hooksmtpd"} <= servers.keys():
            continue
        sink = median(servers["smtp-sink"], scenario.key)
        ours = median(servers["hooksmtpd"], scenario.key) / sink
        floor = f"{median(servers['floor'], scenario.key) / sink:.2f}" if "floor" in servers else "-"
        print(f"| {scenario.title} | {floor} | 1 | {ours:.2f} | {scenario.must:.2f} | {scenario.aim:.2f} "
              f"| {verdict(ours, scenario.must, scenario.aim)} |")
    for name, key, title, divisor, must, aim in ABSOLUTE:
        if "hooksmtpd" not in results.get(name, {}):
            continue
        value = {server: median(servers, key) / divisor for server, servers in results[name].items()}
        floor, sink = (f"{value[peer]:,.0f}" if peer in value else "-" for peer in ("floor", "smtp-sink"))
        print(f"| {title} | {floor} | {sink} | {value['hooksmtpd']:,.1f} | {must} | {aim} "
              f"| {verdict(value['hooksmtpd'], must, aim)} |")
    report_tls(results)
    report_inbox(results, options.npm)
    hooks.report(results)
    sandbox.report(results)
    for name, servers in results.items():
        print(f"\n{SCENARIOS[name].title}, `median [least-most]`:\n")
        measured = {server: rows for server, rows in servers.items() if not server.startswith("pipe+")}
        keys = [key for key in next(iter(measured.values()))[0] if key not in ("errors", "messages", "processes")]
        print("| | " + " | ".join(keys) + " |\n|" + "---|" * (len(keys) + 1))
        for server, rows in measured.items():
            print(f"| {server} | " + " | ".join(spread(rows, key) for key in keys) + " |")


def report_tls(results: dict) -> None:
    """Beside Postfix: what a second of CPU time is good for, and the ratio of the CPU times."""
    compared = {name: servers for name, servers in results.items() if SCENARIOS[name].tls and {"postfix", "hooksmtpd"} <= servers.keys()}
    if not compared:
        return
    print("\nOver TLS, a second of CPU time of all processes of the server does:\n")
    print("| | postfix | hooksmtpd | CPU time, ratio | must | aim | |\n|---|---|---|---|---|---|---|")
    for name, servers in compared.items():
        scenario = SCENARIOS[name]
        cost = {server: median(servers[server], scenario.key) for server in ("postfix", "hooksmtpd")}
        unit, each = ("MiB", 8) if name == "tls-mib8" else ("handshakes", 1)
        done = {server: f"{each * 1e6 / value:,.0f} {unit}" for server, value in cost.items()}
        ratio = cost["hooksmtpd"] / cost["postfix"]
        print(f"| {scenario.title} | {done['postfix']} | {done['hooksmtpd']} | {ratio:.2f} | {scenario.must:.2f} | {scenario.aim:.2f} "
              f"| {verdict(ratio, scenario.must, scenario.aim)} |")


def report_inbox(results: dict, npm: Path) -> None:
    """Beside MailDev: rates by the clock and CPU times, and their ratios of each round."""
    compared = {name: servers for name, servers in results.items() if {"maildev", "hooksmtpd+inbox"} <= servers.keys()}
    if not compared:
        return
    version = json.loads((npm / "node_modules/maildev/package.json").read_text())["version"]
    print(f"\nStored by the inbox beside MailDev {version}, `median [least-most]`; the ratios are of each round (must: 20):\n")
    print("| | messages/s, MailDev | the inbox | ratio | | CPU us, MailDev | the inbox | ratio | |\n|---|---|---|---|---|---|---|---|---|")
    for name, servers in compared.items():
        cells = []
        for key in ("messages_per_second", "cpu_us"):
            theirs, ours = servers["maildev"], servers["hooksmtpd+inbox"]
            more, less = (ours, theirs) if key == "messages_per_second" else (theirs, ours)
            ratios = [{"ratio": a[key] / b[key]} for a, b in zip(more, less)]
            cells += [spread(theirs, key), spread(ours, key), spread(ratios, "ratio")]
            cells.append(verdict(1 / median(ratios, "ratio"), 1 / 20, 1 / 40))
        print(f"| {SCENARIOS[name].title} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--build", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--postfix", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--npm", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="may be repeated; default: all")
    parser.add_argument("--server", action="append", choices=SERVERS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    options.scenario = options.scenario or list(SCENARIOS)
    options.server = options.server or SERVERS
    if os.geteuid() != 0:  # Postfix starts as root only
        options.scenario = [name for name in options.scenario if not SCENARIOS[name].tls]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server that runs is stopped
    report(run(options), options)


if __name__ == "__main__":
    main()
