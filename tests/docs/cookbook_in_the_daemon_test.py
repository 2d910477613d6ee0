"""Hooks of the cookbook as they stand there, behind the daemon, and the commands that the document names for them."""

import base64
import hashlib
import http.server
import json
import re
import threading

from docs.document import Document
from docs.web import Posted
from harness.daemon import Daemon

DOCUMENT = Document("hooks/README.md")
HOOKS = {snippet.name: snippet for snippet in DOCUMENT.of_kind("cookbook")}
MAIL = ("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        '<a href=3D"https://shop.test/login?token=3Da&amp;b=3Dc">\r\n'
        "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"NAME\"\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--b--\r\n")


def add(daemon: Daemon, *names: str, **settings: object) -> None:
    for name in names:
        daemon.hook(name.split(".")[0], HOOKS[name].text, HOOKS[name].rest.split(), **settings)


def kept(daemon: Daemon, hook: str, pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((daemon.state / "hooks" / hook).glob(pattern))]


def test_hooks_that_change_refuse_and_keep(make_daemon):
    daemon = make_daemon()
    add(daemon, "plus.js", "stamp.sh", "no-programs.py", "attachments.sh", "links.py", "recipients.py", "sessions.py", "xversion.js")
    daemon.start()
    daemon.control("ready", "--timeout", "20s")
    with daemon.session() as client:
        assert client.say("XVERSION") == "250 2.0.0 shop 4.2"
        assert client.message(MAIL.replace("NAME", "../x.pdf"), recipients=("bob+shop@dev.test",)).code == 250
        refused = client.message(MAIL.replace("NAME", "x.EXE"), recipients=("bob@dev.test",))
        assert refused.code == 554 and "no programs" in refused
        client.expect("QUIT", "221")
    (message,) = kept(daemon, "recipients", "*.eml")
    assert b"\r\nX-Environment: staging\r\n" in message
    assert kept(daemon, "attachments", "*-*-*") == [bytes(range(4))]
    (links,) = kept(daemon, "links", "links.jsonl")
    assert json.loads(links) == {"to": ["bob@dev.test"], "subject": "Grüße", "link": "https://shop.test/login?token=a&b=c"}
    assert daemon.stop() == 0
    (dialogue,) = kept(daemon, "sessions", "*.jsonl")
    assert [entry["line"] for entry in map(json.loads, dialogue.splitlines()) if entry["from"] == "client" and "line" in entry][-1] == "QUIT"


def test_record_and_replay(make_daemon, tmp_path):
    """As "It worked yesterday" says it; a command in place of Ctrl-C."""
    assert re.search(r"hook record --messages --output recipients\.jsonl recipients .*\n.*hook replay recipients\.jsonl", DOCUMENT.text)
    daemon = make_daemon()
    add(daemon, "recipients.py")
    daemon.start()
    daemon.control("ready", "--timeout", "20s")
    recording = tmp_path / "recipients.jsonl"
    done = daemon.run([str(daemon.ctl), "hook", "record", "--messages", "--output", str(recording), "recipients", "--",
                       "swaks", "--server", f"127.0.0.1:{daemon.port}", "--to", "bob@dev.test"], env=daemon.surroundings())
    assert done.returncode == 0, done
    changed = tmp_path / "recipients.py"
    changed.write_text(HOOKS["recipients.py"].text.replace("blocked.example", "dev.test"))
    changed.chmod(0o755)
    daemon.control("hook", "replay", str(recording), str(daemon.folder / "hooks/recipients"))
    differs = daemon.control("hook", "replay", str(recording), str(changed), status=1).stdout
    assert "validate_recipient" in differs and "no such user" in differs


def test_files_that_hooks_may_read(make_daemon):
    """The folder of its program, and what `sandbox.read` names."""
    daemon = make_daemon('[auth]\nsource = "hook"\nmechanisms = ["PLAIN", "LOGIN"]\nbefore_tls = true\n')
    known, table = daemon.folder / "hooks/addresses", daemon.folder / "users/table"
    table.parent.mkdir()
    table.parent.chmod(0o755)
    salt = bytes(16)
    table.write_text(f"bob:{salt.hex()}:{hashlib.scrypt(b'horse', salt=salt, n=16384, r=8, p=1, dklen=32).hex()}\n")
    add(daemon, "known.py", options={"file": str(known)})
    add(daemon, "users.py", options={"file": str(table)}, sandbox_read=[str(table.parent)])
    known.write_text("bob@dev.test\n")
    daemon.start()
    daemon.control("ready", "--timeout", "20s")
    with daemon.session() as client:
        wrong, right = (base64.b64encode(b"\0bob\0" + word).decode() for word in (b"cow", b"horse"))
        client.expect(f"AUTH PLAIN {wrong}", "535")
        client.expect(f"AUTH PLAIN {right}", "235")
        client.expect("MAIL FROM:<a@client.test>", "250")
        client.expect("RCPT TO:<bob@dev.test>", "250")
        client.expect("RCPT TO:<eve@dev.test>", "550 5.1.1 no such user here")


def test_a_hook_with_the_network_of_the_machine(make_daemon):
    daemon = make_daemon()
    with daemon.network:
        server = http.server.HTTPServer(("127.0.0.1", 0), Posted.forget())
    threading.Thread(target=server.serve_forever).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/mail"
        add(daemon, "post.py", options={"url": url}, sandbox_network="host")
        daemon.start()
        daemon.control("ready", "--timeout", "20s")
        with daemon.session() as client:
            assert client.message("Subject: x\r\n\r\nposted\r\n").code == 250
        assert len(Posted.bodies) == 1 and Posted.bodies[0].endswith(b"\r\n\r\nposted\r\n")
    finally:
        server.shutdown()
        server.server_close()
