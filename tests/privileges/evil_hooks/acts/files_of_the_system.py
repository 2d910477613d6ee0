"""Files of the system, and devices."""

import fcntl, os, resource, shutil, struct, subprocess, sys

from acts.act import act, call, Got, KNOWN, run, write


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
