"""What /proc says about a process and everything below it."""

import contextlib
import os
import re
import select
import time
from dataclasses import dataclass, field


def read(pid: int, name: str) -> str:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read().decode(errors="replace")


def parents() -> dict[int, int]:
    """pid -> parent, of every process there is."""
    found = {}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            found[pid] = int(read(pid, "stat").rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


@dataclass
class Process:
    pid: int
    parent: int
    command: list[str]
    fields: dict[str, str] = field(repr=False)

    def numbers(self, name: str, base: int = 10) -> list[int]:
        return [int(word, base) for word in self.fields[name].split()]

    @property
    def uids(self) -> list[int]:
        return self.numbers("Uid")

    @property
    def gids(self) -> list[int]:
        return self.numbers("Gid")

    @property
    def groups(self) -> list[int]:
        return self.numbers("Groups")

    @property
    def capabilities(self) -> dict[str, int]:
        names = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
        return {name: int(self.fields[name], 16) for name in names}

    def namespace(self, kind: str) -> str:
        return os.readlink(f"/proc/{self.pid}/ns/{kind}")

    def descriptors(self) -> dict[int, str]:
        """Number -> what it leads to. The null device has one name, however its jail came by it."""
        folder, null = f"/proc/{self.pid}/fd", os.stat("/dev/null").st_rdev
        found = {}
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # it was closed just now
                is_null = os.stat(f"{folder}/{name}").st_rdev == null
                found[int(name)] = "/dev/null" if is_null else os.readlink(f"{folder}/{name}")
        return found

    def root_entries(self) -> set[str]:
        return set(os.listdir(f"/proc/{self.pid}/root/"))

    def mounts(self) -> list[tuple[str, str, list[str]]]:
        """(mount point, file system, options)"""
        found = []
        for line in read(self.pid, "mountinfo").splitlines():
            before, _, after = line.partition(" - ")
            fields = before.split()
            found.append((fields[4], after.split()[0], fields[5].split(",")))
        return found


def look(pid: int, parent: int = 0) -> Process:
    fields = dict(re.findall(r"^(\w+):[ \t]*(.*)$", read(pid, "status"), re.MULTILINE))
    command = read(pid, "cmdline").rstrip("\0").split("\0")
    return Process(pid, parent or int(fields["PPid"]), command, fields)


def tree(root: int) -> list[Process]:
    """`root` and everything below it, parents first, zombies left out."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found, todo = [], [root]
    while todo:
        pid = todo.pop(0)
        try:
            process = look(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if not process.fields["State"].startswith("Z"):
            found.append(process)
        todo += children.get(pid, [])
    return found


class Watched:
    """A process that may end at any time. Its number cannot come to mean another."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.descriptor = os.pidfd_open(pid)

    def wait_gone(self, seconds: float) -> bool:
        gone = bool(select.select([self.descriptor], [], [], max(seconds, 0))[0])
        if gone:
            os.close(self.descriptor)
        return gone


def wait_all_gone(watched: list[Watched], seconds: float) -> list[int]:
    """The pids of those that are still there when the time is up."""
    end = time.monotonic() + seconds
    return [process.pid for process in watched if not process.wait_gone(end - time.monotonic())]
