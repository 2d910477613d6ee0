"""cancel: a hook with concurrency is told when nobody waits for an answer any more."""

import pytest

from harness import hooks
from hooks_protocol.conftest import vanish

# Takes several requests at once; leaves what is about "never" without an answer until it is cancelled, and answers
# then, as it must.
PATIENT = hooks.PYTHON + """
import json, sys
left = {}
def say(**reply):
    print(json.dumps(reply), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    open("requests", "a").write(line)
    if request["event"] == "hello":
        say(id=request["id"], concurrency=8, **json.loads(request["options"]["hello"]))
        continue
    if request["event"] == "cancel":
        print("<6>told cancel", request["target"], file=sys.stderr, flush=True)
        say(id=request["target"], action="accept")
    if "never" in json.dumps(request.get("to", request.get("address", ""))):
        print("<6>waits", request["id"], file=sys.stderr, flush=True)
        continue
    say(id=request["id"], action="accept")
"""


def start(make_daemon, *events: str, hello: str = "{}", **settings):
    daemon = make_daemon()
    daemon.hook("patient", PATIENT, list(events), options={"hello": hello}, **settings)
    return daemon.start()


def ask_for_ever(client) -> None:
    client.expect("MAIL FROM:<a@b.test>", "250")
    client.send("RCPT TO:<never@dev.test>\r\n")


def test_the_client_is_gone(make_daemon):
    daemon = start(make_daemon, "validate_recipient", "cancel")
    with daemon.session() as client:
        ask_for_ever(client)
        target = daemon.log.wait(r"waits (\d+)")[1]
        vanish(client)
        daemon.log.wait(f"told cancel {target}$")
    (cancel,) = daemon.recorded("patient").requests("cancel")
    assert list(cancel)[-1] == "target" and cancel["session"] == daemon.recorded("patient").requests("validate_recipient")[0]["session"]
    with daemon.session() as client:  # all is well
        client.expect("MAIL FROM:<a@b.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "250")


def test_every_question_of_a_client_that_is_gone_is_cancelled(make_daemon):
    daemon = start(make_daemon, "validate_recipient", "cancel")
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
        client.send("".join(f"RCPT TO:<never{i}@dev.test>\r\n" for i in range(5)))
        for i in range(5):
            daemon.log.wait(rf"waits {i + 2}$")
        vanish(client)
        for i in range(5):
            daemon.log.wait(rf"told cancel {i + 2}$")


def test_the_time_is_up(make_daemon):
    daemon = start(make_daemon, "validate_recipient", "cancel", timeout="300ms")
    with daemon.session() as client:
        ask_for_ever(client)
        assert client.reply().startswith("451 4.3.0")
        daemon.log.wait(r"told cancel 2$")
        daemon.log.wait("it answered request 2 after the time limit; ignored")
        client.expect("RCPT TO:<b@dev.test>", "250")


def test_a_message_whose_client_is_gone_is_cancelled_and_the_answer_decides_what_becomes_of_it(make_daemon):
    daemon = make_daemon()
    daemon.hook("patient", PATIENT, ["deliver", "cancel"], options={"hello": "{}"})
    daemon.hook("recorder", hooks.RECORDER, "deliver")
    daemon.start()
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
        client.expect("RCPT TO:<never@dev.test>", "250")
        client.expect("DATA", "354")
        client.send("x\r\n.\r\n")
        daemon.log.wait("waits 2$")
        vanish(client)
    daemon.log.wait("told cancel 2$")
    daemon.log.wait("outcome=accept the client was gone and did not hear it")
    assert len(daemon.recorded().requests("deliver")) == 1


@pytest.mark.parametrize(("events", "hello"), [(("validate_recipient", "disconnect"), "{}"),
                                               (("validate_recipient", "disconnect", "cancel"), '{"decline":["cancel"]}'),
                                               (("validate_recipient", "disconnect", "cancel"), '{"concurrency":1}')])
def test_who_did_not_ask_for_it_or_takes_one_request_at_a_time_is_not_told(make_daemon, events, hello):
    if "concurrency" in hello:
        events_hook = PATIENT.replace("concurrency=8, ", "")
    else:
        events_hook = PATIENT
    daemon = make_daemon()
    daemon.hook("patient", events_hook, list(events), options={"hello": hello}, timeout="400ms")
    daemon.start()
    with daemon.session() as client:
        ask_for_ever(client)
        daemon.log.wait(r"waits 2$")
        vanish(client)
    daemon.log.wait("hook patient.*(did not answer|after the time limit|restart)|hook ready hook=patient(?s:.*)hook ready hook=patient")
    assert daemon.recorded("patient").requests("cancel") == []
