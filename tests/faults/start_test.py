"""What keeps the daemon from starting is said in one line that names the way out."""

import os
import re
import socket

import pytest

from harness import hooks

CONFIG_ERROR = 78  # EX_CONFIG


def test_port_in_use_names_the_process_and_two_ways_out(make_daemon):
    daemon = make_daemon()
    with daemon.network:
        holder = socket.create_server(("127.0.0.1", 25))
    with holder:
        daemon.start(ready=False)
        assert daemon.wait() not in (0, -6, -11)
    daemon.log.wait(r"127\.0\.0\.1:25")
    daemon.log.wait(rf"\b{os.getpid()}\b")
    daemon.log.wait(r"--listen|another port")


@pytest.mark.parametrize("config, pattern", [
    ('bannner = "x"', r":2:1: .*bannner.*did you mean 'banner'"),
    ("banner = 7", r":2:\d+: .*banner"),
    ("limits.recipients = -1", r":2:\d+: .*recipients"),
    ("[limits]\nrecipient = 5", r":3:1: .*recipients"),
    ("banner = ", r":2:\d+: "),
    ('timeouts.idle = "5 parsecs"', r":2:\d+: .*idle"),
    ('[[hook]]\nname = "x"\ncommand = ["/no/such/file"]\nevents = ["deliver"]', r":[24]:\d+: .*/no/such/file"),
    ('[[hook]]\nname = "x"\ncommand = ["/bin/cat"]\nevents = ["delivver"]', r":5:\d+: .*did you mean 'deliver'"),
    ('[[hook]]\nname = "x"\ncommand = ["/bin/cat"]\nevents = ["deliver"]\non_failure = "accept"', r":6:\d+: .*accept"),
], ids=range(9))
def test_configuration_error_has_file_line_and_column(make_daemon, config, pattern):
    daemon = make_daemon(config).start(ready=False)
    assert daemon.wait() == CONFIG_ERROR
    daemon.log.wait(re.escape(str(daemon.file)) + pattern)


def test_a_hook_without_its_interpreter(make_daemon):
    daemon = make_daemon()
    daemon.hook("odd", "#!/opt/no/such/interpreter\n")
    daemon.start(ready=False)
    assert daemon.wait() == CONFIG_ERROR
    daemon.log.wait("/opt/no/such/interpreter")


def test_a_hook_that_is_not_executable(make_daemon):
    daemon = make_daemon()
    daemon.hook("plain", hooks.RECORDER).chmod(0o644)
    daemon.start(ready=False)
    assert daemon.wait() == CONFIG_ERROR
    daemon.log.wait("hooks/plain.*execut")


def test_two_daemons_do_not_share_a_runtime_folder(make_daemon, recorder):
    second = make_daemon('[[listener]]\naddress = ["127.0.0.1:0"]', network=recorder.network)
    second.runtime = recorder.runtime
    second.start(ready=False)
    assert second.wait() != 0
    with recorder.session() as client:
        assert client.message().code == 250


def test_check_config(make_daemon):
    daemon = make_daemon('bannner = "x"')
    daemon.write_config()
    done = daemon.run([str(daemon.program), "check-config", "--config", str(daemon.file)], env=daemon.surroundings())
    assert done.returncode == CONFIG_ERROR
    assert b"hooksmtpd.toml:2:1: " in done.stdout + done.stderr
    daemon.config = ""
    daemon.write_config()
    done = daemon.run([str(daemon.program), "check-config", "--config", str(daemon.file)], env=daemon.surroundings())
    assert done.returncode == 0, done


def test_version(make_daemon):
    daemon = make_daemon()
    for program in (daemon.program, daemon.ctl):
        done = daemon.run([str(program), "--version"])
        assert done.returncode == 0 and re.search(rb"\d+\.\d+\.\d+", done.stdout)
