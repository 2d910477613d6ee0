"""A file system of few octets, in place of a folder."""

import contextlib
import pathlib
import subprocess


@contextlib.contextmanager
def small_disk(folder: pathlib.Path, size: str):
    """What is below `folder` shares `size`, as mount(8) spells it. Needs root."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
