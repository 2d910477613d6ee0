"""hooksmtpctl and the signals, against the running daemon."""

import json
import re
import signal
import socket
import sys

import pytest

from harness import hooks, processes


def greeting(daemon) -> str:
    with daemon.client() as client:
        return client.reply()


def test_status_for_people_and_for_programs(recorder):
    with recorder.session() as client:
        client.message()
        status = recorder.control_json("status")
    assert status["pid"] == recorder.pid
    assert status["addresses"][0]["address"] == "127.0.0.1:25"
    (hook,) = status["hooks"]
    assert hook["name"] == "recorder" and hook["state"] == "ready"
    text = recorder.control("status").stdout
    assert "127.0.0.1:25" in text and "recorder" in text


def test_ready(recorder):
    recorder.control("ready", status=0)


def test_configure_holds_for_new_sessions_until_reload(recorder):
    with recorder.session() as before:
        recorder.control("configure", "banner", "changed")
        assert " changed; " in greeting(recorder)
        before.expect("NOOP", "250")
        assert recorder.control("cget", "banner").stdout.strip().startswith("changed")
        recorder.control("reload")
        assert " changed; " not in greeting(recorder)


def test_configure_reports_mistakes(recorder):
    done = recorder.control("configure", "bannner", "x", status=None)
    assert done.returncode != 0 and "did you mean 'banner'" in done.stdout + done.stderr
    assert recorder.control("configure", "limits.recipients", "many", status=None).returncode != 0
    assert recorder.control("configure", "spool_size", "1M", status=None).returncode != 0


def test_cget_lists_everything_with_its_origin(recorder):
    text = recorder.control("cget").stdout
    assert re.search(r"^hostname\b.*mail\.test.*hooksmtpd\.toml:1:", text, re.MULTILINE)
    assert re.search(r"^limits\.recipients\b.*1000.*default", text, re.MULTILINE)
    listed = recorder.control_json("cget")
    assert "hostname" in json.dumps(listed)


@pytest.mark.parametrize("how", ["control", "signal"])
def test_reload_takes_what_needs_no_privilege(recorder, how):
    recorder.config = 'banner = "reloaded"'
    recorder.write_config()
    mark = recorder.log.mark()
    if how == "control":
        recorder.control("reload")
    else:
        recorder.signal(signal.SIGHUP)
        recorder.log.wait("reload", mark)
    assert " reloaded; " in greeting(recorder)


def test_reload_with_an_error_keeps_the_old_configuration(recorder):
    recorder.config = "banner = "
    recorder.write_config()
    done = recorder.control("reload", status=None)
    assert done.returncode != 0
    assert re.search(r"hooksmtpd\.toml:2:\d+: ", done.stdout + done.stderr)
    assert " hooksmtpd; " in greeting(recorder)
    with recorder.session() as client:
        assert client.message().code == 250


@pytest.mark.parametrize("config, named", [
    ('[[listener]]\naddress = ["127.0.0.1:26"]', "listener"),
    ('spool_size = "1M"', "spool_size"),
])
def test_reload_refuses_what_needs_a_restart_as_a_whole(recorder, config, named):
    recorder.config = 'banner = "half"\n' + config
    recorder.write_config()
    done = recorder.control("reload", status=None)
    assert done.returncode != 0
    assert re.search(rf"restart needed: .*{named}", done.stdout + done.stderr)
    assert " hooksmtpd; " in greeting(recorder)


def test_reload_refuses_a_new_hook(recorder):
    recorder.hook("another", hooks.RECORDER)
    recorder.write_config()
    done = recorder.control("reload", status=None)
    assert done.returncode != 0 and "hook.another" in done.stdout + done.stderr


def test_reload_gives_a_hook_its_new_options(make_daemon):
    daemon = make_daemon()
    daemon.hook("policy", hooks.SCRIPTED, "validate_sender", options={"validate_sender": "ok"})
    daemon.start()
    daemon.hook_texts = daemon.hook_texts.replace('"ok"', '"reject 550 5.7.1 changed"')
    daemon.write_config()
    mark = daemon.log.mark()
    daemon.control("reload")
    daemon.log.wait("hook ready hook=policy", mark)
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "550 5.7.1 changed")


def test_sessions_keep_the_configuration_that_they_began_with(recorder):
    with recorder.session() as client:
        recorder.control("configure", "limits.recipients", "1")
        client.expect("MAIL FROM:<a@client.test>", "250")
        for number in range(3):
            client.expect(f"RCPT TO:<{number}@dev.test>", "250")
    with recorder.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<1@dev.test>", "250")
        client.expect("RCPT TO:<2@dev.test>", "452")


def test_stop_waits_until_it_has_stopped(recorder):
    recorder.control("stop", "--wait")
    assert recorder.watched.wait_gone(1)
    assert recorder.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_cleanly(recorder, number):
    watched = [processes.Watched(process.pid) for process in recorder.tree()]
    recorder.signal(number)
    assert recorder.wait() == 0
    assert processes.wait_all_gone(watched, 1) == []
    assert recorder.control("status", status=None).returncode != 0


def test_it_can_start_again_where_it_was_killed(make_daemon, recorder):
    """A stale socket, a spool that was in use: nothing of that is in the way."""
    recorder.process.kill()
    recorder.wait()
    again = make_daemon(network=recorder.network)
    again.runtime, again.state = recorder.runtime, recorder.state
    again.hook("recorder", hooks.RECORDER)
    again.start()
    with again.session() as client:
        assert client.message().code == 250


def test_a_second_signal_does_not_wait_for_sessions(recorder):
    with recorder.session():
        mark = recorder.log.mark()
        recorder.signal(signal.SIGTERM)
        recorder.log.wait("stop by=", mark)
        recorder.signal(signal.SIGTERM)
        assert recorder.wait(5) == 0


def test_drain_ends_when_its_time_is_up(make_daemon):
    daemon = make_daemon('timeouts.drain = "500ms"').start()
    with daemon.session() as client:
        daemon.signal(signal.SIGTERM)
        assert client.reply().startswith("421 ")
        assert daemon.wait(10) == 0


def test_no_daemon_is_an_error_that_says_so(make_daemon):
    daemon = make_daemon()
    done = daemon.control("status", status=None)
    assert done.returncode != 0 and "control.sock" in done.stderr


def test_strangers_may_not_speak_to_the_control_socket(recorder):
    done = recorder.run(["setpriv", "--reuid=61998", "--regid=61998", "--clear-groups", "--", sys.executable, "-c",
                         f"import socket; socket.socket(socket.AF_UNIX).connect('{recorder.runtime}/control.sock')"])
    assert b"PermissionError" in done.stderr


def test_garbage_on_the_control_socket_harms_nobody(recorder):
    for garbage in (b"\n", b"{", b"[]\n", b'{"command":"nonsense"}\n', b"\xff\n", b"x" * 1_000_000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(5)
            control.connect(str(recorder.runtime / "control.sock"))
            try:
                control.sendall(garbage)
                control.shutdown(socket.SHUT_WR)
                control.recv(65536)
            except (BrokenPipeError, ConnectionResetError):
                pass
    recorder.control("status")
    with recorder.session() as client:
        assert client.message().code == 250


def test_log_lines_for_connection_transaction_and_hook(recorder):
    with recorder.session() as client:
        client.message(b"Subject: secret subject\r\n\r\nsecret body\r\n")
        client.expect("QUIT", "221")
    recorder.stop()
    text = recorder.log.text
    assert "secret" not in text, "contents of a message are in the log"
    assert re.search(r"hook.*recorder", text)
    assert "127.0.0.1" in text and "a@client.test" in text and "b@dev.test" in text


def test_a_forged_address_cannot_forge_a_log_line(recorder):
    with recorder.session() as client:
        client.say('MAIL FROM:<"a\\"b"@client.test>')
        client.say('RCPT TO:<"x verdict=reject"@dev.test>')
        client.say("DATA")
        client.send("Subject: x\r\n\r\nx\r\n")
        client.say(".")
    recorder.stop()
    assert not recorder.log.lines(r"[^\"\\ ]* verdict=reject\"@dev\.test[^\"]*$") or all(
        '"' in line for line in recorder.log.lines("verdict=reject"))
