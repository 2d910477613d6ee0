"""The layers of the sandbox: what is there is used, what is missing is named, and refused unless the configuration allows it."""

import errno
import json
import subprocess
import sys

import pytest

from harness import hooks, processes

# Runs a command where some system calls fail as if the kernel did not know them, as within an old container.
WITHOUT = """
import ctypes, os, struct, sys
calls, command = [int(word) for word in sys.argv[1].split(",")], sys.argv[2:]
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
program = [struct.pack("HBBI", LOAD, 0, 0, 0)]
for call in calls:
    program += [struct.pack("HBBI", EQUAL, 0, 1, call), struct.pack("HBBI", RETURN, 0, 0, 0x00050000 | %d)]
program.append(struct.pack("HBBI", RETURN, 0, 0, 0x7fff0000))
text = ctypes.create_string_buffer(b"".join(program))
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(text)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter, 0, 0) == 0, os.strerror(ctypes.get_errno())
os.execv(command[0], command)
""" % errno.ENOSYS

LANDLOCK = 444  # landlock_create_ruleset, on every architecture
NO_LANDLOCK = (sys.executable, "-c", WITHOUT, str(LANDLOCK))
# A user namespace whose share of others is used up by the one in which the command runs.
NO_USER_NAMESPACES = ("unshare", "--user", "--map-root-user", "sh", "-c",
                      "echo 1 >/proc/sys/user/max_user_namespaces && exec unshare --user --map-user=65534 --map-group=65534 -- \"$@\"",
                      "sh")


def check_sandbox(daemon, *wrapper: str) -> tuple[int, dict]:
    done = subprocess.run(daemon.as_user([*wrapper, str(daemon.program), "check-sandbox", "--json"]), capture_output=True, text=True)
    found = json.loads(done.stdout)
    return done.returncode, {"level": found["level"], **{layer["name"]: layer for layer in found["layers"]}}


def whole_way(daemon) -> dict:
    """A message to a hook that tells how far it is apart from others; the status."""
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    status = daemon.control_json("status")["isolation"]
    assert daemon.recorded().requests("hello")[0]["isolation"] == status["level"]
    return status


def seccomp_modes(daemon) -> set[str]:
    return {process.fields["Seccomp"] for process in daemon.tree()}


def test_root_gets_every_layer(make_daemon):
    daemon = make_daemon()
    status, found = check_sandbox(daemon)
    assert status == 0 and found["level"] == "full"
    assert whole_way(daemon)["level"] == "full"
    assert seccomp_modes(daemon) == {"2"}


def test_a_plain_user_gets_all_but_users(plain_daemon):
    daemon = plain_daemon()
    status, found = check_sandbox(daemon)
    assert status == 0 and found["level"] == "namespaced"
    assert not found["users"]["present"] and found["users"]["why"] and found["users"]["fix"]
    isolation = whole_way(daemon)
    assert isolation["level"] == "namespaced"
    assert any(word.startswith("users") for word in isolation["missing"])
    daemon.log.wait("isolation level=namespaced missing=.*users")
    assert seccomp_modes(daemon) == {"2"}
    supervisor, *others = daemon.tree()
    for kind in ("mnt", "pid", "net", "ipc", "uts", "user"):
        assert supervisor.namespace(kind) not in {process.namespace(kind) for process in others}, kind
    daemon.control("reload")
    assert daemon.stop() == 0


def test_a_plain_user_without_user_namespaces_gets_filters(plain_daemon):
    daemon = plain_daemon(wrapper=NO_USER_NAMESPACES)
    status, found = check_sandbox(daemon, *NO_USER_NAMESPACES)
    assert status == 0 and found["level"] == "filtered"
    assert "user namespaces" in found["jails"]["why"]
    assert whole_way(daemon)["level"] == "filtered"
    daemon.log.wait("isolation level=filtered missing=.*jails")
    assert seccomp_modes(daemon) == {"2"}
    daemon.control("reload")
    assert daemon.stop() == 0


FORBIDDEN = hooks.PYTHON + """
import json, os, resource, socket, sys
def tried(act):
    try:
        act()
        return "done"
    except OSError as error:
        return os.strerror(error.errno)
for line in sys.stdin:
    with open("acts", "w") as file:
        json.dump({
            "read": tried(lambda: open("/etc/fstab").read()),
            "write": tried(lambda: open("/var/tmp/hooksmtpd-test-never", "w")),
            "ptrace": tried(lambda: open("/proc/%d/mem" % os.getppid())),
            "tcp": tried(lambda: socket.create_connection(("127.0.0.1", 9), 1)),
            "netlink": tried(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)),
            "control": tried(lambda: socket.socket(socket.AF_UNIX).connect("CONTROL")),
            "limit": tried(lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))),
            "priority": tried(lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)),
            "signal": tried(lambda: os.kill(os.getppid(), 0)),
        }, file)
    print("ok", flush=True)
"""


def test_landlock_alone_shows_a_hook_what_a_jail_would(plain_daemon):
    daemon = plain_daemon(wrapper=NO_USER_NAMESPACES)
    daemon.hook("acts", FORBIDDEN.replace("CONTROL", str(daemon.runtime / "control.sock")))
    daemon.start()
    acts = json.loads((daemon.state / "hooks/acts/acts").read_text())
    denied = "Permission denied"
    assert acts["read"] == acts["write"] == acts["ptrace"] == acts["tcp"] == denied, acts
    assert acts["netlink"] == acts["control"] == "Address family not supported by protocol", acts
    assert acts["limit"] == acts["priority"] == "Operation not permitted", acts
    # Of signals Landlock knows from ABI 6 on, and then the keeper is in the same domain.
    assert acts["signal"] in ("done", "Operation not permitted"), acts


BEHIND = hooks.SHELL + """
setsid sh -c 'setsid sleep 1000 & echo $! >pid' </dev/null >/dev/null 2>&1
while read -r request; do echo ok; done
"""


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_what_a_hook_leaves_behind_ends_with_the_daemon_without_a_jail(plain_daemon, end):
    daemon = plain_daemon(wrapper=NO_USER_NAMESPACES)
    daemon.hook("behind", BEHIND)
    daemon.start()
    left = processes.Watched(int((daemon.state / "hooks/behind/pid").read_text()))
    getattr(daemon.process, end)()
    assert left.wait_gone(2)


def test_a_missing_layer_stops_a_strict_start(make_daemon):
    daemon = make_daemon(wrapper=NO_LANDLOCK)
    status, found = check_sandbox(daemon, *NO_LANDLOCK)
    assert status == 71 and not found["landlock"]["present"]
    daemon.start(ready=False)
    assert daemon.wait() == 71
    daemon.log.wait("landlock: the kernel has no Landlock")
    daemon.log.wait('sandbox = "best-effort"')


def test_a_missing_layer_stops_a_strict_start_of_a_plain_user(plain_daemon):
    daemon = plain_daemon(wrapper=NO_LANDLOCK)
    daemon.start(ready=False)
    assert daemon.wait() == 71
    daemon.log.wait("landlock: the kernel has no Landlock")


@pytest.mark.parametrize("maker", ["make_daemon", "plain_daemon"])
def test_best_effort_goes_on_and_names_what_is_missing(request, maker):
    daemon = request.getfixturevalue(maker)('sandbox = "best-effort"', wrapper=NO_LANDLOCK)
    isolation = whole_way(daemon)
    assert isolation["level"] == "none"
    assert any(word.startswith("landlock") for word in isolation["missing"]), isolation
    daemon.log.wait("isolation level=none missing=.*landlock")
    assert seccomp_modes(daemon) == {"2"}


def test_no_sandbox_leaves_users_jails_and_no_privilege(make_daemon):
    daemon = make_daemon('sandbox = "none"')
    assert whole_way(daemon)["level"] == "none"
    supervisor, *others = daemon.tree()
    for process in others:
        assert process.uids[0] != 0 and process.fields["NoNewPrivs"] == "1"
        assert not any(process.capabilities.values())
        assert process.namespace("mnt") != supervisor.namespace("mnt")
        assert process.namespace("net") == supervisor.namespace("net")


def test_the_host_name_inside_is_the_configured_one(make_daemon):
    daemon = make_daemon()
    daemon.hook("name", hooks.PYTHON + """
import socket, sys
for line in sys.stdin:
    with open("name", "w") as file:
        file.write(socket.gethostname())
    print("ok", flush=True)
""")
    daemon.start()
    assert (daemon.state / "hooks/name/name").read_text() == "mail.test"
