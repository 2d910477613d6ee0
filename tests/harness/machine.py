"""A machine with a systemd of its own: Debian in a container, booted in seconds. Its processes, files and network can be
looked at from outside.

The tree that it starts from is made once by debootstrap (a minute and 300 MB) and kept in $HOOKSMTPD_TEST_TREES or
~/.cache/hooksmtpd/trees; what a test changes lies in an overlay and goes away with it."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from harness import processes
from harness.daemon import BUILD
from harness.network import Network

RELEASE, MIRROR = "bookworm", "http://deb.debian.org/debian"
# systemd, and what our programs are linked with.
PACKAGES = ["systemd", "systemd-sysv", "dbus", "libcurl4", "libevent-core-2.1-7", "libevent-extra-2.1-7", "libfmt9", "libgmime-3.0-0",
            "libidn12", "libidn2-0", "libseccomp2", "libspdlog1.10", "libsqlite3-0", "libssl3", "libtomlplusplus3", "libxml2", "zlib1g"]
# nspawn's own filter does not know them, so the guest would have no Landlock.
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


def template() -> pathlib.Path:
    """The tree that nobody changes; made where it is missing, by one at a time."""
    folder = pathlib.Path(os.environ.get("HOOKSMTPD_TEST_TREES", pathlib.Path.home() / ".cache/hooksmtpd/trees"))
    folder.mkdir(parents=True, exist_ok=True)
    what = hashlib.sha256(" ".join([RELEASE, *PACKAGES]).encode()).hexdigest()[:12]
    tree = folder / f"{RELEASE}-{what}"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            making = folder / f"{tree.name}.new"
            shutil.rmtree(making, ignore_errors=True)
            done = subprocess.run(["debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), RELEASE, str(making), MIRROR],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
            assert done.returncode == 0, f"debootstrap: {done.stdout[-4000:]}"
            shutil.rmtree(making / "var/cache/apt", ignore_errors=True)
            making.rename(tree)
    return tree


class InsideNetwork(Network):
    """The network of a process."""

    def __init__(self, pid: int) -> None:
        self.before = []
        self.descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Machine:
    """Not booted yet: `root` is its file system, to be changed before boot() and seen after it."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root: a container")
        lower = template()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hooksmtpd-machine-"))
        # Of memory: where these tests run in a container, its file system may be an overlay, which cannot be changed by another.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(self.folder)], check=True)
        self.root = self.folder / "root"
        for name in ("changes", "work", "root"):
            (self.folder / name).mkdir()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={lower},upperdir={self.folder}/changes,workdir={self.folder}/work", str(self.root)], check=True)
        self.process: subprocess.Popen | None = None
        self.leader = 0

    def install_build(self) -> None:
        """What `meson install` installs, and what systemd/install does with it on a machine."""
        subprocess.run(["meson", "install", "-C", str(BUILD), "--no-rebuild", "--quiet"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DESTDIR": str(self.root)}, umask=0o022)
        subprocess.run(["systemd-sysusers", f"--root={self.root}"], check=True, capture_output=True)
        subprocess.run(["systemd-tmpfiles", f"--root={self.root}", "--create", "--prefix=/etc/hooksmtpd"], check=True)

    def write(self, path: str, text: str, mode: int = 0o644, group: str | None = None) -> pathlib.Path:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        if group:
            os.chown(file, 0, self.group(group))
        return file

    def group(self, name: str) -> int:
        lines = (self.root / "etc/group").read_text().splitlines()
        (number,) = [line.split(":")[2] for line in lines if line.startswith(name + ":")]
        return int(number)

    def boot(self) -> "Machine":
        """Until everything that is enabled has started, or has failed to."""
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.bind(str(self.folder / "notify"))
        ready.settimeout(60)
        self.console = open(self.folder / "console", "wb")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--notify-ready=yes",
             "--link-journal=no", f"--system-call-filter={LANDLOCK}", "--machine=hooksmtpd-test", "-D", str(self.root), "--boot"],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=subprocess.STDOUT,
            env={**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify")})
        while True:
            said = dict(line.split("=", 1) for line in ready.recv(4096).decode().splitlines() if "=" in line)
            self.leader = int(said.get("X_NSPAWN_LEADER_PID", self.leader))
            if "READY" in said:
                break
        self.network = InsideNetwork(self.leader)
        return self

    def run(self, *command: str, status: int | None = 0, seconds: float = 60) -> str:
        """A command inside; its output."""
        done = subprocess.run(["nsenter", "-a", "-t", str(self.leader), "-r", "-w", "--", *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
                              env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"})
        assert status is None or done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}\n{self.journal()}"
        return done.stdout

    def journal(self, *arguments: str) -> str:
        command = ["nsenter", "-a", "-t", str(self.leader), "-r", "-w", "--", "journalctl", "--no-pager", "-q", *(arguments or ("-n", "100"))]
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout

    def show(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def processes_of(self, unit: str) -> list[processes.Process]:
        """As they are seen from outside: the main process first."""
        inside = self.show(unit, "MainPID")
        for process in processes.tree(self.leader):
            if process.fields["NSpid"].split()[1:2] == [inside]:
                return processes.tree(process.pid)
        return []

    def close(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
            self.process.wait(20)
            self.console.close()
            self.network.close()
        subprocess.run(["umount", str(self.root), str(self.folder)], check=True)
        self.folder.rmdir()
