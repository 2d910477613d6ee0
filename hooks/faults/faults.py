#!/usr/bin/python3
"""Fails on purpose, so that a client can be tried against everything a server may say.

    [[hook]]
    use = "faults"

What goes wrong is written in the address, before the first "@"; everybody else is served as usual.

    rcpt+451@…       that code, 4yz or 5yz, to RCPT; 421 also ends the connection
    data+552@…       to DATA, if this hook is asked about `data`, else at the end of the message
    deliver+451@…    at the end of the message
    sender+550@…     to MAIL, as the sender's address
    timeout@…        no answer to RCPT for ten minutes, longer than any client waits
    drop@…           RCPT is answered by a reset of the connection
    close@…          421, and the connection ends
    slow@…           RCPT is answered after ten seconds, slow+5@… after five
    greylist@…       450 4.7.1 until the same client tries the same sender and recipient again; greylist+60@… not
                     before 60 seconds
    discard@…        RCPT is accepted, and this recipient gets nothing

A place in front moves each of them: sender+drop@…, data+timeout@…, deliver+slow+5@…, deliver+drop@…

    options = { rate = 0.1, seed = 7, faults = ["451", "550", "drop", "slow+1"] }

A test suite can say what fails while it runs, through the inbox's API (PUT /api/v1/chaos, as Mailpit has it):

    sandbox.listen = ["unix:/srv/hooksmtpd/faults.sock"]   # and the option faults of the inbox is this path

There {"Sender": {"ErrorCode": 451, "Probability": 20}, "Recipient": ...} refuses so many in a hundred of MAIL and RCPT. Each
process has settings of its own: leave `instances` at 1.

With a rate, so much of what is not magic fails too: MAIL, RCPT and the end of a message, with one of `faults`. Which ones
depends on the seed, the addresses and how often they have come before, and on nothing else: the same run fails the same
way. Without a seed there is one of its own, told in the log.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import random
import socket
import socketserver
import sys
import threading
import time
from collections import Counter
from typing import Any, Optional

try:
    import hooksmtpd
except ModuleNotFoundError:  # by hand: from the build folder, or from the source
    sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("sdk", "python")]
    import hooksmtpd
from hooksmtpd import Answer, Request, accept, close, defer, discard, reject

PLACES = ("sender", "rcpt", "data", "deliver")
NAMES = ("timeout", "drop", "close", "slow", "greylist", "discard")
NEVER_MS = 600_000  # as long as the daemon lets anybody wait
ENHANCED = {421: "4.3.2", 450: "4.2.0", 451: "4.3.0", 452: "4.2.2", 550: "5.1.1", 551: "5.1.6", 552: "5.2.2", 553: "5.1.3", 554: "5.7.1"}
REMEMBERED = 10_000  # of greylist, and of what came how often
LISTENER = 3  # sd_listen_fds(3)

Trigger = dict[str, int]
USUAL_CODES = {"Authentication": 535, "Recipient": 451, "Sender": 451}
NO_CHAOS: Trigger = {"ErrorCode": 451, "Probability": 0}

hook = hooksmtpd.Hook("faults")
asked_about_data = False
rate, seed, choices = 0.0, "", ["451", "550", "drop", "slow+1"]
seen: dict[tuple[str, str, str], float] = {}
times: Counter[str] = Counter()
chaos: dict[str, Trigger] = {place: {"ErrorCode": code, "Probability": 0} for place, code in USUAL_CODES.items()}
server: Optional[ChaosServer] = None


@hook.hello
def hello(request: Request) -> None:
    global asked_about_data, rate, seed, choices, server
    options = request.options
    if unknown := set(options) - {"rate", "seed", "faults"}:
        raise ValueError(f"unknown option {min(unknown)!r}: there are rate, seed and faults")
    asked_about_data = "data" in request.get("events", [])
    rate = float(options.get("rate", 0))
    if not 0 <= rate <= 1:
        raise ValueError(f"the option rate is {rate:g}: it must be from 0 to 1")
    choices = options.get("faults", choices)
    if wrong := [one for one in choices if not is_fault(one.split("+"))]:
        raise ValueError(f"{wrong[0]!r} among faults is none: write a code, timeout, drop, close, slow+2 or discard")
    seed = str(options.get("seed", random.randrange(1_000_000)))
    if server is None and os.environ.get("LISTEN_FDS", "0") != "0":
        server = ChaosServer()
        threading.Thread(target=server.serve_forever, daemon=True).start()
    if rate:
        hook.log.notice("failing at random: rate=%g seed=%s faults=%s", rate, seed, ",".join(choices))


def is_fault(words: list[str]) -> bool:
    code = words[0].isdecimal() and len(words) == 1 and 400 <= int(words[0]) < 600 and int(words[0]) % 100 < 60
    return code or words[0] in NAMES and all(word.isdecimal() and len(word) < 6 for word in words[1:2]) and len(words) < 3


def by_chance(place: str) -> Optional[list[str]]:
    """What the API has asked for."""
    trigger = chaos.get({"sender": "Sender", "rcpt": "Recipient"}.get(place, ""), NO_CHAOS)
    return [str(trigger["ErrorCode"])] if random.randrange(100) < trigger["Probability"] else None


def written(address: str, place: str) -> Optional[list[str]]:
    """The fault that an address asks for at this place."""
    words = address.partition("@")[0].lower().split("+")
    named = words.pop(0) if words[0] in PLACES and len(words) > 1 else "rcpt" if words[0] in NAMES else ""
    if named == "data" and not asked_about_data:
        named = "deliver"
    return words if named == place and is_fault(words) else None


def drawn(place: str, about: str) -> Optional[list[str]]:
    """One at random, but always the same for the same."""
    if rate == 0 or place == "data":
        return None
    key = f"{seed} {place} {about}"
    if len(times) >= REMEMBERED:
        times.clear()
    times[key] += 1
    dice = random.Random(f"{key} {times[key]}")
    return dice.choice(choices).split("+") if dice.random() < rate else None


def fail(words: list[str], request: Request) -> Answer:
    name, number = words[0], int(words[1]) if words[1:] else None
    text = f"injected fault {'+'.join(words)}"
    if name == "drop":
        return close(abrupt=True)
    if name == "close" or name == "421":
        return close(text, enhanced="4.3.2")
    if name == "timeout":
        return defer(text, code=451, enhanced="4.4.2", delay_ms=NEVER_MS)
    if name == "slow":
        return accept(delay_ms=min(1000 * (10 if number is None else number), NEVER_MS))
    if name == "greylist":
        return greylist(request, number or 0)
    if name == "discard":
        return discard()
    code = int(name)
    make = reject if code >= 500 else defer
    return make(text, code=code, enhanced=ENHANCED.get(code, f"{code // 100}.0.0"))


def greylist(request: Request, seconds: int) -> Answer:
    key = request.client.ip, request.sender, request.get("address", "")
    now = time.monotonic()
    first = seen.get(key)
    if first is None:
        if len(seen) >= REMEMBERED:
            seen.clear()
        seen[key] = now
    if first is None or now < first + seconds:
        return defer("greylisted, try again later", code=450, enhanced="4.7.1")
    return accept()


def answer(place: str, addresses: list[str], request: Request) -> Answer:
    fault = next(filter(None, (written(address, place) for address in addresses)), None)
    if fault is None:
        fault = drawn(place, " ".join([request.sender, *addresses]))
    if fault is None:
        fault = by_chance(place)
    if fault is None:
        return None
    hook.log.info("fault %s at=%s session=%s", "+".join(fault), place, request.session)
    return fail(fault, request)


@hook.validate_sender
def sender(request: Request) -> Answer:
    return answer("sender", [request.address], request)


@hook.validate_recipient
def recipient(request: Request) -> Answer:
    return answer("rcpt", [request.address], request)


@hook.data
def data(request: Request) -> Answer:
    return answer("data", request.to, request)


@hook.deliver
def deliver(request: Request) -> Answer:
    return answer("deliver", request.to, request)


def read_chaos(given: dict[str, Any]) -> dict[str, Trigger]:
    """What is not said of a place is that nothing fails there."""
    triggers: dict[str, Trigger] = {}
    for place, usual in USUAL_CODES.items():
        trigger = given.get(place) or {}
        code, probability = int(trigger.get("ErrorCode") or usual), int(trigger.get("Probability") or 0)
        if not is_fault([str(code)]) or code == 421:
            raise ValueError("error code must be between 400 and 559, and not 421")
        if not 0 <= probability <= 100:
            raise ValueError("probability must be between 0 and 100")
        triggers[place] = {"ErrorCode": code, "Probability": probability}
    if triggers["Authentication"]["Probability"]:
        raise ValueError("authentication cannot fail by chance: the hook that judges passwords is another one")
    return triggers


class Chaos(socketserver.StreamRequestHandler):
    """Somebody at our socket: {"get": "chaos"}, or {"set": TRIGGERS}; the answer has all of them, or an error."""

    timeout = 10

    def handle(self) -> None:
        global chaos
        answer: dict[str, Any]
        try:
            asked = json.loads(self.rfile.readline(64 * 1024))
            if "set" in asked:
                chaos = read_chaos(asked["set"])
                hook.log.notice("chaos: %s", json.dumps(chaos))
            answer = chaos
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            answer = {"error": str(error)}
        with contextlib.suppress(OSError):
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class ChaosServer(socketserver.ThreadingUnixStreamServer):
    """On the first of sandbox.listen."""

    daemon_threads = True

    def __init__(self) -> None:
        # UnixStreamServer would make a socket of its own first, which no hook of a plain user without namespaces may.
        socketserver.BaseServer.__init__(self, "", Chaos)
        self.socket = socket.socket(fileno=LISTENER)


if __name__ == "__main__":
    hook.run()
