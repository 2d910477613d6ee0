"""The mime hook at the end of a pipe, and the trees that it makes."""

import json

from hooks.pipe import BUILD, ROOT, Hook, golden

MIME = BUILD / "hooks/mime/mime"
MESSAGES = sorted((ROOT / "tests/corpus/mime").iterdir())
DEFAULTS = {"depth": 20, "parts": 1000, "size": 128 << 20}


class Mime(Hook):
    """With a folder for the hook "inbox", after hello."""

    def __init__(self, folder, shelf=None, **limits):
        super().__init__([MIME])
        self.message = folder / "message.eml"
        self.shelf = shelf or folder / "inbox"
        self.shelf.mkdir(exist_ok=True)
        self.options = {"folders": {"inbox": str(self.shelf)}, **DEFAULTS, **limits}
        self.hello = self.ask({**json.loads(golden("hello")[0]), "hook": "mime", "events": [], "options": self.options})

    def deliver(self, octets, transaction="t-1", reader="inbox", message=None, **changes):
        """The reply to a message; `message`: what is said of it otherwise."""
        self.message.write_bytes(octets)
        request = {**json.loads(golden("deliver_mime")[0]), "transaction": transaction, **changes}
        del request["mime"]
        facts = {**request.pop("message"), "path": str(self.message), "size": len(octets), **(message or {})}
        return self.ask({**request, "for": reader, "message": facts})

    def tree(self, octets, **changes):
        """The tree of a message, which has one, wherever it is."""
        reply = self.deliver(octets, **changes)
        assert reply["action"] == "accept", reply
        assert list(reply) == ["id", "action", "mime"]
        tree = reply["mime"]
        if list(tree) == ["path"]:
            with open(tree["path"], encoding="ascii") as file:
                return json.load(file)
        return tree

    def reset(self, transaction="t-1", reader="inbox"):
        return self.ask({**json.loads(golden("reset")[0]), "transaction": transaction, "for": reader, "reason": "over"})


def nodes(node):
    """All parts, each before those in it."""
    yield node
    for part in node.get("parts", []):
        yield from nodes(part)
    if "message" in node:
        yield from nodes(node["message"])


def leaves(tree):
    return [node for node in nodes(tree) if "parts" not in node]


def octets(node):
    with open(node["path"], "rb") as file:
        return file.read()
