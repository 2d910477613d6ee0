"""`hooksmtpd tls init`: an authority for this machine alone, a certificate from it, and how to trust it."""

import os
import pathlib
import re
import socket
import ssl
import stat
import subprocess

import pytest

from harness.daemon import BUILD, PLAIN_USER

HOOKSMTPD = BUILD / "daemon/launcher/hooksmtpd"


def init(folder: pathlib.Path, *arguments: str, status: int = 0, user: int = 0) -> str:
    command = [str(HOOKSMTPD), "tls", "init", "--dir", str(folder), *arguments]
    if user:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == status, done
    return done.stdout + done.stderr


def texts(folder: pathlib.Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def handshake(folder: pathlib.Path, name: str) -> None:
    """A client that trusts ca.pem alone meets a server with cert.pem."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    to_server, to_client, from_server, from_client = (ssl.MemoryBIO() for _ in range(4))
    ends = [client.wrap_bio(to_client, from_client, server_hostname=name),
            server.wrap_bio(to_server, from_server, server_side=True)]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
            to_server.write(from_client.read())
            to_client.write(from_server.read())
    assert ends[0].version() == "TLSv1.3"


def test_makes_four_files_with_their_modes_and_says_how_to_trust_them(tmp_path):
    said = init(tmp_path / "deep/tls", "--name", "mail.test")
    folder = tmp_path / "deep/tls"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    key = 0o640 if os.geteuid() == 0 else 0o600
    assert modes == {"ca.pem": 0o644, "ca-key.pem": 0o600, "cert.pem": 0o644, "key.pem": key}
    if os.geteuid() == 0:
        assert (folder / "key.pem").stat().st_gid != 0, "the keyholder's group"
    ca = str(folder / "ca.pem")
    for line in (f"curl --cacert {ca}", f'cafile="{ca}"', f"REQUESTS_CA_BUNDLE={ca}", f"NODE_EXTRA_CA_CERTS={ca}",
                 f"Import: {ca}", f"cp {ca} /usr/local/share/ca-certificates/hooksmtpd.crt && update-ca-certificates",
                 f'certificate = "{folder}/cert.pem"', f'key = "{folder}/key.pem"'):
        assert line in said
    for name in ("localhost", "mail.test", "127.0.0.1", "::1", socket.gethostname()):
        handshake(folder, name)


def test_leaves_alone_what_is_good(tmp_path):
    init(tmp_path)
    before = texts(tmp_path)
    assert "still good" in init(tmp_path)
    assert texts(tmp_path) == before


def test_a_name_outside_the_authority_is_left_out_and_one_inside_renews(tmp_path):
    init(tmp_path)
    before = texts(tmp_path)
    assert "other.example" in init(tmp_path, "--name", "other.example")
    assert texts(tmp_path) == before
    init(tmp_path, "--name", "new.test")
    after = texts(tmp_path)
    assert after["ca.pem"] == before["ca.pem"] and after["cert.pem"] != before["cert.pem"]
    handshake(tmp_path, "new.test")


def test_a_new_authority_only_when_asked(tmp_path):
    init(tmp_path)
    before = texts(tmp_path)
    init(tmp_path, "--new-ca")
    assert not set(texts(tmp_path).values()) & set(before.values())
    handshake(tmp_path, "localhost")


@pytest.mark.parametrize("arguments", [[], ["--new-ca"]])
def test_a_certificate_of_somebody_else_is_not_replaced(tmp_path, arguments):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=mail",
                    "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    before = texts(tmp_path)
    assert "cert.pem was not made by hooksmtpd, so it is not replaced" in init(tmp_path, *arguments, status=73)
    assert texts(tmp_path) == before


def test_the_key_of_the_authority_may_be_kept_elsewhere(tmp_path):
    init(tmp_path)
    (tmp_path / "ca-key.pem").unlink()
    before = texts(tmp_path)
    assert "still good" in init(tmp_path)
    assert "ca-key.pem is missing" in init(tmp_path, "--name", "new.test")
    assert texts(tmp_path) == before


def test_half_a_pair_is_made_anew(tmp_path):
    init(tmp_path)
    (tmp_path / "key.pem").unlink()
    assert "renewed" in init(tmp_path)
    handshake(tmp_path, "localhost")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in init(tmp_path / "file/tls", status=73)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another user")
def test_a_plain_user_has_his_own(tmp_path, programs, monkeypatch):
    monkeypatch.setitem(globals(), "HOOKSMTPD", programs / "daemon/launcher/hooksmtpd")
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    os.chown(tmp_path, PLAIN_USER, PLAIN_USER)
    init(tmp_path / "tls", user=PLAIN_USER)
    key = (tmp_path / "tls/key.pem").stat()
    assert (key.st_uid, key.st_gid, stat.S_IMODE(key.st_mode)) == (PLAIN_USER, PLAIN_USER, 0o600)


def test_whoever_reads_a_key_for_the_launcher_cannot_dump_core(tmp_path):
    init(tmp_path)
    config = tmp_path / "hooksmtpd.toml"
    config.write_text(f"""
[[listener]]
address = ["127.0.0.1:0"]
tls = "starttls"
[tls]
certificate = "{tmp_path}/cert.pem"
key = "{tmp_path}/key.pem"
""")
    for command in (["tls", "init", "--dir", tmp_path, "--name", "mail.test"], ["check-config", "--config", config]):
        trace = tmp_path / "trace"
        done = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=prctl,setfsuid,openat", HOOKSMTPD, *command],
                              capture_output=True, text=True, timeout=60)
        if "ptrace" in done.stderr.lower():
            pytest.skip("strace may not trace here")
        assert done.returncode == 0, done
        calls = trace.read_text().splitlines()
        readers = {line.split()[0] for line in calls if re.search(rf'openat\(.*"{tmp_path}/key.pem", O_RDONLY', line)}
        assert len(readers) == 1, readers
        # The kernel takes it back with each change of identity: prctl(2).
        of_reader = [line for line in calls if line.split()[0] in readers]
        asked = [line for line in of_reader if "PR_SET_DUMPABLE" in line or re.search(r"setfsuid\((?!-1|4294967295)", line)]
        opened = next(index for index, line in enumerate(of_reader) if f'"{tmp_path}/key.pem", O_RDONLY' in line)
        before = [line for line in asked if of_reader.index(line) < opened]
        for last in (before[-1:], asked[-1:]):
            assert last and "PR_SET_DUMPABLE, SUID_DUMP_DISABLE" in last[0], of_reader
