"""`hooksmtpd check-config` on TLS and AUTH that cannot work: one sentence, at its place, before anything is started."""

import pathlib
import subprocess

import pytest

from harness.daemon import BUILD

CONFIG_ERROR = 78  # EX_CONFIG


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> pathlib.Path:
    """good.pem with good.key, other.key of nobody, both.pem with certificate and key."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("good", "other"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", f"/CN={name}.test",
                        "-addext", f"subjectAltName=DNS:{name}.test", "-days", "30"], check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "good.key").read_text() + (folder / "good.pem").read_text())
    return folder


def check(folder: pathlib.Path, text: str) -> tuple[int, str]:
    file = folder / "hooksmtpd.toml"
    file.write_text('[[listener]]\naddress = "127.0.0.1:0"\ntls = "starttls"\n' + text)
    done = subprocess.run([BUILD / "daemon/launcher/hooksmtpd", "check-config", "--config", file], capture_output=True,
                          text=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).replace(str(folder), "~")


@pytest.mark.parametrize("text", [
    '[tls]\ncertificate = "./good.pem"\nkey = "./good.key"',
    '[tls]\ncertificate = "./good.pem"\nkey = "./good.key"\nca_file = "./other.pem"\nclient_certificates = "require"',
    '[tls]\ncertificate = "./good.pem"\nkey = "./good.key"\nciphers = "HIGH:!aNULL"\nciphersuites = "TLS_AES_128_GCM_SHA256"',
    '[tls]\ncertificate = "./good.pem"\nkey = "./good.key"\n[auth]\nsource = "accept-any"\nrequired = true',
], ids=range(4))
def test_what_works_is_ok(keys, text):
    status, said = check(keys, text)
    assert status == 0, said
    assert said.startswith("ok\n")


@pytest.mark.parametrize("text, sentence", [
    ('[tls]\ncertificate = "./good.pem"', "~/hooksmtpd.toml:5:15: tls.key is missing: "),
    ('[tls]\ncertificate = "./none.pem"', '~/hooksmtpd.toml:5:15: tls.certificate "~/none.pem" cannot be read: No such file'),
    ('[tls]\ncertificate = "./both.pem"', '~/hooksmtpd.toml:5:15: tls.certificate "~/both.pem" has a private key in it, too: '),
    ('[tls]\ncertificate = "./good.key"', '~/hooksmtpd.toml:5:15: tls.certificate "~/good.key" has a private key in it'),
    ('[tls]\nmin_version = "SSLv3"', "~/hooksmtpd.toml:5:15: tls.min_version must not be"),
    ('[tls]\npassword = "x"', "~/hooksmtpd.toml:5:1: unknown key 'tls.password': a password is not for a file"),
    ('[auth]\nrequired = true', "~/hooksmtpd.toml:5:12: auth.required is true for listener 'smtp', but auth.source"),
    ('[auth]\nsource = "hook"', "~/hooksmtpd.toml:5:10: auth.source is"),
    ('[auth]\nsource = "passwords"\npasswords = "./good.pem"', '~/hooksmtpd.toml:6:13: auth.passwords "~/good.pem" is PEM'),
    ('[auth]\nsource = "passwords"\npasswords = "./list"', "~/list:1:4: after the name comes "),
], ids=range(10))
def test_what_no_openssl_is_needed_to_see(keys, text, sentence):
    (keys / "list").write_text("ann:secret\n")
    status, said = check(keys, text)
    assert status == CONFIG_ERROR, said
    assert sentence in said


@pytest.mark.parametrize("text, words", [
    ('[tls]\ncertificate = "./good.pem"\nkey = "./other.key"', ["good.pem", "other.key"]),
    ('[tls]\ncertificate = "./good.pem"\nkey = "./good.key"\nciphers = "NOTHING"', ["ciphers", "NOTHING"]),
    ('[tls]\ncertificate = "./good.pem"\nkey = "./good.key"\nciphersuites = "TLS_NONE"', ["ciphersuites", "TLS_NONE"]),
    ('[tls]\ncertificate = "./broken.pem"\nkey = "./good.key"', ["broken.pem"]),
], ids=range(4))
def test_what_only_openssl_sees(keys, text, words):
    (keys / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    status, said = check(keys, text)
    assert status == CONFIG_ERROR, said
    assert all(word in said for word in words), said


def test_no_key_material_is_ever_said(keys):
    """Neither in one's own file nor in one that is named by mistake."""
    secret = (keys / "good.key").read_text().splitlines()[1]
    (keys / "word").write_text(secret + "\n")
    for text in ('[tls]\ncertificate = "./good.key"', '[tls]\ncertificate = "./both.pem"\nkey = "./other.key"',
                 '[auth]\nsource = "passwords"\npasswords = "./good.key"',
                 '[auth]\nsource = "passwords"\npasswords = "./word"'):
        assert secret not in check(keys, text)[1]
