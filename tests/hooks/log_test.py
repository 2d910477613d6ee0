"""The log hook: one line an event, which nobody's text can end or forge."""

import json

import pytest

from hooks.pipe import golden
from hooks.ready import ACCEPT, Ready, add

EVENTS = ["validate_host", "validate_sender", "validate_recipient", "deliver", "disconnect"]
HOSTILE = 'a"\n<3>deliver session="forged" \x1b[2J\u2028\u00fc\ud800\x00\\'


@pytest.mark.parametrize("event", ["validate_host", "helo", "starttls", "validate_sender", "validate_recipient", "data", "deliver",
                                   "deliver_mime", "command", "reset", "disconnect"])
def test_every_event_is_one_line_and_is_accepted(tmp_path, event):
    hook = Ready("log", tmp_path, [event])
    lines = golden(event)
    for line in lines:
        assert json.loads(hook.ask_line(line))["action"] == "accept"
    log = hook.close().splitlines()
    assert len(log) == len(lines) and all(line.startswith(f'<6>{event} session="') for line in log)


def test_a_delivery_in_short(tmp_path):
    hook = Ready("log", tmp_path, EVENTS)
    hook.deliver(to=[f"r{number}@x.test" for number in range(1000)])
    assert hook.close() == (
        '<6>deliver session="c7f3a1" transaction="c7f3a1-1" listener="smtp" client="192.0.2.7" helo="laptop.example" '
        'protocol="ESMTP" from="ann@example.org" to=["r0@x.test", "r1@x.test", "r2@x.test", "r3@x.test", "r4@x.test"]+995 size=21\n')


def test_hostile_text_stays_in_its_quotes(tmp_path):
    hook = Ready("log", tmp_path, EVENTS, path="events.log")
    assert hook.say("validate_sender", helo=HOSTILE, address=HOSTILE + "x" * 999) == ACCEPT
    hook.say("deliver", **{"from": HOSTILE, "to": [HOSTILE]})
    assert hook.close() == ""
    lines = (tmp_path / "events.log").read_bytes().split(b"\n")
    assert len(lines) == 3 and all(set(line) <= set(range(32, 127)) for line in lines) and max(map(len, lines)) < 1000
    assert rb'helo="a\"\n<3>deliver session=\"forged\" \u001b[2J\u2028\u00fc\ud800\u0000\\"' in lines[0]


def test_the_file_may_be_taken_away(tmp_path):
    hook = Ready("log", tmp_path, EVENTS, path="events.log")
    hook.say("validate_host")
    (tmp_path / "events.log").rename(tmp_path / "events.log.1")
    hook.say("validate_host")
    assert (tmp_path / "events.log").read_text().count("\n") == 1
    hook.close()


@pytest.mark.parametrize("events, options, words", [(["auth"], {}, "`auth`"), ([], {"file": "x"}, "unknown option 'file'")])
def test_what_it_cannot_do_is_said_at_start(tmp_path, events, options, words):
    hook = Ready("log", tmp_path, events, **options)
    assert hook.hello["ready"] is False and words in hook.hello["text"]
    hook.close()


def test_behind_the_daemon(make_daemon):
    daemon = make_daemon()
    add(daemon, "log", EVENTS)
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
        client.expect("QUIT", "221")
    for event in EVENTS:
        daemon.log.wait(rf'hook log/1.*: {event} session="\w+"')
