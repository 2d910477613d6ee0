"""Promise P1, by looking: what /proc says of every process once the daemon is ready, and after every restart."""

import os
import re
import signal

import pytest

from harness import hooks, processes
from privileges.walk import check, check_descriptors, check_namespaces, check_roots, walk

OWN_STATUS = hooks.PYTHON + """
import os, sys, time
for line in sys.stdin:
    name = "status.%d" % time.monotonic_ns()  # two instances have one folder
    with open(name, "w") as file:
        file.write(open("/proc/self/status").read())
        file.write("Environment:\\t%s\\n" % " ".join(sorted(os.environ)))
        file.write("Files:\\t%s\\n" % " ".join(sorted(os.listdir("/"))))
        file.write("Pids:\\t%s\\n" % " ".join(sorted(filter(str.isdigit, os.listdir("/proc")), key=int)))
        try:
            os.setuid(0)
            file.write("Root:\\tyes\\n")
        except PermissionError:
            file.write("Root:\\tno\\n")
    os.rename(name, "status")
    print("ok", flush=True)
"""


@pytest.fixture(params=["", '[tls]\nmode = "starttls"'], ids=["plain", "tls"])
def daemon(make_daemon, request):
    """With and without a keyholder."""
    daemon = make_daemon(request.param)
    daemon.hook("looker", OWN_STATUS, ["validate_sender"], instances=2)
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


def deliver(daemon) -> None:
    with daemon.session() as client:
        assert client.message().code == 250
        client.expect("QUIT", "221")
        assert client.at_end()  # by then nothing of the message is left


def keyholders(daemon) -> int:
    return 1 if "[tls]" in daemon.config else 0


def test_no_root_and_no_capability_anywhere(daemon):
    found = walk(daemon)
    # supervisor; keeper and worker; keeper and keyholder; three keepers with a hook each
    assert len(found) == 1 + 2 + keyholders(daemon) * 2 + 3 * 2, found


def test_users_are_distinct(daemon):
    users = {process.uids[0] for process in daemon.tree()}
    assert len(users) == 4 + keyholders(daemon), "supervisor, worker, keyholder, and one for each hook"
    assert {process.uids[0] for process in daemon.hook_processes("looker")} != {
        process.uids[0] for process in daemon.hook_processes("recorder")}
    assert len({process.uids[0] for process in daemon.hook_processes("looker")}) == 1
    for process in daemon.tree():
        if process.pid != daemon.pid:
            assert process.uids[0] != daemon.tree()[0].uids[0], "a child shares the supervisor's user"


def test_namespaces_and_roots(daemon):
    check_namespaces(daemon)
    check_roots(daemon)


def test_jails_are_read_only_but_for_the_places_that_must_not_be(daemon):
    state = str(daemon.state)
    for process in daemon.tree()[1:]:
        writable = {point for point, kind, options in process.mounts() if "rw" in options and kind not in ("proc", "devtmpfs")}
        for point in writable:
            assert point.startswith((state, str(daemon.runtime), "/tmp", "/dev", "/proc")), (process, writable)
        for point, _, options in process.mounts():
            assert "nosuid" in options, (process, point, options)


def test_a_hook_sees_only_its_own_spool_and_state(daemon):
    deliver(daemon)
    (process,) = daemon.hook_processes("recorder")
    root = f"/proc/{process.pid}/root"
    assert os.listdir(f"{root}{daemon.state}/hooks") == ["recorder"]
    assert os.listdir(f"{root}{daemon.runtime}/spool") == ["recorder"]
    for process in daemon.hook_processes("looker"):
        root = f"/proc/{process.pid}/root"
        assert os.listdir(f"{root}{daemon.state}/hooks") == ["looker"]


def test_descriptors(daemon):
    """Each process holds what it needs and nothing that another one needs."""
    deliver(daemon)
    check_descriptors(daemon)
    for process in daemon.hook_processes("looker") + daemon.hook_processes("recorder"):
        held = process.descriptors()
        assert set(held) >= {0, 1, 2} and all(held[number].startswith("pipe:") for number in (0, 1, 2)), held
        assert all(str(daemon.state) in target for number, target in held.items() if number > 2), held
    worker = daemon.worker().descriptors()
    assert worker[0] == worker[1] == "/dev/null" and worker[2].startswith("pipe:")
    assert worker[3].startswith("socket:") and worker[4].endswith("/spool")


def test_what_a_hook_sees_of_itself(daemon):
    deliver(daemon)
    status = (daemon.state / "hooks/looker/status").read_text()
    fields = dict(re.findall(r"^(\w+):[ \t]*(.*)$", status, re.MULTILINE))
    process = processes.Process(0, 0, ["hook"], fields)
    check(process)
    assert fields["Root"] == "no"
    assert set(fields["Environment"].split()) <= {
        "PATH", "HOME", "HOOK_NAME", "HOOK_STATE", "HOOK_SDK", "HOOK_HOSTNAME", "HOOK_SMTP", "PYTHONPATH", "NODE_PATH", "PYTHONUNBUFFERED", "LC_CTYPE", "LANG"}
    assert len(fields["Pids"].split()) <= 2, "sees others than itself and its keeper"


def test_the_walk_after_the_worker_was_killed(daemon):
    before = daemon.worker()
    watched = processes.Watched(before.pid)
    os.kill(before.pid, signal.SIGKILL)
    assert watched.wait_gone(5)
    deliver(daemon)
    walk(daemon)
    assert daemon.worker().pid != before.pid


@pytest.mark.parametrize("name", ["looker", "recorder"])
def test_the_walk_after_a_hook_was_killed(daemon, name):
    before = {process.pid for process in daemon.hook_processes(name)}
    for pid in before:
        watched = processes.Watched(pid)
        mark = daemon.log.mark()
        os.kill(pid, signal.SIGKILL)
        assert watched.wait_gone(5)
        daemon.log.wait(rf"hook ready hook={name}", mark)
    deliver(daemon)
    walk(daemon)
    after = {process.pid for process in daemon.hook_processes(name)}
    assert len(after) == len(before) and not after & before


def test_set_user_id_programs_give_nothing(make_daemon):
    daemon = make_daemon()
    daemon.hook("su", hooks.SHELL + """
while IFS= read -r request; do
  cp /bin/sh "$HOOK_STATE/sh" 2>/dev/null && chmod 4755 "$HOOK_STATE/sh" 2>/dev/null
  "$HOOK_STATE/sh" -p -c 'id -u' >"$HOOK_STATE/uid"
  echo ok
done
""")
    daemon.start()
    deliver(daemon)
    assert int((daemon.state / "hooks/su/uid").read_text()) == daemon.hook_processes("su")[0].uids[0]


def test_client_text_reaches_no_argument_and_no_environment(daemon):
    canary = "canary7f3a"
    with daemon.client() as client:
        client.greet(f"{canary}.test")
        client.expect(f"MAIL FROM:<{canary}@client.test>", "250")
        client.expect(f"RCPT TO:<{canary}@dev.test>", "250")
        for process in daemon.tree():
            assert canary not in " ".join(process.command)
            assert canary not in processes.read(process.pid, "environ")


def test_a_hook_with_user_root_is_refused(make_daemon):
    daemon = make_daemon()
    daemon.hook("root", hooks.RECORDER, sandbox_user="root")
    daemon.start(ready=False)
    assert daemon.wait() == 78
    daemon.log.wait(r"hooksmtpd\.toml:\d+:\d+: .*root")


@pytest.mark.parametrize("mode", [0o777, 0o757])
def test_a_hook_that_anybody_can_write_is_refused(make_daemon, mode):
    daemon = make_daemon()
    daemon.hook("open", hooks.RECORDER).chmod(mode)
    daemon.start(ready=False)
    assert daemon.wait() != 0
    daemon.log.wait(r"hooks/open.*writ")
