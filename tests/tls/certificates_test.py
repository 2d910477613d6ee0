"""The program `tls make`: what it makes must satisfy real clients, and its authority must be of no use against others."""

import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess

import pytest

from harness.daemon import BUILD

PROGRAM = BUILD / "daemon/tls/tls"
HOST = {"names": ["mail.test", "devbox.example"], "addresses": ["127.0.0.2", "::2"]}


def run(command: str, text: str, *, status: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run([PROGRAM, command], input=text, capture_output=True, text=True, timeout=30)
    assert done.returncode == status, done.stderr
    return done


def make(**request) -> dict:
    return json.loads(run("make", json.dumps(HOST | request)).stdout)


def openssl(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=30, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> pathlib.Path:
    """A folder with ca.pem, ca-key.pem, cert.pem and key.pem."""
    folder = tmp_path_factory.mktemp("tls")
    answer = make()
    for key, name in (("ca_certificate", "ca.pem"), ("ca_key", "ca-key.pem"), ("certificate", "cert.pem"), ("key", "key.pem")):
        (folder / name).write_text(answer[key])
    return folder


@pytest.fixture
def server(made):
    """openssl s_server with the certificate, on a port of its own: (port)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", made / "cert.pem", "-key",
                                made / "key.pem", "-www"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        if "ACCEPT" in line:
            break
    yield port
    process.kill()
    process.wait()


def verify(made: pathlib.Path, *more: str) -> str:
    done = openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", made / "ca.pem", *more, made / "cert.pem")
    return (done.stdout + done.stderr).strip()


def test_strict_verification_accepts_every_name_and_address(made):
    for name in ("mail.test", "devbox.example", "localhost"):
        assert verify(made, "-verify_hostname", name).endswith("OK")
    for address in ("127.0.0.1", "127.0.0.2", "::1", "::2"):
        assert verify(made, "-verify_ip", address).endswith("OK")
    assert "hostname mismatch" in verify(made, "-verify_hostname", "bank.example")


def test_the_authority_is_critical_about_what_it_may_sign(made):
    text = openssl("x509", "-in", made / "ca.pem", "-noout", "-text").stdout
    for extension in ("Basic Constraints", "Key Usage", "Name Constraints"):
        assert f"X509v3 {extension}: critical" in text
    assert "CA:TRUE, pathlen:0" in text
    permitted = re.findall(r"^ +((?:DNS|IP):\S+)$", text, re.MULTILINE)
    assert permitted == ["DNS:devbox.example", "DNS:localhost", "DNS:mail.test", "DNS:test",
                         "IP:127.0.0.1/255.255.255.255", "IP:127.0.0.2/255.255.255.255",
                         "IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF",
                         "IP:0:0:0:0:0:0:0:2/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF"]


def test_whoever_steals_the_authoritys_key_gains_nothing_against_other_names(made, tmp_path):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
            tmp_path / "request.pem", "-subj", "/CN=bank.example", check=True)
    (tmp_path / "extensions").write_text("subjectAltName=DNS:bank.example\nauthorityKeyIdentifier=keyid\n")
    openssl("x509", "-req", "-in", tmp_path / "request.pem", "-CA", made / "ca.pem", "-CAkey", made / "ca-key.pem", "-out",
            tmp_path / "cert.pem", "-extfile", tmp_path / "extensions", check=True)
    done = openssl("verify", "-CAfile", made / "ca.pem", tmp_path / "cert.pem")
    assert "permitted subtree violation" in done.stderr


def test_python_accepts_it_with_its_strictest_flags(made, server):
    context = ssl.create_default_context(cafile=made / "ca.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("localhost", "mail.test", "127.0.0.1", "::1"):
        with socket.create_connection(("127.0.0.1", server)) as plain, context.wrap_socket(plain, server_hostname=name) as tls:
            assert tls.version() == "TLSv1.3"
    with socket.create_connection(("127.0.0.1", server)) as plain, pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        context.wrap_socket(plain, server_hostname="bank.example")


def test_curl_accepts_it(made, server):
    for name in ("localhost", "127.0.0.1"):
        done = subprocess.run(["curl", "-sS", "--cacert", made / "ca.pem", f"https://{name}:{server}/"], capture_output=True,
                              text=True, timeout=30)
        assert done.returncode == 0, done.stderr


def test_node_accepts_it(made, server):
    script = """
      const tls = require("tls"), fs = require("fs");
      const [file, port] = process.argv.slice(1);
      const socket = tls.connect({host: "127.0.0.1", port, servername: "mail.test", ca: fs.readFileSync(file)}, () => {
        console.log(socket.authorized);
        socket.destroy();
      });
    """
    node = shutil.which("node") or shutil.which("nodejs")
    done = subprocess.run([node, "-e", script, made / "ca.pem", str(server)], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "true", done.stderr


def test_what_is_good_comes_back_as_it_was():
    first = make()
    again = make(**{key: first[key] for key in ("ca_certificate", "ca_key", "certificate", "key")})
    assert not again["new_authority"] and not again["new_certificate"] and again["why"] == ""
    for key in ("ca_certificate", "ca_key", "certificate", "key"):
        assert again[key] == first[key]


def test_names_that_cannot_be_had_are_told():
    first = make()
    files = {key: first[key] for key in ("ca_certificate", "ca_key", "certificate", "key")}
    again = make(names=["mail.test", "bank.example", "no name"], **files)
    assert not again["new_authority"] and again["new_certificate"]
    assert [note.split('"')[1] for note in again["notes"]] == ["no name", "bank.example"]


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"names": 1, "addresses": []}', '{"names": ["a"], "addresses": [1]}',
                                  '{"names": [], "addresses": [], "ca_key": 7}'])
def test_input_that_is_none_is_refused_with_a_sentence(text):
    done = run("make", text, status=os.EX_DATAERR)
    assert done.stdout == "" and done.stderr.startswith("tls: the input cannot be used: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["", "{}", "nonsense\n", "[]\nmore"])
def test_a_configuration_that_is_none_is_refused_with_a_sentence(text):
    done = run("judge", text, status=os.EX_DATAERR)
    assert done.stdout == "" and done.stderr.startswith("tls: the input cannot be used: ")


@pytest.mark.parametrize("arguments", [[], ["judge", "more"], ["--help"], ["nonsense"]])
def test_a_wrong_command_line_is_told_how_it_is_right(arguments):
    done = subprocess.run([PROGRAM, *arguments], input="", capture_output=True, text=True, timeout=30)
    assert done.returncode == os.EX_USAGE and done.stderr.startswith("usage: tls judge | tls make")


def test_it_opens_no_file_but_what_the_c_library_wants():
    done = subprocess.run(["strace", "-e", "trace=%file", PROGRAM, "make"], input=json.dumps(HOST), capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0:
        pytest.skip("strace may not trace here")
    opened = re.findall(r'^(?:open|openat)\(.*?"([^"]+)"', done.stderr, re.MULTILINE)
    assert opened and [name for name in opened if not re.match(r"/etc/ld\.so\.|/(usr/)?lib|/etc/localtime$", name)] == []
