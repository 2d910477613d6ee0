"""One daemon for each client program; what it delivered is compared octet by octet."""

import subprocess

import pytest

from harness import hooks
from harness.daemon import BUILD

USER, PASSWORD, TOKEN = "ann", "correct horse, battery", "ya29.token-of_ann~1"


class Mailbox:
    def __init__(self, daemon) -> None:
        self.daemon = daemon

    def last(self) -> tuple[dict, bytes]:
        """The newest delivery: its request, and the message without the trace header fields."""
        request, message = self.daemon.recorded().messages()[-1]
        return request, hooks.as_sent(request, message)

    def count(self) -> int:
        return len(self.daemon.recorded().requests("deliver"))


@pytest.fixture(scope="module")
def mailbox(make_module_daemon) -> Mailbox:
    daemon = make_module_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    return Mailbox(daemon.start())


def with_tls(daemon, authority) -> Mailbox:
    """STARTTLS on 25, the same with AUTH required on 587, TLS from the first octet on 465."""
    certificate = authority.issue("localhost", "127.0.0.1", file="server")
    daemon.config = f"""[tls]
mode = "starttls"
{certificate.toml()}
{daemon.config}
[[listener]]
name = "smtp"
address = ["127.0.0.1:25"]
[[listener]]
name = "submission"
address = ["127.0.0.1:587"]
[listener.auth]
required = true
[[listener]]
name = "submissions"
address = ["127.0.0.1:465"]
tls = "implicit"
"""
    daemon.hook("recorder", hooks.RECORDER)
    mailbox = Mailbox(daemon.start())
    mailbox.ca = str(authority.file)
    return mailbox


@pytest.fixture(scope="module")
def secure(make_module_daemon, authority) -> Mailbox:
    """Who knows PASSWORD is USER, by any mechanism that has a password."""
    daemon = make_module_daemon()
    file = daemon.folder / "etc/passwords"
    subprocess.run([BUILD / "daemon/passwd/passwd", USER, "--cram", "--file", file], input=f"{PASSWORD}\n", text=True, check=True,
                   capture_output=True)
    daemon.config = f'[auth]\nsource = "passwords"\npasswords = "{file}"\n'
    return with_tls(daemon, authority)


# USER with TOKEN is who they say.
JUDGE = hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    good = request["event"] != "auth" or (request["user"], request.get("token")) == ("%s", "%s")
    print("ok" if good else "reject", flush=True)
""" % (USER, TOKEN)


@pytest.fixture(scope="module")
def by_token(make_module_daemon, authority) -> Mailbox:
    daemon = make_module_daemon('[auth]\nsource = "hook"\n')
    daemon.hook("judge", JUDGE, "auth")
    return with_tls(daemon, authority)
