"""Reload and stop under load: no client is refused or reset by a reload, and whatever was acknowledged before the end of a
stop is stored. What systemd is told meanwhile."""

import re
import signal
import time

from harness.load import BROKEN, Load, check_stored

CLIENTS = 8


def test_a_reload_under_load_refuses_resets_and_loses_nothing_and_systemd_hears_of_it(recorder):
    load = Load(recorder, CLIENTS)
    try:
        load.wait_for_more(CLIENTS)
        for turn in range(10):
            recorder.config = f'banner = "turn {turn}"\n'
            recorder.write_config()
            recorder.said.clear()
            before = time.monotonic_ns() // 1000
            recorder.signal(signal.SIGHUP)
            recorder.wait_notified("RELOADING=1")
            recorder.wait_notified("READY=1")
            told = [line.partition("=")[2] for line in recorder.said if line.startswith("MONOTONIC_USEC=")]
            assert len(told) == 1 and before <= int(told[0]) <= time.monotonic_ns() // 1000
            assert recorder.said.index("RELOADING=1") < recorder.said.index("READY=1")
            with recorder.client() as client:
                assert f"turn {turn}" in client.reply()
            load.wait_for_more(CLIENTS)
    finally:
        outcomes = load.end()
    assert set(outcomes) == {"250"}
    check_stored(recorder, load)


def test_a_stop_under_load_loses_nothing_and_nobody_seems_to_have_ended_badly(recorder):
    load = Load(recorder, CLIENTS)
    try:
        load.wait_for_more(5 * CLIENTS)
        recorder.said.clear()
        recorder.signal(signal.SIGTERM)
        recorder.wait_notified("STOPPING=1")
        assert recorder.wait() == 0
    finally:
        outcomes = load.end()
    assert outcomes["ConnectionRefusedError"] == CLIENTS  # each found the listener closed in the end
    # Reset is who had connected when the listener was closed, and had not been accepted.
    assert set(outcomes) <= {"250", "421", "ConnectionRefusedError"} | BROKEN
    check_stored(recorder, load)
    assert re.search(r"^\S+ worker exit status=0 ", recorder.log.text, re.MULTILINE), recorder.log.text[-2000:]
