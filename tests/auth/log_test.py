"""What the log and the counters say of AUTH: who tried, how, and what came of it; no secret, at any level."""

import base64
import contextlib

import pytest

from harness import hooks
from harness.daemon import Daemon

SETTINGS = 'log_level = "trace"\n[auth]\nsource = "hook"\nbefore_tls = true\n'
SECRET = "correct horse battery"

JUDGE = hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    answers = {"ann": "ok", "later": "defer"}
    print(answers.get(request["user"], "reject") if request["event"] == "auth" else "ok", flush=True)
"""


@pytest.fixture
def daemon():
    with contextlib.ExitStack() as stack:
        made = Daemon(SETTINGS)
        stack.callback(made.close)
        made.hook("judge", JUDGE, ["auth", "deliver"])
        yield made.start()


def plain(user: str) -> str:
    return "AUTH PLAIN " + base64.b64encode(f"\0{user}\0{SECRET}".encode()).decode()


def test_each_attempt_is_one_line_and_counted_and_no_secret_is_in_it(daemon):
    with daemon.session() as client:
        assert client.say(plain("mallory")).code == 535
        assert client.say(plain("later")).code == 454
        assert client.say("AUTH PLAIN").code == 334
        assert client.say("*").code == 501
        assert client.say(plain("ann")).code == 235
        assert client.message().code == 250
        client.expect("QUIT", "221")
    daemon.log.wait('session id=.* user="ann" messages=1 .*end=quit')
    attempts = [line.partition(" user=")[2] for line in daemon.log.lines("auth id=.* client=127.0.0.1 ")]
    assert attempts == ['"mallory" mechanism=PLAIN verdict=reject code=535', '"later" mechanism=PLAIN verdict=defer code=454',
                        '"" mechanism=PLAIN verdict=reject code=501', '"ann" mechanism=PLAIN verdict=accept code=235']
    worker = daemon.control_json("status")["worker"]
    assert (worker["auth_accepted"], worker["auth_failed"]) == (1, 3)
    assert SECRET not in daemon.log.text
    assert plain("ann").split()[-1] not in daemon.log.text


def test_chunks_are_counted(daemon):
    with daemon.session() as client:
        client.expect(plain("ann"), "235")
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "250")
        client.send("BDAT 5\r\nhelloBDAT 2 LAST\r\n\r\n")
        assert client.reply().code == 250
        assert client.reply().code == 250
        client.expect("QUIT", "221")
    daemon.log.wait("session id=.*end=quit")
    assert daemon.control_json("status")["worker"]["chunks"] == 2
