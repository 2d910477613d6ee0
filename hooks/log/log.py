#!/usr/bin/python3
"""Writes one line for every event that it is asked about, and accepts it.

    [[hook]]
    use = "log"
    options = { path = "events.log" }     from the hook's state folder on, or absolute; without it, the daemon's log

    deliver session="c7f3a1" transaction="c7f3a1-1" client="192.0.2.7" helo="laptop.example" from="ann@example.org"
    to=["bob@example.test"] size=1901                                                    (on one line)

Every value of a client's stands between quotes, in ASCII, escaped as in JSON, and is cut at 200 characters: it can neither
begin a line nor reach a terminal. Messages are left out. `auth` is not for this hook: a yes would let everybody in, and a
password belongs into no log. The file is opened for each line, so that logrotate may take it away.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
from datetime import datetime, timezone
from typing import Any, Iterator

try:
    import hooksmtpd
except ModuleNotFoundError:  # by hand: from the build folder, or from the source
    sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("sdk", "python")]
    import hooksmtpd
from hooksmtpd import EVENTS, Request

SHOWN = 5  # recipients
CUT = 200
LEFT_OUT = {"v", "id", "event", "server", "params", "to_params", "domain", "domain_ascii", "local", "mime", "dialogue", "notes",
            "counts", "received_at"}

hook = hooksmtpd.Hook("log")
path: pathlib.Path | None = None


@hook.hello
def hello(request: Request) -> None:
    global path
    if unknown := set(request.options) - {"path"}:
        raise ValueError(f"unknown option {min(unknown)!r}: there is only path")
    if "auth" in request.events:
        raise ValueError("log takes no `auth`: leave it out of events")
    path = pathlib.Path(os.environ.get("HOOK_STATE", "."), request.options["path"]) if "path" in request.options else None
    if path:
        path.open("a").close()
    hook.on(*(event for event in request.events if event in EVENTS and event != "cancel"))(note)


def note(request: Request) -> None:
    line = " ".join([request.event, *fields(request)])
    if path:
        with path.open("a", encoding="ascii") as file:
            file.write(f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}Z {line}\n")
    else:
        hook.log.info("%s", line)


def fields(request: Request) -> Iterator[str]:
    for key, value in request.items():
        if key in LEFT_OUT or key.endswith("_b64"):
            continue
        if key == "client":
            value = value["ip"]
        elif key == "tls":
            value = value["version"]
        elif key == "message":
            key, value = "size", value["size"]
        elif key == "to":
            yield f"to={json.dumps([cut(one) for one in value[:SHOWN]])}" + (f"+{len(value) - SHOWN}" if len(value) > SHOWN else "")
            continue
        yield f"{key}={json.dumps(cut(value) if isinstance(value, str) else value)}"


def cut(text: str) -> str:
    return text if len(text) <= CUT else text[:CUT] + "..."


if __name__ == "__main__":
    hook.run()
