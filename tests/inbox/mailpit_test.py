"""What a client of Mailpit's API sees: each answer holds to Mailpit's own description of it."""

import json

import jsonschema
import pytest

SHAPES = {  # the part of Mailpit's description (API v1) that these paths use
    "Address": {"type": "object", "required": ["Name", "Address"]},
    "MessageSummary": {"required": ["ID", "MessageID", "Read", "From", "To", "Cc", "Bcc", "ReplyTo", "Subject", "Created", "Username", "Tags", "Size",
                                    "Attachments", "Snippet"]},
    "Message": {"required": ["ID", "MessageID", "From", "To", "Cc", "Bcc", "ReplyTo", "ReturnPath", "Subject", "ListUnsubscribe", "Date", "Tags",
                             "Username", "Text", "HTML", "Size", "Inline", "Attachments"]},
}


@pytest.fixture
def mail(inbox, message):
    inbox.deliver(message("one", body="plain\r\n", more="List-Unsubscribe: <https://x.test/u>, <mailto:u@x.test>\r\nX-Tags: a\r\n"))
    inbox.deliver(message("two", more="MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
                          body="--b\r\nContent-Type: text/html\r\n\r\n<p>hi</p><a href='https://l.test/'>l</a>\r\n--b\r\nContent-Type: text/csv\r\n"
                               "Content-Disposition: attachment; filename=t.csv\r\n\r\n1;2\r\n--b--\r\n"))
    return inbox


def ids(inbox, query=""):
    return {each["Subject"]: each["ID"] for each in inbox.get(f"/api/v1/search?query={query}")["messages"]}


def test_the_list_and_the_search(mail):
    page = mail.get("/api/v1/messages?limit=1")
    assert (page["total"], page["unread"], page["messages_count"], page["messages_unread"], page["start"], page["tags"]) == (2, 2, 2, 2, 0, ["a"])
    assert [each["Subject"] for each in page["messages"]] == ["two"]
    assert [each["Subject"] for each in mail.get("/api/v1/messages?start=1")["messages"]] == ["one"]
    for each in mail.get("/api/v1/messages")["messages"]:
        jsonschema.validate(each, SHAPES["MessageSummary"])
        jsonschema.validate(each["From"], SHAPES["Address"])
    assert list(ids(mail, "subject:one")) == ["one"]
    assert mail.get("/api/v1/search?query=has:attachment")["messages_count"] == 1


def test_a_message_and_that_it_is_read_then(mail):
    found = mail.get(f"/api/v1/message/{ids(mail)['two']}")
    jsonschema.validate(found, SHAPES["Message"])
    assert found["HTML"].startswith("<p>hi</p>") and found["Text"] == "" and found["ReturnPath"] == "ann@example.org"
    assert [(each["PartID"], each["FileName"], each["ContentType"], each["Size"]) for each in found["Attachments"]] == [("2", "t.csv", "text/csv", 3)]
    assert list(ids(mail, "is:unread")) == ["one"]
    one = mail.get("/api/v1/message/" + ids(mail)["one"])
    assert one["Text"] == "plain\r\n" and one["ListUnsubscribe"]["Links"] == ["https://x.test/u", "mailto:u@x.test"]
    assert mail.get("/api/v1/message/latest")["Subject"] == "two"


def test_its_parts_its_header_its_source(mail):
    two = ids(mail)["two"]
    assert mail.http("GET", f"/api/v1/message/{two}/part/2")[2] == b"1;2"
    assert mail.get(f"/api/v1/message/{two}/headers")["Subject"] == ["two"]
    assert mail.http("GET", f"/api/v1/message/{two}/raw")[2].startswith(b"From: Ann")
    assert mail.get(f"/api/v1/message/{two}/link-check") == {"Errors": 0, "Links": [{"URL": "https://l.test/", "StatusCode": 0, "Status": "not fetched"}]}
    assert b"<p>hi</p>" in mail.http("GET", f"/view/{two}.html")[2] and mail.http("GET", "/view/latest.txt")[0] == 404
    assert mail.http("GET", f"/view/{ids(mail)['one']}.txt")[2] == b"plain\r\n"


def test_read_tag_delete(mail):
    one, two = ids(mail)["one"], ids(mail)["two"]
    change = lambda method, path, body=None: mail.http(method, path, body)[::2]
    assert change("PUT", "/api/v1/messages", {"IDs": [one], "Read": True}) == (200, b"ok")
    assert list(ids(mail, "is:read")) == ["one"]
    assert change("PUT", "/api/v1/messages", {"Read": False}) == (200, b"ok") and len(ids(mail, "is:unread")) == 2
    assert change("PUT", "/api/v1/tags", {"IDs": [one, two], "Tags": ["b", "c d"]}) == (200, b"ok")
    assert mail.get("/api/v1/tags") == ["b", "c d"] and list(ids(mail, "tag:b")) == ["two", "one"]
    assert change("DELETE", "/api/v1/messages", {"IDs": [one]}) == (200, b"ok") and list(ids(mail)) == ["two"]
    assert change("DELETE", "/api/v1/search?query=subject:none") == (200, b"ok") and len(ids(mail)) == 1
    assert change("DELETE", "/api/v1/messages") == (200, b"ok") and ids(mail) == {}


def test_what_it_is(mail):
    found = mail.get("/api/v1/info")
    assert (found["Messages"], found["Unread"], found["Tags"]) == (2, 2, {"a": 1})
    assert mail.get("/api/v1/webui")["MessageRelay"]["Enabled"] is False


def test_tags_are_renamed_and_taken_off(mail):
    one, two = ids(mail)["one"], ids(mail)["two"]
    change = lambda method, path, body=None: mail.http(method, path, body)[::2]
    change("PUT", "/api/v1/tags", {"IDs": [one, two], "Tags": ["b", "c d"]})
    assert change("PUT", "/api/v1/tags/c%20d", {"Name": 'x/"y'}) == (200, b"ok") and mail.get("/api/v1/tags") == ["b", 'x/"y']
    assert change("PUT", "/api/v1/tags/b", {"Name": "B"}) == (200, b"ok") and mail.get("/api/v1/tags") == ["B", 'x/"y']
    assert change("PUT", "/api/v1/tags/B", {"Name": 'x/"y'}) == (200, b"ok") and mail.get("/api/v2/tags")["tags"] == [{"name": 'x/"y', "messages": 2}]
    assert change("PUT", "/api/v1/tags/b", {"Name": "c"}) == (400, b"tag not found: b") and change("PUT", "/api/v1/tags/x%2f%22y", {"Name": ""})[0] == 400
    assert change("DELETE", "/api/v1/tags/x%2F%22y") == (200, b"ok") and mail.get("/api/v1/tags") == []
    assert change("PUT", "/api/v1/tags", {"IDs": [one], "Tags": ["x" * 101]})[0] == 400


def test_a_tag_of_thousands_is_renamed_in_pieces(inbox, message):
    numbers = inbox.write(*(inbox.deliver_request(message(f"{i}", more="X-Tags: old\r\n")) for i in range(1200)))
    assert all(inbox.read()["action"] == "accept" for _ in numbers)
    assert inbox.http("PUT", "/api/v1/tags/old", {"Name": "new"})[0] == 200
    assert inbox.get("/api/v2/tags")["tags"] == [{"name": "new", "messages": 1200}]


def test_the_checks(mail):
    two = ids(mail)["two"]
    checked = mail.get(f"/api/v1/message/{two}/html-check")
    assert checked["Warnings"] == [] and checked["Total"] == {"Tests": checked["Total"]["Tests"], "Nodes": 4, "Supported": 100, "Partial": 0, "Unsupported": 0}
    assert mail.http("GET", f"/api/v1/message/{ids(mail)['one']}/html-check")[::2] == (400, b"message does not contain HTML")
    assert mail.http("GET", f"/api/v1/message/{two}/sa-check")[::2] == (400, b"no SpamAssassin service defined")
    mail.post("/api/v2/messages", {"from": "a@b.test", "html": "<video></video><p>x</p>"}, status=201)
    warning, = mail.get("/api/v1/message/latest/html-check")["Warnings"]
    assert (warning["Slug"], warning["Score"]["Partial"]) == ("video-audio", 100) and "Gmail" in warning["Description"]


def test_a_thumbnail_is_white_whatever_the_part_is(mail):
    two = ids(mail)["two"]
    status, headers, octets = mail.http("GET", f"/api/v1/message/{two}/part/2/thumb")
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    frame = octets.index(b"\xff\xc0")  # height and width stand five octets behind
    assert octets.startswith(b"\xff\xd8") and octets.endswith(b"\xff\xd9") and octets[frame + 5:frame + 9] == bytes((0, 120, 0, 180))
    assert mail.http("GET", f"/api/v1/message/{two}/part/9/thumb")[0] == 404


def test_two_slashes_are_one(mail):
    """cypress-mailpit asks for //view/ID.html."""
    assert mail.http("GET", f"//view/{ids(mail)['one']}.txt")[2] == b"plain\r\n"


def test_errors_are_texts_as_mailpits_are(mail):
    for method, path, body, status in (("GET", "/api/v1/message/none", None, 404), ("GET", "/api/v1/messages?limit=x", None, 400),
                                       ("PUT", "/api/v1/messages", b"nonsense", 400), ("DELETE", "/api/v1/search", None, 400), ("GET", "/api/v1/none", None, 404)):
        found, headers, octets = mail.http(method, path, body)
        assert found == status and headers["Content-Type"].startswith("text/plain") and octets
