"""notes: what a hook remembers of a session comes back to it, and to nobody else."""


def test_notes_come_back_in_every_later_request_and_to_their_hook_alone(talking):
    made = talking()
    made.hook("one", "validate_host", "helo", "validate_sender", "validate_recipient", "deliver", "reset", "disconnect",
              settings={"instances": 2}, validate_host={"notes": {"host": "é\u2028"}},
              validate_recipient=[{"notes": {"score": 5}}, {"notes": None}])
    made.hook("two", "validate_sender", "disconnect")
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
        client.expect("RCPT TO:<b@dev.test>", "250")
        client.expect("RCPT TO:<c@dev.test>", "250")
        client.expect("RSET", "250")
        made.told("one", "reset rset")
        assert client.message().code == 250
        client.expect("QUIT", "221")
    made.told("one", "disconnect quit")
    made.told("two", "disconnect quit")
    host = {"host": "é\u2028"}
    seen = [(request["event"], request.get("notes")) for request in made.requests("one") if request["event"] != "hello"]
    assert seen == [("validate_host", None), ("helo", host), ("validate_sender", host), ("validate_recipient", host),
                    ("validate_recipient", {"score": 5}), ("reset", None), ("validate_sender", None),
                    ("validate_recipient", None), ("deliver", None), ("disconnect", None)]
    assert all("notes" not in request for request in made.requests("two"))


def test_a_new_session_knows_nothing_of_the_one_before(talking):
    made = talking().hook("one", "helo", "validate_sender", helo={"notes": {"a": 1}})
    made.daemon.start()
    for _ in range(2):
        with made.daemon.session() as client:
            client.expect("MAIL FROM:<a@b.test>", "250")
    assert ["notes" in request for request in made.requests("one", "helo")] == [False, False]
    assert ["notes" in request for request in made.requests("one", "validate_sender")] == [True, True]


def test_a_hook_that_fails_notes_nothing(talking):
    made = talking().hook("one", "validate_sender", "helo", helo={"action": "perhaps", "notes": {"a": 1}},
                          settings={"on_failure": "accept"})
    made.daemon.start()
    with made.daemon.session() as client:
        client.expect("MAIL FROM:<a@b.test>", "250")
    assert "notes" not in made.requests("one", "validate_sender")[0]
