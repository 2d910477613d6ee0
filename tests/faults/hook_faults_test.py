"""Promise P4: one hook's fault costs the transactions that asked it a 4xx, and nothing else."""

import os
import signal

import pytest

from harness import hooks, processes

# The first message finds it at fault; afterwards it is a good hook.
ONCE = hooks.PYTHON + """
import json, os, signal, sys, time
first = not os.path.exists("seen")
for line in sys.stdin:
    request = json.loads(line)
    if first and request["event"] == "deliver":
        first = False
        open("seen", "w").close()
        %s
    else:
        print("ok", flush=True)
"""

FAULTS = {
    "hangs": "signal.pause()",
    "exits": "sys.exit(3)",
    "kills_itself": "os.kill(os.getpid(), signal.SIGKILL)",
    "closes_its_output": "os.close(1); signal.pause()",
    "says_nothing_but_garbage": 'print("banana\\n" * 200, flush=True)',
    "unknown_action": """print('{"action":"perhaps"}', flush=True)""",
    "wrong_id": """print('{"id":424242,"action":"accept"}', flush=True)""",
    "wrong_type": """print('{"action":["accept"]}', flush=True)""",
    "code_against_the_action": """print('{"action":"reject","code":250}', flush=True)""",
    "deep_json": "print('{\"action\":' + '[' * 10000, flush=True)",
    "not_utf_8": "os.write(1, b'{\"action\":\"accept\",\"text\":\"\\xff\"}\\n')",
    "endless_line": 'os.write(1, b"x" * 200000); signal.pause()',
    "floods_stdout": 'sys.stdout.write("[]\\n" * 1000000); sys.stdout.flush()',
    "stops_itself": "os.kill(os.getpid(), signal.SIGSTOP)",
    "leaves_children_and_dies": """
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(1)""",
}


def deliver_until_accepted(client) -> None:
    """As a real client does after a 4xx. Each try waits for the daemon's answer."""
    for _ in range(200):
        reply = client.message()
        if reply.code == 250:
            return
        assert reply.startswith("451 4.3"), reply
    raise AssertionError("never accepted again")


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_on_deliver(make_daemon, fault):
    daemon = make_daemon()
    daemon.hook("bad", ONCE % FAULTS[fault], "deliver", timeout="700ms")
    daemon.start()
    pid, worker = daemon.pid, daemon.worker().pid
    with daemon.session() as other, daemon.session() as client:
        assert client.message().startswith("451 4.3.0")
        other.expect("NOOP", "250")
        daemon.log.wait(r"hook.*bad")
        daemon.control("ready", status=None)
        if fault not in ("unknown_action", "wrong_id", "wrong_type", "code_against_the_action", "not_utf_8", "deep_json"):
            daemon.log.wait(r"hook ready hook=bad(?s:.*)hook ready hook=bad")  # at start, and once more
        deliver_until_accepted(client)
        other.expect("NOOP", "250")
    assert daemon.process.poll() is None and daemon.pid == pid
    assert daemon.worker().pid == worker, "the worker was restarted for a hook's fault"
    if fault == "leaves_children_and_dies":
        assert len(daemon.hook_processes("bad")) == 1, "a child of the dead hook is left"


def test_a_second_reply_is_never_taken_for_the_next_question(make_daemon):
    daemon = make_daemon()
    daemon.hook("twice", hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "hello":
        print("ok", flush=True)
    elif request["address"].startswith("good@"):
        print("ok\\nok", flush=True)
    else:
        print("reject 550 5.1.1 no", flush=True)
""", "validate_recipient")
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        for _ in range(3):
            client.say("RCPT TO:<good@dev.test>")
            reply = client.say("RCPT TO:<bad@dev.test>")
            assert reply == "550 5.1.1 no" or reply.code == 451, reply


def test_stray_lines_are_logged_with_the_cure_and_skipped(make_daemon):
    daemon = make_daemon()
    daemon.hook("chatty", hooks.SHELL + """
while IFS= read -r request; do
  echo 'looking at the message...'
  echo ok
done
""")
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    daemon.log.wait(r"chatty.*looking at the message")


def test_a_flood_on_stderr_costs_only_log_lines(make_daemon):
    daemon = make_daemon()
    daemon.hook("loud", hooks.PYTHON + """
import sys
for line in sys.stdin:
    sys.stderr.write("loud\\n" * 100000)
    print("ok", flush=True)
""")
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    daemon.stop()
    assert len(daemon.log.lines(r"\bloud\b.*loud")) < 20000


def test_stderr_is_the_log_with_the_name_of_the_hook(make_daemon):
    daemon = make_daemon()
    daemon.hook("talker", hooks.SHELL + "while read -r request; do echo '<4>disk \033[31m nearly full' >&2; echo ok; done\n")
    daemon.start()
    with daemon.session() as client:
        client.message()
    line = daemon.log.wait(r".*talker.*disk.*nearly full.*").group()
    assert "\033" not in line


def test_killed_while_it_is_asked(make_daemon):
    daemon = make_daemon()
    daemon.hook("bad", hooks.PYTHON + """
import json, signal, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "deliver" and request["from"] == "hang@client.test":
        print("asked", file=sys.stderr, flush=True)
        signal.pause()
    print("ok", flush=True)
""")
    daemon.start()
    with daemon.session() as client:
        for command in ("MAIL FROM:<hang@client.test>", "RCPT TO:<b@dev.test>", "DATA"):
            client.say(command)
        client.send("Subject: x\r\n\r\nx\r\n.\r\n")
        daemon.log.wait("asked")
        (process,) = daemon.hook_processes("bad")
        mark = daemon.log.mark()
        os.kill(process.pid, signal.SIGKILL)
        assert client.reply().startswith("451 4.3.0")
        daemon.log.wait("hook ready hook=bad", mark)
        assert client.message().code == 250


def test_a_hook_that_never_says_hello_does_not_hold_up_ready(make_daemon):
    daemon = make_daemon()
    daemon.hook("mute", hooks.SHELL + "exec sleep 1000\n", "deliver", start_timeout="500ms")
    daemon.start()
    assert any(line.startswith("STATUS=") and "mute" in line for line in daemon.said), daemon.said
    daemon.log.wait("mute.*(hello|buffer)")
    daemon.control("ready", status=1)
    with daemon.session() as client:
        assert client.message().startswith("451 4.3")


def test_a_hook_that_always_exits_is_given_up_and_probed(make_daemon):
    daemon = make_daemon()
    daemon.hook("broken", hooks.SHELL + "exit 1\n", "deliver", start_timeout="2s")
    daemon.start()
    with daemon.session() as client:
        assert client.message().startswith("451 4.3")
        client.expect("NOOP", "250")
    daemon.control("ready", status=1)


@pytest.mark.parametrize("policy, code", [("tempfail", 451), ("reject", 550), ("accept", 250)])
def test_on_failure(make_daemon, policy, code):
    daemon = make_daemon()
    daemon.hook("bad", hooks.by_address(bad="exit 1"), "validate_recipient", on_failure=policy)
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<bad@dev.test>").code // 100 == code // 100


def test_one_bad_hook_leaves_sessions_that_do_not_ask_it_alone(make_daemon):
    daemon = make_daemon()
    daemon.hook("bad", hooks.by_address(bad="exit 1"), "validate_recipient")
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with daemon.session() as other:
        other.expect("MAIL FROM:<a@client.test>", "250")
        other.expect("RCPT TO:<postmaster>", "250")
        other.expect("DATA", "354")
        with daemon.session() as client:
            client.expect("MAIL FROM:<a@client.test>", "250")
            client.expect("RCPT TO:<bad@dev.test>", "451")
        other.send("Subject: x\r\n\r\nx\r\n")
        assert other.say(".").code == 250


def test_no_deliver_hook_is_said(make_daemon):
    daemon = make_daemon().start()
    daemon.log.wait("(?i)deliver.*(discard|thrown|drop)|(discard|thrown|drop).*deliver")
    with daemon.session() as client:
        assert client.message().code == 250
