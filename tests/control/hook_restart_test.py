"""hooksmtpctl hooks: how hooks are doing, and a new start for one of them."""

import pytest

from harness import hooks

SLOW = hooks.PYTHON + """
import json, sys, time
for line in sys.stdin:
    if json.loads(line)["event"] == "hello":
        print('{"stores":true,"modifies":["headers"]}', flush=True)
        continue
    time.sleep(0.05)
    print('{"action":"nonsense"}' if "bad@" in line else "ok", flush=True)
"""


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon()
    daemon.hook("slow", SLOW, ["validate_recipient"])
    daemon.hook("quick", hooks.SCRIPTED, ["deliver"], instances=2)
    return daemon.start()


def of(daemon, name: str) -> dict:
    return next(hook for hook in daemon.control_json("hooks")["hooks"] if hook["name"] == name)


def test_latency_requests_and_failures_are_counted_for_each_process(daemon):
    with daemon.session() as client:
        client.message()
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<bad@dev.test>", "451")
    slow = of(daemon, "slow")
    assert (slow["requests"], slow["failures"], slow["answers"]) == (2, 1, 1)
    assert 50_000 <= slow["p50_us"] <= slow["p99_us"] < 2_000_000
    assert slow["validate_recipient_p50_us"] == slow["p50_us"]
    assert slow["stores"] == 1 and slow["modifies_headers"] == 1 and slow["modifies_sender"] == 0
    text = daemon.control("hooks").stdout
    assert text == daemon.control("hooks", "list").stdout
    line = next(line for line in text.splitlines() if line.startswith("slow/1 "))
    assert " ms " in line and "stores, headers" in line
    assert [line.split()[0] for line in text.splitlines()] == ["HOOK", "slow/1", "quick/1", "quick/2"]


def test_a_restarted_hook_finishes_first_and_no_question_fails(daemon):
    (before,) = daemon.hook_processes("slow")
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        mark = daemon.log.mark()
        client.send("RCPT TO:<b@dev.test>\r\n")
        assert daemon.control("hooks", "restart", "slow").stdout == "restarting: slow/1\n"
        client.send("RCPT TO:<c@dev.test>\r\n")
        assert client.reply().code == 250
        assert client.reply().code == 250
        daemon.log.wait("hook ready hook=slow/1", mark)
    (after,) = daemon.hook_processes("slow")
    assert after.pid != before.pid
    assert of(daemon, "slow")["failures"] == 0 and of(daemon, "slow")["last_error"] == ""


def test_one_instance_or_all(daemon):
    mark = daemon.log.mark()
    assert daemon.control_json("hooks", "restart", "quick/2")["restarting"] == ["quick/2"]
    daemon.log.wait("hook ready hook=quick/2", mark)
    mark = daemon.log.mark()
    assert daemon.control_json("hooks", "restart", "quick")["restarting"] == ["quick/1", "quick/2"]
    daemon.log.wait("hook ready hook=quick/1", mark)
    assert of(daemon, "slow")["restarts"] == 0


def test_what_does_not_exist_cannot_be_restarted(daemon):
    assert "did you mean 'quick'" in daemon.control("hooks", "restart", "quik", status=64).stderr
    assert "no instance 3" in daemon.control("hooks", "restart", "quick/3", status=64).stderr
    assert "policy/2" in daemon.control("hooks", "restart", "quick/x", status=64).stderr
