"""`use = "NAME"`: the hooks that come with hooksmtpd, configured with two lines."""

import pathlib
import subprocess
import time

import pytest

from harness import hooks
from hooks.pipe import BUILD
from hooks.ready import program

NAMES = ["faults", "log", "maildir", "mbox"]  # the others have to be told whom to serve


@pytest.mark.parametrize("name", NAMES)
def test_two_lines_are_enough(make_daemon, name):
    daemon = make_daemon(f'[[hook]]\nuse = "{name}"\n')
    daemon.start()
    daemon.control("ready")
    with daemon.session() as client:
        client.expect("NOOP", "250")


def test_they_say_nothing_of_events_that_nobody_asked_them_about(make_daemon):
    daemon = make_daemon("".join(f'[[hook]]\nuse = "{name}"\n' for name in NAMES))
    daemon.hook_command("exec", [str(program("exec")), "/bin/true"], ["deliver"], sandbox_read=[str(BUILD / "hooks/sdk")])
    daemon.start()
    daemon.control("ready")
    daemon.stop()
    assert daemon.log.lines("hook ready hook=exec/1") and daemon.log.lines("it handles|which it does not handle") == []


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


def test_a_program_behind_a_link_is_followed_where_the_link_leads(make_daemon):
    daemon = make_daemon()
    path = daemon.hook("judge", "", "validate_recipient", reload_on_change=True)
    for release in ("one", "two"):
        (path.parent / release).mkdir()
        hooks.write(path.parent / release, "judge", answering(f"550 5.1.1 {release}"))
    lead(path, "one")
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<b@dev.test>") == "550 5.1.1 one"
        for change, answer in ((lambda: lead(path, "two"), "550 5.1.1 two"),
                               (lambda: save_in_place(path, answering("550 5.1.1 three")), "550 5.1.1 three"),
                               (lambda: (path.unlink(), path.symlink_to("one/judge")), "550 5.1.1 one")):
            mark = daemon.log.mark()
            change()
            daemon.log.wait("hook ready hook=judge/1", mark)
            assert client.say("RCPT TO:<c@dev.test>") == answer


@pytest.mark.parametrize("broken, why", [("exit 3\n", "status=3"), ("""echo '{"ready":false,"text":"no list"}'; cat\n""", "no list")])
def test_a_change_for_the_worse_is_told_and_the_next_one_mends_it_at_once(make_daemon, broken, why):
    daemon = make_daemon()
    path = daemon.hook("judge", answering("550 5.1.1 one"), "validate_recipient", reload_on_change=True)
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<b@dev.test>") == "550 5.1.1 one"
        save_by_rename(path, hooks.SHELL + broken)
        daemon.log.wait("hook exit hook=judge/1 .*next_start_ms=1600")
        since = time.monotonic()
        assert why in daemon.log.text and client.say("RCPT TO:<c@dev.test>").startswith("451 4.3.0")
        mark = daemon.log.mark()
        save_by_rename(path, answering("550 5.1.1 two"))
        daemon.log.wait("hook ready hook=judge/1", mark)
        assert client.say("RCPT TO:<d@dev.test>") == "550 5.1.1 two" and time.monotonic() - since < 1.5


def answering(reply: str) -> str:
    return hooks.SHELL + f"while read -r request; do case $request in *recipient*) echo 'reject {reply}' ;; *) echo ok ;; esac; done\n"


def lead(link: pathlib.Path, release: str) -> None:
    (link.parent / "new").symlink_to(f"{release}/judge")
    (link.parent / "new").rename(link)


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
