"""A clone below a home folder of mode 0700: root and its owner can start it, the jails still find everything."""

import json
import os
import pathlib
import tempfile

import pytest

from harness import hooks
from harness.daemon import PLAIN_USER, copy_programs


@pytest.fixture
def home():
    if os.geteuid() != 0:
        pytest.skip("needs root: other users' files")
    with tempfile.TemporaryDirectory(prefix="hooksmtpd-test-home-") as name:
        folder = pathlib.Path(name)
        copy_programs(folder / "clone/build")
        yield folder


def give(folder: pathlib.Path, user: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user, user)
    folder.chmod(0o700)


def shown(daemon) -> list[dict]:
    """What the inbox has."""
    return json.loads(daemon.run(["curl", "-sS", "http://127.0.0.1:8025/api/v2/messages"]).stdout)["messages"]


@pytest.mark.parametrize("owner", [0, PLAIN_USER])
def test_root_starts_the_built_in_configuration(make_daemon, home, owner):
    give(home, owner)
    daemon = make_daemon(programs=home / "clone/build")
    daemon.launch(["run", "--defaults"])
    with daemon.session() as client:
        assert client.message().code == 250
    (stored,) = shown(daemon)
    assert (stored["subject"], stored["snippet"]) == ("x", "hello")
    assert daemon.stop() == 0


def test_its_owner_starts_the_built_in_configuration(make_daemon, home):
    give(home, PLAIN_USER)
    daemon = make_daemon(user=PLAIN_USER, programs=home / "clone/build")
    daemon.launch(["run", "--defaults", "--listen", "127.0.0.1:0"])
    with daemon.session() as client:
        assert client.message().code == 250
    assert len(shown(daemon)) == 1


def test_a_hook_below_it(make_daemon, home):
    daemon = make_daemon()
    (home / "clone/hooks").mkdir()
    script = hooks.write(home / "clone/hooks", "policy.py", hooks.RECORDER)
    home.chmod(0o700)
    daemon.hook_command("recorder", [str(script)])
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    assert len(daemon.recorded().messages()) == 1
