"""Without root: the same tree on a high port, and what is missing is said."""

from harness import hooks


def test_whole_way_as_a_plain_user(plain_daemon):
    daemon = plain_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    assert len(daemon.recorded().messages()) == 1
    assert {process.uids[0] for process in daemon.tree()} == {daemon.user}
    assert daemon.recorded().requests("hello")[0]["isolation"] in ("namespaced", "filtered")
    assert daemon.stop() == 0


def test_a_low_port_is_an_error_that_names_the_ways_out(plain_daemon):
    daemon = plain_daemon('[[listener]]\naddress = ["127.0.0.1:25"]')
    daemon.start(ready=False)
    assert daemon.wait() != 0
    daemon.log.wait(r"127\.0\.0\.1:25")
    daemon.log.wait("root")
