"""hooksmtpctl inbox: the inbox from a shell, for people and for CI."""

import http.server
import json
import mailbox
import os
import pathlib
import pty
import re
import subprocess
import threading
import zipfile

import pytest

from docs.document import BUILD

CTL = BUILD / "daemon/ctl/hooksmtpctl"
HOSTILE = dict(subject="evil \x1b[2J\x9b1m", sender='"A\x07\u202e" <a@example.org>', body="one\x1b]0;x\x07\ttwo\r\nGrüße\r\n",
               more="Content-Type: text/plain; charset=utf-8\r\nX-\x1b[1m: y\r\n")


def run(inbox, *arguments, status=0, **more) -> str:
    """Its standard output, or what it says on standard error if it is to fail."""
    environment = {"PATH": "/usr/bin:/bin", "HOOKSMTPD_INBOX": f"127.0.0.1:{inbox.port}", **more}
    done = subprocess.run([CTL, "inbox", *arguments], env=environment, capture_output=True, timeout=60)
    assert done.returncode == status, done
    return (done.stdout if status == 0 else done.stderr).decode(errors="surrogateescape")


def lines(inbox, *arguments) -> list[dict]:
    return [json.loads(line) for line in run(inbox, *arguments, "--json").splitlines()]


def has_controls(text: str) -> bool:
    return any(ord(c) < 32 and c not in "\t\n" or 0x7f <= ord(c) < 0xa0 or c == "\u202e" for c in text)


def test_a_list_has_when_from_whom_to_whom_and_what(inbox, message):
    inbox.deliver(message("Grüße", sender="Änn <ann@example.org>"))
    inbox.deliver(message("second"))
    heading, second, first = run(inbox, "list").splitlines()
    assert heading.split() == ["ID", "RECEIVED", "(UTC)", "FROM", "TO", "SUBJECT"]
    assert first.endswith("Änn <ann@example.org>  Bob <bob@example.test>  Grüße")
    assert {line.index("Bob <bob") for line in (first, second)} == {heading.index("TO")}, "columns are as wide as characters"
    summary, = inbox.get("/api/v2/messages?query=second")["messages"]
    assert second.startswith(summary["id"][:8] + "  " + summary["received"][:19].replace("T", " "))


def test_with_json_each_message_is_a_line(inbox, message):
    for i in range(3):
        inbox.deliver(message(f"n{i}"))
    assert [each["subject"] for each in lines(inbox, "list")] == ["n2", "n1", "n0"]
    assert [each["subject"] for each in lines(inbox, "list", "--limit", "2")] == ["n2", "n1"]
    assert lines(inbox, "list", "--query", "subject:n1") == lines(inbox, "search", "subject:n1") == [
        inbox.get("/api/v2/messages?query=subject:n1")["messages"][0]]
    assert [each["subject"] for each in map(json.loads, run(inbox, "search", "--json", "--", "to:bob", "-subject:n1").splitlines())] == ["n2", "n0"]
    assert lines(inbox, "list", "--mailbox", "other") == []


def test_more_messages_than_the_inbox_tells_of_at_once(inbox, message):
    numbers = inbox.write(*(inbox.deliver_request(message(f"n{i}")) for i in range(1003)))
    for _ in numbers:
        inbox.read()
    assert [each["subject"] for each in lines(inbox, "list", "--limit", "1002")] == [f"n{i}" for i in range(1002, 0, -1)]
    done = run(inbox, "list", "--limit", "1001")
    assert len(done.splitlines()) == 1002


def test_nothing_of_a_mail_controls_a_terminal(inbox, message):
    inbox.deliver(message(**HOSTILE))
    inbox.disconnect([{"ms": 1, "from": "client", "line": "EHLO \x1b[2J"}], accepted=1)
    for arguments in (["list"], ["search", "evil"], ["show", "latest"], ["show", "latest", "--headers"], ["show", "latest", "--parts"],
                      ["show", "latest", "--dialogue"], ["wait", "--since", "0"], ["list", "--json"], ["show", "latest", "--json"]):
        text = run(inbox, *arguments)
        assert text and not has_controls(text), arguments
    assert "one\\x1b]0;x\\x07\ttwo\nGrüße\n" in run(inbox, "show", "latest")


@pytest.mark.parametrize("side", ["--raw", "--text"])
def test_octets_stay_as_they_are_but_for_a_terminal(inbox, message, side):
    raw = message(**HOSTILE)
    inbox.deliver(raw)
    plain = run(inbox, "show", "latest", side).encode(errors="surrogateescape")
    assert plain == (raw if side == "--raw" else "one\x1b]0;x\x07\ttwo\r\nGrüße\r\n".encode())
    ours, theirs = pty.openpty()
    subprocess.run([CTL, "inbox", "--url", f"127.0.0.1:{inbox.port}", "show", "latest", side], stdout=theirs, check=True, timeout=60)
    os.close(theirs)
    seen = os.read(ours, 65536)
    os.close(ours)
    assert b"one\\x1b]0;x\\x07" in seen and b"\x1b" not in seen


def test_show_takes_an_id_the_beginning_of_one_or_latest(inbox, message):
    for i in range(20):
        inbox.deliver(message(f"n{i}"))
    ids = [each["id"] for each in inbox.get("/api/v2/messages")["messages"]]
    for given in (ids[0], ids[0][:9], "latest"):
        assert "Subject: n19\n" in run(inbox, "show", given)
    shared = next(c for c in "0123456789abcdef" if sum(id.startswith(c) for id in ids) > 1)
    assert "say more of it" in run(inbox, "show", shared, status=64)
    absent = next(f"{i:04x}" for i in range(65536) if not any(id.startswith(f"{i:04x}") for id in ids))
    assert f"begins with {absent}" in run(inbox, "show", absent, status=1)
    assert "is no id" in run(inbox, "show", "../info", status=64)


def test_the_sides_of_a_message(inbox, message):
    inbox.deliver(message("Parts", more="Content-Type: multipart/mixed; boundary=b\r\n", body=(
        "--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>bold</b>\r\n"
        "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\nx\r\n--b--\r\n")))
    assert "Attachment: 3 image/png 1 a.png\n" in run(inbox, "show", "latest")
    assert run(inbox, "show", "latest", "--text") == "plain"
    assert "<b>bold</b>" in run(inbox, "show", "latest", "--html")
    assert "Subject: Parts\n" in run(inbox, "show", "latest", "--headers")
    assert [line.split()[:2] for line in run(inbox, "show", "latest", "--parts").splitlines()[1:]] == [
        ["1", "text/plain"], ["2", "text/html"], ["3", "image/png"]]
    shown, = lines(inbox, "show", "latest")
    assert shown["text"] == "plain" and shown == inbox.get(f"/api/v2/messages/{shown['id']}")
    run(inbox, "show", "latest", "--raw", "--html", status=64)
    run(inbox, "show", "latest", "--raw", "--json", status=64)


def test_the_dialogue_of_a_message(inbox, message):
    inbox.deliver(message())
    assert "nothing yet" in run(inbox, "show", "latest", "--dialogue")
    entries = [{"ms": 0.4, "from": "server", "line": "220 mail.test"},
               {"ms": 15.2, "from": "hook", "hook": "policy", "instance": 1, "event": "validate_recipient", "action": "reject",
                "code": 550, "text": "no", "took_ms": 3.2}]
    inbox.disconnect(entries, accepted=1)
    assert [line.split(maxsplit=1) for line in run(inbox, "show", "latest", "--dialogue").splitlines()] == [
        ["0.4", "S: 220 mail.test"], ["15.2", "H: policy/1 validate_recipient reject 550 no (3.2 ms)"]]
    assert lines(inbox, "show", "latest", "--dialogue")[0]["entries"] == entries


def test_wait_finds_what_came_behind_the_cursor(inbox, message):
    inbox.deliver(message("before"))
    cursor = run(inbox, "wait", "--cursor").strip()
    assert "0 s" in run(inbox, "wait", "--since", cursor, "--timeout", "0s", status=1)
    inbox.deliver(message("one"))
    inbox.deliver(message("two"))
    assert run(inbox, "wait", "--since", cursor, "subject:two", "to:bob").endswith("two\n")
    found = lines(inbox, "wait", "--since", cursor, "--count", "2")
    assert [each["subject"] for each in found] == ["one", "two"]
    assert "nothing at all" in run(inbox, "wait", "--since", found[-1]["cursor"], "--timeout", "0s", status=1)


def test_wait_without_a_cursor_waits_for_what_is_still_to_come(inbox, message):
    inbox.deliver(message("before"))
    waiting = subprocess.Popen([CTL, "inbox", "--url", f"127.0.0.1:{inbox.port}", "wait", "to:bob"], stdout=subprocess.PIPE, text=True)
    for number in range(1000):  # which of them comes first after it has asked does not matter
        inbox.deliver(message(f"later {number}"))
        if waiting.poll() is not None:
            break
    assert "  later " in waiting.communicate(timeout=60)[0] and waiting.returncode == 0


def test_wait_says_what_is_wrong(inbox):
    assert "10m" in run(inbox, "wait", "--timeout", "11m", status=64)
    assert "since" in run(inbox, "wait", "--since", "yesterday", status=64)
    run(inbox, "wait", "--count", "0", status=64)


def test_delete_says_how_many(inbox, message):
    for i in range(6):
        inbox.deliver(message(f"n{i}"))
    ids = [each["id"] for each in inbox.get("/api/v2/messages")["messages"]]
    assert run(inbox, "delete", ids[0], ids[1][:9]) == "deleted: 2\n"
    assert run(inbox, "delete", "latest") == "deleted: 1\n"
    assert run(inbox, "delete", "--query", "subject:n0") == "deleted: 1\n"
    assert lines(inbox, "delete", "--all") == [{"ok": True, "count": 2}]
    assert run(inbox, "delete", "--query", "to:bob") == "deleted: 0\n"


def test_nothing_is_deleted_by_mistake(inbox, message):
    inbox.deliver(message("kept"))
    id = inbox.get("/api/v2/messages")["messages"][0]["id"]
    for arguments, status in ((["--query", "!"], 64), ([], 64), (["--query", ""], 64), (["--all", id], 64), (["--all", "--query", "x"], 64),
                              ([id, "x"], 64), ([id, "0" * 33], 1)):
        run(inbox, "delete", *arguments, status=status)
        assert inbox.find("") == ["kept"], arguments


def test_export_writes_a_file_as_it_is_called(inbox, message, tmp_path):
    raw = [message(f"n{i}") for i in range(3)]
    for one in raw:
        inbox.deliver(one)
    assert "octets" in run(inbox, "export", str(tmp_path / "all.zip"))
    archive = zipfile.ZipFile(tmp_path / "all.zip")
    assert sorted(archive.read(name) for name in archive.namelist()) == raw
    run(inbox, "export", str(tmp_path / "some.mbox"), "--query", "-subject:n1")
    assert sorted(one["subject"] for one in mailbox.mbox(tmp_path / "some.mbox")) == ["n0", "n2"]
    run(inbox, "export", "--query", "subject:n1", str(tmp_path / "one.eml"))
    assert (tmp_path / "one.eml").read_bytes() == raw[1]
    assert run(inbox, "export", "--query", "subject:n1", "--format", "eml", "-").encode() == raw[1]


def test_an_export_that_is_refused_leaves_the_file_alone(inbox, message, tmp_path):
    kept = tmp_path / "kept.eml"
    kept.write_text("kept")
    assert "no such message" in run(inbox, "export", str(kept), status=1)
    for i in range(2):
        inbox.deliver(message(f"n{i}"))
    assert "only one message can be an .eml" in run(inbox, "export", str(kept), status=64)
    assert kept.read_text() == "kept"
    assert "No space left on device" in run(inbox, "export", "/dev/full", status=73)
    assert "Is a directory" in run(inbox, "export", str(tmp_path), status=73)


def test_an_export_has_all_messages_or_is_refused(inbox, message, tmp_path):
    request = inbox.deliver_request(message())
    for _ in range(100):  # what is not read yet fits into the pipes
        for _ in inbox.write(*[request] * 100):
            inbox.read()
    run(inbox, "export", str(tmp_path / "all.mbox"))
    assert (tmp_path / "all.mbox").read_text().count("\nSubject: ") == 10_000
    inbox.deliver(message())
    assert "more than 10000 messages" in run(inbox, "export", str(tmp_path / "more.mbox"), status=64)
    assert not (tmp_path / "more.mbox").exists()


def test_a_password(start, message, tmp_path):
    (tmp_path / "password").write_text("correct horse\n")
    inbox = start({"password_file": str(tmp_path / "password")})
    inbox.deliver(message("secret"))
    assert "--password-file" in run(inbox, "list", status=77)
    assert "not the password" in run(inbox, "list", status=77, HOOKSMTPD_INBOX_PASSWORD="wrong")
    for ways in (dict(HOOKSMTPD_INBOX_PASSWORD="correct horse"), {}):
        assert "secret" in run(inbox, *([] if ways else ["--password-file", str(tmp_path / "password")]), "list", **ways)
    assert "No such file" in run(inbox, "--password-file", str(tmp_path / "none"), "list", status=66)


class NoInbox(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(("status", "body", "said"), [
    (200, b"<html>", "is no inbox"), (200, b"[]", "is no inbox"), (200, b'{"messages":[1,{"id":7,"from":[]},{"to":{}}]}', ""),
    (404, b"<html>", "HTTP 404"), (302, b"", "HTTP 302"), (500, b'{"detail":"bad \\u001b[2J"}', "bad \\x1b[2J")])
def test_whatever_listens_there_is_not_trusted(status, body, said):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), NoInbox) as server:
        server.status, server.body, server.port = status, body, server.server_port
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        try:
            text = run(server, "list", status=69 if said else 0)
            assert said in text and not has_controls(text)
        finally:
            server.shutdown()


def test_where_nobody_listens_is_said_with_the_cure():
    class Nobody:
        port = 1
    text = run(Nobody, "list", status=69)
    assert "http://127.0.0.1:1 (as HOOKSMTPD_INBOX says)" in text and 'use = "inbox"' in text
    for url in ("nonsense", "http://", "ftp://x/"):
        run(Nobody, "--url", url, "list", status=64)
    refused = json.loads(subprocess.run([CTL, "inbox", "--url", "127.0.0.1:1", "list", "--json"], capture_output=True, text=True).stdout)
    assert (refused["ok"], refused["kind"]) == (False, "unreachable")


# --- behind the daemon


def control(daemon, *arguments, status=0) -> str:
    with daemon.network:
        done = daemon.control("inbox", *arguments, status=status)
    return done.stdout if status == 0 else done.stderr


@pytest.mark.parametrize("listen", ["127.0.0.1:8025", "[::1]:8026", "unix:{}/inbox.sock"])
def test_the_inbox_of_the_running_daemon_is_found(make_daemon, listen):
    daemon = make_daemon()
    daemon.hook_texts = f'[[hook]]\nuse = "inbox"\nname = "kept"\n[hook.sandbox]\nlisten = ["{listen.format(daemon.runtime)}"]\n'
    daemon.start()
    with daemon.session() as client:
        client.message(b"Subject: found\r\n\r\n")
    assert "found" in control(daemon, "show", "latest")
    assert control(daemon, "delete", "--all") == "deleted: 1\n"


def test_a_daemon_without_an_inbox_is_told_from_none(make_daemon):
    daemon = make_daemon()
    assert "no daemon could be asked" in control(daemon, "list", status=69)
    daemon.hook("keep", "#!/bin/sh\nwhile read -r line; do echo ok; done\n", sandbox_listen=["127.0.0.1:8025"])
    daemon.start()
    assert "has no inbox" in control(daemon, "list", status=69)


def documented(path: str, pattern: str) -> str:
    return re.search(pattern, (pathlib.Path(__file__).parents[2] / path).read_text(), re.MULTILINE | re.DOTALL)[1]


SNIPPETS = {
    "README": lambda: documented("README.md", r"`(hooksmtpctl inbox wait [^`]+)`"),
    "hooks/README": lambda: documented("hooks/README.md", r"^```sh\n(cursor=\$\(hooksmtpctl inbox.*?)^```"),
    "hooksmtpctl(1)": lambda: documented("daemon/ctl/hooksmtpctl.1", r"^(cursor=\$\(hooksmtpctl inbox.*?)^\.Ed"),
}


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_what_the_documents_show_works_in_a_shell_script(make_daemon, tmp_path, snippet):
    """`make test` is a program that sends messages."""
    daemon = make_daemon('[[hook]]\nuse = "inbox"\n').start()
    (tmp_path / "hooksmtpctl").symlink_to(daemon.ctl)
    (tmp_path / "make").write_text(
        "#!/bin/sh\nfor to in bob@example.test new@example.test; do\nswaks --silent --server 127.0.0.1 --to $to --from a@example.org "
        "--header 'Subject: welcome' --body 'It works.' --attach @/etc/hostname\ndone\n")
    (tmp_path / "make").chmod(0o755)
    script = ("" if "make test" in SNIPPETS[snippet]() else "make test\n") + SNIPPETS[snippet]()
    done = daemon.run(["bash", "-e", "-c", script], text=True,
                      env={**daemon.surroundings(), "PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert done.returncode == 0, done
    assert "welcome" in done.stdout and "It works." in done.stdout
