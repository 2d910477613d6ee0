"""Private keys are in the keyholder and nowhere else, by looking into the memory of every process."""

import os
import re
import smtplib
import ssl
import subprocess

import pytest

from harness import hooks, processes

TLS = """
[[listener]]
address = ["127.0.0.1:25"]
tls = "starttls"

[tls]
certificate = "{0}/cert.pem"
key = "{0}/key.pem"
ca_file = "{0}/both.pem"
"""


def private_number(key) -> list[bytes]:
    """The secret of an EC key, or a prime of an RSA key: as it stands in a file, and as OpenSSL computes with it; and lines of the file."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], check=True, capture_output=True, text=True).stdout
    digits = re.search(r"^(?:priv|prime1):\n((?: {4}.*\n)+)", text, re.MULTILINE).group(1)
    number = bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
    lines = key.read_bytes().splitlines()[1:-1]
    return [number, number[::-1], *(line for line in lines if len(line) >= 40)]


def copies(pid: int, numbers: list[bytes]) -> int:
    """How often one of `numbers` stands in the process's memory."""
    found = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            begin, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if rights[0] != "r" or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
                continue
            try:
                text = os.pread(memory.fileno(), int(end, 16) - int(begin, 16), int(begin, 16))
            except OSError:  # a guard page
                continue
            found += sum(text.count(number) for number in numbers)
    return found


def program(process: processes.Process) -> str:
    return os.path.basename(process.command[0])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", ["rsa:2048", "ec"])
def test_only_the_keyholder_has_the_private_numbers(make_daemon, kind, version):
    daemon = make_daemon()
    folder = daemon.folder / "etc"
    options = ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", kind, *options, "-nodes", "-keyout", folder / "key.pem", "-out",
                    folder / "cert.pem", "-subj", "/CN=mail.test", "-addext", "subjectAltName=DNS:mail.test"], check=True,
                   capture_output=True)
    both = (folder / "key.pem").read_text() + (folder / "cert.pem").read_text()
    (folder / "both.pem").write_text(both)  # as people make them: its certificate is taken, its key left behind
    (folder / "both.pem").chmod(0o600)
    (folder / "key.pem").chmod(0o600)
    (folder / "cert.pem").chmod(0o644)
    daemon.config = TLS.format(folder)
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    numbers = private_number(folder / "key.pem")

    context = ssl.create_default_context(cafile=folder / "cert.pem")
    context.minimum_version = context.maximum_version = version
    with daemon.network:
        for _ in range(5):
            with smtplib.SMTP("127.0.0.1", 25, timeout=10) as client:
                client._host = "mail.test"  # the name that the certificate must have
                assert client.starttls(context=context)[0] == 220
                assert client.noop()[0] == 250

    found = {}
    for process in daemon.tree():
        found[program(process)] = found.get(program(process), 0) + copies(process.pid, numbers)
    assert found.pop("keyholder") > 0  # or we would not find them anywhere
    assert set(found.values()) == {0}, found
