"""The examples of README.md, as they stand there."""

import json
import os
import pathlib
import re

import pytest

from harness import hooks

ROOT = pathlib.Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"<!-- (.+?) -->\n```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
HOOKS = [(name, text) for name, _, text in BLOCKS if name.startswith("hooks/")]
COMMANDS = [text for name, _, text in BLOCKS if name == "run as root"]
CONFIGURATION = next(text for name, _, text in BLOCKS if name == "configuration")


ABOUT = {name: text for name, _, text in BLOCKS if ": " in name}


def test_nothing_is_missing():
    assert len(HOOKS) == 3 and len(COMMANDS) == 2 and len(ABOUT) == 8


@pytest.mark.parametrize("name, text", HOOKS, ids=[name for name, _ in HOOKS])
def test_hook_is_the_file_of_that_name(name, text):
    assert (ROOT / name).read_text() == text
    assert os.access(ROOT / name, os.X_OK)


@pytest.mark.parametrize("name, text", HOOKS, ids=[name for name, _ in HOOKS])
def test_hook_works_as_it_stands(make_daemon, name, text):
    daemon = make_daemon()
    daemon.hook("blocklist", text, ["validate_host", "validate_sender", "validate_recipient", "deliver", "disconnect"])
    daemon.start()
    daemon.control("ready")
    with daemon.session() as client:
        client.expect("MAIL FROM:<ann@example.org>", "250")
        assert client.say("RCPT TO:<x@blocked.example>") == "550 5.1.1 no such user"
        client.expect("RCPT TO:<bob@example.test>", "250")
        client.expect("DATA", "354")
        client.send("Subject: x\r\n\r\nx@blocked.example\r\n")
        assert client.say(".").code == 250
        client.expect("QUIT", "221")
    assert daemon.stop() == 0
    assert not daemon.log.lines("stray|failed|timeout")


@pytest.mark.parametrize("command", COMMANDS, ids=["swaks", "curl"])
def test_first_message(make_daemon, command):
    """The built-in configuration, as `daemon/run` starts it: one readable line, one file."""
    daemon = make_daemon()
    daemon.launch(["run", "--defaults"])
    daemon.log.wait("swaks|curl")
    done = daemon.run(["bash", "-c", command])
    assert done.returncode == 0, done
    daemon.log.wait(r"message .*ann@example\.org.*bob@example\.test.*")
    page = daemon.log.wait(r"read the mail: (http://\S+)").group(1)
    assert page in TEXT
    done = daemon.run(["curl", "-sS", f"{page}/api/v2/messages"])
    assert [message["subject"] for message in json.loads(done.stdout)["messages"]] == ["hello"]


def test_the_line_that_the_start_prints_sends_a_message(make_daemon):
    daemon = make_daemon()
    daemon.launch(["run", "--defaults"])
    line = daemon.log.wait(r"(swaks|curl|printf) .*").group()
    done = daemon.run(["bash", "-c", line])
    assert done.returncode == 0, (line, done)
    assert json.loads(daemon.run(["curl", "-sS", "http://127.0.0.1:8025/api/v2/info"]).stdout)["messages"] == 1


def test_what_waits_for_a_message(make_daemon):
    daemon = make_daemon()
    daemon.launch(["run", "--defaults"])
    with daemon.session() as client:
        assert client.message(recipients=("bob@example.test",)).code == 250
    done = daemon.run(["bash", "-c", ABOUT["the inbox: commands"]])
    assert len(json.loads(done.stdout)["messages"]) == 1, done


def test_mail_stays_in_files_as_well(make_daemon):
    daemon = make_daemon(ABOUT["Maildir: configuration"])
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    assert len(list((daemon.state / "hooks/maildir/Maildir/new").iterdir())) == 1


def test_configuration(make_daemon):
    """The paths are the test's own, the rest is as it stands."""
    daemon = make_daemon(CONFIGURATION.replace("/etc/hooksmtpd/hooks", "HOOKS").split("\n", 1)[1])
    daemon.config = daemon.config.replace("HOOKS", str(daemon.folder / "hooks"))
    for name in ("blocklist.py", "store.py"):
        hooks.write(daemon.folder / "hooks", name, hooks.RECORDER)
    daemon.start()
    daemon.control("ready")
    with daemon.session() as client:
        assert client.message().code == 250
    assert hooks.Recorded(daemon.state / "hooks/store").requests("hello")[0]["options"] == {"folder": "new"}


@pytest.mark.parametrize("topic, messages", [("TLS", 2), ("AUTH", 1), ("sendmail", 1), ("wait", 1)])
def test_commands_about(make_daemon, tmp_path, topic, messages):
    """Only the places are the test's own."""
    daemon = make_daemon()
    places = {"/var/lib/hooksmtpd": str(daemon.state), "/etc/hooksmtpd": str(daemon.folder / "etc")}

    def placed(text: str) -> str:
        for old, new in places.items():
            text = text.replace(old, new)
        return text

    for program in (daemon.program, daemon.ctl):
        (tmp_path / program.name).symlink_to(program)
    if topic == "AUTH":
        (daemon.folder / "etc/passwords").touch(mode=0o644)
    daemon.config = placed(ABOUT.get(f"{topic}: configuration", ""))
    if "[[listener]]" not in daemon.config:
        daemon.config += '[[listener]]\naddress = ["127.0.0.1:25"]\n'
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    done = daemon.run(["bash", "-e", "-c", placed(ABOUT[f"{topic}: commands"])],
                      env={**daemon.surroundings(), "PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert done.returncode == 0, done
    delivered = daemon.recorded().requests("deliver")
    assert len(delivered) == messages
    assert all(("tls" in request) == (topic in ("TLS", "AUTH")) for request in delivered)


@pytest.mark.parametrize("document", ["README.md", "HACKING.md", "proto/hook/PROTOCOL.md", "hooks/README.md", "hooks/MIGRATING.md",
                                      "tests/bench/README.md", "CHANGELOG.md"])
def test_links_and_named_files_exist(document):
    text = (ROOT / document).read_text()
    folder = (ROOT / document).parent
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (folder / target).exists(), target
    if document == "HACKING.md":
        for target in re.findall(r"`((?:proto|config|daemon|tests|hooks)/[\w./-]+)`", text):
            assert (ROOT / target).exists(), target


def test_the_two_commands_can_run():
    for name in ("daemon/run", "tests/run", ".ci/run", "systemd/install"):
        assert os.access(ROOT / name, os.X_OK), name
