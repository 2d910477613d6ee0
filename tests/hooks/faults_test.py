"""The faults hook: each address fails as it says, and what is random fails again in the same way."""

import re
import time

import pytest

from hooks.ready import ACCEPT, Ready, add

EVENTS = ["validate_sender", "validate_recipient", "data", "deliver"]


@pytest.fixture
def faults(tmp_path):
    made = []

    def make(events=EVENTS, **options):
        made.append(Ready("faults", tmp_path, events, **options))
        return made[-1]

    yield make
    for hook in made:
        hook.close()


def code(number, enhanced, text):
    return {"action": "defer" if number < 500 else "reject", "code": number, "enhanced": enhanced, "text": f"injected fault {text}"}


CLOSE = {"action": "close", "text": "injected fault close", "enhanced": "4.3.2"}
NEVER = {**code(451, "4.4.2", "timeout"), "delay_ms": 600_000}


@pytest.mark.parametrize("local, place, reply", [
    ("rcpt+451", "rcpt", code(451, "4.3.0", "451")), ("RCPT+550", "rcpt", code(550, "5.1.1", "550")),
    ("rcpt+559", "rcpt", code(559, "5.0.0", "559")), ("rcpt+421", "rcpt", {**CLOSE, "text": "injected fault 421"}),
    ("data+552", "data", code(552, "5.2.2", "552")), ("deliver+451", "deliver", code(451, "4.3.0", "451")),
    ("sender+553", "sender", code(553, "5.1.3", "553")),
    ("timeout", "rcpt", NEVER), ("deliver+timeout", "deliver", NEVER),
    ("drop", "rcpt", {"action": "close", "abrupt": True}), ("sender+drop", "sender", {"action": "close", "abrupt": True}),
    ("close", "rcpt", CLOSE), ("data+close", "data", CLOSE),
    ("slow", "rcpt", {"action": "accept", "delay_ms": 10_000}), ("slow+5", "rcpt", {"action": "accept", "delay_ms": 5_000}),
    ("deliver+slow+0", "deliver", {"action": "accept", "delay_ms": 0}), ("slow+99999", "rcpt", {"action": "accept", "delay_ms": 600_000}),
    ("discard", "rcpt", {"action": "discard"}), ("deliver+discard", "deliver", {"action": "discard"}),
    ("greylist", "rcpt", {"action": "defer", "code": 450, "enhanced": "4.7.1", "text": "greylisted, try again later"}),
    # Not magic.
    ("rcpt+250", "", None), ("rcpt+460", "", None), ("rcpt+999", "", None), ("rcpt+abc", "", None), ("rcpt", "", None), ("slow+x", "", None),
    ("451", "", None), ("drop+x", "", None), ("bob+drop", "", None), ("dropped", "", None), ("rcpt+451+x", "", None), ("slow+5+5", "", None)])
def test_an_address_fails_where_it_says(faults, local, place, reply):
    hook = faults()
    address = f"{local}@x.test"
    said = {"sender": hook.about("validate_sender", address), "rcpt": hook.about("validate_recipient", address),
            "data": hook.say("data", to=["a@x.test", address]), "deliver": hook.say("deliver", to=["a@x.test", address])}
    assert said == {name: reply if name == place else ACCEPT for name in said}


def test_without_the_event_data_its_faults_come_at_the_end(faults):
    hook = faults(events=["validate_recipient", "deliver"])
    assert hook.say("deliver", to=["data+552@x.test"])["code"] == 552


def test_greylisting_is_over_at_the_second_try(faults):
    hook = faults()
    tries = [hook.about("validate_recipient", "greylist@x.test", **{"from": sender}) for sender in ("a@x", "a@x", "b@x", "b@x")]
    assert [one["action"] for one in tries] == ["defer", "accept"] * 2
    assert [hook.about("validate_recipient", "greylist+60@x.test")["action"] for _ in range(2)] == ["defer", "defer"]


def run(hook):
    return [hook.about("validate_recipient", f"user{number % 40}@x.test").get("code", 250) for number in range(400)]


def test_random_faults_come_at_their_rate_and_the_same_run_fails_the_same_way(faults):
    first = run(faults(rate=0.25, seed=7, faults=["451", "550"]))
    assert 60 < sum(one != 250 for one in first) < 140 and set(first) == {250, 451, 550}
    again = faults(rate=0.25, seed=7, faults=["451", "550"])
    for number in range(20):  # another session in between changes nothing
        again.about("validate_recipient", f"other{number}@x.test")
    assert run(again) == first
    assert run(faults(rate=0.25, seed=8, faults=["451", "550"])) != first
    assert set(run(faults(rate=1, faults=["451"]))) == {451} and set(run(faults())) == {250}


def test_a_seed_of_its_own_is_in_the_log(faults):
    hook = faults(rate=0.5)
    said = run(hook)
    seed = re.search(r"seed=(\d+)", hook.close())[1]
    assert run(faults(rate=0.5, seed=int(seed))) == said


@pytest.mark.parametrize("options, words", [
    ({"rte": 1}, "unknown option 'rte'"), ({"rate": 2}, "from 0 to 1"), ({"rate": "x"}, "could not convert"), ({"faults": ["250"]}, "'250' among faults")])
def test_a_wrong_option_is_said_at_start(faults, options, words):
    hello = faults(**options).hello
    assert hello["ready"] is False and words in hello["text"]


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon()
    add(daemon, "faults", ["validate_sender", "validate_recipient", "deliver"])
    return daemon.start()


def test_behind_the_daemon(daemon):
    with daemon.session() as client:
        assert client.say("MAIL FROM:<sender+550@x.test>") == "550 5.1.1 injected fault 550"
        client.expect("MAIL FROM:<a@x.test>", "250")
        assert client.say("RCPT TO:<rcpt+451@x.test>") == "451 4.3.0 injected fault 451"
        began = time.monotonic()
        client.expect("RCPT TO:<slow+1@x.test>", "250")
        assert time.monotonic() - began >= 0.95  # the loop counts from where its turn began
        client.expect("RSET", "250")
        assert client.message(recipients=("data+552@x.test", "b@x.test")) == "552 5.2.2 injected fault 552"
        assert client.message(recipients=("discard@x.test",)).code == 250
        client.expect("MAIL FROM:<a@x.test>", "250")
        client.expect("RCPT TO:<close@x.test>", "421")
        assert client.at_end()


def test_timeout_lasts_longer_than_any_client(daemon):
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@x.test>", "250")
        client.send("RCPT TO:<timeout@x.test>\r\n")
        client.socket.settimeout(1.5)
        with pytest.raises(TimeoutError):
            client.reply()


@pytest.mark.parametrize("recipient, command", [("drop@x.test", "RCPT TO:<drop@x.test>"), ("deliver+drop@x.test", ".")])
def test_a_dropped_connection_hears_nothing_any_more(daemon, recipient, command):
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@x.test>", "250")
        if command == ".":
            client.expect(f"RCPT TO:<{recipient}>", "250")
            client.expect("DATA", "354")
        client.send(command + "\r\n")
        with pytest.raises(ConnectionResetError):
            client.reply()
