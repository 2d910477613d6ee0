"""A hook that is careless with what it is asked about AUTH makes the daemon no more careless."""

import pytest

from harness import hooks
from harness.sasl import Auth

CARELESS = {
    "repeats_the_request": 'print(line, end="", flush=True); ',
    "prints_what_it_parsed": 'print(request, flush=True); print("ok", flush=True)',
    "prints_the_password": 'print(request["password"], flush=True); print("ok", flush=True)',
    "says_it_and_hangs": 'print(request["password"], end="", flush=True); time.sleep(1000)',
}


@pytest.mark.parametrize("fault", CARELESS)
def test_what_a_hook_prints_by_mistake_is_not_logged(make_daemon, fault):
    daemon = make_daemon('log_level = "trace"\n[auth]\nsource = "hook"\nbefore_tls = true\n')
    daemon.hook("careless", hooks.PYTHON + f"""
import json, sys, time
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] != "auth":
        print("ok", flush=True)
        continue
    {CARELESS[fault]}
""", ["auth"], timeout="700ms")
    daemon.start()
    with daemon.session() as client:
        auth = Auth(client)
        assert auth("PLAIN", "ann", "hunter2-hunter2").code in (235, 454)
        client.expect("QUIT", "221")
    daemon.log.wait(r"^.*hook careless")
    assert "hunter2" not in daemon.log.text
    assert not {secret for secret in auth.secrets() if secret in daemon.log.text.encode()}
