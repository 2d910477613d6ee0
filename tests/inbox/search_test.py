"""What people type into the search field."""

import pytest


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    import importlib.util
    import pathlib
    spec = importlib.util.spec_from_file_location("inbox_program", pathlib.Path(__file__).parent / "inbox.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    message = program.message
    with program.Inbox(tmp_path_factory.mktemp("search")) as one:
        one.deliver(message("=?utf-8?q?Gr=C3=BC=C3=9Fe?= aus Bern", body="Der schnelle braune Fuchs.\r\n"))
        one.deliver(message("Invoice 42", sender="Billing <no-reply@shop.test>", more="X-Tags: money, Two Words\r\n",
                            body="Please pay the quick brown invoice.\r\n"))
        one.deliver(message("html", more="MIME-Version: 1.0\r\nContent-Type: text/html\r\n",
                            body="<style>.hidden{}</style><p>Caf&eacute; <b>lat</b>te</p><script>secretword</script>\r\n"))
        one.deliver(message("attached", more="Cc: Carol <carol@x.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
                            body="--b\r\nContent-Type: text/plain\r\n\r\nsee it\r\n--b\r\nContent-Type: application/pdf; name=report.pdf\r\n"
                                 "Content-Disposition: attachment; filename=report.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"))
        one.deliver(message("large", body="x" * 60_000 + "\r\n"))
        first = one.get("/api/v2/messages?query=subject:invoice")["messages"][0]
        one.post("/api/v2/messages/actions", {"ids": [first["id"]], "action": "read"})
        yield one


ALL = ["Grüße aus Bern", "Invoice 42", "html", "attached", "large"]


@pytest.mark.parametrize("query, found", (
    ("", ALL),
    ("   ", ALL),
    ("quick", ["Invoice 42"]),
    ("qui", ["Invoice 42"]),
    ("QUICK brown", ["Invoice 42"]),
    ("grusse", []),
    ("grüße", ["Grüße aus Bern"]),
    ("grus", []),
    ("gruß", ["Grüße aus Bern"]),
    ("cafe", ["html"]),
    ("latte", ["html"]),
    ("secretword", []),
    ('"quick brown"', ["Invoice 42"]),
    ('"brown quick"', []),
    ('"brow"', []),
    ("from:shop.test", ["Invoice 42"]),
    ("from:no-reply@shop.test", ["Invoice 42"]),
    ("from:billing -from:carol", ["Invoice 42"]),
    ("to:bob", ALL),
    ("cc:carol", ["attached"]),
    ("subject:bern", ["Grüße aus Bern"]),
    ("tag:money", ["Invoice 42"]),
    ('tag:"two words"', ["Invoice 42"]),
    ('tag:"two wo\\rds"', []),
    ("-tag:money", ["Grüße aus Bern", "html", "attached", "large"]),
    ("is:read", ["Invoice 42"]),
    ("-is:unread", ["Invoice 42"]),
    ("is:tagged", ["Invoice 42"]),
    ("has:attachment", ["attached"]),
    ("has:html", ["html"]),
    ("files:report", ["attached"]),
    ("report.pdf", ["attached"]),
    ("larger:50k", ["large"]),
    ("smaller:50k", ALL[:4]),
    ("after:2020-01-01", ALL),
    ("before:2020-01-01", []),
    ("before:2020/01/01T10:00", []),
    ("after:1d", ALL),
    ("before:1d", []),
    ("message-id:<6c61726765@example.org>", ["large"]),
    ("mailbox:inbox", ALL),
    ("mailbox:none", []),
    ("id:nothing", []),
    ("-quick", ["Grüße aus Bern", "html", "attached", "large"]),
    ("-quick -html", ["Grüße aus Bern", "attached", "large"]),
    ("!!! ***", ALL),
    ("before:soon", []),
    ("is:nonsense", []),
    ("nokey:value", []),
    ("AND", []),
    ("quick OR html", []),
    ("NEAR(a b)", []),
    ('"', ALL),
    ('""', ALL),
    ("quick\"brown", ["Invoice 42"]),
    ("subject:", []),
    ("-", ALL),
    ("*", ALL),
    ("(quick", ["Invoice 42"]),
    ("{subject}:quick", []),
    ("'; DROP TABLE messages; --", []),
))
def test_a_search_finds(inbox, query, found):
    assert inbox.find(query) == found


def test_an_id_is_found_by_its_beginning(inbox):
    messages = inbox.get("/api/v2/messages")["messages"]
    for each in messages:
        for length in (32, 12):
            assert inbox.find(f"id:{each['id'][:length].upper()}") == [each["subject"]]
        assert each["subject"] in inbox.find(f"id:{each['id'][:1]}") and each["subject"] not in inbox.find(f"-id:{each['id']}")
    assert inbox.find("id:" + "0" * 33) == []


@pytest.mark.parametrize("tag", ('a "b" c', 'a"', '"', "back\\slash", "\\", 'a\\" b'))
def test_a_tag_is_found_whatever_is_in_it(inbox, tag):
    ids = [each["id"] for each in inbox.get("/api/v2/messages?query=subject:attached")["messages"]]
    inbox.post("/api/v2/messages/actions", {"ids": ids, "action": "tag", "tag": tag})
    quoted = tag.replace("\\", "\\\\").replace('"', '\\"')
    assert inbox.find(f'tag:"{quoted}"') == ["attached"]
    inbox.post("/api/v2/messages/actions", {"ids": ids, "action": "untag", "tag": tag})
    assert inbox.find(f'tag:"{quoted}"') == []


@pytest.mark.parametrize("query", ("\x00", "a\x00b", "\x01\x02", "a" * 5000, '"' * 999, "-" * 999, "from:" * 500, "\ud7ff\U0010ffff", "x " * 2000, "\\", "%", "_",
                                   "before:9999-99-99", "larger:99999999999999999999", "after:999999999999d"))
def test_no_text_makes_a_search_fail(inbox, query):
    inbox.find(query)
