"""Hooks that have gone over to the enemy, in sh, Python and Node: each tries every act of its program in evil_hooks/, and
what each got is in a table beside it. What the table does not name fails, and so does what is allowed where the table
says that it is not. Afterwards nobody else has noticed. Then the same with less to keep them in: as a plain user."""

import contextlib
import ctypes
import errno
import fnmatch
import json
import os
import pathlib
import platform
import shutil
import socket
import tempfile

import pytest

from harness import hooks, processes
from harness.client import Client, Reply
from harness.disk import small_disk
from privileges.evil_hooks import node, plain_user, python, shell
from privileges.sandbox_test import NO_USER_NAMESPACES
from privileges.walk import check_everything, kinds, role

PROGRAMS = pathlib.Path(__file__).parent / "evil_hooks"
LANGUAGES = {"sh": ("evil.sh", shell.EXPECTED), "python": ("evil.py", python.EXPECTED), "node": ("evil.js", node.EXPECTED)}

# Has what others want: a file, a socket, and a message that it holds as long as the file `go` is not there.
VICTIM = hooks.PYTHON + """
import json, os, socket, sys, time
try:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("socket")
    listening.listen()
except OSError as error:
    print(error, file=sys.stderr, flush=True)
with open("secret", "w") as file:
    file.write("secret")
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "deliver" and request["to"] == ["held@dev.test"]:
        print("holding", request["message"]["path"], file=sys.stderr, flush=True)
        while not os.path.exists("go"):
            time.sleep(0.05)
    print("ok", flush=True)
"""


ABSTRACT = f"hooksmtpd-test-{os.getpid()}"  # a socket outside, without a name in a folder


@pytest.fixture
def state_on_a_small_disk(make_daemon):
    """A daemon, not yet configured."""
    if os.geteuid() != 0:
        pytest.skip("needs root: users of their own")
    daemon = make_daemon('[tls]\nmode = "starttls"')
    with small_disk(daemon.state, "48m"):
        yield daemon
        if daemon.process and daemon.process.poll() is None:
            daemon.stop()


def insider(daemon, message: str, more: dict[str, object]) -> str:
    """What somebody could know who has seen more than a hook should: lines NAME=VALUE."""
    (victim,) = daemon.hook_processes("victim")
    state = daemon.state / "hooks/victim"
    known = {"victim_file": state / "secret", "victim_socket": state / "socket", "victim_message": message, "victim_pid": victim.pid,
             "victim_gid": victim.gids[0], "worker_pid": daemon.worker().pid, "worker_uid": daemon.worker().uids[0],
             "supervisor_pid": daemon.pid, "control": daemon.runtime / "control.sock", "config": daemon.file,
             "key": daemon.state / "tls/key.pem", "disk": "/dev/vda", "abstract": ABSTRACT} | more
    return "".join(f"{name}={value}\r\n" for name, value in known.items())


def begin(client: Client, recipient: str, text: str) -> None:
    """Sends a message; its reply may take a while."""
    client.expect("MAIL FROM:<a@client.test>", "250")
    client.expect(f"RCPT TO:<{recipient}>", "250")
    client.expect("DATA", "354")
    client.send(f"{text}.\r\n")


def of_namespace(name: str) -> list[processes.Watched]:
    """All processes of a pid namespace, whoever their parents are."""
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        with contextlib.suppress(FileNotFoundError, PermissionError, ProcessLookupError):
            if os.readlink(f"/proc/{pid}/ns/pid") == name:
                found.append(processes.Watched(pid))
    return found


class Costs:
    """What the daemon's own processes are and hold, before and after."""

    def __init__(self, daemon) -> None:
        own = [process for process in daemon.tree() if role(daemon, process) != "hook"]
        self.pids = {process.pid for process in own}
        self.descriptors = kinds(daemon)
        self.memory = {process.pid: int(process.fields["VmRSS"].split()[0]) for process in own}  # KiB

    def of_its_own(self) -> tuple[set[int], list]:
        """Without what hooks hold."""
        return self.pids, [(who, held) for who, held in self.descriptors if who != "hook"]


def deliver(daemon, recipient: str) -> Reply:
    with daemon.session() as client:
        reply = client.message(recipients=(f"{recipient}@dev.test",))
        client.expect("QUIT", "221")
        assert client.at_end()
    return reply


def result(one: dict) -> str:
    """What an act got: as it says, or by the exit status of its command and what that printed."""
    if "got" in one:
        return one["got"]
    if one["status"] == 0:
        return f"done {one['said']}".strip()
    for words, name in ((os.strerror(number), name) for number, name in errno.errorcode.items()):
        if words in one["said"]:
            return name
    for words, name in (("Directory nonexistent", "ENOENT"), ("No such file", "ENOENT"), ("Cannot fork", "EAGAIN")):  # dash(1)
        if words in one["said"]:
            return name
    return f"killed {one['status'] - 128}" if one["status"] > 128 else f"exit {one['status']}"


def judge(report: list[str], expected: dict[str, list[str]]) -> list[str]:
    """What is not as it should be."""
    got = {one["act"]: result(one) for one in map(json.loads, report)}
    assert len(got) == len(report), "an act was done twice"
    wrong = [f"{act} got {what}, not {' or '.join(expected.get(act, ['into the table']))}"
             for act, what in got.items() if not any(fnmatch.fnmatchcase(what, result) for result in expected.get(act, []))]
    return wrong + [f"{act} was not tried" for act in expected if act not in got]


# What may cost the hook its life, and nobody else anything: the reply, and what the log says.
LAST = {
    "kill_everything": (451, "hook exit hook=NAME/1 signal=9"),
    "leave_memory_behind": (451, "hook exit hook=NAME/1 signal=9"),
    "say_an_endless_line": (451, "hook restart hook=NAME/1 reason="),
    "say_endless_lines": (451, "hook restart hook=NAME/1 reason="),
    "log_without_measure": (250, "message id=.* reply=.250 "),
    "leave_with_somebody_behind": (451, "hook exit hook=NAME/1 "),
}


def add_evil_hook(daemon, name: str, program: str) -> None:
    shutil.copytree(PROGRAMS / "acts", daemon.folder / "hooks/acts", dirs_exist_ok=True)
    daemon.hook(name, (PROGRAMS / program).read_text(), sandbox_memory="192M", sandbox_processes=40, sandbox_files=64)


def let_act(daemon, evil: list[str], **more: object) -> None:
    """All acts of these hooks, while the victim holds a message."""
    with daemon.network:
        outside = socket.socket(socket.AF_UNIX)
    with outside, daemon.session() as held, daemon.session() as acting:
        outside.bind("\0" + ABSTRACT)
        outside.listen()
        before = {name: daemon.hook_processes(name)[0].pid for name in evil}
        begin(held, "held@dev.test", "Subject: secret\r\n\r\nsecret\r\n")
        message = daemon.log.wait(r"holding (/\S+)")[1]
        begin(acting, "acts@dev.test", "Subject: acts\r\n\r\n" + insider(daemon, message, more))
        for name in evil:
            daemon.log.wait(f"hook {name}/1 .*it is over", seconds=40)
            assert daemon.hook_processes(name)[0].pid == before[name], f"{name} died of one of its acts"
        (daemon.state / "hooks/victim/go").touch()
        assert held.reply().code == acting.reply().code == 250


def report_of(daemon, name: str) -> list[str]:
    return (daemon.state / "hooks" / name / "report").read_text().splitlines()


def let_do_its_worst(daemon, name: str, acts: dict[str, tuple[int, str]]) -> None:
    """What may cost it its life: after each the next message is accepted."""
    for act, (code, line) in acts.items():
        mark = daemon.log.mark()
        reply = deliver(daemon, act)
        assert reply.code == code, (act, reply)
        daemon.log.wait(line.replace("NAME", name), mark)
        if code != 250:
            daemon.log.wait(f"hook ready hook={name}/1 ", mark)
        assert len(daemon.log.text) - mark < 1_000_000, "what it says is logged without measure"
        assert deliver(daemon, "next").code == 250, act


on_this_processor = pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls are made by their numbers")


@on_this_processor
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_evil_hook_gets_nothing_that_is_not_its_own(state_on_a_small_disk, language):
    daemon = state_on_a_small_disk
    program, expected = LANGUAGES[language]
    assert len(expected) >= 60
    add_evil_hook(daemon, "evil", program)
    daemon.hook("victim", VICTIM)
    daemon.start()
    deliver(daemon, "first")
    before = Costs(daemon)
    (evil,), (victim,) = daemon.hook_processes("evil"), daemon.hook_processes("victim")
    namespace = evil.namespace("pid")

    let_act(daemon, ["evil"])
    assert judge(report_of(daemon, "evil"), expected) == []
    let_do_its_worst(daemon, "evil", LAST)

    assert daemon.hook_processes("victim")[0].pid == victim.pid, "another hook was disturbed"
    after = Costs(daemon)
    assert after.pids == before.pids and after.descriptors == before.descriptors
    assert all(after.memory[pid] < before.memory[pid] + 16 * 1024 for pid in before.pids), (before.memory, after.memory)
    check_everything(daemon)
    everything = of_namespace(namespace)
    assert len(everything) == 2, "its keeper and itself"
    assert daemon.stop() == 0
    assert processes.wait_all_gone(everything, 5) == [] and of_namespace(namespace) == []


def landlock_abi() -> int:
    return ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)


def with_environment(text: str) -> list[int]:
    """Pids of who has `text` in it."""
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        with contextlib.suppress(FileNotFoundError, PermissionError, ProcessLookupError):
            if text in processes.read(pid, "environ"):
                found.append(pid)
    return found


# What each level of a plain user's is, and the acts that it does not limit.
LEVELS = {"namespaced": ((), plain_user.NAMESPACED, plain_user.UNLIMITED),
          "filtered": (NO_USER_NAMESPACES, plain_user.FILTERED, plain_user.UNLIMITED_UNJAILED)}


@on_this_processor
@pytest.mark.parametrize("level", LEVELS)
def test_evil_hooks_of_a_plain_user_get_what_the_level_gives(plain_daemon, monkeypatch, level):
    if os.geteuid() != 0:
        pytest.skip("needs root: a small disk")
    if level == "filtered" and landlock_abi() < 6:
        pytest.skip("needs Linux 6.12: Landlock's rules for signals")
    wrapper, differences, unlimited = LEVELS[level]
    monkeypatch.setattr(tempfile, "tempdir", "/var/tmp")  # where Landlock alone is the wall, /tmp is everybody's
    daemon = plain_daemon('[tls]\nmode = "starttls"', wrapper=wrapper)
    evil = {language: f"evil-{language}" for language in ("python", "sh", "node")}
    with small_disk(daemon.state, "48m"):
        daemon.own(daemon.state)
        for language, name in evil.items():
            add_evil_hook(daemon, name, LANGUAGES[language][0])
        daemon.hook("victim", VICTIM)
        daemon.start()
        assert daemon.control_json("status")["isolation"]["level"] == level
        deliver(daemon, "first")
        before = Costs(daemon)
        (victim,), (first,) = daemon.hook_processes("victim"), daemon.hook_processes(evil["python"])

        known = {"keeper_pid": first.parent} if level == "filtered" else {}  # else 1
        let_act(daemon, list(evil.values()), without=" ".join(unlimited), **known)
        for language, name in evil.items():
            expected = plain_user.expected_as(differences, unlimited, LANGUAGES[language][1])
            assert judge(report_of(daemon, name), expected) == [], language
        let_do_its_worst(daemon, evil["python"], {act: cost for act, cost in LAST.items() if act != "leave_memory_behind"})

        assert sorted(os.listdir(daemon.state / "hooks")) == sorted([*evil.values(), "victim"])
        assert daemon.hook_processes("victim")[0].pid == victim.pid, "another hook was disturbed"
        assert Costs(daemon).of_its_own() == before.of_its_own()
        assert daemon.stop() == 0
        assert with_environment(str(daemon.folder)) == []
