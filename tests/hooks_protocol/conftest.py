"""One hook program for all tests of what the protocol's events and keys do in the real daemon."""

import json
import socket
import struct

import pytest

from harness.client import Client
from harness.daemon import Daemon

# Answers each event with what `options` has for it: a reply, a list of replies (one for each time it is asked, then
# accept), or an object of replies by the local part of the address, with "*" for the others. Keeps each request in
# $HOOK_STATE/requests, each message in $HOOK_STATE/TRANSACTION.eml, and says on stderr what it was told.
TALKER = """#!/usr/bin/python3
import json, sys

requests = open("requests", "a", buffering=1)
options = {}

def message_of(request):
    message = request["message"]
    if "path" in message:
        return open(message["path"], "rb").read()
    return message["data"].encode()

def reply_to(request):
    event = request["event"]
    found = options.get(event, {})
    if isinstance(found, list):
        return found.pop(0) if found else {}
    if "address" in request and found and not "action" in found and not "notes" in found:
        return found.get(request["address"].split("@")[0], found.get("*", {}))
    return found

for line in sys.stdin:
    request = json.loads(line)
    requests.write(line)
    if request["event"] == "hello":
        options = json.loads(request["options"]["replies"])
    if "message" in request:
        with open(request["transaction"] + ".eml", "wb") as copy:
            copy.write(message_of(request))
    if request["event"] in ("reset", "disconnect", "cancel"):
        print("<6>told", request["event"], request.get("reason", request.get("target")), file=sys.stderr, flush=True)
    reply = {"id": request["id"], **reply_to(request)}
    if request["event"] != "hello":
        reply.setdefault("action", "accept")
    print(json.dumps(reply), flush=True)
"""


class Talking:
    """A daemon whose hooks are TALKERs."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    def hook(self, name: str, *events: str, hello: dict | None = None, settings: dict | None = None, **options) -> "Talking":
        """`options`: what it answers to each event, and to hello."""
        replies = {**options, **({"hello": hello} if hello else {})}
        self.daemon.hook(name, TALKER, list(events), options={"replies": json.dumps(replies)}, **(settings or {}))
        return self

    def requests(self, name: str, event: str | None = None) -> list[dict]:
        return self.daemon.recorded(name).requests(event)

    def message(self, name: str) -> bytes:
        (found,) = self.daemon.recorded(name).state.glob("*.eml")
        return found.read_bytes()

    def told(self, name: str, what: str, since: int = 0) -> None:
        """Until the hook was told it."""
        self.daemon.log.wait(rf"hook {name}/\d+.* told {what}", since)


def vanish(client: Client) -> None:
    """Ends the connection as a machine that fails does: with a reset. A mere end could be that of a client which still
    reads."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


@pytest.fixture
def talking(make_daemon):
    """talking(config): hooks are added with hook(), then daemon.start()."""
    return lambda config="", **options: Talking(make_daemon(config, **options))
