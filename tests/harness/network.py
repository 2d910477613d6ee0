"""A network namespace that lives as long as one descriptor: port 25 is free in it whatever the machine runs."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess

import pytest

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: int) -> None:
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def open_own_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Network:
    """`with network:` puts this thread, and what it starts or connects meanwhile, inside. Without root the test that
    wants one is skipped."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root: port 25, users, namespaces")
        self.before: list[int] = []
        outside = open_own_namespace()
        try:
            call("unshare", CLONE_NEWNET)
            self.descriptor = open_own_namespace()
            with socket.socket() as any_socket:
                request = struct.pack("16sh22x", b"lo", 0)
                flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
                fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
        finally:
            call("setns", outside, CLONE_NEWNET)
            os.close(outside)

    def __enter__(self) -> "Network":
        self.before.append(open_own_namespace())
        call("setns", self.descriptor, CLONE_NEWNET)
        return self

    def __exit__(self, *_: object) -> None:
        outside = self.before.pop()
        call("setns", outside, CLONE_NEWNET)
        os.close(outside)

    def add_address(self, address: str) -> None:
        """A local address that is not a loopback address."""
        alone = ["/128", "nodad"] if ":" in address else ["/32"]
        with self:
            subprocess.run(["ip", "address", "add", address + alone[0], "dev", "lo", *alone[1:]], check=True)

    def close(self) -> None:
        os.close(self.descriptor)


# For a plain user, who cannot make one: the network that is there.
HOST = contextlib.nullcontext()
