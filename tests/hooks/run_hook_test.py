"""`hooksmtpd run-hook NAME`: a configured hook by hand, with what it would get from the daemon."""

import json
import os
import signal
import subprocess

import pytest

from harness import hooks, processes

# Says what it is and what it sees, in place of a verdict.
MIRROR = hooks.PYTHON + """
import json, os, socket, sys
print(json.dumps({"uid": os.getuid(), "gid": os.getgid(), "root": sorted(os.listdir("/")), "directory": os.getcwd(),
                  "environment": dict(os.environ), "network": os.readlink("/proc/self/ns/net"), "session": os.getsid(0) == os.getpid(),
                  "descriptors": sorted(os.listdir("/proc/self/fd"))}), flush=True)
for line in sys.stdin:
    print("ok", flush=True)
sys.exit(7)
"""


def run_hook(daemon, name: str, **options) -> subprocess.Popen:
    daemon.write_config()
    command = [str(daemon.program), "run-hook", name, "--config", str(daemon.file)]
    with daemon.network:
        return subprocess.Popen(daemon.as_user(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env=daemon.surroundings(), **options)


def test_it_gets_what_the_daemon_would_give_it(make_daemon):
    daemon = make_daemon()
    daemon.hook("mirror", MIRROR, "validate_sender", environment={"MINE": "yes"})
    with run_hook(daemon, "mirror") as process:
        seen = json.loads(process.stdout.readline())
        assert (process.stdin.write("{}\n"), process.stdin.flush(), process.stdout.readline())[2] == "ok\n"
        process.stdin.close()
        assert process.wait(20) == 7, "the hook's own exit status"
    assert seen["uid"] >= 60800 and seen["gid"] == seen["uid"]
    assert "home" not in seen["root"] and "root" not in seen["root"]
    assert seen["directory"] == seen["environment"]["HOOK_STATE"] == str(daemon.state / "hooks/mirror")
    assert seen["environment"]["MINE"] == "yes" and "HOOK_SDK" in seen["environment"]
    assert seen["network"] != os.readlink("/proc/self/ns/net")
    assert seen["session"] and len(seen["descriptors"]) == 4, "0, 1, 2, and the one that lists them"


def test_a_daemon_that_runs_with_the_same_folders_is_not_disturbed(make_daemon):
    daemon = make_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with run_hook(daemon, "recorder") as process:
        process.stdin.write('{"event":"hello"}\n')
        process.stdin.flush()
        assert process.stdout.readline() == "ok\n"
        with daemon.session() as client:
            assert client.message().code == 250
        process.stdin.close()
        assert process.wait(20) == 0


def test_no_root_is_left_and_nothing_outlives_us(make_daemon):
    daemon = make_daemon()
    daemon.hook("stays", hooks.SHELL + "echo here; trap '' TERM INT HUP; while :; do sleep 1000; done\n", "validate_sender")
    with run_hook(daemon, "stays") as process:
        assert process.stdout.readline() == "here\n"
        found = processes.tree(process.pid)
        assert len(found) >= 3
        assert all(one.uids[0] != 0 and not any(one.capabilities.values()) for one in found)
        watched = [processes.Watched(one.pid) for one in found]
        process.send_signal(signal.SIGKILL)
        assert processes.wait_all_gone(watched, 20) == []


@pytest.mark.parametrize("name, says", [("miror", "no hook is named \"miror\" — did you mean 'mirror'?")])
def test_an_unknown_name_is_told_with_the_nearest(make_daemon, name, says):
    daemon = make_daemon()
    daemon.hook("mirror", MIRROR, "validate_sender")
    with run_hook(daemon, name, stderr=subprocess.PIPE) as process:
        assert says in process.stderr.read()
        assert process.wait(20) == 64
