"""openssl s_client: TLS itself."""

import pytest


def s_client(secure, port: int, *options: str, said: bytes = b"EHLO client.test\nQUIT\n"):
    starttls = () if port == 465 else ("-starttls", "smtp")
    return secure.daemon.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *starttls, "-CAfile", secure.ca, "-verify_ip",
                              "127.0.0.1", "-verify_return_error", "-ign_eof", "-crlf", *options], input=said)


@pytest.mark.parametrize("port", [25, 465])
@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_starttls_and_implicit_tls(secure, port, version):
    done = s_client(secure, port, "-brief", f"-{version}")
    assert done.returncode == 0, done
    assert b"Verification: OK" in done.stderr and version.replace("_", ".").upper().replace("TLS", "TLSv").encode() in done.stderr
    assert b"250 " in done.stdout and b"221 " in done.stdout
    assert b"STARTTLS" not in done.stdout.split(b"250", 1)[1]


def test_older_versions_are_refused(secure):
    done = s_client(secure, 465, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert done.returncode == 1 and b"protocol version" in done.stderr


@pytest.mark.parametrize("port", [25, 465])
@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_session_is_resumed(secure, port, version, tmp_path):
    session = str(tmp_path / "session")
    first = s_client(secure, port, f"-{version}", "-sess_out", session)
    second = s_client(secure, port, f"-{version}", "-sess_in", session)
    assert b"New, TLSv1" in first.stdout and b"Reused, TLSv1" in second.stdout
    assert b"221 " in second.stdout


def test_no_renegotiation(secure):
    done = s_client(secure, 465, "-tls1_2", said=b"R\nEHLO client.test\nQUIT\n")
    # With -ign_eof an R is text; the server's offer is what counts.
    assert b"Secure Renegotiation IS supported" in done.stdout
    done = secure.daemon.run(["openssl", "s_client", "-connect", "127.0.0.1:465", "-tls1_2"], input=b"R\n")
    assert b"no renegotiation" in done.stderr
