"""More than its share."""

import os, shutil, signal

from acts.act import act


@act
def fork_without_end():
    made = []
    try:
        while len(made) < 1000:
            child = os.fork()
            if not child:
                signal.pause()
            made.append(child)
    finally:
        for child in made:
            os.kill(child, signal.SIGKILL)
@act
def take_all_memory():
    taken = []
    while len(taken) < 1000:
        taken.append(b"x" * (4 << 20))
@act
def take_all_memory_by_files_without_a_name():
    file = os.memfd_create("x")
    for _ in range(1000):
        os.write(file, b"x" * (4 << 20))
def fill(path):
    try:
        with open(path, "wb", buffering=0) as file:
            for _ in range(4000):
                file.write(b"x" * (1 << 20))
    finally:
        os.unlink(path)
@act
def fill_tmp(): fill("/tmp/x")
@act
def fill_state(): fill("x")
@act
def make_files_without_end():
    os.mkdir("/tmp/files")
    try:
        for number in range(1_000_000):
            os.mknod(f"/tmp/files/{number}")
    finally:
        shutil.rmtree("/tmp/files")
@act
def open_files_without_end():
    kept = []
    while True:
        kept.append(open("/dev/null"))
@act
def stay_behind():
    """A daemon as it is in the books: no parent, no session, no descriptor of ours."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 256)
    os.execv("/bin/sleep", ["sleep", "1000"])
