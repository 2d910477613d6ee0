"""The walk after a hundred deaths and reloads: who is started again has no more than who was there first, and nothing has
leaked. In a booted systemd: ../systemd/crashes_test.py."""

from harness import hooks
from privileges.crashes import CROWD, crash_and_reload
from privileges.walk import check_everything


def test_the_walk_after_a_hundred_crashes_and_reloads(make_daemon):
    daemon = make_daemon('[tls]\nmode = "starttls"')
    daemon.hook("crowd", hooks.SHELL + "while IFS= read -r request; do echo ok; done\n", "validate_sender", instances=CROWD,
                sandbox_listen=["127.0.0.1:8025"])
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()

    def deliver() -> None:
        with daemon.session() as client:
            assert client.message().code == 250
            client.expect("QUIT", "221")
            assert client.at_end()

    deliver()
    check_everything(daemon)
    crash_and_reload(daemon, deliver, "recorder")
    check_everything(daemon)
