"""A line, a header or a handshake without an end costs next to nothing, and the client that sends it is closed.
tests/long/endless_test.py sends 1 GiB of each."""

import pytest

from harness import flood

@pytest.fixture(scope="module")
def daemon(make_module_daemon, authority):
    return make_module_daemon(flood.config(authority)).start()


@pytest.mark.parametrize("name", flood.FLOODS)
def test_no_end_in_sight(daemon, authority, name):
    assert flood.growth(daemon, authority, flood.FLOODS[name], each=flood.MIB, total=4 * flood.MIB) < flood.MIB
    with daemon.session() as client:
        client.expect("NOOP", "250")
