"""Messages within the request, for a hook that asked for that."""

import base64
import json

import pytest

from harness import hooks

# Keeps what it was given as the message.
READER = hooks.PYTHON + """
import base64, json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["event"] == "hello":
        print('{"body":"inline"}', flush=True)
        continue
    open("requests", "a").write(line)
    message = request["message"]
    if "path" in message:
        octets = open(message["path"], "rb").read()
    elif "data" in message:
        octets = message["data"].encode()
    else:
        octets = base64.b64decode(message["data_b64"])
    open("octets", "wb").write(octets)
    print("ok", flush=True)
"""


@pytest.mark.parametrize(("body", "key"), [
    (b"Subject: x\r\n\r\nhello \"you\"\r\n", "data"), ("Subject: x\r\n\r\nGrüße\r\n".encode(), "data"),
    (b"Subject: x\r\n\r\ncaf\xe9 \x00\x01\r\n", "data_b64"), (b"Subject: x\r\n\r\n" + b"y" * 60_000 + b"\r\n", "data"),
    (b"Subject: x\r\n\r\n" + b'"' * 40_000 + b"\r\n", "path"), (b"\xe9" * 50_000 + b"\r\n", "path"),
    (b"Subject: x\r\n\r\n" + (b"z" * 70 + b"\r\n") * 3000, "path")])
def test_a_small_message_comes_in_the_request_and_a_large_one_as_a_file(make_daemon, body, key):
    daemon = make_daemon()
    daemon.hook("reader", READER, "deliver")
    daemon.hook("recorder", hooks.RECORDER, "deliver")
    daemon.start()
    with daemon.session() as client:
        assert client.message(body).code == 250
    (request,) = daemon.recorded("reader").requests("deliver")
    assert list(request["message"])[-1] == key
    octets = (daemon.state / "hooks/reader/octets").read_bytes()
    kept, message = daemon.recorded().only_message()
    assert octets == message and octets.endswith(body) and request["message"]["size"] == len(octets)
    assert "path" in kept["message"]


def test_what_hooks_have_added_is_in_it(make_daemon):
    daemon = make_daemon()
    daemon.hook("adds", hooks.PYTHON + """
import json, sys
for line in sys.stdin:
    if json.loads(line)["event"] == "hello":
        print('{"modifies":["headers"]}', flush=True)
    else:
        print('{"action":"accept","add_headers":[["X-Seen","yes"]]}', flush=True)
""", "deliver")
    daemon.hook("reader", READER, "deliver")
    daemon.start()
    with daemon.session() as client:
        assert client.message().code == 250
    (request,) = daemon.recorded("reader").requests("deliver")
    assert b"\r\nX-Seen: yes\r\nSubject: x\r\n" in request["message"]["data"].encode()
    assert request["message"]["added_headers"] == 1
