"""1 GiB without a line end in every state of a session, over as many connections as that takes: less than 1 MiB of memory."""

import pytest

from harness import flood
from harness.certificates import Authority
from harness.daemon import Daemon


@pytest.mark.parametrize("name", flood.FLOODS)
def test_a_gibibyte(tmp_path, name):
    authority = Authority(tmp_path)
    daemon = Daemon(flood.config(authority))
    try:
        daemon.start()
        grown = flood.growth(daemon, authority, flood.FLOODS[name], each=1024 * flood.MIB, total=1024 * flood.MIB)
        print(f"\n{name}: grown by {grown // 1024} KiB")
        assert grown < flood.MIB
    finally:
        daemon.close()
