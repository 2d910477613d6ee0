"""Runs the servers one after the other, round after round, and compares the medians. Called by tests/bench/run."""

import argparse
import contextlib
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024


@dataclass
class Scenario:
    title: str
    load: str            # options of smtpload
    key: str = "cpu_us"  # what is compared with smtp-sink
    must: float | None = None
    aim: float | None = None


SCENARIOS = {
    "session": Scenario("100 messages of 1 KiB a connection", "--connections 64 --messages 100", must=0.85, aim=0.65),
    "pipelined": Scenario("the same with PIPELINING", "--connections 64 --messages 100 --pipelining", must=0.75, aim=0.60),
    "single": Scenario("one message a connection", "--connections 64 --messages 1", must=0.70, aim=0.55),
    "mib1": Scenario("messages of 1 MiB", f"--connections 16 --messages 10 --size {MIB}", must=0.30, aim=0.15),
    "mib25": Scenario("messages of 25 MiB", f"--connections 2 --messages 1 --size {25 * MIB - 4096}", must=0.30, aim=0.15),
    "idle": Scenario("10,000 idle connections", "--idle 10000", key="bytes_each"),
}
# Figures that are compared with a number and not with smtp-sink: (scenario, key, what it is called, divisor, must, aim).
ABSOLUTE = [
    ("mib25", "memory_growth_kib", "memory growth with 25 MiB messages, MiB", 1024, 8, 2),
    ("idle", "bytes_each", "10,000 idle connections, bytes each (PSS)", 1, 4096, 2048),
]

HOOKSMTPD_CONFIG = """hostname = "bench.test"
limits.message_size = 26214400
[[listener]]
address = ["127.0.0.1:{port}"]
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_control_group(name: str) -> Path | None:
    """A fresh accounting group (version 1 or 2), or None where we may not make one: then the process tree is measured."""
    for base in ("/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup"):
        group = Path(base, name)
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / "cpuacct.usage").exists() or "usage_usec" in read_or_empty(group / "cpu.stat"):
            return group
        group.rmdir()
    return None


def read_or_empty(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


class Server:
    """One server under test. It is asked to end by SIGTERM to the process we started, and only that."""

    def __init__(self, name: str, options: argparse.Namespace, folder: Path) -> None:
        self.port = free_port()
        self.group = make_control_group(f"hooksmtpd-bench-{os.getpid()}-{name}")
        command, environment = self.command(name, options, folder)
        self.log = open(folder / f"{name}.log", "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={**os.environ, **environment}, preexec_fn=self.join, start_new_session=True)

    def command(self, name: str, options: argparse.Namespace, folder: Path) -> tuple[list[str], dict[str, str]]:
        if name == "floor":
            return [str(options.build / "tests/bench/floor"), str(self.port)], {}
        if name == "smtp-sink":
            user = ["-u", "nobody"] if os.geteuid() == 0 else []
            return ([str(options.smtp_sink / "usr/sbin/smtp-sink"), *user, "-m", "20000", f"127.0.0.1:{self.port}", "4096"],
                    {"LD_LIBRARY_PATH": str(options.smtp_sink / "usr/lib/postfix")})
        config = folder / "etc/hooksmtpd.toml"
        config.parent.mkdir(exist_ok=True)
        config.write_text(HOOKSMTPD_CONFIG.format(port=self.port))
        return ([str(options.build / "daemon/launcher/hooksmtpd"), "run", "--config", str(config)],
                {"HOOKSMTPD_RUNTIME_DIR": str(folder / "run"), "HOOKSMTPD_STATE_DIR": str(folder / "state")})

    def join(self) -> None:
        if self.group:
            (self.group / "cgroup.procs").write_text(str(os.getpid()))

    def wait_for_greeting(self) -> None:
        """The kernel refuses connections until the server listens; what it does after that is the server's own time."""
        for _ in range(400):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as client:
                if client.recv(512).startswith(b"220"):
                    client.sendall(b"QUIT\r\n")
                    client.recv(512)
                    return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        raise RuntimeError(f"no greeting; see {self.log.name}:\n{Path(self.log.name).read_text()[-2000:]}")

    def measure(self, smtpload: Path, load: list[str]) -> dict:
        command = [str(smtpload), "--port", str(self.port), "--server-pid", str(self.process.pid), *load]
        if self.group:
            command += ["--control-group", str(self.group)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"smtpload: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        for _ in range(100):
            if not self.group:
                break
            with contextlib.suppress(OSError):
                self.group.rmdir()
                break
            time.sleep(0.02)  # a process leaves its group only when somebody has reaped it


def run(options: argparse.Namespace) -> dict:
    """{scenario: {server: [result]}}"""
    results: dict[str, dict[str, list[dict]]] = {}
    with tempfile.TemporaryDirectory(prefix="hooksmtpd-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("run", "state"):
            (folder / part).mkdir()
        for scenario in options.scenario:
            load = SCENARIOS[scenario].load.split() + ([] if scenario == "idle" else ["--seconds", str(options.seconds)])
            for turn in range(options.rounds):
                turned = turn % len(options.server)
                for server_name in options.server[turned:] + options.server[:turned]:
                    server = Server(server_name, options, folder)
                    try:
                        server.wait_for_greeting()
                        result = server.measure(options.build / "tests/bench/smtpload", load)
                    finally:
                        server.stop()
                    results.setdefault(scenario, {}).setdefault(server_name, []).append(result)
                    print(f"{scenario} {turn + 1}/{options.rounds} {server_name}: {json.dumps(result)}", file=sys.stderr)
    return results


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
          f"{options.seconds} s, interleaved; no hook, messages are accepted and thrown away.\n")
    print("CPU time per message of all processes of the server, ratios of medians to smtp-sink:\n")
    print("| | floor | smtp-sink | hooksmtpd | must | aim | |\n|---|---|---|---|---|---|---|")
    for name, servers in results.items():
        scenario = SCENARIOS[name]
        if scenario.must is None or not {"smtp-sink", "hooksmtpd"} <= servers.keys():
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
    for name, servers in results.items():
        print(f"\n{SCENARIOS[name].title}, `median [least-most]`:\n")
        keys = [key for key in next(iter(servers.values()))[0] if key not in ("errors", "messages", "processes")]
        print("| | " + " | ".join(keys) + " |\n|" + "---|" * (len(keys) + 1))
        for server, rows in servers.items():
            print(f"| {server} | " + " | ".join(spread(rows, key) for key in keys) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--build", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--smtp-sink", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="may be repeated; default: all")
    parser.add_argument("--server", action="append", choices=["floor", "smtp-sink", "hooksmtpd"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    options.scenario = options.scenario or list(SCENARIOS)
    options.server = options.server or ["floor", "smtp-sink", "hooksmtpd"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server that runs is stopped
    report(run(options), options)


if __name__ == "__main__":
    main()
