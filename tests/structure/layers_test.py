"""Includes and link lines point one way, and every header compiles alone (HACKING.md, "Layers")."""

import concurrent.futures
import os
import pathlib
import re
import subprocess

import pytest

from harness.daemon import BUILD

ROOT = pathlib.Path(__file__).parents[2]
SOURCES = [path for folder in ("proto", "config", "daemon", "hooks") for path in (ROOT / folder).rglob("*")
           if path.suffix in (".h", ".cc")]
HEADERS = [path for path in SOURCES if path.suffix == ".h"]

# What a folder may include besides itself. The longest prefix of a file's folder decides.
MAY_INCLUDE = {
    "proto/mail": [],
    "proto/sasl": [],
    "proto/smtp": ["proto/mail", "proto/sasl"],
    "proto/hook": ["proto/mail"],
    "config": ["proto"],
    "daemon/sys": ["config", "proto"],
    "daemon/launcher": ["daemon/sys", "daemon/keeper", "config", "proto"],
    "daemon/keeper": ["daemon/sys", "config", "proto"],
    "daemon/tls": ["daemon/sys", "config", "proto"],
    "daemon/keyholder": ["daemon/tls", "daemon/sys", "config", "proto"],
    "daemon/worker": ["daemon/tls", "daemon/sys", "config", "proto"],
    "daemon/ctl": ["daemon/sys", "config", "proto"],
    "daemon/sendmail": ["daemon/sys", "config", "proto"],
    "daemon/passwd": ["daemon/sys", "proto/sasl"],
    "hooks": ["proto/hook", "proto/mail"],
}


def includes(path: pathlib.Path, quote: str = '"') -> list[str]:
    closing = ">" if quote == "<" else quote
    return re.findall(rf"^\s*#\s*include\s*{quote}([^{closing}]+){closing}", path.read_text(), re.MULTILINE)


def layer(path: str) -> str:
    return max((name for name in MAY_INCLUDE if path.startswith(name + "/")), key=len)


def test_there_is_something_to_check():
    assert len(SOURCES) > 50


@pytest.mark.parametrize("name", MAY_INCLUDE)
def test_includes_point_one_way(name):
    wrong = []
    for path in SOURCES:
        relative = str(path.relative_to(ROOT))
        if layer(relative) != name:
            continue
        for included in includes(path):
            if not any(included.startswith(folder + "/") for folder in [name, *MAY_INCLUDE[name]]):
                wrong.append(f"{relative} includes {included}")
    assert wrong == []


def test_includes_are_written_from_the_root_and_exist():
    wrong = [f"{path.relative_to(ROOT)} includes {included}" for path in SOURCES for included in includes(path)
             if not (ROOT / included).is_file()]
    assert wrong == []


def test_a_source_includes_its_own_header_first():
    wrong = []
    for path in SOURCES:
        header = path.with_suffix(".h")
        if path.suffix == ".cc" and header.exists():
            first = re.search(r'^\s*#\s*include\s*["<]([^">]+)[">]', path.read_text(), re.MULTILINE)
            if not first or first.group(1) != str(header.relative_to(ROOT)):
                wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_protocol_code_does_no_io():
    """No sockets, files, clocks, threads or log lines below proto/."""
    forbidden = ("sys/socket.h", "unistd.h", "fcntl.h", "fstream", "iostream", "thread", "mutex", "atomic", "spdlog", "event2")
    wrong = [f"{path.relative_to(ROOT)} includes <{included}>" for path in SOURCES
             if path.relative_to(ROOT).parts[0] == "proto" and not path.stem.endswith("_fuzz")
             for included in includes(path, "<") if included.startswith(forbidden)]
    assert wrong == []


def linked(program: str) -> str:
    shown = subprocess.run(["readelf", "-d", BUILD / program], check=True, capture_output=True, text=True)
    return " ".join(re.findall(r"Shared library: \[([^\]]+)\]", shown.stdout))


def test_what_was_root_links_neither_libevent_nor_openssl():
    libraries = linked("daemon/launcher/hooksmtpd")
    assert "libevent" not in libraries and "libssl" not in libraries and "libcrypto" not in libraries


def test_the_worker_links_libevent():
    assert "libevent" in linked("daemon/worker/worker")


def test_what_holds_keys_links_openssl_and_not_libevent():
    for program in ("daemon/tls/tls", "daemon/keyholder/keyholder"):
        assert "libssl" in linked(program) and "libevent" not in linked(program)


def test_one_file_uses_what_openssl_calls_deprecated():
    assert [str(path.relative_to(ROOT)) for path in SOURCES if "-Wdeprecated-declarations" in path.read_text()] == \
        ["daemon/tls/remote_key.cc"]


GMIME = subprocess.run(["pkg-config", "--cflags", "gmime-3.0"], check=True, capture_output=True, text=True).stdout.split()


def compile_alone(header: pathlib.Path) -> str:
    """What the compiler says of a source that is this header, twice."""
    flags = ["-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-D_GNU_SOURCE",
             '-DHOOKSMTPD_VERSION="0"', f"-I{ROOT}", *GMIME]
    include = f'#include "{header.relative_to(ROOT)}"\n'
    return subprocess.run(["g++", *flags, "-x", "c++", "-"], input=include * 2, capture_output=True, text=True).stderr


# So many at once, since each test has a time limit.
AT_ONCE = 16
SORTED = sorted(HEADERS)
PARTS = [SORTED[begin:begin + AT_ONCE] for begin in range(0, len(SORTED), AT_ONCE)]


@pytest.mark.parametrize("headers", PARTS, ids=lambda headers: str(headers[0].relative_to(ROOT)))
def test_each_header_compiles_alone_and_twice(headers):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [text for text in pool.map(compile_alone, headers) if text]
    assert not complaints, "\n".join(complaints)


def test_files_are_short():
    """Past 400 lines, a second thing has mostly moved in."""
    long = {str(path.relative_to(ROOT)): count for path in SOURCES if (count := len(path.read_text().splitlines())) > 450}
    assert long == {}


def test_no_file_names_a_place_on_a_developers_machine():
    wrong = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith((".git", "build", "__pycache__", "node_modules"))]
        for path in (pathlib.Path(folder, name) for name in names):
            if re.search(rb"/home/(?!ann\b)[a-z]+/", path.read_bytes()) and path != pathlib.Path(__file__):
                wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []
