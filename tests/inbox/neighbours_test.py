"""The inbox with the relay and the faults hook as its neighbours, all of them in their jails: it reaches both by their
sockets, and nothing else."""

import http.client
import json
import pathlib


def ask(daemon, method, path, body=None):
    with daemon.network:
        connection = http.client.HTTPConnection("127.0.0.1", 8025, timeout=20)
        connection.connect()
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        octets = answer.read()
        return answer.status, json.loads(octets) if "json" in answer.getheader("Content-Type") else octets.decode()
    finally:
        connection.close()


def test_a_message_is_released_to_whom_the_relay_hook_allows(neighbours):
    daemon, server = neighbours
    with daemon.session() as client:
        assert client.message("Bcc: x@example.org\r\nSubject: hi\r\n\r\ngrüße\r\n".encode()).code == 250
    assert server.lines == []  # by itself nothing goes on
    assert ask(daemon, "POST", "/api/v2/messages/latest/release", {"to": ["new@example.org"]}) == (200, {"released": ["new@example.org"]})
    (message,) = server.messages
    assert message.startswith(b"Received: ") and message.endswith("\r\nSubject: hi\r\n\r\ngrüße\r\n".encode()) and b"Bcc" not in message
    assert [line for line in server.lines if line.startswith("RCPT")] == ["RCPT TO:<new@example.org>"]
    status, problem = ask(daemon, "POST", "/api/v2/messages/latest/release", {"to": ["new@example.org", "other@evil.test"]})
    assert status == 502 and problem["detail"] == "the relay hook says: 550 5.7.1 relaying to this recipient is not allowed"
    assert ask(daemon, "POST", "/api/v1/message/latest/release", {"To": ["new@example.org"]}) == (200, "ok")
    assert len(server.messages) == 2


def test_chaos_refuses_what_it_is_told_to(neighbours):
    daemon, _ = neighbours
    off = {"Sender": {"ErrorCode": 451, "Probability": 0}, "Recipient": {"ErrorCode": 451, "Probability": 0}, "Authentication": {"ErrorCode": 535, "Probability": 0}}
    assert ask(daemon, "GET", "/api/v1/chaos") == (200, off)
    recipient = {"Recipient": {"ErrorCode": 452, "Probability": 100}}
    assert ask(daemon, "PUT", "/api/v1/chaos", recipient) == (200, off | recipient)
    with daemon.session() as client:
        client.expect("MAIL FROM:<a@client.test>", "250")
        assert client.say("RCPT TO:<b@dev.test>") == "452 4.2.2 injected fault 452"
    assert ask(daemon, "PUT", "/api/v1/chaos", {"Sender": {"Probability": 100}})[0] == 200
    with daemon.session() as client:
        assert client.say("MAIL FROM:<a@client.test>") == "451 4.3.0 injected fault 451"
    for wrong in ({"Sender": {"ErrorCode": 200}}, {"Sender": {"Probability": 101}}, {"Sender": 7}, {"Authentication": {"Probability": 1}}):
        status, text = ask(daemon, "PUT", "/api/v1/chaos", wrong)
        assert status == 400 and text
    assert ask(daemon, "PUT", "/api/v1/chaos", {}) == (200, off)
    with daemon.session() as client:
        assert client.message().code == 250
