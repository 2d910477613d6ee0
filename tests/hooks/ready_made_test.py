"""`use = "NAME"`: the hooks that come with hooksmtpd, configured with two lines."""

import pathlib
import subprocess

import pytest

from harness import hooks

NAMES = ["faults", "log", "maildir", "mbox"]  # the others have to be told whom to serve


@pytest.mark.parametrize("name", NAMES)
def test_two_lines_are_enough(make_daemon, name):
    daemon = make_daemon(f'[[hook]]\nuse = "{name}"\n')
    daemon.start()
    daemon.control("ready")
    with daemon.session() as client:
        client.expect("NOOP", "250")


def test_a_name_that_nobody_knows_is_told_with_the_nearest(make_daemon):
    daemon = make_daemon('[[hook]]\nuse = "mailder"\n')
    daemon.write_config()
    done = subprocess.run([daemon.program, "check-config", "--config", daemon.file], capture_output=True, text=True)
    assert done.returncode == 78
    assert "hooksmtpd.toml:3:7: hook.mailder.use names no hook that comes with hooksmtpd — did you mean 'maildir'?" in done.stderr


def test_what_is_said_beside_it_holds(make_daemon):
    daemon = make_daemon('[[hook]]\nuse = "maildir"\nname = "box"\noptions = { path = "Mail" }\n')
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    assert list((daemon.state / "hooks/box/Mail/new").iterdir())


# --- the other keys of a hook

def test_a_changed_program_is_started_anew_and_no_message_is_lost(make_daemon):
    daemon = make_daemon()
    path = daemon.hook("judge", hooks.SHELL + "while read -r request; do echo ok; done\n", "validate_recipient",
                       reload_on_change=True)
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "250")
        for answer, save in (("550 5.1.1 one", save_in_place), ("550 5.1.1 two", save_by_rename)):
            mark = daemon.log.mark()
            save(path, hooks.SHELL + "while read -r request; do case $request in *recipient*) echo 'reject "
                 + answer + "' ;; *) echo ok ;; esac; done\n")
            daemon.log.wait("its program was changed", mark)
            daemon.log.wait("hook ready hook=judge/1", mark)
            assert client.say("RCPT TO:<c@dev.test>") == answer


def save_in_place(path: pathlib.Path, text: str) -> None:
    path.write_text(text)


def save_by_rename(path: pathlib.Path, text: str) -> None:
    hooks.write(path.parent, path.name + ".new", text).rename(path)


def test_line_buffer_mends_a_hook_that_buffers(make_daemon):
    """sed answers no line before it has many, unless stdbuf(1) tells it to."""
    daemon = make_daemon()
    daemon.hook_command("judge", ["/usr/bin/sed", "s/.*/ok/"], "validate_recipient", line_buffer=True, start_timeout="5s")
    daemon.start()
    daemon.control("ready")
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "250")


NETWORK = hooks.PYTHON + """
import json, socket, sys
def reach():
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), 2).close()
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "validate_recipient":
        names = ",".join(sorted(name for _, name in socket.if_nameindex()))
        try:
            reach()
            print(f"reject 550 5.1.1 {names} reachable", flush=True)
        except OSError as error:
            print(f"reject 550 5.1.1 {names} {error.strerror}", flush=True)
    else:
        print("ok", flush=True)
"""


@pytest.mark.parametrize("access, sees", [(None, "lo Network is unreachable"), ("none", "lo Network is unreachable"),
                                          ("loopback", "lo reachable"), ("host", "lo reachable")])
def test_which_network_a_hook_sees(make_daemon, access, sees):
    daemon = make_daemon()
    daemon.hook("net", NETWORK, "validate_recipient", **({"sandbox_network": access} if access else {}))
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<b@dev.test>") == f"550 5.1.1 {sees}"
    (process,) = daemon.hook_processes("net")
    inside = pathlib.Path(f"/proc/{process.pid}/ns/net").readlink()
    outside = pathlib.Path(f"/proc/{daemon.pid}/ns/net").readlink()
    assert (inside == outside) == (access == "host")
