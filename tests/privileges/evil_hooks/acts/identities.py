"""Being somebody else, or more."""

import ctypes, os, struct

from acts.act import act, call, Got, KNOWN, libc, run


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
