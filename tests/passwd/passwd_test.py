"""`hooksmtpd passwd`: what it stores, what it leaves alone, and that it shows no password (hooksmtpd-passwd.8)."""

import base64
import grp
import hashlib
import hmac
import os
import pty
import re
import select
import signal
import stat
import subprocess
import termios
import time

import pytest

from harness.daemon import BUILD

PASSWD = BUILD / "daemon/passwd/passwd"
ROOT = os.geteuid() == 0


def run(*arguments: str, password: str | bytes = "pencil\n") -> subprocess.CompletedProcess:
    given = password if isinstance(password, bytes) else password.encode()
    done = subprocess.run([PASSWD, *arguments], input=given, capture_output=True, timeout=10)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def good(*arguments: str, **how) -> str:
    done = run(*arguments, **how)
    assert done.returncode == 0, done.stderr
    return done.stdout


def keys_of(line: str) -> tuple[int, bytes, bytes, bytes]:
    found = re.fullmatch(r"[^:]+:\{SCRAM-SHA-256\}(\d+),([^$]+)\$([^$]+)\$([^$:]+)(:\{CRAM-MD5\}[0-9a-f]{64})?\n?", line)
    assert found, line
    return int(found[1]), *(base64.b64decode(found[number]) for number in (2, 3, 4))


def expected_keys(password: bytes, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """RFC 5802 §3."""
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")


def test_an_entry_has_the_keys_of_rfc_5802_and_a_salt_of_its_own():
    first, second = good("ann"), good("ann")
    assert first.startswith("ann:") and first != second
    for line in (first, second):
        iterations, salt, stored, server = keys_of(line)
        assert iterations == 10000 and len(salt) == 16
        assert (stored, server) == expected_keys(b"pencil", salt, iterations)


def test_the_number_of_iterations_can_be_chosen_within_bounds():
    iterations, salt, stored, _ = keys_of(good("ann", "--iterations", "4096"))
    assert iterations == 4096 and stored == expected_keys(b"pencil", salt, 4096)[0]
    for number in ("4095", "100001", "0"):
        refused = run("ann", "--iterations", number)
        assert refused.returncode == os.EX_USAGE and "from 4096" in refused.stderr


def test_only_the_first_line_of_standard_input_counts_and_no_line_feed_is_needed():
    for given in ("pencil\nother\n", "pencil"):
        iterations, salt, stored, _ = keys_of(good("ann", password=given))
        assert stored == expected_keys(b"pencil", salt, iterations)[0]


def test_names_and_passwords_are_prepared():
    done = run("ann\u00ad\u2168", password="p\u00aa\u00a0\n")
    iterations, salt, stored, _ = keys_of(done.stdout)
    assert done.stdout.startswith("annIX:") and "same name as annIX" in done.stderr
    assert stored == expected_keys(b"pa ", salt, iterations)[0]


@pytest.mark.parametrize("password, sentence", [
    ("", "no password was given"), ("\n", "no password was given"), ("a\tb\n", "SASLprep"), (b"p\xe4\n", "not UTF-8"),
    ("\U0001f984\n", "Unicode 3.2"), ("x" * 1025 + "\n", "at most 1024 octets"),
])
def test_a_password_that_cannot_be_stored_is_refused(password, sentence):
    refused = run("ann", password=password)
    assert refused.returncode == os.EX_DATAERR and sentence in refused.stderr and not refused.stdout


@pytest.mark.parametrize("name", ["", "a:b", "#ann", "a\nb", "x" * 256, b"\xe4"])
def test_a_name_that_cannot_be_stored_is_refused(name):
    refused = run(name)
    assert refused.returncode == os.EX_DATAERR and not refused.stdout


@pytest.mark.parametrize("arguments", [("ann", "hunter2"), ("ann", "--password", "hunter2"), ("ann", "-p", "hunter2"),
                                       ("ann", "--file", "/nonexistent/f", "hunter2", "hunter3")])
def test_a_password_is_never_an_argument(arguments):
    refused = run(*arguments)
    assert refused.returncode == os.EX_USAGE
    assert "never an argument" in refused.stderr and "hunter" not in refused.stderr + refused.stdout


def test_what_cram_md5_needs_is_stored_on_request_only_and_called_what_it_is(tmp_path):
    done = run("tim", "--cram", password="tanstaaftanstaaf\n")
    assert ":{CRAM-MD5}" in done.stdout and "as good as the password" in done.stderr
    file = tmp_path / "passwords"
    file.write_text(done.stdout)
    changed = run("tim", "--file", str(file))
    assert "cannot use CRAM-MD5 any more" in changed.stderr and ":{CRAM-MD5}" not in file.read_text()


def test_a_new_file_is_for_owner_and_group_only(tmp_path):
    file = tmp_path / "passwords"
    before = os.umask(0)
    try:
        good("ann", "--file", str(file))
    finally:
        os.umask(before)
    status = file.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640 and status.st_uid == os.geteuid()
    if ROOT:
        groups = {group.gr_name: group.gr_gid for group in grp.getgrall()}
        assert status.st_gid == groups.get("hooksmtpd", 0)


def test_an_entry_is_added_changed_and_deleted_and_all_else_stays(tmp_path):
    file = tmp_path / "passwords"
    bob = good("bob", "--iterations", "4096")
    file.write_text(f"# people\n\n{bob}# the end")
    file.chmod(0o600)
    if ROOT:
        os.chown(file, 61234, 61235)
    before = file.stat()

    assert "is added to" in good("ann", "--file", str(file))
    text = file.read_text()
    assert text.startswith(f"# people\n\n{bob}# the end\nann:") and text.endswith("\n")
    first = keys_of(text.splitlines()[-1])

    assert "is changed in" in good("ann", "--file", str(file), password="crayon\n")
    _, salt, stored, _ = keys_of(file.read_text().splitlines()[-1])
    assert salt != first[1] and stored == expected_keys(b"crayon", salt, 10000)[0]
    assert len(file.read_text().splitlines()) == 5

    assert "is deleted from" in good("ann", "--delete", "--file", str(file))
    assert file.read_text() == f"# people\n\n{bob}# the end\n"
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.listdir(tmp_path) == ["passwords"]


def test_an_entry_that_is_a_mistake_is_mended_and_others_are_named(tmp_path):
    file = tmp_path / "passwords"
    file.write_text("ann:hunter2\nann:again\nbob:hunter3\n")
    done = run("ann", "--file", str(file))
    assert done.returncode == 0
    lines = file.read_text().splitlines()
    assert len(lines) == 2 and keys_of(lines[0]) and lines[1] == "bob:hunter3"
    assert f"{file}:2:4: " in done.stderr and "hunter" not in done.stderr


def test_the_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/passwords")
    (tmp_path / "real/passwords").write_text("")
    good("ann", "--file", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real/passwords").read_text().startswith("ann:")


def test_what_is_not_there_or_no_plain_file_is_said(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").write_text("")
    for arguments, status, sentence in [
        (("ann", "--delete", "--file", str(tmp_path / "none")), os.EX_NOINPUT, "does not exist"),
        (("ann", "--check", "--file", str(tmp_path / "none")), os.EX_NOINPUT, "does not exist"),
        (("ann", "--delete", "--file", str(tmp_path / "empty")), os.EX_NOUSER, "no entry ann"),
        (("ann", "--check", "--file", str(tmp_path / "empty")), os.EX_NOUSER, "no entry ann"),
        (("ann", "--file", str(tmp_path / "pipe")), os.EX_USAGE, "not a plain file"),
        (("ann", "--file", str(tmp_path)), os.EX_USAGE, "not a plain file"),
        (("ann", "--file", str(tmp_path / "no/passwords")), os.EX_IOERR, "No such file"),
        (("ann", "--delete"), os.EX_USAGE, "need --file"),
        (("ann", "--check", "--delete", "--file", "x"), os.EX_USAGE, "excludes"),
        ((), os.EX_USAGE, "NAME is required"),
    ]:
        done = run(*arguments)
        assert (done.returncode, sentence in done.stderr) == (status, True), (arguments, done)


def test_check_says_whether_a_password_is_the_one(tmp_path):
    file = tmp_path / "passwords"
    good("ann", "--file", str(file))
    text = file.read_text()
    assert good("ann", "--check", "--file", str(file)) == "that is the password of ann\n"
    wrong = run("ann", "--check", "--file", str(file), password="crayon\n")
    assert (wrong.returncode, wrong.stdout) == (1, "that is not the password of ann\n")
    assert file.read_text() == text


def test_a_file_that_others_can_read_is_remarked_on(tmp_path):
    file = tmp_path / "passwords"
    file.write_text("")
    file.chmod(0o644)
    assert "Others can read" in run("ann", "--file", str(file)).stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


@pytest.mark.skipif(not ROOT, reason="needs another user's file")
def test_a_file_that_could_not_keep_its_owner_is_left_alone(tmp_path):
    tmp_path.chmod(0o777)
    file = tmp_path / "passwords"
    file.write_text("")
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.geteuid() and folder != folder.parent and "pytest" in folder.name:
            folder.chmod(0o755)
    done = subprocess.run(["setpriv", "--reuid", "61999", "--regid", "61999", "--clear-groups", PASSWD, "ann", "--file", file],
                          input=b"pencil\n", capture_output=True, timeout=10)
    assert done.returncode == os.EX_NOPERM and b"belongs to user 0" in done.stderr
    assert file.read_text() == "" and os.listdir(tmp_path) == ["passwords"]


def test_two_at_once_both_get_in(tmp_path):
    file = tmp_path / "passwords"
    names = [f"user{number}" for number in range(8)]
    children = [subprocess.Popen([PASSWD, name, "--file", file], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
                for name in names]
    for child in children:
        child.stdin.write(b"pencil\n")
        child.stdin.close()
    assert [child.wait(timeout=20) for child in children] == [0] * 8
    assert sorted(line.split(":")[0] for line in file.read_text().splitlines()) == names


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.execv(PASSWD, [str(PASSWD), *arguments])
        self.shown = b""

    def until(self, text: bytes) -> None:
        end = time.monotonic() + 10
        while text not in self.shown:
            assert select.select([self.fd], [], [], end - time.monotonic())[0], self.shown
            self.shown += os.read(self.fd, 4096)

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def status(self) -> int:
        try:
            while part := os.read(self.fd, 4096):
                self.shown += part
        except OSError:
            pass  # the other end is closed
        return os.waitpid(self.child, 0)[1]


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown():
    terminal = Terminal("ann")
    terminal.until(b"Password: ")
    assert not terminal.echoes()
    terminal.type(b"pencil\n")
    terminal.until(b"again: ")
    terminal.type(b"pencil\n")
    assert terminal.status() == 0
    assert b"pencil" not in terminal.shown
    line = terminal.shown.decode().splitlines()[-1]
    iterations, salt, stored, _ = keys_of(line)
    assert stored == expected_keys(b"pencil", salt, iterations)[0]


def test_two_passwords_that_differ_change_nothing(tmp_path):
    terminal = Terminal("ann", "--file", str(tmp_path / "passwords"))
    terminal.until(b"Password: ")
    terminal.type(b"pencil\n")
    terminal.until(b"again: ")
    terminal.type(b"pensil\n")
    assert os.waitstatus_to_exitcode(terminal.status()) == os.EX_DATAERR
    assert b"not the same" in terminal.shown and not list(tmp_path.iterdir())


def test_ctrl_c_gives_the_terminal_its_echo_back():
    terminal = Terminal("ann")
    terminal.until(b"Password: ")
    terminal.type(b"pen\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.child, 0)[1]) == -signal.SIGINT
    assert terminal.echoes()
    os.close(terminal.fd)
