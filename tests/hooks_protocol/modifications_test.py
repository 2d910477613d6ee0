"""rewrite and add_headers: what the hooks after the one that changed something see, and what the message has."""

import pytest

DECLARED = {"modifies": ["sender", "recipient", "headers"]}


def test_rewritten_addresses_stand_in_the_place_of_what_the_client_said(talking):
    made = talking()
    made.hook("one", "validate_sender", "validate_recipient", hello=DECLARED,
              validate_sender={"a": {"action": "accept", "rewrite": "x@one.test"}},
              validate_recipient={"b": {"action": "accept", "rewrite": "y@one.test"}})
    made.hook("two", "validate_sender", "validate_recipient", hello=DECLARED,
              validate_sender={"x": {"action": "accept", "rewrite": ""}},
              validate_recipient={"y": {"action": "accept", "rewrite": "z@two.test"}})
    made.hook("store", "data", "deliver", "validate_recipient")
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message(recipients=("b@dev.test", "c@dev.test")).code == 250
    assert [request["address"] for request in made.requests("two", "validate_sender")] == ["x@one.test"]
    assert [request["address"] for request in made.requests("two", "validate_recipient")] == ["y@one.test", "c@dev.test"]
    assert [request["address"] for request in made.requests("store", "validate_recipient")] == ["z@two.test", "c@dev.test"]
    assert {request["from"] for request in made.requests("store", "validate_recipient")} == {""}
    for event in ("data", "deliver"):
        (request,) = made.requests("store", event)
        assert (request["from"], request["to"]) == ("", ["z@two.test", "c@dev.test"])
    assert made.message("store").startswith(b"Return-Path: <>\r\n")


def test_a_sender_that_is_refused_later_in_the_chain_is_refused_whatever_was_rewritten(talking):
    made = talking()
    made.hook("one", "validate_sender", hello=DECLARED, validate_sender={"action": "accept", "rewrite": "x@one.test"})
    made.hook("two", "validate_sender", validate_sender={"x": {"action": "reject", "code": 550, "text": "x"}})
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "550 5.0.0 x")


def fields(message: bytes) -> list[str]:
    names = []
    for line in message.split(b"\r\n\r\n")[0].split(b"\r\n"):
        if not line[:1].isspace():
            names.append(line.decode())
    return names


@pytest.mark.parametrize("size", [100, 200_000])
def test_added_header_fields_stand_below_the_trace_fields_in_the_order_of_the_hooks(talking, size):
    def adds(*pairs):
        return {"action": "accept", "add_headers": [list(pair) for pair in pairs]}

    made = talking()
    made.hook("policy", "validate_sender", "validate_recipient", "data", hello=DECLARED,
              validate_sender=adds(("X-1", "sender")), validate_recipient=adds(("X-2", "recipient\tone")),
              data=adds(("X-3", "data"), ("X-4", "")))
    made.hook("scan", "deliver", hello=DECLARED, deliver=adds(("X-5", "scan")))
    made.hook("again", "deliver", hello=DECLARED, deliver=adds(("X-6", "again")))
    made.hook("store", "deliver")
    made.daemon.start()
    body = "Subject: x\r\n\r\n" + "y" * 70 + "\r\n" * 1 + ("z" * 70 + "\r\n") * (size // 72)
    with made.daemon.session() as client:
        assert client.message(body).code == 250
    added = ["X-1: sender", "X-2: recipient\tone", "X-3: data", "X-4: "]
    for name, count in (("scan", 4), ("again", 5), ("store", 6)):
        (request,) = made.requests(name, "deliver")
        facts, message = request["message"], made.message(name)
        assert (facts["trace_headers"], facts["added_headers"], facts["size"]) == (2, count, len(message))
        found = fields(message)
        assert [line.split(":")[0] for line in found[:2]] == ["Return-Path", "Received"]
        assert found[2:] == [*(added + ["X-5: scan", "X-6: again"])[:count], "Subject: x"]
        assert message.endswith(body.encode())


@pytest.mark.parametrize(("event", "reply"), [
    ("validate_sender", {"rewrite": "x@y.test"}), ("validate_recipient", {"rewrite": "x@y.test"}),
    ("deliver", {"add_headers": [["X-A", "b"]]})])
def test_what_was_not_declared_is_a_failure_that_names_the_cure(talking, event, reply):
    made = talking().hook("judge", event, **{event: {"action": "accept", **reply}})
    made.daemon.start()
    with made.daemon.session() as client:
        replies = [client.say("MAIL FROM:<a@b.test>"), client.say("RCPT TO:<b@dev.test>")]
        if event == "deliver":
            client.expect("DATA", "354")
            replies.append(client.say("x\r\n."))
        assert any(reply.startswith("451 4.3.0") for reply in replies)
    made.daemon.log.wait(r'hook judge/1 failed .*needs "modifies":\[')


def test_hooks_add_so_many_header_fields_to_one_message_and_no_more(talking):
    adds = {"action": "accept", "add_headers": [[f"X-{number}", "y"] for number in range(40)]}
    made = talking()
    made.hook("policy", "validate_sender", "validate_recipient", hello=DECLARED, validate_recipient={"*": adds})
    made.hook("judge", "validate_recipient", validate_recipient={"ghost": {"action": "reject", "code": 550, "text": "x"}})
    made.hook("scan", "deliver", hello=DECLARED, deliver=[adds])
    made.hook("store", "deliver")
    made.daemon.start()
    with made.daemon.session() as client:
        for deferred in ("451", "250"):  # what scan adds is too much as well, but it does so only once
            client.expect("MAIL FROM:<a@b.test>", "250")
            client.send("".join(f"RCPT TO:<{name}@dev.test>\r\n" for name in ("ghost", "ghost", "b", "ghost", "c", "d")))
            assert [client.reply().code for _ in range(6)] == [550, 550, 250, 550, 250, 451]
            client.expect("DATA", "354")
            client.expect("Subject: x\r\n\r\nx\r\n.", deferred)
    (request,) = made.requests("store", "deliver")
    assert request["message"]["added_headers"] == 80
    assert sum(line.startswith("X-") for line in fields(made.message("store"))) == 80
    made.daemon.log.wait(r'hooks failed event=validate_recipient .*hooks together may add 100 fields and 64 KiB')
    made.daemon.log.wait(r'hook scan/1 failed event=deliver .*hooks together may add 100 fields and 64 KiB')
