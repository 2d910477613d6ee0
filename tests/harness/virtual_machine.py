"""A machine with Debian's own kernel: the tree of a Machine (harness/machine.py) under qemu, without KVM and therefore slow,
two minutes for a boot and a short errand. There is no disk and no network: the tree is the initial file system, and what the
errand prints comes back through a serial port.

The kernel is kept beside the trees."""

import os
import pathlib
import shutil
import subprocess

from harness.machine import Machine, template

KERNEL_PACKAGE = "linux-image-cloud-amd64"
MEMORY = "3G"
SECONDS = 900

# The initial file system cannot be left by pivot_root(2), which jails need; so the tree is copied into one that can.
INIT = """#!/bin/sh
mount -t tmpfs -o size=80%,mode=0755 tmpfs /mnt
cp -a bin etc home lib* opt root run sbin srv usr var /mnt
mkdir -p /mnt/dev /mnt/proc /mnt/sys /mnt/mnt
mkdir -m 1777 /mnt/tmp
exec switch_root /mnt /sbin/init
"""

ERRAND_UNIT = """[Unit]
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/srv/errand
StandardOutput=file:/dev/ttyS1
StandardError=inherit
[Install]
WantedBy=graphical.target
"""


def kernel() -> pathlib.Path:
    """Debian's, for machines of others; fetched where it is missing."""
    folder = template().parent / "kernel"
    if not (found := sorted(folder.glob("boot/vmlinuz-*"))):
        depends = subprocess.run(["apt-cache", "depends", "--important", KERNEL_PACKAGE], check=True, capture_output=True, text=True).stdout
        (package,) = [line.split()[1] for line in depends.splitlines() if "Depends: linux-image" in line]
        making = folder.with_suffix(".new")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        subprocess.run(["apt-get", "download", "-q", package], check=True, cwd=making, capture_output=True)
        (deb,) = making.glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", str(deb), str(making)], check=True)
        deb.unlink()
        shutil.rmtree(making / "lib", ignore_errors=True)  # its modules: nothing here needs one
        making.rename(folder)
        found = sorted(folder.glob("boot/vmlinuz-*"))
    return found[-1]


def run(machine: Machine, errand: str) -> str:
    """Boots the tree, runs the shell script `errand` there as root when all services have started, and powers off. What it
    printed."""
    machine.write("/init", INIT, 0o755)
    machine.write("/srv/errand", "#!/bin/bash\n" + errand, 0o755)
    machine.write("/etc/systemd/system/errand.service", ERRAND_UNIT)
    subprocess.run(["systemctl", f"--root={machine.root}", "enable", "errand.service"], check=True, capture_output=True)
    image, printed, console = (machine.folder / name for name in ("image", "printed", "screen"))
    with open(image, "wb") as file:
        names = subprocess.Popen(["find", ".", "-xdev", "-not", "-path", "./usr/share/doc/*", "-not", "-path", "./usr/share/locale/*",
                                  "-not", "-path", "./var/lib/apt/*"], cwd=machine.root, stdout=subprocess.PIPE)
        subprocess.run(["cpio", "--create", "--format=newc", "--quiet"], cwd=machine.root, stdin=names.stdout, stdout=file, check=True)
        names.wait()
    try:
        subprocess.run(["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", MEMORY, "-smp", "2", "-display", "none", "-no-reboot",
                        "-nic", "none", "-kernel", str(kernel()), "-initrd", str(image),
                        "-append", "console=ttyS0 rdinit=/init panic=-1 quiet systemd.show_status=false",
                        "-serial", f"file:{console}", "-serial", f"file:{printed}"],
                       stdin=subprocess.DEVNULL, check=True, timeout=SECONDS)
    finally:
        os.unlink(image)
    text = printed.read_bytes().decode(errors="replace").replace("\r", "")  # the terminal adds its own
    assert text.endswith("\nthe end\n"), f"{text[-4000:]}\non its screen:\n{console.read_text(errors='replace')[-4000:]}"
    return text
