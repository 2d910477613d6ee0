"""Other processes, and a place before them."""

import ctypes, os, resource, signal

from acts.act import act, ACTS, call, Got, keeper, KNOWN, libc


@act
def see_other_processes():
    own = {os.getpid(), os.getppid()}
    raise Got(f"done {len([name for name in os.listdir('/proc') if name.isdigit() and int(name) not in own])}")
for where, pid in (("keeper", keeper), ("victim", "victim_pid"), ("worker", "worker_pid"), ("supervisor", "supervisor_pid")):
    def number(pid=pid): return pid() if callable(pid) else int(KNOWN[pid])
    ACTS[f"read_the_environment_of_the_{where}"] = lambda number=number: open(f"/proc/{number()}/environ").read()
    ACTS[f"open_the_memory_of_the_{where}"] = lambda number=number: open(f"/proc/{number()}/mem", "r+b")
    ACTS[f"go_through_the_root_of_the_{where}"] = lambda number=number: os.listdir(f"/proc/{number()}/root")
    ACTS[f"take_a_descriptor_of_the_{where}"] = lambda number=number: os.listdir(f"/proc/{number()}/fd")
    ACTS[f"kill_the_{where}"] = lambda number=number: os.kill(number(), signal.SIGKILL)
    ACTS[f"stop_the_{where}"] = lambda number=number: os.kill(number(), signal.SIGSTOP)
    ACTS[f"limit_the_{where}"] = lambda number=number: resource.prlimit(number(), resource.RLIMIT_NOFILE, (0, 0))
    ACTS[f"slow_down_the_{where}"] = lambda number=number: os.setpriority(os.PRIO_PROCESS, number(), 19)
    ACTS[f"hold_up_the_{where}"] = lambda number=number: os.sched_setscheduler(number(), os.SCHED_IDLE, os.sched_param(0))
    ACTS[f"move_the_{where}"] = lambda number=number: os.sched_setaffinity(number(), {0})
@act
def signal_the_keeper_with_everything():
    for one in range(1, 65):
        if one != signal.SIGCHLD and os.kill(keeper(), one):
            pass
@act
def kill_by_a_pidfd():
    call(424, call(434, keeper, 0), 9, 0, 0)
@act
def be_first(): os.setpriority(os.PRIO_PROCESS, 0, -20)
@act
def be_in_real_time(): os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
@act
def take_the_disk_first(): call(251, 1, 0, 1 << 13)
@act
def lock_memory():
    if libc.mlockall(3):
        raise OSError(ctypes.get_errno(), "")
@act
def open_more_files_by_a_limit(): resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
