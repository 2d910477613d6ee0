"""What the web server says, and to whom."""

import base64
import email
import io
import json
import mailbox
import socket
import threading
import zipfile

import pytest


def first(inbox):
    return inbox.get("/api/v2/messages")["messages"][0]["id"]


def test_a_summary_has_what_a_list_shows(inbox, message):
    inbox.deliver(message("Hi", body="one  two\r\nthree\r\n", sender='"Ann E." <ann@example.org>'))
    summary, = inbox.get("/api/v2/messages")["messages"]
    assert summary | {"id": "", "received": ""} == {
        "id": "", "received": "", "mailbox": "inbox", "from": {"name": "Ann E.", "address": "ann@example.org"},
        "to": [{"name": "Bob", "address": "bob@example.test"}], "cc": [], "subject": "Hi", "snippet": "one two three",
        "size": summary["size"], "attachments": 0, "unread": True, "tags": [], "injected": False, "tls": False, "user": None,
        "broken": False}
    assert len(summary["id"]) == 32


@pytest.mark.parametrize("query", ("!", "- *", '"'))
def test_a_query_that_says_nothing_changes_nothing(inbox, message, query):
    """Shown, such a search is everything: that is harmless, and to delete everything is not."""
    inbox.deliver(message())
    problem = inbox.post("/api/v2/messages/actions", {"query": query, "action": "delete"}, status=400)
    assert "nothing in it" in problem["detail"] and len(inbox.find("")) == 1
    assert inbox.post("/api/v2/messages/actions", {"query": "", "action": "delete"}) == {"count": 1}


def test_pages_follow_each_other(inbox, message):
    for i in range(7):
        inbox.deliver(message(f"{i}"))
    page = inbox.get("/api/v2/messages?limit=3")
    subjects = []
    while True:
        subjects += [each["subject"] for each in page["messages"]]
        if page["next"] is None:
            break
        page = inbox.get(f"/api/v2/messages?limit=3&cursor={page['next']}")
    assert subjects == [str(i) for i in range(6, -1, -1)]


MULTIPART = ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
             "--b\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
             "Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9 https://a.test/x.\r\n--a\r\nContent-Type: text/html\r\n\r\n"
             "<p style='position:absolute'><a href='https://b.test/'>the <b>link</b></a><a href='javascript:x'>no</a><img src='cid:pic'></p>\r\n"
             "--a--\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <pic>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
             "--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename*=utf-8''..%2Fb%C3%A4d.html\r\n\r\n<script>1</script>\r\n--b--\r\n")


def test_a_message_in_full(inbox, message):
    inbox.deliver(message("Parts", more=MULTIPART[0], body=MULTIPART[1]))
    found = inbox.get(f"/api/v2/messages/{first(inbox)}")
    assert found["text"] == "café https://a.test/x."
    assert found["has_html"] and found["envelope"] == {"from": "ann@example.org", "to": ["bob@example.test"]}
    assert found["links"] == [{"url": "https://b.test/", "text": "the link"}, {"url": "https://a.test/x", "text": "https://a.test/x"}]
    assert [note["what"] for note in found["html_notes"]] == ["position"]
    assert [(each["part"], each["type"], each["filename"], each["inline"]) for each in found["attachments"]] == [
        ("2", "image/png", None, True), ("3", "text/html", "../bäd.html", False)]
    assert [part["type"] for part in found["parts"]["parts"]] == ["multipart/alternative", "image/png", "text/html"]
    assert ["Subject", " Parts", "Parts"] in found["headers"]


def test_an_attachment_is_never_shown_in_place(inbox, message):
    inbox.deliver(message("Parts", more=MULTIPART[0], body=MULTIPART[1]))
    for query in ("", "?inline=1"):
        status, headers, octets = inbox.http("GET", f"/api/v2/messages/{first(inbox)}/parts/3{query}")
        assert status == 200 and octets == b"<script>1</script>"
        assert headers["Content-Type"] == "application/octet-stream" and headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Disposition"] == "attachment; filename=\"b__d.html\"; filename*=UTF-8''b%C3%A4d.html"
    status, headers, octets = inbox.http("GET", f"/api/v2/messages/{first(inbox)}/parts/2?inline=1")
    assert (status, headers["Content-Type"], octets) == (200, "image/png", base64.b64decode("iVBORw0KGgo="))


def test_html_comes_with_a_policy_that_runs_nothing(inbox, message):
    inbox.deliver(message("Parts", more=MULTIPART[0], body=MULTIPART[1]))
    status, headers, octets = inbox.http("GET", f"/api/v2/messages/{first(inbox)}/html")
    policy = headers["Content-Security-Policy"]
    assert status == 200 and "sandbox" in policy and "default-src 'none'" in policy
    assert "allow-scripts" not in policy and "allow-same-origin" not in policy and "script-src" not in policy
    assert b"parts/2?inline=1" in octets and "https:" not in policy
    assert "https:" in inbox.http("GET", f"/api/v2/messages/{first(inbox)}/html?remote=1")[1]["Content-Security-Policy"]


def test_marks_and_tags_by_ids_and_by_query(inbox, message):
    for i in range(5):
        inbox.deliver(message(f"m{i}"))
    ids = [each["id"] for each in inbox.get("/api/v2/messages")["messages"]]
    act = lambda **what: inbox.post("/api/v2/messages/actions", what)["count"]
    assert act(ids=ids[:2], action="read") == 2
    assert inbox.get("/api/v2/mailboxes")["mailboxes"][0]["unread"] == 3
    assert act(query="is:read", action="tag", tag="seen") == 2
    assert inbox.get("/api/v2/tags") == {"tags": [{"name": "seen", "messages": 2}]}
    assert act(query="tag:seen", action="untag", tag="seen") == 2
    assert act(ids=[ids[0], "0" * 32], action="delete") == 1
    assert act(query="", action="unread") == 4
    assert inbox.get("/api/v2/mailboxes")["mailboxes"][0] == {"name": "inbox", "messages": 4, "unread": 4}
    assert act(query="", action="delete") == 4 and inbox.find("") == []


def test_thousands_are_deleted_in_pieces(inbox, message):
    for _ in range(20):
        numbers = inbox.write(*[inbox.deliver_request(message("many")) for _ in range(64)])
        [inbox.read() for _ in numbers]
    assert inbox.post("/api/v2/messages/actions", {"query": "many", "action": "delete"})["count"] == 1280
    assert inbox.get("/api/v2/info")["messages"] == 0


@pytest.mark.parametrize("body, status", (({"action": "read"}, 400), ({"ids": [], "action": "burn"}, 400), ({"ids": [], "action": "tag"}, 400),
                                          ({"ids": 7, "action": "read"}, 400), (b"not json", 400), (b"[]", 400)))
def test_a_wrong_action_is_a_problem_with_a_reason(inbox, body, status):
    found, headers, octets = inbox.http("POST", "/api/v2/messages/actions", body)
    problem = json.loads(octets)
    assert found == status and headers["Content-Type"] == "application/problem+json" and problem["detail"] and problem["status"] == status


@pytest.mark.parametrize("path", ("/api/v2/messages/" + "0" * 32, "/api/v2/messages/..%2f..%2fetc%2fpasswd", "/api/v2/messages/%00", "/api/v2/messages/x/raw",
                                  "/api/v2/messages/latest/parts/9", "/api/v2/sessions/none", "/api/v2/nowhere", "/../../etc/passwd", "/page/../main.cc",
                                  "/api/v2/messages/" + "a" * 5000))
def test_what_is_nowhere_is_404(inbox, path):
    assert inbox.http("GET", path)[0] == 404


def test_the_export_is_what_was_sent(inbox, message, tmp_path):
    raw = [message("one", body="From here on\r\n>From there\r\n"), message("a/b: zwei")]
    for each in raw:
        inbox.deliver(each)
    archive = zipfile.ZipFile(io.BytesIO(inbox.http("GET", "/api/v2/export?format=zip&query=")[2]))
    assert archive.testzip() is None and {archive.read(name) for name in archive.namelist()} == set(raw)
    assert all("/" not in name for name in archive.namelist())
    (tmp_path / "box").write_bytes(inbox.http("GET", "/api/v2/export?format=mbox&query=subject:one")[2])
    one, = mailbox.mbox(tmp_path / "box")
    assert one["Subject"] == "one" and one.get_payload() == ">From here on\n>>From there\n\n"[:-1]
    status, headers, octets = inbox.http("GET", f"/api/v2/export?format=eml&ids={first(inbox)}")
    assert octets == raw[1] and email.message_from_bytes(octets)["Subject"] == "a/b: zwei" and ".eml" in headers["Content-Disposition"]
    assert inbox.http("GET", "/api/v2/export?format=tar&query=")[0] == 400


def test_an_export_of_ids_has_all_of_them_or_names_those_that_are_nowhere(inbox, message):
    for subject in ("one", "two"):
        inbox.deliver(message(subject))
    ids = [each["id"] for each in inbox.get("/api/v2/messages")["messages"]]
    archive = zipfile.ZipFile(io.BytesIO(inbox.http("GET", f"/api/v2/export?format=zip&ids={','.join(ids)}")[2]))
    assert len(archive.namelist()) == 2
    status, headers, octets = inbox.http("GET", f"/api/v2/export?format=zip&ids={ids[0]},gone,%1b[1m")
    assert status == 404 and headers["Content-Type"] == "application/problem+json"
    assert json.loads(octets)["detail"] == "there is no such message: gone, [1m"
    many = ",".join(f"n{i}" for i in range(12))
    assert json.loads(inbox.http("GET", f"/api/v2/export?format=mbox&ids={many}")[2])["detail"].endswith("n8, n9 and 2 more")


REFUSED = [{"ms": 0.4, "from": "server", "line": "220 mail.test"}, {"ms": 1, "from": "client", "line": "MAIL FROM:<a@x.test>"},
           {"ms": 2, "from": "server", "line": "250 2.1.0 ok"}, {"ms": 3, "from": "client", "line": "RCPT TO:<ghost@x.test>"},
           {"ms": 4, "from": "hook", "hook": "policy", "instance": 1, "event": "validate_recipient", "action": "reject", "code": 550, "text": "no", "took_ms": 1},
           {"ms": 5, "from": "server", "line": "550 5.1.1 no such user"}, {"ms": 6, "from": "client", "line": "QUIT"}, {"ms": 7, "from": "server", "line": "221 bye"}]


def test_attempts_and_why_they_failed(inbox, message):
    inbox.deliver(message(), session="delivered")
    inbox.disconnect([], session="delivered", accepted=1)
    inbox.disconnect(REFUSED, session="refused")
    inbox.disconnect(REFUSED[:3], session="broken", reason="lost")
    inbox.disconnect(REFUSED[:1], session="nothing")
    inbox.disconnect([{"from": "client", "line": "AUTH PLAIN ***"}, {"from": "server", "line": "535 5.7.8 no"}], session="auth", tls={"version": "TLSv1.3", "cipher": "X"})
    found = {each["id"]: each for each in inbox.get("/api/v2/sessions?attempts=true")["sessions"]}
    assert {name: (each["outcome"], each["reason"], each["hook"]) for name, each in found.items()} == {
        "refused": ("refused", "550 5.1.1 no such user", "policy"), "broken": ("broken off", None, None), "nothing": ("no mail", None, None),
        "auth": ("refused", "535 5.7.8 no", None)}
    assert found["refused"]["from"] == "a@x.test" and found["refused"]["to"] == ["ghost@x.test"] and found["auth"]["tls"] == "TLSv1.3 X"
    assert found["refused"]["client"] == {"ip": "192.0.2.7", "port": 51514}
    assert inbox.get("/api/v2/sessions/refused")["entries"] == REFUSED
    one, = [each for each in inbox.get("/api/v2/sessions")["sessions"] if each["id"] == "delivered"]
    assert one["outcome"] == "delivered" and one["messages"] == [first(inbox)]
    assert inbox.get("/api/v2/info")["attempts"] == 4


def test_the_dialogue_of_a_message(inbox, message):
    inbox.deliver(message())
    assert inbox.get(f"/api/v2/messages/{first(inbox)}/dialogue") == {"session": None, "entries": []}
    inbox.disconnect(REFUSED, accepted=1)
    found = inbox.get(f"/api/v2/messages/{first(inbox)}/dialogue")
    assert found["entries"] == REFUSED and found["session"]["id"] == "c7f3a1"


# ---- what waits

def test_wait_returns_when_a_message_that_fits_comes(inbox, message):
    cursor = inbox.get("/api/v2/cursor")["cursor"]
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(inbox.get(f"/api/v2/wait?since={cursor}&query=subject:wanted&timeout=20")))
    waiting.start()
    inbox.deliver(message("another"))
    inbox.deliver(message("wanted"))
    waiting.join(20)
    found, = answers
    assert [each["subject"] for each in found["messages"]] == ["wanted"]
    assert inbox.http("GET", f"/api/v2/wait?since={found['cursor']}&timeout=0")[0] == 408
    assert inbox.get(f"/api/v2/wait?since={cursor}&timeout=0&count=2")["messages"][0]["subject"] == "another"


def test_wait_says_what_came_instead(inbox, message):
    inbox.deliver(message("another"))
    status, _, octets = inbox.http("GET", "/api/v2/wait?since=0&query=subject:wanted&timeout=1")
    assert status == 408 and "1 others have come" in json.loads(octets)["detail"]


def test_who_leaves_while_he_waits_harms_nobody(inbox, message):
    for i in range(64):
        inbox.deliver(message("many"))
    for path in ("/api/v2/wait?timeout=60", "/api/v2/events", "/api/v1/message/latest", "/api/v2/messages?limit=1000"):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", inbox.port)) as client:
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                if path.endswith("events"):
                    client.recv(100)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", inbox.port)) as client:
            client.sendall(b'POST /api/v2/messages/actions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 32\r\n\r\n{"query":"many","action":"read"}')
    inbox.deliver(message("after"))
    assert inbox.find("after") == ["after"]


def test_events_tell_what_happens(inbox, message):
    with socket.create_connection(("127.0.0.1", inbox.port), timeout=20) as client:
        client.sendall(b"GET /api/v2/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = client.makefile("rb")

        def next_event():
            name = None
            while True:
                line = stream.readline().strip()
                if line.startswith(b"event: "):
                    name = line[7:].decode()
                if line.startswith(b"data: "):
                    return name, json.loads(line[6:])

        assert next_event()[0] == "hello"
        inbox.deliver(message("live"))
        name, summary = next_event()
        assert name == "message" and summary["subject"] == "live"
        inbox.post("/api/v2/messages/actions", {"ids": [summary["id"]], "action": "read"})
        assert next_event() == ("update", {"ids": [summary["id"]]})
        inbox.post("/api/v2/messages/actions", {"ids": [summary["id"]], "action": "delete"})
        assert next_event() == ("delete", {"ids": [summary["id"]]})
        inbox.disconnect([], session="s9")
        assert next_event() == ("session", {"id": "s9"})


# ---- who may ask

@pytest.mark.parametrize("headers, status", (
    ({}, 200),
    ({"Host": "localhost"}, 200),
    ({"Host": "LOCALHOST:8025"}, 200),
    ({"Host": "inbox.localhost"}, 200),
    ({"Host": "[::1]:8025"}, 200),
    ({"Host": "192.0.2.1"}, 200),
    ({"Host": "inbox.example.test:80"}, 200),
    ({"Host": "evil.test"}, 421),
    ({"Host": "localhost.evil.test"}, 421),
    ({"Host": "127.0.0.1.evil.test"}, 421),
    ({"Host": ""}, 421),
    ({"Host": "localhost", "Origin": "http://localhost"}, 200),
    ({"Host": "localhost:1", "Origin": "http://localhost:2"}, 403),
    ({"Host": "localhost", "Origin": "http://evil.test"}, 403),
    ({"Host": "localhost", "Origin": "null"}, 403),
    ({"Host": "localhost", "Sec_Fetch_Site": "same-origin"}, 200),
    ({"Host": "localhost", "Sec_Fetch_Site": "none"}, 200),
    ({"Host": "localhost", "Sec_Fetch_Site": "cross-site"}, 403),
    ({"Host": "localhost", "Sec_Fetch_Site": "same-site"}, 403),
    ({"Host": "localhost", "Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, 403),
    ({"Host": "localhost", "Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "image"}, 403),
))
def test_who_may_read(start, headers, status):
    inbox = start({"hosts": ["inbox.example.test"]})
    assert inbox.http("GET", "/api/v2/info", **headers)[0] == status


def test_whoever_follows_a_link_to_the_page_sees_it(inbox):
    elsewhere = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert inbox.http("GET", "/", **elsewhere)[0] == 200
    assert inbox.http("POST", "/", b"", **elsewhere)[0] == 403


def test_a_browser_changes_something_with_the_pages_token_only(inbox, message):
    inbox.deliver(message())
    token = inbox.http("GET", "/")[2].decode().split('name="token" content="')[1].split('"')[0]
    body = {"ids": [], "action": "read"}
    origin = f"http://127.0.0.1:{inbox.port}"
    assert inbox.http("POST", "/api/v2/messages/actions", body, Origin=origin)[0] == 403
    assert inbox.http("POST", "/api/v2/messages/actions", body, Origin=origin, X_Inbox_Token="x" * len(token))[0] == 403
    assert inbox.http("POST", "/api/v2/messages/actions", body, Origin="http://evil.test", X_Inbox_Token=token)[0] == 403
    assert inbox.http("POST", "/api/v2/messages/actions", body, Sec_Fetch_Site="cross-site", X_Inbox_Token=token)[0] == 403
    assert inbox.http("POST", "/api/v2/messages/actions", body, Origin=origin, X_Inbox_Token=token)[0] == 200
    assert inbox.http("POST", "/api/v2/messages/actions", body)[0] == 200


def test_a_password(start, tmp_path):
    (tmp_path / "password").write_text("s3cret\n")
    inbox = start({"password_file": str(tmp_path / "password")})
    basic = lambda text: {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}
    status, headers, _ = inbox.http("GET", "/")
    assert status == 401 and headers["WWW-Authenticate"].startswith("Basic")
    for wrong in ("inbox:wrong", "s3cret", ":", "x:s3cre", "x:s3cret1"):
        assert inbox.http("GET", "/", **basic(wrong))[0] == 401
    assert inbox.http("GET", "/", Authorization="Basic %%%")[0] == 401
    assert inbox.http("GET", "/", **basic("anybody:s3cret"))[0] == 200


def test_health_and_metrics(inbox, message):
    inbox.deliver(message())
    assert inbox.http("GET", "/livez")[::2] == (200, b"ok\n") and inbox.http("GET", "/readyz")[0] == 200
    assert b"\nhooksmtpd_inbox_messages 1\n" in inbox.http("GET", "/metrics")[2]


def test_files_of_the_page_are_asked_for_again_only_when_they_changed(inbox):
    status, headers, octets = inbox.http("GET", "/page/app.css")
    assert status == 200 and octets and headers["Content-Type"].startswith("text/css")
    assert inbox.http("GET", "/page/app.css", If_None_Match=headers["ETag"])[::2] == (304, b"")
