"""Certificates of the test's own, and clients that trust them."""

import contextlib
import os
import pathlib
import shutil
import smtplib
import ssl
import subprocess

from harness.daemon import BUILD, Daemon, supervisor_gid

HOOKSMTPD = BUILD / "daemon/launcher/hooksmtpd"
KEYHOLDER_NUMBER = 60799


def keyholder_gid() -> int:
    import grp
    try:
        return grp.getgrnam("hooksmtpd-key").gr_gid
    except KeyError:
        return KEYHOLDER_NUMBER


def make(folder: pathlib.Path, *arguments: str) -> None:
    """ca.pem, cert.pem, key.pem for localhost."""
    subprocess.run([str(HOOKSMTPD), "tls", "init", "--dir", str(folder), *arguments], check=True, capture_output=True,
                   timeout=20)
    folder.chmod(0o755)


def settings(folder: pathlib.Path, mode: str = "starttls") -> str:
    return f'[tls]\nmode = "{mode}"\ncertificate = "{folder}/cert.pem"\nkey = "{folder}/key.pem"\n'


def context(ca: pathlib.Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))


@contextlib.contextmanager
def starttls(daemon: Daemon, ca: pathlib.Path):
    """A session that has said STARTTLS, and checked the certificate against `ca` alone."""
    with daemon.network:
        client = smtplib.SMTP("localhost", daemon.port, local_hostname="client.test", timeout=20)
    with client:
        client.starttls(context=context(ca))
        client.ehlo()
        yield client


def serial(client: smtplib.SMTP) -> str:
    return client.sock.getpeercert()["serialNumber"]
