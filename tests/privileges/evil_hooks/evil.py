#!/usr/bin/python3
# A hook that has gone over to the enemy. A message whose body has lines NAME=VALUE (what an insider could know: names and
# pids of others) makes it try every act below, each in a process of its own; what each got goes to the file `report`, a
# line of JSON: {"act": ..., "got": ...}. "done" means that the kernel let it.
import ctypes, errno, fcntl, json, mmap, os, resource, select, shutil, signal, socket, struct, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)
ACTS = {}
KNOWN = {}  # what the message says
HERE = os.getcwd()
KEEPER = 1


class Got(Exception):
    """Not an errno, and not just done."""


def act(function):
    ACTS[function.__name__] = function
    return function


def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) if isinstance(one, int) else one for one in arguments])
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result


def run(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, **options)
    raise Got(f"exit {done.returncode}" if done.returncode else f"done {done.stdout.strip()}".strip())


def write(path, text="x", mode="w"):
    with open(path, mode) as file:
        file.write(text)


# --- files of others

@act
def read_a_file_of_another_hook(): open(KNOWN["victim_file"]).read()
@act
def write_beside_it(): write(os.path.dirname(KNOWN["victim_file"]) + "/x")
@act
def walk_up_to_it(): open(f"{HERE}/../victim/{os.path.basename(KNOWN['victim_file'])}").read()
@act
def follow_a_link_to_it():
    os.symlink(KNOWN["victim_file"], "link-to-victim")
    open("link-to-victim").read()
@act
def see_who_has_state(): raise Got("done " + " ".join(sorted(os.listdir(HERE + "/.."))))
@act
def make_state_for_a_stranger(): os.mkdir(HERE + "/../stranger")
@act
def make_state_readable_by_all(): os.chmod(HERE, 0o777)
@act
def give_state_away(): os.chown(HERE, os.getuid(), os.getgid())
@act
def move_state_away(): os.rename(HERE, HERE + ".old")
@act
def read_a_message_of_another_hook(): open(KNOWN["victim_message"]).read()
@act
def see_who_has_a_spool(): raise Got("done " + " ".join(sorted(os.listdir(os.path.dirname(KNOWN["spool"])))))
@act
def list_own_spool(): os.listdir(KNOWN["spool"])
@act
def write_into_own_spool(): write(KNOWN["spool"] + "/x")
@act
def change_own_message(): write(KNOWN["message"], mode="a")
@act
def remove_own_message(): os.unlink(KNOWN["message"])
@act
def keep_own_message_by_a_link(): os.link(KNOWN["message"], "kept")
@act
def make_own_message_executable(): os.chmod(KNOWN["message"], 0o4777)
@act
def talk_to_a_socket_of_another_hook(): socket.socket(socket.AF_UNIX).connect(KNOWN["victim_socket"])
@act
def talk_to_the_supervisor(): socket.socket(socket.AF_UNIX).connect(KNOWN["control"])
@act
def read_the_configuration(): open(KNOWN["config"]).read()
@act
def read_the_private_key(): open(KNOWN["key"]).read()

# --- files of the system

@act
def read_shadow(): open("/etc/shadow").read()
@act
def write_passwd(): write("/etc/passwd", "root::0:0::/:/bin/sh\n", "a")
@act
def write_into_etc(): write("/etc/x")
@act
def write_ld_so_preload(): write("/etc/ld.so.preload")
@act
def write_into_usr(): write("/usr/bin/x")
@act
def write_into_root(): write("/x")
@act
def write_into_dev(): write("/dev/x")
@act
def write_own_program(): write(sys.argv[0], mode="a")
@act
def replace_own_program():
    shutil.copy(sys.argv[0], "copy")
    os.rename("copy", sys.argv[0])
@act
def remove_own_program(): os.unlink(sys.argv[0])
@act
def make_own_program_set_user_id(): os.chmod(sys.argv[0], 0o4755)
@act
def write_the_interpreter(): write(os.path.realpath("/proc/self/exe"), mode="a")
@act
def write_the_sdk(): write(os.environ["PYTHONPATH"] + "/hooksmtpd.py", mode="a")
@act
def remount_usr_by_flags(): call(165, b"none", b"/usr", b"", 32, 0)
@act
def link_a_system_file(): os.link("/usr/bin/env", "env")
@act
def look_into_the_home_of_root(): os.listdir("/root")
@act
def follow_a_link_out():
    os.symlink("/proc/1/root/etc/shadow", "link-out")
    open("link-out").read()
@act
def open_the_memory_of_the_machine(): open("/dev/mem")
@act
def open_the_log_of_the_kernel(): open("/dev/kmsg")
@act
def open_proc_kcore(): open("/proc/kcore")
@act
def open_sysrq(): open("/proc/sysrq-trigger", "w")
@act
def open_a_disk(): open(KNOWN["disk"])
@act
def open_a_terminal(): open("/dev/tty")
@act
def make_a_terminal(): open("/dev/ptmx")
@act
def write_core_pattern(): write("/proc/sys/kernel/core_pattern", "|/tmp/x")
@act
def leave_the_group_of_processes(): write("/sys/fs/cgroup/pids/cgroup.procs", "0")
@act
def write_release_agent(): write("/sys/fs/cgroup/memory/release_agent", "/tmp/x")
@act
def be_the_last_to_die(): write("/proc/self/oom_score_adj", "-1000")
@act
def map_users(): write("/proc/self/uid_map", "0 0 1")
@act
def make_a_device_for_characters(): os.mknod("mem", 0o20666, os.makedev(1, 1))
@act
def make_a_device_for_blocks(): os.mknod("sda", 0o60666, os.makedev(8, 0))
@act
def give_a_file_to_root():
    write("for-root")
    os.chown("for-root", 0, 0)
@act
def give_a_file_capabilities():
    write("with-capabilities")
    os.setxattr("with-capabilities", "security.capability", struct.pack("<IIIII", 0x02000001, ~0 & 0xffffffff, 0, 0, 0))
@act
def set_a_trusted_attribute():
    write("trusted")
    os.setxattr("trusted", "trusted.x", b"x")
@act
def make_a_file_immutable():
    write("immutable")
    with open("immutable") as file:
        fcntl.ioctl(file, 0x40086602, struct.pack("l", 0x10))
@act
def run_a_shell_with_set_user_id():
    shutil.copy("/bin/dash", "sh")
    os.chmod("sh", 0o6755)
    run("./sh", "-p", "-c", "test $(id -u) = %d && test $(id -g) = %d" % (os.getuid(), os.getgid()))
@act
def run_a_program_from_memory():
    file = os.memfd_create("program")
    with open("/usr/bin/id", "rb") as source:
        os.write(file, source.read())
    found = subprocess.run([f"/proc/self/fd/{file}", "-u"], pass_fds=[file], capture_output=True, text=True).stdout
    raise Got("done as itself" if found.strip() == str(os.getuid()) else f"done as {found}")
@act
def leave_a_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
@act
def die_with_a_core():
    child = os.fork() or os.abort()
    _, status = os.waitpid(child, 0)
    raise Got("a core" if os.WCOREDUMP(status) else "no core")

# --- being somebody else

@act
def become_root(): os.setuid(0)
@act
def become_the_group_of_root(): os.setgid(0)
@act
def become_the_worker(): os.setresuid(*[int(KNOWN["worker_uid"])] * 3)
@act
def become_the_group_of_the_victim(): os.setgid(int(KNOWN["victim_gid"]))
@act
def join_the_group_of_the_victim(): os.setgroups([int(KNOWN["victim_gid"])])
@act
def look_at_files_as_root():
    libc.setfsuid(0)
    raise Got("done as root" if libc.setfsuid(-1) == 0 else "no change")
@act
def take_capabilities():
    header, data = struct.pack("<II", 0x20080522, 0), struct.pack("<IIIIII", *[0xffffffff] * 6)
    call(126, header, data)
@act
def raise_an_ambient_capability(): call(157, 47, 2, 21, 0, 0)
@act
def keep_capabilities(): call(157, 28, 0x3f)  # PR_SET_SECUREBITS
@act
def forget_no_new_privileges(): call(157, 38, 0, 0, 0, 0)
@act
def loosen_the_filter():
    program = struct.pack("HBBI", 6, 0, 0, 0x7fff0000)
    text = ctypes.create_string_buffer(program)
    call(157, 22, 2, struct.pack("HxxxxxxP", 1, ctypes.addressof(text)))
    call(272, 0x10000000)
@act
def loosen_landlock():
    ruleset = call(444, struct.pack("QQQ", 1 << 2, 0, 0), 8, 0)
    place = os.open("/", os.O_PATH)
    call(445, ruleset, 1, struct.pack("=Qi", 1 << 2, place), 0)
    call(446, ruleset, 0)
    open(KNOWN["victim_file"])
@act
def run_su(): run("/bin/su", "-c", "id")
@act
def run_mount(): run("/bin/mount", "-t", "tmpfs", "none", "/tmp")
@act
def run_passwd(): run("/usr/bin/passwd", "-d", "root")
@act
def run_ping(): run("/usr/bin/busybox", "ping", "-c", "1", "127.0.0.1")

# --- calls that nobody here may make; with arguments for which the kernel itself would say something else, or nothing

NUMBERS = {  # of x86-64
    "process_vm_readv": (310, KEEPER, 0, 0, 0, 0, 0), "process_vm_writev": (311, KEEPER, 0, 0, 0, 0, 0),
    "pidfd_getfd": (438, -1, 0, 0), "kcmp": (312, KEEPER, KEEPER, 0, 0, 0), "process_madvise": (440, -1, 0, 0, 0, 0),
    "umount": (166, b"/tmp", 2), "chroot": (161, b"."), "pivot_root": (155, b".", b"."), "mount": (165, b"none", b"/tmp", b"tmpfs", 0, 0),
    "move_mount": (429, -1, b"", -1, b"", 0), "open_tree": (428, -100, b"/", 1), "fsopen": (430, b"tmpfs", 0),
    "fsconfig": (431, -1, 0, 0, 0, 0), "fsmount": (432, -1, 0, 0), "fspick": (433, -100, b"/", 0),
    "mount_setattr": (442, -100, b"/", 0, 0, 0), "open_tree_attr": (467, -100, b"/", 1, 0, 0),
    "unshare_user": (272, 0x10000000), "unshare_mnt": (272, 0x20000), "unshare_net": (272, 0x40000000), "unshare_pid": (272, 0x20000000),
    "setns": (308, -1, 0), "clone_newuser": (56, 0x10000000 | 17, 0, 0, 0, 0), "clone_newns": (56, 0x20000 | 17, 0, 0, 0, 0),
    "clone3": (435, 0, 0), "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0), "userfaultfd": (323, 1),
    "io_uring_setup": (425, 1, 0), "io_uring_enter": (426, -1, 0, 0, 0, 0, 0), "io_uring_register": (427, -1, 0, 0, 0),
    "add_key": (248, b"user", b"x", b"x", 1, -2), "request_key": (249, b"user", b"x", 0, -2), "keyctl": (250, 0, -3, 1),
    "init_module": (175, 0, 0, b""), "finit_module": (313, -1, b"", 0), "delete_module": (176, b"x", 0),
    "kexec_load": (246, 0, 0, 0, 0), "kexec_file_load": (320, -1, -1, 0, b"", 0),
    "clock_settime": (227, 0, 0), "settimeofday": (164, 0, 0), "clock_adjtime": (305, 0, 0), "adjtimex": (159, 0),
    "swapon": (167, b"/x", 0), "swapoff": (168, b"/x"), "reboot": (169, 0, 0, 0, 0), "acct": (163, b"/tmp/x"),
    "quotactl": (179, 0, 0, 0, 0), "quotactl_fd": (443, -1, 0, 0, 0), "ioperm": (173, 0, 1, 1), "iopl": (172, 3), "modify_ldt": (154, 0, 0, 0),
    "fanotify_init": (300, 0, 0), "fanotify_mark": (301, -1, 0, 0, 0, 0), "name_to_handle_at": (303, -100, b"/", 0, 0, 0),
    "open_by_handle_at": (304, -1, 0, 0), "syslog": (103, 3, 0, 0), "lookup_dcookie": (212, 0, 0, 0), "vhangup": (153,),
    "sethostname": (170, b"x", 1), "setdomainname": (171, b"x", 1), "uselib": (134, b"/x"), "ptrace_attach": (101, 16, KEEPER, 0, 0),
    "ptrace_me": (101, 0, 0, 0, 0), "personality": (135, 0x0040000), "move_pages": (279, KEEPER, 1, 0, 0, 0, 0),
    "migrate_pages": (256, KEEPER, 0, 0, 0), "tiocsti": (16, 0, 0x5412, b"x"),
    "tioclinux": (16, 0, 0x541c, b"\3"),
}
for name, arguments in NUMBERS.items():
    ACTS["call_" + name] = lambda arguments=arguments: call(*arguments)


def machine_code(text):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(text)
    ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
@act
def call_as_a_32_bit_program(): machine_code(b"\x53\xb8\x14\0\0\0\xcd\x80\x5b\xc3")  # getpid(), int 0x80
@act
def call_as_an_x32_program(): call(0x40000000 + 39)

# --- other processes

@act
def see_other_processes():
    own = {os.getpid(), os.getppid()}
    raise Got(f"done {len([name for name in os.listdir('/proc') if name.isdigit() and int(name) not in own])}")
for where, pid in (("keeper", KEEPER), ("victim", "victim_pid"), ("worker", "worker_pid"), ("supervisor", "supervisor_pid")):
    def number(pid=pid): return int(KNOWN.get(pid, pid))
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
        if one != signal.SIGCHLD and os.kill(KEEPER, one):
            pass
@act
def kill_by_a_pidfd():
    call(424, call(434, KEEPER, 0), 9, 0, 0)
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

# --- more than its share

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

# --- the network

def tcp(address, port, family=socket.AF_INET, protocol=0):
    one = socket.socket(family, socket.SOCK_STREAM, protocol)
    one.settimeout(2)
    one.connect((address, port))
@act
def connect_to_the_daemon(): tcp("127.0.0.1", 25)
@act
def connect_to_a_neighbour(): tcp("10.0.0.5", 5432)
@act
def connect_by_ipv6(): tcp("::1", 25, socket.AF_INET6)
@act
def connect_by_multipath_tcp(): tcp("127.0.0.1", 25, protocol=262)
@act
def connect_by_sctp(): tcp("127.0.0.1", 25, protocol=132)
@act
def connect_by_fast_open():
    socket.socket().sendto(b"x", 0x20000000, ("127.0.0.1", 25))
@act
def send_a_datagram(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("10.0.0.5", 53))
@act
def ask_for_a_name(): socket.getaddrinfo("example.com", 25)
@act
def bind_a_port(): socket.socket().bind(("127.0.0.1", 8080))
@act
def bind_any_port(): socket.socket().bind(("0.0.0.0", 0))
@act
def bind_port_25(): socket.socket().bind(("127.0.0.1", 25))
@act
def make_a_raw_socket(): socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
@act
def make_a_ping_socket(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)
@act
def raise_the_loopback():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(one, 0x8914, struct.pack("16sh", b"lo", 1))
@act
def change_the_loopback_by_netlink():
    one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    one.send(struct.pack("=IHHIIBBHiII", 32, 16, 5, 1, 0, 0, 0, 0, 1, 1, 1))
    error = struct.unpack_from("=i", one.recv(4096), 16)[0]
    if error:
        raise OSError(-error, "")
@act
def see_interfaces(): raise Got("done " + " ".join(name for _, name in socket.if_nameindex()))
for name, family, kind, protocol in (
        ("packet", 17, 3, 3), ("audit", 16, 3, 9), ("netfilter", 16, 3, 12), ("uevent", 16, 3, 15), ("crypto", 38, 5, 0),
        ("vsock", 40, 1, 0), ("key", 15, 3, 2), ("xdp", 44, 3, 0), ("bluetooth", 31, 3, 1), ("can", 29, 3, 1), ("tipc", 30, 5, 0),
        ("rds", 21, 5, 0), ("kcm", 41, 2, 0), ("smc", 43, 1, 0), ("rxrpc", 33, 2, 2), ("nfc", 39, 3, 0)):
    ACTS["socket_" + name] = lambda family=family, kind=kind, protocol=protocol: call(41, family, kind, protocol)
@act
def talk_to_an_abstract_socket_outside(): socket.socket(socket.AF_UNIX).connect("\0" + KNOWN["abstract"])
@act
def see_descriptors_it_was_not_given():
    raise Got("done " + " ".join(name for name in sorted(os.listdir(f"/proc/{os.getppid()}/fd"), key=int) if int(name) < 3 or
              not os.readlink(f"/proc/{os.getppid()}/fd/{name}").startswith((HERE, "pipe:", "/proc"))))
@act
def find_a_secret_in_the_environment():
    raise Got("done " + " ".join(sorted(set(os.environ) - {"LC_CTYPE"})))


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
    stay_behind()
    os._exit(0)


LAST = {function.__name__: function for function in
        (kill_everything, leave_memory_behind, say_an_endless_line, say_endless_lines, log_without_measure, leave_with_somebody_behind)}


def perform(path):
    with open(path) as message:
        KNOWN.update(line.strip().split("=", 1) for line in message if "=" in line)
    KNOWN.update(message=path, spool=os.path.dirname(path))
    with open("report", "w", buffering=1) as report:
        for name, function in ACTS.items():
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
