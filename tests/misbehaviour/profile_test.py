"""What a hook's profile gives it and what it takes: [hook.sandbox] in sh, Python and Node, behind the daemon."""

import os
import pathlib
import re

import pytest

from harness import hooks
from harness.disk import small_disk

# Runs the text that `options` has for the event, as a program of the hook's own language, and says what came of it.
SHELL = hooks.SHELL + """
while IFS= read -r request; do
  case $request in *'"event":"validate_sender"'*) ( {act} ) && echo "it worked" >&2 ;; esac
  echo ok
done
"""
PYTHON = hooks.PYTHON + """
import json, os, socket, subprocess, sys, threading, traceback
def act():
    {act}
for line in sys.stdin:
    if json.loads(line)["event"] == "validate_sender":
        try:
            act()
            print("it worked", file=sys.stderr, flush=True)
        except Exception as error:
            print(f"{{type(error).__name__}}: {{error}}", file=sys.stderr, flush=True)
    print("ok", flush=True)
"""
NODE = "#!/usr/bin/node\n" + """
const fs = require("fs"), net = require("net"), {{ execFileSync }} = require("child_process");
const failed = (error) => console.error(String(error));
require("readline").createInterface({{ input: process.stdin }}).on("line", (line) => {{
  if (JSON.parse(line).event === "validate_sender") {{
    try {{
      {act}
      console.error("it worked");
    }} catch (error) {{
      failed(error);
    }}
  }}
  console.log("ok");
}});
"""
PROGRAMS = {"sh": SHELL, "python": PYTHON, "node": NODE}
WRITE = {"sh": "echo x > {0}/new", "python": "open('{0}/new', 'w').write('x')", "node": "fs.writeFileSync('{0}/new', 'x');"}
READ = {"sh": "cat {0}/secret >/dev/null", "python": "open('{0}/secret').read()", "node": "fs.readFileSync('{0}/secret');"}
languages = pytest.mark.parametrize("language", PROGRAMS)


@pytest.fixture
def folder(tmp_path):
    """Everybody may pass, and read and write what is in it: what stops a hook is its profile."""
    for above in (tmp_path, *tmp_path.parents):
        if above != pathlib.Path("/tmp") and above != pathlib.Path("/"):
            above.chmod(above.stat().st_mode | 0o055)
    place = tmp_path / "data"
    place.mkdir()
    place.chmod(0o777)
    (place / "secret").write_text("x")
    return place


def act(daemon, language: str, text: str, **sandbox: object):
    profile = {f"sandbox_{key}": value for key, value in sandbox.items()}
    daemon.hook("actor", PROGRAMS[language].format(act=text), ["validate_sender"], **profile)
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
    return daemon


def explained(daemon) -> str:
    return daemon.log.wait("denied what=.*")[0]


@languages
def test_a_folder_to_write(make_daemon, folder, language):
    daemon = act(make_daemon(), language, WRITE[language].format(folder), write=[str(folder)])
    daemon.log.wait("it worked")
    assert (folder / "new").stat().st_uid != 0


@languages
def test_a_folder_to_read_is_not_written(make_daemon, folder, language):
    daemon = act(make_daemon(), language, WRITE[language].format(folder), read=[str(folder)])
    line = explained(daemon)
    assert "what=write" in line and f'fix="sandbox.write = [\\"{folder}\\"]"' in line
    assert not (folder / "new").exists()


@languages
def test_a_folder_that_is_not_named_is_not_there(make_daemon, folder, language):
    line = explained(act(make_daemon(), language, READ[language].format(folder)))
    assert "what=read" in line and f'fix="sandbox.read = [\\"{folder}\\"]"' in line


def test_the_network_that_is_not_there_is_named_with_its_cure(make_daemon):
    line = explained(act(make_daemon(), "python", "socket.create_connection(('192.0.2.1', 25), 2)"))
    assert 'what=network why="sandbox.network is \\"none\\"" fix="sandbox.network = \\"host\\""' in line


def test_too_many_processes_are_refused(make_daemon):
    text = "[subprocess.Popen(['/bin/sleep', '9']) for _ in range(20)]"
    line = explained(act(make_daemon(), "python", text, processes=8))
    assert 'why="sandbox.processes is 8"' in line


def test_too_many_open_files_are_refused(make_daemon):
    line = explained(act(make_daemon(), "python", "files = [open('/dev/null') for _ in range(40)]", files=32))
    assert 'why="sandbox.files is 32"' in line


def groups(daemon, name: str) -> dict[str, pathlib.Path]:
    """By controller: where /proc says that the hook is."""
    pid = daemon.hook_processes(name)[-1].pid
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for one in controllers.split(",") if controllers else ["memory", "pids", "cpu"]:
            if "hooksmtpd." in path:
                found[one] = path
    return found


def test_more_memory_than_it_may_have_ends_the_hook_alone(make_daemon):
    daemon = make_daemon()
    daemon.hook("greedy", PYTHON.format(act="b'x' * (200 << 20)"), ["validate_sender"], sandbox_memory="64M")
    daemon.start()
    if "memory" not in groups(daemon, "greedy"):
        pytest.skip("no cgroup for memory on this machine")
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "451")
        client.expect("NOOP", "250")
    daemon.log.wait(r'hook exit hook=greedy/1 signal=9 why="it needs more than sandbox\.memory"')
    assert daemon.worker()


def test_a_file_system_of_its_own_is_all_that_a_hook_can_fill(make_daemon):
    daemon = make_daemon()
    daemon.hook("greedy", PYTHON.format(act="open('x', 'wb', 0).write(b'x' * (8 << 20)); open('y', 'wb', 0).write(b'x' * (8 << 20))"),
                ["validate_sender"])
    daemon.hook("recorder", hooks.RECORDER)
    own = daemon.state / "hooks/greedy"
    own.mkdir(parents=True)
    with small_disk(own, "4m"):
        daemon.start()
        with daemon.session() as client:
            assert client.message().code == 250
        daemon.log.wait("No space left on device")
        assert sum(file.stat().st_size for file in own.iterdir()) == 4 << 20
        assert len(daemon.recorded().messages()) == 1
        assert daemon.stop() == 0


def test_each_instance_has_a_group_and_its_keeper_is_not_in_it(make_daemon):
    daemon = make_daemon()
    daemon.hook("twin", hooks.RECORDER, instances=2, sandbox_memory="64M", sandbox_cpu="50%")
    daemon.start()
    found = {path for process in daemon.hook_processes("twin")
             for line in pathlib.Path(f"/proc/{process.pid}/cgroup").read_text().splitlines()
             if "hooksmtpd." in (path := line.split(":")[2])}
    assert {re.search(r"hooksmtpd\.(twin\.\d)\.", path)[1] for path in found} == {"twin.1", "twin.2"}
    for process in daemon.hook_processes("twin"):
        keeper = pathlib.Path(f"/proc/{process.parent}/cgroup").read_text()
        assert "hooksmtpd." not in keeper


@pytest.mark.parametrize("spoil, text", [
    (lambda file: file.chmod(0o757), "can be written by others than its owner"),
    (lambda file: file.chmod(0o4755), "is set-user-id or set-group-id"),
    (lambda file: os.chown(file, 61998, 0), "belongs to uid 61998, who could change it"),
    (lambda file: file.parent.chmod(0o757), "lies in a folder where everybody may replace it"),
    (lambda file: os.chown(file.parent, 61998, 0), "lies in a folder of uid 61998, who may replace it"),
    (lambda file: (os.chown(file.parent, 0, 61998), file.parent.chmod(0o775)), "lies in a folder where its group may replace it"),
], ids=["written by others", "set-user-id", "of somebody", "folder for all", "folder of somebody", "folder of a group"])
@pytest.mark.parametrize("as_script", [False, True], ids=["program", "script"])
def test_who_else_could_change_the_program_stops_the_start(make_daemon, spoil, text, as_script):
    daemon = make_daemon()
    file = daemon.hook("open", hooks.RECORDER)
    if as_script:
        daemon = make_daemon()
        own = daemon.folder / "scripts"
        own.mkdir()
        file = hooks.write(own, "open.py", hooks.RECORDER)
        daemon.hook_command("open", ["/usr/bin/python3", str(file)])
    spoil(file)
    daemon.start(ready=False)
    assert daemon.wait() == 78
    daemon.log.wait(re.escape(text))


@pytest.mark.parametrize("more", [{}, {"sandbox_read": ["/srv"]}, {"sandbox_network": "loopback"}], ids=["none", "a folder", "loopback"])
def test_what_it_listens_on_leads_nowhere_else(make_daemon, more):
    """A listener is a socket of the machine's network, and stays one when it is shut down."""
    daemon = make_daemon()
    act = "way = socket.socket(fileno=3); way.shutdown(2); way.connect(('127.0.0.1', 25))"
    daemon.hook("caller", PYTHON.format(act=act), ["validate_sender"], sandbox_listen=["127.0.0.1:8026"], **more)
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
    assert "it worked" not in daemon.log.wait(r"hook caller/1 .*(it worked|Permission denied)").group()
