"""Mail that comes over HTTP, and mail that goes on through the relay hook; the other hooks' sockets are the test's own."""

import base64
import email
import email.policy
import json
import socket
import threading

import pytest

MAILPIT = {
    "From": {"Email": "john@example.com", "Name": "Jöhn"}, "To": [{"Email": "jane@example.com", "Name": 'Jane, "Q"'}], "Cc": [{"Email": "cc@example.com"}],
    "Bcc": ["jack@example.com"], "ReplyTo": [{"Email": "reply@example.com", "Name": "R"}], "Subject": "Grüße", "Text": "Hello\nÜ",
    "HTML": '<p>hi <img src="cid:logo"></p>', "Headers": {"X-IP": "1.2.3.4"}, "Tags": ["Tag 1", 'a "b" c\\'],
    "Attachments": [{"Content": "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n...").decode(), "ContentID": "logo", "Filename": "lögo.png"},
                    {"Content": base64.b64encode(b"1;2\r\n").decode(), "ContentType": "text/csv", "Filename": "t.csv"}],
}


def send(inbox, path="/api/v1/send", **changes):
    return inbox.post(path, {**MAILPIT, **changes})["ID"]


def raw(inbox, id="latest"):
    return inbox.http("GET", f"/api/v1/message/{id}/raw")[2]


def test_what_is_sent_is_what_is_stored(inbox):
    found = inbox.get(f"/api/v1/message/{send(inbox)}")
    assert (found["Subject"], found["Text"], found["HTML"], found["Tags"]) == ("Grüße", "Hello\r\nÜ", '<p>hi <img src="cid:logo"></p>', ["Tag 1", 'a "b" c\\'])
    assert found["From"] == {"Name": "Jöhn", "Address": "john@example.com"} and found["To"] == [{"Name": 'Jane, "Q"', "Address": "jane@example.com"}]
    assert [found[key][0]["Address"] for key in ("Cc", "Bcc", "ReplyTo")] == ["cc@example.com", "jack@example.com", "reply@example.com"]
    assert [(each["FileName"], each["ContentType"], each["ContentID"], each["Size"]) for each in found["Inline"]] == [("lögo.png", "image/png", "logo", 11)]
    assert [(each["FileName"], each["ContentType"], each["Size"], each["Checksums"]["MD5"]) for each in found["Attachments"]] == [
        ("t.csv", "text/csv", 5, "a23808c280764e69f9f3b83ae7885af3")]
    summary, = inbox.get("/api/v2/messages?query=is:injected")["messages"]
    assert summary["injected"] and not summary["broken"]
    full = inbox.get(f"/api/v2/messages/{summary['id']}")
    assert full["envelope"] == {"from": "john@example.com", "to": ["jane@example.com", "cc@example.com", "jack@example.com"]} and full["session"] is None
    assert [name for name, *_ in full["headers"]][:2] == ["Return-Path", "Received"] and full["trace_headers"] == 2 and full["defects"] == []


def test_it_is_a_message_as_others_read_it(inbox):
    octets = raw(inbox, send(inbox))
    assert octets.isascii() and b"\n" not in octets.replace(b"\r\n", b"") and max(map(len, octets.split(b"\r\n"))) < 200
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html",
                                                                    "image/png", "text/csv"]
    assert message["from"].addresses[0].display_name == "Jöhn" and message["subject"] == "Grüße" and message["x-ip"] == "1.2.3.4" and message["message-id"]
    assert [part.get_content() for part in message.walk() if part.get_content_type() in ("text/plain", "text/csv")] == ["Hello\r\nÜ", "1;2\r\n"]


@pytest.mark.parametrize("changes", ({"Subject": "a\r\nX-Evil: 1\r\n\r\nbody"}, {"From": {"Email": "a@b.test", "Name": "x\r\nX-Evil: 1"}}, {"Headers": {"X-A": "1\r\nX-Evil: 1"}},
                                     {"Tags": ["x\r\nX-Evil: 1"]}, {"Attachments": [{"Content": "", "Filename": 'x"\r\nX-Evil: 1', "ContentType": "a/b\r\nX-Evil: 1"}]}))
def test_no_text_becomes_a_field_of_its_own(inbox, changes):
    message = email.message_from_bytes(raw(inbox, send(inbox, **changes)))
    assert all("X-Evil" not in part for part in message.walk())


@pytest.mark.parametrize("changes, said", (
    ({"From": None}, "address"), ({"From": {"Name": "nobody"}}, "invalid address"), ({"To": [{"Email": "jane"}]}, "jane"), ({"To": [{"Email": "a@b>\r\nX: 1"}]}, "a@b"),
    ({"To": "jane@example.com"}, "To must be an array"), ({"Bcc": [7]}, "address"), ({"Headers": {"Subject": "x"}}, "cannot overwrite"), ({"Headers": {"X Y": "x"}}, "header name"),
    ({"Headers": []}, "Headers"), ({"Attachments": [{"Filename": "x", "Content": "!"}]}, "base64"), ({"Subject": 7}, "Subject must be a string"), ({"Tags": [1]}, "string"),
))
def test_what_cannot_be_sent_is_named_in_mailpits_shape(inbox, changes, said):
    status, headers, octets = inbox.http("POST", "/api/v1/send", {**MAILPIT, **changes})
    assert status == 400 and headers["Content-Type"] == "application/json" and said in json.loads(octets)["Error"]
    assert inbox.get("/api/v1/messages")["total"] == 0


def test_one_part_is_enough(inbox):
    for text, html, types in (("only text", "", ["text/plain"]), ("", "<b>x</b>", ["text/html"]), ("", "", ["text/plain"])):
        message = email.message_from_bytes(raw(inbox, inbox.post("/api/v1/send", {"From": {"Email": "a@b.test"}, "Text": text, "HTML": html})["ID"]))
        assert [part.get_content_type() for part in message.walk()] == types and message.get_payload(decode=True).decode().rstrip() == text + html


@pytest.mark.parametrize("text", ("hello", "Ünd", "a=", "x" * 200, "two blanks  ", "-- \r\nAnn", "a line\r\n", "more\r\n\r\n", "tail \t"))
@pytest.mark.parametrize("key", ("Text", "HTML"))
def test_a_single_text_is_read_as_it_was_sent(inbox, key, text):
    found = inbox.get(f"/api/v1/message/{inbox.post('/api/v1/send', {'From': {'Email': 'a@b.test'}, key: text})['ID']}")
    assert found[key] == text


def test_nothing_is_added_to_the_end_of_a_single_text(inbox):
    def end_of(text):
        return raw(inbox, inbox.post("/api/v1/send", {"From": {"Email": "a@b.test"}, "Text": text})["ID"]).partition(b"\r\n\r\n")[2]
    assert (end_of("hello"), end_of("hello\r\n"), end_of(""), end_of("1 = 2")) == (b"hello", b"hello\r\n", b"", b"1 =3D 2")


def test_mail_is_sent_in_our_own_words(inbox):
    status, headers, octets = inbox.http("POST", "/api/v2/messages", {
        "from": {"name": "Ann", "address": "ann@example.test"}, "to": ["bob@example.test", {"address": "carol@example.test"}], "subject": "hi", "text": "it works", "tags": ["red"],
        "attachments": [{"filename": "a.pdf", "content": base64.b64encode(b"%PDF-1").decode()}]})
    summary = json.loads(octets)
    assert status == 201 and summary["injected"] and headers["Location"] == f"/api/v2/messages/{summary['id']}"
    found = inbox.get(headers["Location"])
    assert found["tags"] == ["red"] and found["envelope"]["to"] == ["bob@example.test", "carol@example.test"]
    assert [(each["filename"], each["type"]) for each in found["attachments"]] == [("a.pdf", "application/pdf")]


def test_a_message_is_stored_as_it_is(inbox, message):
    octets = message("as it is", more="X-Inbox-Mailbox: elsewhere\r\n")
    status, _, answer = inbox.http("POST", "/api/v2/messages?from=sender@example.test&to=one@example.test,two@example.test", octets, Content_Type="message/rfc822")
    assert status == 201
    found = inbox.get(f"/api/v2/messages/{json.loads(answer)['id']}")
    assert found["envelope"] == {"from": "sender@example.test", "to": ["one@example.test", "two@example.test"]} and found["mailbox"] == "inbox"
    stored = raw(inbox)
    assert stored.endswith(octets) and stored.startswith(b"Return-Path: <sender@example.test>\r\nReceived: by ")
    inbox.http("POST", "/api/v2/messages", octets, Content_Type="message/rfc822")
    assert inbox.get("/api/v2/messages/latest")["envelope"] == {"from": "ann@example.org", "to": ["bob@example.test"]}
    for query in ("from=nobody", "to=a@b.test,%0d%0aX"):
        assert inbox.http("POST", f"/api/v2/messages?{query}", octets, Content_Type="message/rfc822")[0] == 400


def test_injected_mail_obeys_the_rules_of_mailboxes(start):
    inbox = start({"mailboxes": [{"name": "billing", "recipient": "*@billing.test"}]})
    inbox.post("/api/v2/messages", {"from": "a@b.test", "to": ["x@billing.test"]}, status=201)
    assert inbox.get("/api/v2/messages/latest")["mailbox"] == "billing"


class Neighbour:
    """A hook behind a unix socket: answers each question, and keeps it."""

    def __init__(self, path, answer):
        self.path, self.answer, self.questions = path, answer, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            with connection, connection.makefile("rwb") as stream:
                question = json.loads(stream.readline())
                self.questions.append((question, stream.read(question.get("size", 0))))
                stream.write(self.answer)


@pytest.fixture
def neighbour(tmp_path):
    return lambda answer: Neighbour(tmp_path / "hook.sock", answer)


def test_a_message_goes_on_with_its_sender_and_without_bcc(start, message, neighbour):
    relay = neighbour(b'{"action":"accept"}\n')
    inbox = start({"relay": str(relay.path)})
    octets = message(more="Bcc: secret@example.test,\r\n other@example.test\r\nX-After: kept\r\n", body="Bcc: no field\r\n")
    inbox.deliver(octets)
    assert inbox.get("/api/v2/info")["release"] and inbox.get("/api/v1/webui")["MessageRelay"]["Enabled"]
    assert inbox.post("/api/v2/messages/latest/release", {"to": ["new@example.org"]}) == {"released": ["new@example.org"]}
    assert inbox.http("POST", "/api/v1/message/latest/release", {"To": ["new@example.org"]})[::2] == (200, b"ok")
    (question, sent), again = relay.questions
    expected = octets.replace(b"Bcc: secret@example.test,\r\n other@example.test\r\n", b"")
    assert question == {"from": "ann@example.org", "to": ["new@example.org"], "size": len(expected)} and sent == expected and again == (question, sent)


def test_what_the_relay_hook_refuses_is_told(start, message, neighbour):
    relay = neighbour(b'{"action":"reject","code":550,"text":"relaying to this recipient is not allowed"}\n')
    inbox = start({"relay": str(relay.path)})
    inbox.deliver(message())
    problem = inbox.post("/api/v2/messages/latest/release", {"to": ["new@example.org"]}, status=502)
    assert problem["detail"] == "the relay hook says: 550 relaying to this recipient is not allowed"
    assert inbox.http("POST", "/api/v1/message/latest/release", {"To": ["new@example.org"]})[2] == problem["detail"].encode()


@pytest.mark.parametrize("answer, said", ((b"", "hung up"), (b"nonsense\n", "not understood"), (b"x" * 70_000, "too long")), ids=("nothing", "no JSON", "no end"))
def test_a_relay_hook_that_talks_nonsense_harms_nobody(start, message, neighbour, answer, said):
    inbox = start({"relay": str(neighbour(answer).path)})
    inbox.deliver(message())
    assert said in inbox.post("/api/v2/messages/latest/release", {"to": ["new@example.org"]}, status=502)["detail"]


def test_a_release_that_takes_its_time_stops_nothing_else(start, message, tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "slow.sock"))
    listener.listen()
    inbox = start({"relay": str(tmp_path / "slow.sock")})
    inbox.deliver(message())
    answers = []
    releasing = threading.Thread(target=lambda: answers.append(inbox.post("/api/v2/messages/latest/release", {"to": ["new@example.org"]})))
    releasing.start()
    connection, _ = listener.accept()
    assert inbox.get("/api/v2/messages")["total"] == 1 and inbox.deliver(message())["action"] == "accept" and not answers
    connection.sendall(b'{"action":"accept"}\n')
    releasing.join(20)
    assert answers == [{"released": ["new@example.org"]}]


def test_release_needs_a_relay_hook_a_message_and_recipients(start, message, tmp_path):
    inbox = start()
    inbox.deliver(message())
    assert "not configured" in inbox.post("/api/v2/messages/latest/release", {"to": ["new@example.org"]}, status=501)["detail"]
    assert inbox.get("/api/v2/info")["release"] is False
    inbox.stop()
    inbox = start({"relay": str(tmp_path / "nowhere.sock")})
    assert "No such file" in inbox.post("/api/v2/messages/latest/release", {"to": ["new@example.org"]}, status=502)["detail"]
    for id, to, status in (("none", ["a@b.test"], 404), ("latest", [], 400), ("latest", ["a@b.test\r\nX"], 400), ("latest", ["a@b.test"] * 101, 400), ("latest", [7], 400)):
        inbox.post(f"/api/v2/messages/{id}/release", {"to": to}, status=status)


def test_chaos_is_the_faults_hooks(start, neighbour):
    inbox = start()
    assert inbox.http("GET", "/api/v1/chaos")[::2] == (400, b"Chaos is not enabled") and inbox.get("/api/v1/webui")["ChaosEnabled"] is False
    inbox.stop()
    faults = neighbour(b'{"Sender":{"ErrorCode":451,"Probability":7}}\n')
    inbox = start({"faults": str(faults.path)})
    assert inbox.get("/api/v1/chaos") == {"Sender": {"ErrorCode": 451, "Probability": 7}} and inbox.get("/api/v1/webui")["ChaosEnabled"]
    assert inbox.http("PUT", "/api/v1/chaos", {"Sender": {"Probability": 7}})[0] == 200
    assert [question for question, _ in faults.questions] == [{"get": "chaos"}, {"set": {"Sender": {"Probability": 7}}}]


@pytest.mark.parametrize("option", ("relay", "faults"))
@pytest.mark.parametrize("path", ("relative.sock", "/" + "x" * 108))
def test_a_socket_that_cannot_be_one_is_named(start, option, path):
    inbox = start({option: path}, expect_ready=False)
    assert inbox.ready["ready"] is False and option in inbox.ready["text"]
    inbox.kill()
