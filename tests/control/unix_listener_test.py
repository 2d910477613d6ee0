"""A listener in the file system: who may connect, what is shown, what a crash leaves."""

import os
import pathlib
import smtplib
import socket
import stat

import pytest

from harness import hooks

CONFIG = '[[listener]]\nname = "local"\naddress = ["unix:{path}"]\nsocket_mode = "0660"'


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon()
    daemon.config = CONFIG.format(path=daemon.runtime / "smtp.sock")
    daemon.hook("recorder", hooks.RECORDER)
    return daemon


class UnixClient(smtplib.SMTP):
    def _get_socket(self, host, port, timeout):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(host)
        return connection


def deliver(path: pathlib.Path) -> None:
    with UnixClient(str(path), 1, "client.test", 20) as client:
        assert client.sendmail("a@client.test", ["b@dev.test"], b"Subject: x\r\n\r\nhello\r\n") == {}


def test_delivers_and_is_shown_and_has_its_mode(daemon):
    daemon.start()
    path = daemon.runtime / "smtp.sock"
    deliver(path)
    assert len(daemon.recorded().messages()) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert daemon.control_json("status")["addresses"] == [{"listener": "local", "address": f"unix:{path}"}]
    daemon.log.wait(rf"swaks --socket {path}")


def test_a_killed_daemon_leaves_nothing_that_its_successor_minds(make_daemon, daemon):
    daemon.start()
    daemon.process.kill()
    daemon.process.wait()
    second = make_daemon(daemon.config)
    second.runtime, second.state = daemon.runtime, daemon.state
    second.hook("recorder", hooks.RECORDER)
    second.start()
    deliver(daemon.runtime / "smtp.sock")


def test_a_socket_that_another_daemon_serves_is_not_taken(make_daemon, daemon):
    daemon.start()
    second = make_daemon(daemon.config).start(ready=False)
    assert second.wait() == 69
    second.log.wait("unix:.*another process listens there")
    deliver(daemon.runtime / "smtp.sock")


def test_the_runtime_folder_is_made_for_it(daemon):
    daemon.runtime = daemon.folder / "made/run"
    daemon.config = CONFIG.format(path=daemon.runtime / "smtp.sock")
    daemon.start()
    deliver(daemon.runtime / "smtp.sock")


def test_a_folder_of_somebody_else_is_refused(daemon):
    folder = daemon.folder / "theirs"
    folder.mkdir()
    os.chown(folder, 61999, 61999)
    daemon.config = CONFIG.format(path=folder / "smtp.sock")
    daemon.start(ready=False)
    assert daemon.wait() != 0
    daemon.log.wait("belongs to user 61999")


def test_a_plain_user_leaves_no_socket_behind(plain_daemon):
    daemon = plain_daemon()
    path = daemon.runtime / "smtp.sock"
    daemon.config = f'[[listener]]\naddress = ["127.0.0.1:0", "unix:{path}"]'
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    deliver(path)
    assert daemon.stop() == 0
    assert not path.exists()
