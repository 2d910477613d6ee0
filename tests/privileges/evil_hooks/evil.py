#!/usr/bin/python3
# A hook that has gone over to the enemy. A message whose body has lines NAME=VALUE (what an insider could know: names and
# pids of others) makes it try every act of acts/, each in a process of its own; what each got goes to the file `report`, a
# line of JSON: {"act": ..., "got": ...}. "done" means that the kernel let it. Acts that `without` names are left out.
import ctypes, errno, json, os, select, signal, socket, sys

from acts.act import ACTS, KNOWN, Got, libc
from acts import files_of_others, files_of_the_system, identities, calls, processes, share, network


def attempt(function):
    """What `function` got, in a process of its own that may die of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.setpgid(0, 0)
        try:
            function()
            got = "done"
        except Got as other:
            got = str(other)
        except socket.gaierror:
            got = "no name"
        except OSError as error:
            got = errno.errorcode.get(error.errno, str(error.errno))
        except ValueError as error:
            got = "EPERM" if "not allowed to raise" in str(error) else repr(error)
        except BaseException as error:
            got = repr(error)
        os.write(writing, got.encode())
        os._exit(0)
    os.close(writing)
    told = os.read(reading, 4096).decode() if select.select([reading], [], [], 30)[0] else "hung"
    os.close(reading)
    if told == "hung":
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return told or f"killed {os.WTERMSIG(status)}"


# --- what costs the hook its life, or should: no report, one mail each

def kill_everything():
    if not os.fork():
        os.kill(-1, signal.SIGKILL)
    signal.pause()
def leave_memory_behind():
    libc.shmat.restype = ctypes.c_void_p
    for _ in range(100):
        ctypes.memset(libc.shmat(libc.shmget(0, 16 << 20, 0o1600), None, 0), 1, 16 << 20)
def say_an_endless_line():
    while True:
        os.write(1, b"x" * 65536)
def say_endless_lines():
    while True:
        os.write(1, b"ok then\n" * 8192)
def log_without_measure():
    for _ in range(200):
        os.write(2, (b"x" * 99 + b"\n") * 1000)
def leave_with_somebody_behind():
    share.stay_behind()
    os._exit(0)


LAST = {function.__name__: function for function in
        (kill_everything, leave_memory_behind, say_an_endless_line, say_endless_lines, log_without_measure, leave_with_somebody_behind)}


def perform(path):
    with open(path) as message:
        KNOWN.update(line.strip().split("=", 1) for line in message if "=" in line)
    KNOWN.update(message=path, spool=os.path.dirname(path))
    with open("report", "w", buffering=1) as report:
        for name, function in ACTS.items():
            if name in KNOWN.get("without", "").split():
                continue
            report.write(json.dumps({"act": name, "got": attempt(function)}) + "\n")


for line in sys.stdin:
    request = json.loads(line)
    name = request["to"][0].partition("@")[0] if request["event"] == "deliver" else ""
    if name == "acts":
        perform(request["message"]["path"])
        print("it is over", file=sys.stderr, flush=True)
    elif name in LAST:
        LAST[name]()
    print("ok", flush=True)
