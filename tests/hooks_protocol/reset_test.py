"""reset: why there will be nothing of a message, and to whom it is said."""

import pytest


def begin(client) -> None:
    client.expect("MAIL FROM:<a@b.test>", "250")
    client.expect("RCPT TO:<b@dev.test>", "250")


@pytest.mark.parametrize(("line", "reason"), [("RSET", "rset"), ("EHLO again.test", "hello"), ("QUIT", "lost")])
def test_a_transaction_that_is_given_up(talking, line, reason):
    made = talking().hook("judge", "reset", "validate_sender")
    made.daemon.start()
    with made.daemon.session() as client:
        begin(client)
        client.say(line)
        made.told("judge", f"reset {reason}")
    (reset,) = made.requests("judge", "reset")
    assert reset["transaction"] == made.requests("judge", "validate_sender")[0]["transaction"]
    assert list(reset)[-1] == "reason"


def test_a_client_that_goes_away_within_a_transaction(talking):
    made = talking().hook("judge", "reset")
    made.daemon.start()
    with made.daemon.session() as client:
        begin(client)
    made.told("judge", "reset lost")


def test_nothing_is_said_of_a_message_that_was_accepted_nor_to_hooks_that_did_not_ask(talking):
    made = talking().hook("store", "deliver").hook("judge", "reset", "disconnect")
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message().code == 250
        begin(client)
        client.expect("RSET", "250")
        client.expect("QUIT", "221")
    made.told("judge", "disconnect quit")
    assert [request["reason"] for request in made.requests("judge", "reset")] == ["rset"]
    assert made.requests("store", "reset") == []


def test_a_message_too_large_has_failed(talking):
    made = talking("[limits]\nmessage_size = 1000\n").hook("judge", "reset").hook("store", "deliver")
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message("x" * 70 + "\r\n" + "y" * 1000 + "\r\n").code == 552
        made.told("judge", "reset failed")
    assert made.requests("store") == made.requests("store", "hello")


@pytest.mark.parametrize(("verdict", "start"), [({"action": "reject"}, "554"), ({"action": "defer"}, "451"),
                                                ({"action": "close"}, "421")])
def test_who_had_accepted_a_refused_message_is_told_so_and_the_others_if_they_asked(talking, verdict, start):
    made = talking().hook("first", "deliver").hook("declines", "deliver", hello={"decline": ["reset"]})
    made.hook("refuses", "deliver", "reset", deliver=verdict).hook("behind", "deliver", "reset").hook("plain", "deliver")
    made.daemon.start()
    with made.daemon.session() as client:
        assert client.message().startswith(start)
        made.told("first", "reset refused")
        made.told("refuses", "reset failed")
        made.told("behind", "reset failed")
    assert made.requests("declines", "reset") == made.requests("plain", "reset") == []
    assert len(made.requests("behind", "reset")) == 1


def test_notes_in_the_reply_to_reset_are_kept(talking):
    made = talking().hook("judge", "reset", "validate_sender", reset={"notes": {"resets": 1}})
    made.daemon.start()
    with made.daemon.session() as client:
        begin(client)
        client.expect("RSET", "250")
        made.told("judge", "reset rset")
        client.expect("MAIL FROM:<c@b.test>", "250")
    assert made.requests("judge", "validate_sender")[1]["notes"] == {"resets": 1}
