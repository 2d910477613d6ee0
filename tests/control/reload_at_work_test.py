"""A reload while a hook is at work: what it was asked is answered, then its successor takes over."""

from harness.daemon import Daemon
from harness.hooks import PYTHON

# Tells the test that it is at work on a sender, and waits to be let go.
GATED = PYTHON + """
import json, os, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "hello":
        text = request["options"]["text"]
    if request.get("local") == "gated":
        os.mkfifo("gate")
        print("at work", file=sys.stderr)
        open("gate").close()
    print("ok" if request["event"] == "hello" else f"reject 550 5.7.1 {text}", flush=True)
"""


def test_a_hook_whose_options_change_finishes_what_it_was_asked():
    daemon = Daemon()
    try:
        daemon.hook("gated", GATED, "validate_sender", options={"text": "old"})
        daemon.start()
        gate = daemon.state / "hooks/gated/gate"
        with daemon.session() as client, daemon.session() as other:
            client.send("MAIL FROM:<gated@client.test>\r\n")
            daemon.log.wait("at work")
            daemon.hook_texts = daemon.hook_texts.replace("old", "new")
            daemon.write_config()
            mark = daemon.log.mark()
            daemon.control("reload")
            other.send("MAIL FROM:<b@client.test>\r\n")
            with open(gate, "w"):
                pass
            assert client.reply() == "550 5.7.1 old"
            assert other.reply() == "550 5.7.1 new"
            assert "failures=" not in daemon.log.text[mark:]
        assert daemon.stop() == 0
    finally:
        daemon.close()
