"""What an act is made of."""

import ctypes, os, subprocess

libc = ctypes.CDLL(None, use_errno=True)
ACTS = {}
KNOWN = {}  # what the message says
HERE = os.getcwd()


class Got(Exception):
    """Not an errno, and not just done."""


def act(function):
    ACTS[function.__name__] = function
    return function


def keeper():
    """Its pid: 1 in a namespace of its own."""
    return int(KNOWN.get("keeper_pid", 1))


def call(number, *arguments):
    """A system call. An argument may be a function that gives it."""
    given = [one() if callable(one) else one for one in arguments]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) if isinstance(one, int) else one for one in given])
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result


def run(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, **options)
    raise Got(f"exit {done.returncode}" if done.returncode else f"done {done.stdout.strip()}".strip())


def write(path, text="x", mode="w"):
    with open(path, mode) as file:
        file.write(text)
