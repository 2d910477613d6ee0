"""systemd/hooksmtpd.service, without systemd: the capabilities and the umask that it grants are enough."""

import pathlib
import re

import pytest

from harness import hooks

UNIT = pathlib.Path(__file__).parents[2] / "systemd/hooksmtpd.service.in"
GRANTED = re.search(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.MULTILINE).group(1).split()


def under_the_unit() -> tuple[str, ...]:
    bounding = ",".join(["-all"] + ["+" + name.removeprefix("CAP_").lower() for name in GRANTED])
    return ("sh", "-c", f'umask 077; exec setpriv --bounding-set={bounding} --inh-caps=-all --no-new-privs -- "$@"', "sh")


def test_it_grants_what_the_design_allows_and_no_more():
    assert set(GRANTED) == {"CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_SYS_ADMIN"}


def test_the_whole_way_with_its_capabilities(make_daemon):
    daemon = make_daemon(wrapper=under_the_unit())
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
        assert client.message(b"x" * 998 + b"\r\n" + b"large\r\n" * 20000).code == 250
    assert len(daemon.recorded().messages()) == 2
    daemon.control("reload")
    assert daemon.stop() == 0


def test_the_next_start_finds_the_folders_of_the_one_before(make_daemon):
    first = make_daemon(wrapper=under_the_unit())
    first.hook("recorder", hooks.RECORDER)
    first.start()
    with first.session() as client:
        assert client.message().code == 250
    assert first.stop() == 0
    second = make_daemon(wrapper=under_the_unit())
    second.runtime, second.state = first.runtime, first.state
    second.hook("recorder", hooks.RECORDER)
    second.start()
    with second.session() as client:
        assert client.message().code == 250
    assert len(second.recorded().messages()) == 2


@pytest.mark.parametrize("missing", ["net_bind_service", "sys_admin", "setuid"])
def test_a_capability_that_is_missing_is_named_or_explained(make_daemon, missing):
    wrapper = tuple(word.replace(f",+{missing}", "") for word in under_the_unit())
    daemon = make_daemon(wrapper=wrapper)
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start(ready=False)
    assert daemon.wait() not in (0, -6, -11)
    daemon.log.wait("(?i)permitted|denied|privilege|capab")
