"""Chains in mixtures, and clients that go at every stage."""

import pytest

from hooks_protocol.conftest import vanish
from listeners.lmtp_test import Lmtp

EVENTS = ["validate_host", "helo", "validate_sender", "validate_recipient", "data", "deliver", "reset", "disconnect"]


def test_every_hook_of_a_mixed_chain_is_asked_in_order_and_sees_the_same_transaction(talking):
    made = talking()
    for name in ("one", "two", "three"):
        made.hook(name, *EVENTS, settings={"instances": 2})
    made.daemon.start()
    for _ in range(3):
        with made.daemon.session() as client:
            assert client.message().code == 250
            client.expect("QUIT", "221")
    for name in ("one", "two", "three"):
        made.daemon.log.wait(rf"(hook {name}/\d: told disconnect quit(?s:.)*){{3}}")
        requests = [request for request in made.requests(name) if request["event"] != "hello"]
        by_session = {}
        for request in requests:
            by_session.setdefault(request["session"], []).append(request)
        for asked in by_session.values():
            assert [request["event"] for request in asked] == [event for event in EVENTS if event != "reset"]
            assert len({request["transaction"] for request in asked if "transaction" in request}) == 1


@pytest.mark.parametrize(("position", "verdict", "code"), [
    (0, {"action": "discard"}, 250), (1, {"action": "discard"}, 250), (0, {"action": "close"}, 421),
    (1, {"action": "close", "text": "bye"}, 421), (1, {"action": "defer"}, 451), (0, {"action": "reject"}, 554)])
def test_the_first_hook_that_does_not_accept_a_message_decides(talking, position, verdict, code):
    made = talking()
    for i in range(3):
        made.hook(f"hook{i}", "deliver", deliver=verdict if i == position else {})
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message().code == code
        if code == 421:
            assert client.at_end()
    assert [len(made.requests(f"hook{i}", "deliver")) for i in range(3)] == [int(i <= position) for i in range(3)]
    if code != 250:
        for i in range(position):
            made.told(f"hook{i}", "reset refused")


def test_over_lmtp_header_fields_and_verdicts_for_single_recipients_go_together(talking):
    made = talking()
    path = made.daemon.folder / "run/lmtp.sock"
    made.daemon.config = f'[[listener]]\naddress = ["unix:{path}"]\nprotocol = "lmtp"\n'
    made.hook("scan", "deliver", hello={"modifies": ["headers"]},
              deliver={"action": "accept", "add_headers": [["X-Scan", "ok"]],
                       "recipients": [{"action": "accept"}, {"action": "reject", "code": 550, "text": "no"}]})
    made.hook("store", "deliver")
    made.daemon.start()
    with Lmtp(str(path)) as client:
        assert client.reply().code == 220
        client.expect("LHLO client.test", "250")
        replies = client.deliver("ann", "eve")
    assert [reply[:3] for reply in replies] == ["250", "550"]
    (request,) = made.requests("store", "deliver")
    assert request["to"] == ["ann@dev.test"] and b"\r\nX-Scan: ok\r\n" in made.message("store")


# Whoever writes to a client that is gone, or waits for one, would show it: then the daemon still works for the next.
@pytest.mark.parametrize("said", [
    [], ["EHLO x"], ["EHLO x", "XFROB"], ["EHLO x", "MAIL FROM:<a@b.test>"],
    ["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<b@dev.test>"],
    ["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<b@dev.test>\r\nRCPT TO:<c@dev.test>\r\nRCPT TO:<d@dev.test>"],
    ["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<b@dev.test>", "DATA"],
    ["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<b@dev.test>", "BDAT 3\r\nxxx"],
    ["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<b@dev.test>", "DATA", "x\r\n."],
    ["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<b@dev.test>", "DATA", "x\r\n.\r\nMAIL FROM:<c@b.test>"]])
@pytest.mark.parametrize("waits", [True, False])
def test_a_client_that_goes_at_any_stage_leaves_nothing_behind(talking, said, waits):
    made = talking()
    for name in ("one", "two"):
        made.hook(name, *EVENTS, "command", hello={"dialogue": True})
    made.daemon.start()
    for _ in range(3):
        with made.daemon.client() as client:
            for line in said:
                if waits:
                    client.reply()
                client.send(line + "\r\n")
            vanish(client)
    with made.daemon.session() as client:
        assert client.message().code == 250
        client.expect("QUIT", "221")
    made.told("two", "disconnect quit")
    status = made.daemon.control_json("status")
    assert made.daemon.stop() == 0
    assert not list((made.daemon.runtime / "spool").glob("*/*"))
    assert status is not None


def test_more_recipients_than_a_request_has_room_for_are_too_many(talking):
    made = talking().hook("store", "deliver")
    made.daemon.start()
    local, orcpt = "ö" * 32, "ö" * 230
    codes = []
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test> SMTPUTF8", "250")
        for i in range(700):
            line = f"RCPT TO:<{i:03}{local[:29]}@{'x' * 60}.{'y' * 60}.test> ORCPT=utf-8;{orcpt}".encode()
            codes.append(client.say(line).code)
        accepted = codes.count(250)
        assert set(codes) == {250, 452} and accepted >= 100
        client.expect("DATA", "354")
        assert client.say("x\r\n.").code == 250
    (request,) = made.requests("store", "deliver")
    assert len(request["to"]) == accepted
