"""A server under test: how it is started, accounted for and stopped."""

import argparse
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import hooks
import postfix
import sandbox

HOOKSMTPD_CONFIG = """hostname = "bench.test"
limits.message_size = 26214400
{open}
{tls}
[[listener]]
name = "smtp"
address = ["127.0.0.1:{port}"]
{more}
"""
SLOW_LISTENER = """hooks = ["{name}"]
[[listener]]
name = "slow"
address = ["127.0.0.1:{port}"]
hooks = ["slow"]
"""
HOOKSMTPD_TLS = """[tls]
mode = "implicit"
certificate = "{certificate}"
key = "{key}"
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


def make_certificate(folder: Path) -> None:
    """P-256, signed by itself: smtpload does not look at it."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", "/CN=bench.test", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
                   check=True, capture_output=True)


def without_verification() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Server:
    """One server under test. It is asked to end by SIGTERM to the process we started, and only that."""

    def __init__(self, name: str, options: argparse.Namespace, folder: Path, tls: bool) -> None:
        self.port, self.slow_port, self.tls = free_port(), free_port(), tls
        name, *hook = name.split("+")
        self.disturbed, self.open = "disturbed" in hook, "open" in hook
        self.hooks = list(sandbox.THREE) if "three" in hook else [one for one in hook if one not in ("disturbed", "open")]
        self.store = folder / "maildev" if name == "maildev" else None
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
            return ([str(options.postfix / "usr/sbin/smtp-sink"), *user, "-m", "20000", f"127.0.0.1:{self.port}", "4096"],
                    {"LD_LIBRARY_PATH": str(options.postfix / "usr/lib/postfix")})
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        if name == "postfix":
            return postfix.prepare(options.postfix, folder / "postfix", self.port, self.tls, certificate, key)
        programs = hooks.prepare(options, folder) if self.hooks or name == "tcllib" else folder
        self.programs = programs
        if name == "tcllib":
            return ["tclsh", str(programs / "callbacks.tcl"), str(self.port)], {}
        if name == "maildev":
            package = options.npm / "node_modules/maildev"
            program = json.loads((package / "package.json").read_text())["bin"]["maildev"]
            return (["node", str(package / program), "--smtp", str(self.port), "--web", str(free_port()),
                     "--ip", "127.0.0.1", "--web-ip", "127.0.0.1", "--mail-directory", str(self.store), "--silent"], {})
        more = SLOW_LISTENER.format(name=self.hooks[0], port=self.slow_port) if self.disturbed else ""
        for hook in self.hooks + ["slow"] * self.disturbed:
            more += hooks.config(hook, programs)
        config = folder / "etc/hooksmtpd.toml"
        config.parent.mkdir(exist_ok=True)
        config.write_text(HOOKSMTPD_CONFIG.format(
            port=self.port, more=more, open='sandbox = "none"' if self.open else "", tls=HOOKSMTPD_TLS.format(certificate=certificate, key=key) if self.tls else ""))
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
            with contextlib.suppress(OSError), self.connect() as client:
                if client.recv(512).startswith(b"220"):
                    client.sendall(b"QUIT\r\n")
                    client.recv(512)
                    return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        raise RuntimeError(f"no greeting; see {self.log.name}:\n{Path(self.log.name).read_text()[-2000:]}")

    def connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), 5)
        return without_verification().wrap_socket(plain) if self.tls else plain

    def disturbance(self) -> contextlib.AbstractContextManager:
        return hooks.disturbed(self.port, self.slow_port) if self.disturbed else contextlib.nullcontext()

    def measure(self, smtpload: Path, load: list[str]) -> dict:
        command = [str(smtpload), "--port", str(self.port), "--server-pid", str(self.process.pid), *load]
        command += ["--tls"] if self.tls else []
        if self.group:
            command += ["--control-group", str(self.group)]
        used, stored = self.used(), self.stored()
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"smtpload: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) | ({"cpu_us": self.cpu_of_stored(used, stored)} if self.store else {})

    def stored(self) -> int:
        return len(list(self.store.glob("*.eml"))) if self.store and self.store.exists() else 0

    def used(self) -> int:
        """CPU time of all its processes so far, in nanoseconds."""
        return sandbox.cpu_of_group(self.group) if self.group else 0

    def cpu_of_stored(self, used: int, stored: int) -> float:
        """Microseconds for each message since then, of a server that acknowledges what it has not stored yet: until it is idle."""
        now, before = self.used(), 0
        while now - before > 20e6:
            time.sleep(0.5)
            now, before = self.used(), now
        return (now - used) / 1000 / (self.stored() - stored)

    def start_cost(self) -> dict:
        """CPU time from the start until it is ready, all processes but the hooks; those of a control group only."""
        while "ready version=" not in Path(self.log.name).read_text():
            time.sleep(0.01)
        whole, own = self.used(), sandbox.cpu_of_hooks(self.group, self.programs)
        return {"start_ms": (whole - own) / 1e6, "hooks_ms": own / 1e6}

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
