"""The dialogue that comes with disconnect."""

import base64


def test_a_hook_that_asked_for_it_gets_the_whole_dialogue(talking):
    made = talking()
    made.hook("judge", "validate_recipient", validate_recipient={"eve": {"action": "reject", "code": 550, "text": "no"}})
    made.hook("reader", "disconnect", "deliver", hello={"dialogue": True}, deliver={"action": "defer"})
    made.hook("other", "disconnect")
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
        client.expect("RCPT TO:<eve@dev.test>", "550")
        client.expect("RCPT TO:<b@dev.test>", "250")
        client.expect("DATA", "354")
        client.send("hello\r\n")
        assert client.say(".").code == 451
        client.expect("QUIT", "221")
    made.told("reader", "disconnect quit")
    made.told("other", "disconnect quit")
    (request,) = made.requests("reader", "disconnect")
    assert list(request)[-2:] == ["dialogue", "reason"]
    dialogue = request["dialogue"]
    times = [entry["ms"] for entry in dialogue]
    assert times == sorted(times)
    client_said = [entry.get("line", entry.get("octets")) for entry in dialogue if entry["from"] == "client"]
    assert client_said == ["EHLO client.test", "MAIL FROM:<a@b.test>", "RCPT TO:<eve@dev.test>", "RCPT TO:<b@dev.test>",
                           "DATA", 7, "QUIT"]
    server_said = [entry["line"] for entry in dialogue if entry["from"] == "server"]
    assert server_said[0].startswith("220 mail.test") and server_said[-1].startswith("221")
    said = [(entry["hook"], entry["event"], entry["action"]) for entry in dialogue if entry["from"] == "hook"]
    assert said == [("judge", "validate_recipient", "reject"), ("judge", "validate_recipient", "accept"),
                    ("reader", "deliver", "defer")]
    place = next(i for i, entry in enumerate(dialogue) if entry["from"] == "hook")
    assert dialogue[place]["code"] == 550 and dialogue[place]["took_ms"] >= 0
    assert dialogue[place + 1]["line"].startswith("550 ")
    assert "dialogue" not in made.requests("other", "disconnect")[0]


def test_a_long_dialogue_is_cut_and_says_so(talking):
    made = talking().hook("reader", "disconnect", hello={"dialogue": True})
    made.daemon.start()
    with made.daemon.session() as client:
        for _ in range(2500):
            client.send(("NOOP " + "x" * 60 + "\r\n") * 2)
            client.reply()
            client.reply()
        client.expect("QUIT", "221")
    made.told("reader", "disconnect quit")
    dialogue = made.requests("reader", "disconnect")[0]["dialogue"]
    assert dialogue[-1] == {"from": "daemon", "what": "truncated"} and dialogue[-2]["from"] in ("client", "server")


def test_no_proof_of_a_client_is_in_the_dialogue(talking):
    made = talking('[auth]\nsource = "hook"\nbefore_tls = true\n')
    made.hook("reader", "auth", "disconnect", hello={"dialogue": True}, auth=[{"action": "reject"}])
    made.daemon.start()
    proof = base64.b64encode(b"\0ann\0s3cret-word").decode()
    password = base64.b64encode(b"s3cret-word").decode()
    with made.daemon.session() as client:
        client.expect(f"AUTH PLAIN {proof}", "535")
        client.expect("AUTH LOGIN", "334")
        client.expect(base64.b64encode(b"ann").decode(), "334")
        client.expect(password, "235")
        client.expect("QUIT", "221")
    made.told("reader", "disconnect quit")
    text = str(made.requests("reader", "disconnect")[0]["dialogue"])
    assert "AUTH PLAIN ***" in text and not any(word in text for word in (proof, password, "s3cret"))
    assert not any(word in made.daemon.log.text for word in (proof, password, "s3cret"))
