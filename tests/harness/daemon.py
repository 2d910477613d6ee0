"""The real hooksmtpd: as root in a network of its own on port 25, or as a plain user on a high port."""

import contextlib
import json
import os
import pathlib
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import hooks, processes
from harness.client import Client, session
from harness.log import Log
from harness.network import HOST, Network

BUILD = pathlib.Path(os.environ.get("HOOKSMTPD_BUILD", pathlib.Path(__file__).parents[2] / "build"))
PROGRAMS = ("daemon/launcher/hooksmtpd", "daemon/worker/worker", "daemon/ctl/hooksmtpctl", "hooks/inbox/inbox", "hooks/maildir/maildir", "hooks/mime/mime",
            "daemon/sendmail/sendmail", "daemon/passwd/passwd", "daemon/tls/tls",
            "daemon/keyholder/keyholder")

PLAIN_USER = 61999  # nobody else's: without a passwd entry


def copy_programs(folder: pathlib.Path) -> None:
    """The build's programs, laid out as they are there: each finds its siblings by its own place."""
    for name in PROGRAMS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(BUILD / name, folder / name)


def supervisor_gid() -> int:
    """Who may read configuration files besides root."""
    try:
        return pwd.getpwnam("hooksmtpd").pw_gid
    except KeyError:
        return 60797


# Hands listening sockets over as systemd does: arguments are NAME=DESCRIPTOR..., "--" and the command.
ACTIVATE = """
import fcntl, os, sys
end = sys.argv.index("--")
given = [word.split("=") for word in sys.argv[1:end]]
copies = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for _, fd in given]
for place, copy in enumerate(copies, start=3):
    os.dup2(copy, place)
    os.close(copy)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)), LISTEN_FDNAMES=":".join(name for name, _ in given))
os.execv(sys.argv[end + 1], sys.argv[end + 1:])
"""


class Daemon:
    """`config` is TOML; hook() adds to it. Nothing runs before start(). `wrapper` goes before the command line.
    `sockets`: (name, listening socket), handed over as systemd does."""

    def __init__(self, config: str = "", *, network: Network | None = None, user: int = 0,
                 programs: pathlib.Path = BUILD, arguments: tuple[str, ...] = (),
                 wrapper: tuple[str, ...] = (), log: Log | None = None,
                 sockets: list[tuple[str, socket.socket]] | None = None) -> None:
        self.owns_network = network is None and user == 0
        self.network = network or (HOST if user else Network())
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hooksmtpd-test-"))
        self.folder.chmod(0o755)
        self.user, self.arguments, self.wrapper = user, arguments, wrapper
        self.sockets = sockets or []
        self.program, self.ctl = programs / PROGRAMS[0], programs / PROGRAMS[2]
        self.config, self.hook_texts = config, ""
        self.port = 0 if user else 25
        self.environment: dict[str, str] = {}
        self.process: subprocess.Popen | None = None
        self.log = log or Log()
        for name in ("etc", "hooks", "run", "state"):
            self.own(self.folder / name, make=True)
        self.runtime, self.state = self.folder / "run", self.folder / "state"
        self.file = self.folder / "etc/hooksmtpd.toml"

    def own(self, path: pathlib.Path, make: bool = False) -> None:
        if make:
            path.mkdir()
        if self.user:
            os.chown(path, self.user, self.user)

    # --- configuration

    def hook(self, name: str, text: str, events: str | list[str] = "deliver", **settings: object) -> pathlib.Path:
        """Writes the hook's program and its [[hook]]. `settings`: further keys, as JSON spells them; `sandbox_x` goes
        to [hook.sandbox]."""
        path = hooks.write(self.folder / "hooks", name, text)
        self.own(path)
        self.hook_command(name, [str(path)], events, **settings)
        return path

    def hook_command(self, name: str, command: list[str], events: str | list[str] = "deliver", **settings: object) -> None:
        events = [events] if isinstance(events, str) else events
        lines = ["[[hook]]", f"name = {json.dumps(name)}", f"command = {json.dumps(command)}", f"events = {json.dumps(events)}"]
        sandbox = {key.removeprefix("sandbox_"): value for key, value in settings.items() if key.startswith("sandbox_")}
        lines += [f"{key} = {toml(value)}" for key, value in settings.items() if not key.startswith("sandbox_")]
        if sandbox:
            lines += ["[hook.sandbox]"] + [f"{key} = {toml(value)}" for key, value in sandbox.items()]
        self.hook_texts += "\n".join(lines) + "\n"

    def write_config(self) -> None:
        listener = f'[[listener]]\naddress = ["127.0.0.1:{self.port}"]\n' if "[[listener]]" not in self.config else ""
        self.file.write_text(f'hostname = "mail.test"\n{self.config}\n{listener}{self.hook_texts}')
        if self.user:
            self.own(self.file)
        else:
            os.chown(self.file, 0, supervisor_gid())
        self.file.chmod(0o640)

    def surroundings(self) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOOKSMTPD_RUNTIME_DIR": str(self.runtime),
                "HOOKSMTPD_STATE_DIR": str(self.state), "HOME": str(self.state), **self.environment}

    def as_user(self, command: list[str]) -> list[str]:
        if not self.user or self.user == os.geteuid():
            return command
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", *command]

    # --- life

    def start(self, *, ready: bool = True) -> "Daemon":
        self.write_config()
        return self.launch(["run", "--config", str(self.file), *self.arguments], ready=ready)

    def launch(self, arguments: list[str], *, ready: bool = True) -> "Daemon":
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.folder / "notify"))
        (self.folder / "notify").chmod(0o666)
        self.said: list[str] = []
        given = [(name, one.fileno()) for name, one in self.sockets]
        activate = ["/usr/bin/python3", "-c", ACTIVATE, *(f"{name}={fd}" for name, fd in given), "--"] if given else []
        with self.network:
            self.process = subprocess.Popen(self.as_user([*self.wrapper, *activate, str(self.program), *arguments]),
                                            stdin=subprocess.DEVNULL, pass_fds=[fd for _, fd in given],
                                            stdout=self.log.writing, stderr=self.log.writing, cwd=self.folder,
                                            env={**self.surroundings(), "NOTIFY_SOCKET": str(self.folder / "notify")})
        self.log.close_writing()
        self.watched = processes.Watched(self.process.pid)
        if ready:
            self.wait_notified("READY=1")
            if self.user:
                self.port = int(self.control_json("status")["addresses"][0]["address"].rpartition(":")[2])
        return self

    def wait_notified(self, line: str, seconds: float = 30) -> None:
        """Until the daemon has said `line` to its NOTIFY_SOCKET."""
        end = time.monotonic() + seconds
        while line not in self.said:
            found = select.select([self.notify, self.watched.descriptor], [], [], max(end - time.monotonic(), 0))[0]
            if self.notify in found:
                self.said += self.notify.recv(4096).decode().splitlines()
            else:
                why = "it ended" if found else f"not within {seconds} s"
                raise AssertionError(f"no {line}: {why}. It said {self.said} and logged:\n{self.log.text}")

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float = 20) -> int:
        """Its exit status."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """Ends it if it runs, and takes everything away."""
        if self.process and self.process.poll() is None:
            watched = [processes.Watched(process.pid) for process in processes.tree(self.pid)]
            self.process.kill()
            self.process.wait()
            left = processes.wait_all_gone(watched, 5)
            assert not left, f"outlived their supervisor: {left}"
        if self.owns_network:
            self.network.close()
        shutil.rmtree(self.folder)

    # --- what it is made of

    def tree(self) -> list[processes.Process]:
        return processes.tree(self.pid)

    def children(self, pid: int) -> list[int]:
        return [process.pid for process in self.tree() if process.parent == pid]

    def worker(self) -> processes.Process:
        (found,) = [process for process in self.tree() if os.path.basename(process.command[0]) == "worker"]
        return found

    def hook_processes(self, name: str) -> list[processes.Process]:
        """The hook itself, one for each instance: not its keeper."""
        path = str(self.folder / "hooks" / name)
        return [process for process in self.tree() if path in process.command]

    # --- talking to it

    def client(self, **options: object) -> Client:
        return Client(self.network, self.port, **options)

    def session(self, **options: object) -> contextlib.AbstractContextManager[Client]:
        return session(self.network, port=self.port, **options)

    def recorded(self, name: str = "recorder") -> hooks.Recorded:
        return hooks.Recorded(self.state / "hooks" / name)

    def control(self, *arguments: str, status: int | None = 0, seconds: float = 20) -> subprocess.CompletedProcess:
        done = subprocess.run(self.as_user([str(self.ctl), *arguments]), env=self.surroundings(), capture_output=True,
                              text=True, timeout=seconds)
        assert status is None or done.returncode == status, f"{arguments}: {done}\n{self.log.text}"
        return done

    def control_json(self, *arguments: str, status: int = 0) -> dict:
        return json.loads(self.control(*arguments, "--json", status=status).stdout)

    def run(self, command: list[str], **options: object) -> subprocess.CompletedProcess:
        """A client program in the daemon's network."""
        with self.network:
            return subprocess.run(command, capture_output=True, timeout=60, **options)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)
