"""What each misbehaving hook costs: one reply to its client, one line in the log, and nobody else anything (promise P4)."""

import json
import re

import pytest

from harness import hooks
from harness.client import session
from misbehaviour.corpus import ACCEPTED, CORPUS, DEFERRED, script

FIRST_PORT = 2600
PORTS = {name: FIRST_PORT + number for number, name in enumerate(CORPUS)}


@pytest.fixture(scope="module")
def daemon(make_module_daemon):
    """One daemon with all of them: each has a listener of its own, and there is one with a good hook."""
    daemon = make_module_daemon()
    listeners = ['[[listener]]\nname = "good"\naddress = ["127.0.0.1:25"]\nhooks = ["good"]\n']
    for name, bad in CORPUS.items():
        listeners.append(f'[[listener]]\nname = "{name.replace("_", "-")}"\naddress = ["127.0.0.1:{PORTS[name]}"]\n'
                         f'hooks = ["{name.replace("_", "-")}"]\n')
        daemon.hook(name.replace("_", "-"), script(bad), "validate_recipient",
                    timeout="700ms" if bad.smtp == DEFERRED else "20s",
                    start_timeout="500ms" if not bad.again else "20s")
    daemon.hook("good", hooks.RECORDER, ["validate_recipient", "deliver"])
    daemon.config = 'hook_uids = "60800-60999"\n' + "".join(listeners)
    daemon.start()
    return daemon


@pytest.fixture(scope="module")
def bystander(daemon):
    """Somebody else's session, open all the time."""
    with daemon.session() as client:
        yield client


def ask_until_answered(client) -> None:
    """As a client does after a 4xx, while the hook is started again."""
    for _ in range(100):
        reply = client.say("RCPT TO:<good@dev.test>")
        if reply.code == 250:
            return
        assert reply.startswith("451 4.3."), reply
    raise AssertionError("the hook never came back")


def wait_for_log(daemon, name: str) -> None:
    label, text = re.escape(name.replace("_", "-")), CORPUS[name].log.replace('"', r'\\*"')
    daemon.log.wait(rf"\b(hook|hook \w+ hook=|verdict hook=) ?{label}(/1)?\b.*(?:{text})")


@pytest.mark.parametrize("name", CORPUS)
def test_a_misbehaving_hook(daemon, bystander, name):
    bad, worker = CORPUS[name], daemon.worker().pid
    with session(daemon.network, port=PORTS[name]) as client:
        client.expect("MAIL FROM:<ann@client.test>", "250")
        assert client.say("RCPT TO:<bad@dev.test>") == bad.smtp
        if not bad.found_later:
            wait_for_log(daemon, name)
        assert bystander.message().code == 250
        if bad.again:
            ask_until_answered(client)
        else:
            assert client.say("RCPT TO:<good@dev.test>") == DEFERRED
        client.expect("RSET", "250")
    if bad.found_later:
        wait_for_log(daemon, name)
    assert daemon.process.poll() is None and daemon.worker().pid == worker, "nobody else was restarted"


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 40


def test_afterwards_everything_is_as_before(daemon, bystander):
    assert bystander.message().code == 250
    status = daemon.control_json("status")
    states = {hook["name"]: hook["state"] for hook in status["hooks"]}
    assert states["good"] == "ready"
    assert {name for name, bad in CORPUS.items() if not bad.again} >= {
        name.replace("-", "_") for name, state in states.items() if state != "ready"}, json.dumps(states)
    assert len(daemon.hook_processes("leaves-children")) <= 1
