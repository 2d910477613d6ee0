"""Disk full: 452 4.3.1, the connection lives, and the daemon recovers by itself."""

import pytest

from harness import hooks

LARGE = (b"x" * 998 + b"\r\n") * 3000  # 3 MB


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon('spool_size = "1M"')
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


def test_too_large_for_the_spool(daemon):
    with daemon.session() as client:
        for _ in range(3):
            assert client.message(LARGE).startswith("452 4.3.1")
        assert client.message().code == 250
        assert client.message(LARGE[:500_000]).code == 250
    (_, small), (_, large) = daemon.recorded().messages()
    assert len(large) > 500_000


def test_two_that_share_what_is_left(daemon):
    """Whoever comes late hears 452; when the other is done there is room again."""
    body = LARGE[:600_000]
    with daemon.session() as first, daemon.session() as second:
        for client in (first, second):
            client.expect("MAIL FROM:<a@client.test>", "250")
            client.expect("RCPT TO:<b@dev.test>", "250")
            client.expect("DATA", "354")
        first.send(body)
        second.send(body)
        codes = [first.say(".").code, second.say(".").code]
        assert codes in ([250, 452], [452, 250], [250, 250]), codes
        assert first.message(body).code == 250
        assert second.message(body).code == 250


def test_nothing_is_left_in_the_spool(daemon):
    with daemon.session() as client:
        client.message(LARGE)
        assert client.message(LARGE[:500_000]).code == 250
    root = f"/proc/{daemon.worker().pid}/root"
    import os
    left = [os.path.join(folder, name) for folder, _, names in os.walk(f"{root}{daemon.runtime}/spool") for name in names]
    assert left == []
