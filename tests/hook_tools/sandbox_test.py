"""hooksmtpctl hook test --sandbox: the configured hook, in the jail that it would have."""

import json

import pytest

from harness import hooks
from hook_tools.tools import BUILD, run

# Copies a message; and tells of whatever it can reach that it should not.
CURIOUS = hooks.PYTHON + """
import json, os, socket, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "deliver":
        open("copy", "wb").write(open(request["message"]["path"], "rb").read())
        print(os.getuid(), os.path.exists("/root"), [name for _, name in socket.if_nameindex()], file=sys.stderr, flush=True)
    print("ok", flush=True)
"""


def test_it_has_the_jail_of_the_daemon_and_reads_the_messages(make_daemon):
    daemon = make_daemon()
    daemon.hook("curious", CURIOUS, "deliver")
    daemon.write_config()
    done = run("test", "--json", "--sandbox", "curious", "--config", daemon.file, env=daemon.surroundings())
    found = json.loads(done.stdout)
    assert found["ok"] and found["findings"] == []
    delivered = [case for case in found["cases"] if case["name"].startswith("deliver ")]
    assert delivered and all(case["log"] == ["60800 False ['lo']"] for case in delivered)
    assert (daemon.state / "hooks/curious/copy").read_bytes()


def test_it_is_told_what_the_configuration_says(make_daemon):
    daemon = make_daemon()
    daemon.hook("judge", hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "hello":
        print(request["events"], request["options"], file=sys.stderr)
    print("ok", flush=True)
""", ["validate_sender", "helo"], options={"domain": "dev.test"})
    daemon.write_config()
    found = json.loads(run("test", "--json", "--sandbox", "judge", "--config", daemon.file, env=daemon.surroundings()).stdout)
    assert found["log"] == ["['helo', 'validate_sender'] {'domain': 'dev.test'}"]
    assert {case["name"].split()[0] for case in found["cases"]} == {"helo", "validate_sender"}


@pytest.mark.parametrize("name", ["log", "faults", "maildir", "mbox"])
def test_a_ready_made_hook_by_its_name(make_daemon, name):
    daemon = make_daemon(f'[[hook]]\nuse = "{name}"\n')
    daemon.write_config()
    found = json.loads(run("test", "--json", "--sandbox", name, "--config", daemon.file, env=daemon.surroundings()).stdout)
    assert found["ok"] and found["cases"] and found["findings"] == []


def test_a_tcl_hook_may_not_open_our_pipes_and_works(make_daemon):
    daemon = make_daemon()
    script = daemon.folder / "hooks/script.tcl"
    script.write_text("""package require smtpd
proc judge {address} { puts "looking"; puts -nonewline "at "; puts stdout $address; if {$address eq {eve@example.test}} { error no } }
smtpd::configure -validate_recipient judge
smtpd::start
""")
    daemon.hook_command("script", [str(BUILD / "hooks/tcl/tcl"), str(script)], ["validate_recipient"], sandbox_read=[str(script.parent)])
    daemon.write_config()
    found = json.loads(run("test", "--json", "--sandbox", "script", "--config", daemon.file, env=daemon.surroundings()).stdout)
    assert found["ok"] and found["findings"] == []
    assert found["cases"][0]["log"] == ["looking", "at bob@example.test"]


def test_a_name_that_nobody_has(make_daemon):
    daemon = make_daemon('[[hook]]\nuse = "maildir"\n')
    daemon.write_config()
    done = run("test", "--sandbox", "mailder", "--config", daemon.file, status=78, env=daemon.surroundings())
    assert "no hook is named \"mailder\" — did you mean 'maildir'?" in done.stderr


def test_what_the_jail_does_not_let_it_do_is_found(make_daemon):
    daemon = make_daemon()
    daemon.hook("writer", hooks.SHELL + "touch /usr/mine || exit 1\nwhile read -r line; do echo ok; done\n", "deliver")
    daemon.write_config()
    found = json.loads(run("test", "--json", "--sandbox", "writer", "--config", daemon.file, status=1,
                           env=daemon.surroundings()).stdout)
    assert not found["ok"] and "Read-only file system" in found["log"][0]


def test_a_command_or_a_name_and_not_both():
    for arguments in ((), ("--sandbox", "x", "/bin/cat")):
        assert "which hook? COMMAND..., or --sandbox NAME" in run("test", *arguments, status=64).stderr
