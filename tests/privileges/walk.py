"""What must be true of every process of the daemon, as /proc shows it from outside: promise P1, and what each may hold."""

import collections
import os
import re

from harness import processes

NAMESPACES = ("mnt", "pid", "net", "ipc", "uts")

# What a descriptor may lead to, by the role of who holds it. Names in capitals are replaced by what they are of this daemon.
EVERYBODY = ["/dev/null", "pipe:.*", "socket:.*"]
HELD = {
    "supervisor": [*EVERYBODY, r"anon_inode:\[signalfd\]", "RUNTIME", "/"],  # "/": of /proc
    "keeper of the worker": [*EVERYBODY, r"anon_inode:\[signalfd\]", "RUNTIME/spool"],
    "keeper of the keyholder": [*EVERYBODY, r"anon_inode:\[signalfd\]", r"/memfd:hooksmtpd-keys \(deleted\)"],
    "keeper of a hook": [*EVERYBODY, r"anon_inode:\[signalfd\]", "anon_inode:inotify", r"/.*hooksmtpd\.[^/]*/(cgroup\.procs|memory\.events|memory\.oom_control)"],
    "worker": [*EVERYBODY, r"anon_inode:\[(eventpoll|eventfd|timerfd)\]", "RUNTIME/spool(/.*)?"],
    "keyholder": [*EVERYBODY, r"/memfd:hooksmtpd-keys \(deleted\)"],
    "hook": [*EVERYBODY, r"anon_inode:\[event(poll|fd)\]", "STATE/hooks/NAME/.*", "HOOKS/.*"],
}

# Who may hold a pipe together with whom; one of its own anybody may have.
PIPES = {
    frozenset({"hook", "worker"}),  # its requests, its replies, its log
    frozenset({"worker", "supervisor"}), frozenset({"keyholder", "supervisor"}),  # their logs
}
# The same of sockets: a listener, and the child that accepts from it; a hook's all its instances have.
SOCKETS = {frozenset({"keeper of the worker", "worker"}), frozenset({"keeper of a hook", "hook"})}


def check(process: processes.Process) -> None:
    """No root, no capability, and no system call that is not filtered, in nothing."""
    assert len(set(process.uids)) == 1 and process.uids[0] != 0, process
    assert len(set(process.gids)) == 1 and process.gids[0] != 0, process
    assert 0 not in process.groups, process
    assert len(process.capabilities) == 5 and not any(process.capabilities.values()), process
    assert process.fields["NoNewPrivs"] == "1", process
    assert process.fields["Seccomp"] == "2", process


def walk(daemon) -> list[processes.Process]:
    found = daemon.tree()
    for process in found:
        check(process)
    return found


def role(daemon, process: processes.Process) -> str:
    if process.pid == daemon.pid:
        return "supervisor"
    title = process.command[0]
    if title.startswith("hooksmtpd: keeper of "):
        return title.removeprefix("hooksmtpd: ") if title.endswith((" the worker", " the keyholder")) else "keeper of a hook"
    name = os.path.basename(title)
    return name if name in ("worker", "keyholder") and process.command[0].startswith("/") else "hook"


def hook_of(daemon, process: processes.Process) -> str:
    """The name of the hook that it is, or is the keeper of; else its role."""
    who = role(daemon, process)
    if who == "keeper of a hook":
        return process.command[0].removeprefix("hooksmtpd: keeper of ").partition("/")[0]
    return os.path.basename(process.command[-1]) if who == "hook" else who


def check_namespaces(daemon) -> None:
    """Every keeper has namespaces of its own, which its child shares; and nobody has the machine's, but for the supervisor,
    who has its files only."""
    outside = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in NAMESPACES}
    supervisor, *others = daemon.tree()
    assert supervisor.namespace("mnt") != outside["mnt"]
    keepers = {process.pid: process for process in others if process.parent == supervisor.pid}
    for kind in NAMESPACES:
        seen = [process.namespace(kind) for process in keepers.values()]
        assert outside[kind] not in seen and supervisor.namespace(kind) not in seen, kind
        assert len(set(seen)) == len(seen), f"two keepers share a {kind} namespace"
        for process in others:
            if process.parent in keepers:
                assert process.namespace(kind) == keepers[process.parent].namespace(kind), (process, kind)


def check_roots(daemon) -> None:
    """Nothing of the machine's that is somebody's is seen by anybody."""
    hidden = {"home", "root", "boot", "media", "mnt", "opt", "srv"}
    needed = {daemon.folder.parts[1], daemon.runtime.parts[1], daemon.state.parts[1], str(daemon.program).split("/")[1]}
    for process in daemon.tree()[1:]:
        seen = {name for name in process.root_entries() if os.listdir(f"/proc/{process.pid}/root/{name}")}
        assert not hidden & seen - needed, process


def check_descriptors(daemon) -> None:
    """What each holds is in the tables above, and who holds it with whom."""
    holders: dict[str, dict[int, tuple[str, str]]] = collections.defaultdict(dict)
    for process in daemon.tree():
        who, hook = role(daemon, process), hook_of(daemon, process)
        known = {"STATE": daemon.state, "RUNTIME": daemon.runtime, "HOOKS": daemon.folder / "hooks", "NAME": hook}
        allowed = [re.sub("[A-Z]{4,}", lambda name: re.escape(str(known[name[0]])), pattern) for pattern in HELD[who]]
        for number, target in process.descriptors().items():
            assert any(re.fullmatch(pattern, target) for pattern in allowed), (who, process, number, target)
            assert target != "/" or os.path.exists(f"/proc/{process.pid}/fd/{number}/{process.pid}/status"), process
            holders[target][process.pid] = (who, hook)
    life = [target for target, held in holders.items() if target.startswith("pipe:") and len(held) > 2]
    for target, held in holders.items():
        roles, names = {who for who, _ in held.values()}, {hook for _, hook in held.values()}
        if target in life:
            assert "hook" not in roles and len(life) == 1, "only the life pipe goes to more than two, and to no hook"
        elif target.startswith("pipe:"):
            assert frozenset(roles) in PIPES or len(held) == 1, (target, held)
        elif target.startswith("socket:") and len(held) > 1:
            assert frozenset(roles) in SOCKETS and ("hook" not in roles or len(names) == 1), (target, held)


def kinds(daemon) -> list[tuple[str, collections.Counter]]:
    """For each process its role and how many descriptors it has of each kind: what must not grow. Messages come and go, the
    last of them a moment after its session."""
    found = []
    for process in daemon.tree():
        targets = list(process.descriptors().values())
        assert len([target for target in targets if target.endswith(".eml")]) <= 4, process
        kept = collections.Counter(target.partition(":[")[0] for target in targets if not target.endswith(".eml"))
        found.append((role(daemon, process), kept))
    return sorted(found, key=lambda pair: (pair[0], sorted(pair[1].items())))


def check_everything(daemon) -> None:
    walk(daemon)
    check_namespaces(daemon)
    check_roots(daemon)
    check_descriptors(daemon)
