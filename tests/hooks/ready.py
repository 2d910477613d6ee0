"""The ready-made hooks, at the end of a pipe and behind the daemon."""

import json
import time

from hooks.pipe import BUILD, Hook, golden


def program(name):
    return BUILD / f"hooks/{name}/{name}"


def hello(events, options):
    return {**json.loads(golden("hello")[0]), "events": list(events), "options": options}


def request(event, **changes):
    return {**json.loads(golden(event)[0]), **changes}


class Ready(Hook):
    """A ready-made hook with a state folder, after hello."""

    def __init__(self, name, folder, events=(), **options):
        super().__init__([program(name)], {"HOOK_STATE": str(folder)}, cwd=folder)
        self.folder = folder
        self.hello = self.ask(hello(events, options))

    def say(self, event, **changes):
        """The reply without its id."""
        reply = self.ask(request(event, **changes))
        reply.pop("id")
        return reply

    def about(self, event, address, **changes):
        local, _, domain = address.rpartition("@")
        return self.say(event, local=local, domain=domain.lower(), address=address, **changes)

    def deliver(self, octets=b"Subject: x\r\n\r\nhello\r\n", **changes):
        path = self.folder / "spool.eml"
        path.write_bytes(octets)
        message = {**request("deliver")["message"], "size": len(octets), "path": str(path), **changes.pop("message", {})}
        return self.say("deliver", message=message, **changes)

    def wait_logged(self, text, seconds=10):
        """Until it is in the log; what a hook writes there tells nobody that it is there."""
        end = time.monotonic() + seconds
        while text not in self.log():
            assert time.monotonic() < end, self.log()
            time.sleep(0.01)


ACCEPT = {"action": "accept"}


def add(daemon, name, events, **settings):
    """As `use` does it in a configuration."""
    read = settings.pop("sandbox_read", [])
    daemon.hook_command(name, [str(program(name))], events, sandbox_read=[str(BUILD / "hooks/sdk"), *map(str, read)], **settings)
