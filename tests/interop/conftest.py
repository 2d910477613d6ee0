"""One daemon for each client program; what it delivered is compared octet by octet."""

import pytest

from harness import hooks


class Mailbox:
    def __init__(self, daemon) -> None:
        self.daemon = daemon

    def last(self) -> tuple[dict, bytes]:
        """The newest delivery: its request, and the message without the trace header fields."""
        request, message = self.daemon.recorded().messages()[-1]
        return request, hooks.as_sent(request, message)

    def count(self) -> int:
        return len(self.daemon.recorded().requests("deliver"))


@pytest.fixture(scope="module")
def mailbox(make_module_daemon) -> Mailbox:
    daemon = make_module_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    return Mailbox(daemon.start())
