"""The real keyholder in the real tree: who holds the keys, what happens when it dies, and how they are renewed."""

import os
import pathlib
import re
import shutil
import signal
import smtplib
import ssl
import subprocess

import pytest

from harness import hooks, processes, tls
from harness.daemon import Daemon

CONFIG_ERROR = 78


@pytest.fixture
def folder(tmp_path_factory):
    """Where the certificate of the test is; every user can come there."""
    folder = tmp_path_factory.mktemp("tls")
    for above in list(folder.parents)[:2]:
        above.chmod(0o755)
    tls.make(folder)
    return folder


@pytest.fixture
def daemon(make_daemon):
    """With the certificate that it makes itself."""
    daemon = make_daemon('[tls]\nmode = "starttls"')
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


@pytest.fixture
def configured(make_daemon, folder):
    daemon = make_daemon(tls.settings(folder))
    return daemon.start()


def keyholder(daemon: Daemon) -> processes.Process:
    (found,) = [process for process in daemon.tree() if os.path.basename(process.command[0]) == "keyholder"]
    return found


def own_ca(daemon: Daemon) -> pathlib.Path:
    return daemon.state / "tls/ca.pem"


def deliver(client: smtplib.SMTP) -> None:
    assert client.sendmail("a@client.test", ["b@dev.test"], b"Subject: x\r\n\r\nhello\r\n") == {}


def kill_and_wait(daemon: Daemon, pid: int, line: str) -> None:
    mark = daemon.log.mark()
    os.kill(pid, signal.SIGKILL)
    daemon.log.wait(line, mark)


def memory(pid: int) -> bytes:
    """What the process has written, or could have, as root reads it."""
    found = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        for line in processes.read(pid, "maps").splitlines():
            start, end, mode = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if "r" not in mode or "[v" in line:
                continue
            try:
                file.seek(int(start, 16))
                found += file.read(int(end, 16) - int(start, 16))
            except (OSError, ValueError):
                pass
    return found


def private_number(key: pathlib.Path) -> bytes:
    """The secret of a P-256 key, 32 octets."""
    text = subprocess.run(["openssl", "pkey", "-in", str(key), "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    digits = re.search(r"priv:\s*([0-9a-f:\s]+?)\s*pub:", text).group(1)
    return bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits))[-32:]


def test_a_certificate_of_its_own_is_made_said_and_verified(daemon):
    daemon.log.wait(rf"made a certificate authority for this machine alone, {own_ca(daemon)}")
    daemon.log.wait(rf"curl --cacert {own_ca(daemon)}")
    with tls.starttls(daemon, own_ca(daemon)) as client:
        assert client.sock.version() == "TLSv1.3"
        deliver(client)
    assert (daemon.state / "tls/ca-key.pem").stat().st_mode & 0o777 == 0o600
    assert len(daemon.recorded().messages()) == 1


def test_the_next_start_has_the_same_certificate(make_daemon, daemon):
    with tls.starttls(daemon, own_ca(daemon)) as client:
        before = tls.serial(client)
    assert daemon.stop() == 0
    second = make_daemon('[tls]\nmode = "starttls"')
    second.runtime, second.state = daemon.runtime, daemon.state
    second.start()
    assert "made a certificate" not in second.log.text
    with tls.starttls(second, own_ca(daemon)) as client:
        assert tls.serial(client) == before


def test_the_keyholder_is_nobody_in_a_jail_of_its_own(daemon):
    process = keyholder(daemon)
    assert process.gids[0] == tls.keyholder_gid()
    assert process.uids[0] not in {0, daemon.worker().uids[0], daemon.tree()[0].uids[0]}
    assert process.capabilities == dict.fromkeys(process.capabilities, 0)
    assert process.fields["NoNewPrivs"] == "1"
    for kind in ("mnt", "pid"):
        assert process.namespace(kind) not in {daemon.worker().namespace(kind), daemon.tree()[0].namespace(kind)}
    for point, kind, options in process.mounts():
        assert point.startswith(("/proc", "/dev")) or "ro" in options, (point, kind, options)
    held = process.descriptors()
    assert held[0] == held[1] == "/dev/null" and held[2].startswith("pipe:") and held[3].startswith("socket:")
    assert "memfd:hooksmtpd-keys" in held[4]
    assert all(target.startswith(("pipe:", "socket:", "/dev/null", "/memfd:")) for target in held.values()), held
    root = f"/proc/{process.pid}/root{daemon.state}"
    assert os.listdir(root) == ["tls"]
    status = daemon.control_json("status")["keyholder"]
    assert status["state"] == "serving" and status["pid"] == process.pid
    assert re.search(r"^keyholder +serving, pid \d+, 0 restarts$", daemon.control("status").stdout, re.MULTILINE)


def test_no_process_but_the_keyholder_has_the_key_or_the_files_with_it(daemon):
    with tls.starttls(daemon, own_ca(daemon)) as client:
        deliver(client)
    secret = private_number(daemon.state / "tls/key.pem")
    text = (daemon.state / "tls/key.pem").read_bytes().splitlines()[1]
    holder = keyholder(daemon)
    assert secret in memory(holder.pid) or secret[::-1] in memory(holder.pid), "the test looks for the wrong thing"
    for process in daemon.tree():
        if process.pid in (holder.pid,):
            continue
        seen = memory(process.pid)
        assert secret not in seen and secret[::-1] not in seen and text not in seen, process.command
        if process.pid != holder.parent:
            assert not any("hooksmtpd-keys" in target for target in process.descriptors().values()), process.command


def test_a_keyholder_that_dies_costs_no_session_and_is_replaced(daemon):
    with daemon.session() as plain, tls.starttls(daemon, own_ca(daemon)) as client:
        before = keyholder(daemon).pid
        kill_and_wait(daemon, before, r"keyholder start pid=\d+")
        deliver(client)
        assert plain.message().code == 250
    daemon.log.wait(r"keyholder exit signal=9")
    wait_ready(daemon)
    assert keyholder(daemon).pid != before
    with tls.starttls(daemon, own_ca(daemon)) as client:
        deliver(client)


def wait_ready(daemon: Daemon) -> None:
    for _ in range(200):
        done = daemon.control("ready", status=None)
        if done.returncode == 0:
            return
    raise AssertionError(done)


def test_a_keyholder_that_is_stopped_does_not_stop_the_daemon(daemon):
    """Frozen: it does not answer, and is replaced for that."""
    mark = daemon.log.mark()
    os.kill(keyholder(daemon).pid, signal.SIGSTOP)
    with pytest.raises((ssl.SSLError, OSError, smtplib.SMTPException)):
        with tls.starttls(daemon, own_ca(daemon)):
            pass
    daemon.log.wait(r"keyholder exit signal=9 .*reason=", mark)
    wait_ready(daemon)
    with tls.starttls(daemon, own_ca(daemon)) as client:
        deliver(client)


def test_a_worker_that_dies_finds_the_keyholder_again(daemon):
    kill_and_wait(daemon, daemon.worker().pid, "worker serves again")
    with tls.starttls(daemon, own_ca(daemon)) as client:
        deliver(client)


def test_a_renewed_key_that_the_keyholder_may_read_is_live_after_a_reload(configured, folder):
    with tls.starttls(configured, folder / "ca.pem") as old:
        before = tls.serial(old)
        tls.make(folder, "--new-ca")
        (folder / "key.pem").chmod(0o640)
        assert "was" not in configured.control("reload").stderr
        with tls.starttls(configured, folder / "ca.pem") as client:
            assert tls.serial(client) != before
        old.ehlo()  # an older session goes on


def test_links_that_lead_to_renewed_files_are_followed_by_a_reload(make_daemon, folder):
    """As certbot lays them out: live/key.pem -> ../archive/key1.pem."""
    for name in ("archive", "live"):
        (folder / name).mkdir()

    def renew(number: int) -> None:
        tls.make(folder)
        for name in ("cert", "key"):
            (folder / f"{name}.pem").rename(folder / f"archive/{name}{number}.pem")
            (folder / f"live/{name}.pem").unlink(missing_ok=True)
            (folder / f"live/{name}.pem").symlink_to(f"../archive/{name}{number}.pem")

    renew(1)
    daemon = make_daemon(tls.settings(folder / "live")).start()
    with tls.starttls(daemon, folder / "ca.pem") as client:
        before = tls.serial(client)
    renew(2)
    daemon.control("reload")
    with tls.starttls(daemon, folder / "ca.pem") as client:
        assert tls.serial(client) != before


def test_a_key_below_a_folder_that_is_closed_to_all_but_root(make_daemon, folder):
    (folder / "private").mkdir(0o700)
    (folder / "key.pem").rename(folder / "private/key.pem")
    daemon = make_daemon(tls.settings(folder).replace("/key.pem", "/private/key.pem")).start()
    with tls.starttls(daemon, folder / "ca.pem"):
        pass
    assert daemon.control_json("reload")["warnings"]


def test_a_key_of_root_alone_is_read_at_start_only_and_reload_says_so(make_daemon, folder):
    (folder / "key.pem").chmod(0o600)
    daemon = make_daemon(tls.settings(folder)).start()
    with tls.starttls(daemon, folder / "ca.pem"):
        pass
    reply = daemon.control_json("reload")
    assert any(str(folder / "key.pem") in warning for warning in reply["warnings"]), reply


def test_a_key_that_does_not_match_refuses_the_start(make_daemon, folder, tmp_path):
    tls.make(tmp_path / "other")
    shutil.copy(tmp_path / "other/key.pem", folder / "key.pem")
    daemon = make_daemon(tls.settings(folder)).start(ready=False)
    assert daemon.wait() == CONFIG_ERROR
    daemon.log.wait(re.escape(str(daemon.file)) + r":\d+:\d+: .*" + re.escape(str(folder / "key.pem")))
    done = daemon.run([str(daemon.program), "check-config", "--config", str(daemon.file)], env=daemon.surroundings())
    assert done.returncode == CONFIG_ERROR and b"key.pem" in done.stderr


def test_a_key_that_does_not_match_refuses_the_reload_and_changes_nothing(configured, folder, tmp_path):
    with tls.starttls(configured, folder / "ca.pem") as client:
        before = tls.serial(client)
    tls.make(tmp_path / "other")
    (folder / "key.pem").write_bytes((tmp_path / "other/key.pem").read_bytes())
    reply = configured.control_json("reload", status=78)
    assert reply["kind"] == "config" and str(folder / "key.pem") in reply["error"]
    with tls.starttls(configured, folder / "ca.pem") as client:
        assert tls.serial(client) == before


def test_a_certificate_that_reload_may_not_read_is_named_with_the_fix(configured, folder):
    (folder / "cert.pem").chmod(0o600)
    reply = configured.control_json("reload", status=78)
    assert str(folder / "cert.pem") in reply["error"] and "ch" in reply["error"], reply
    with tls.starttls(configured, folder / "ca.pem"):
        pass


@pytest.mark.parametrize("name", ["cert.pem", "key.pem"])
def test_a_file_that_is_not_there_is_named(make_daemon, folder, name):
    (folder / name).unlink()
    daemon = make_daemon(tls.settings(folder)).start(ready=False)
    assert daemon.wait() == CONFIG_ERROR
    daemon.log.wait(rf"hooksmtpd\.toml:\d+:\d+: .*{re.escape(str(folder / name))}")


def test_without_tls_there_is_no_keyholder(recorder):
    assert "keyholder" not in recorder.control_json("status")
    assert not (recorder.state / "tls").exists()


def test_a_plain_user_has_tls_too(plain_daemon):
    daemon = plain_daemon('[tls]\nmode = "starttls"')
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    assert {process.uids[0] for process in daemon.tree()} == {daemon.user}
    with tls.starttls(daemon, own_ca(daemon)) as client:
        deliver(client)
    assert (daemon.state / "tls/key.pem").stat().st_mode & 0o777 == 0o600
    daemon.control("reload")
    assert daemon.stop() == 0


def test_implicit_tls(make_daemon, folder):
    daemon = make_daemon(tls.settings(folder, "implicit")).start()
    with daemon.network, smtplib.SMTP_SSL("localhost", 25, context=tls.context(folder / "ca.pem"), timeout=20) as client:
        assert client.ehlo()[0] == 250


def test_with_the_capabilities_of_the_unit(make_daemon):
    from privileges.unit_test import under_the_unit
    daemon = make_daemon('[tls]\nmode = "starttls"', wrapper=under_the_unit())
    daemon.start()
    with tls.starttls(daemon, own_ca(daemon)):
        pass
    daemon.control("reload")
    assert daemon.stop() == 0
