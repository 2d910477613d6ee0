"""Calls that nobody here may make; with arguments for which the kernel itself would say something else, or nothing."""

import ctypes, mmap

from acts.act import act, ACTS, call, keeper

NUMBERS = {  # of x86-64
    "process_vm_readv": (310, keeper, 0, 0, 0, 0, 0), "process_vm_writev": (311, keeper, 0, 0, 0, 0, 0),
    "pidfd_getfd": (438, -1, 0, 0), "kcmp": (312, keeper, keeper, 0, 0, 0), "process_madvise": (440, -1, 0, 0, 0, 0),
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
    "sethostname": (170, b"x", 1), "setdomainname": (171, b"x", 1), "uselib": (134, b"/x"), "ptrace_attach": (101, 16, keeper, 0, 0),
    "ptrace_me": (101, 0, 0, 0, 0), "personality": (135, 0x0040000), "move_pages": (279, keeper, 1, 0, 0, 0, 0),
    "migrate_pages": (256, keeper, 0, 0, 0), "tiocsti": (16, 0, 0x5412, b"x"),
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
