"""What sendmail makes of servers that do not behave, and of none."""

import os
import subprocess

import pytest

from harness.daemon import BUILD
from sendmail.fake_server import FakeServer

SENDMAIL = str(BUILD / "daemon/sendmail/sendmail")
EHLO = b"250-fake.test\r\n250 SIZE\r\n"
OK = b"250 ok\r\n"


def send(server: str, *arguments: str, message: bytes = b"Subject: x\n\nhello\n", **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([SENDMAIL, "--server", server, *arguments, "bob@dev.test"], input=message, capture_output=True,
                          timeout=30, env={**os.environ, **environment})


@pytest.mark.parametrize("script, status, text", [
    ([b"554 go away\r\n"], 69, "554 go away"),
    ([b"421 4.3.2 busy\r\n"], 75, "421 4.3.2 busy"),
    ([b"220 hi\r\n", b"421 not now\r\n"], 75, "421 not now"),
    ([b"220 hi\r\n", EHLO, b"530 5.7.0 authenticate first\r\n"], 77, "530 5.7.0 authenticate first"),
    ([b"220 hi\r\n", EHLO, OK, b"551-moved\r\n551 away\r\n"], 67, "<bob@dev.test>: 551-moved\n551 away"),
    ([b"220 hi\r\n", EHLO, OK, OK, b"451 4.3.0 disk\r\n"], 75, "451 4.3.0 disk"),
    ([None], 75, "the server closed the connection"),
    ([b"220 hi\r\n", EHLO, OK, OK, b"354 go\r\n", None], 75, "the server closed the connection"),
    ([b"HTTP/1.1 400 Bad Request\r\n"], 76, "the server speaks no SMTP: HTTP/1.1 400 Bad Request"),
    ([b"220 \x1b[31mhi\xff\r\n", b"500 \x1b[2Jno\r\n", b"502 \x07no\r\n"], 69, "502 ?no"),
    ([b"2" * 10000], 76, "the server sends a line without an end"),
    ([b"220-and so on\r\n" * 10000], 76, "the server sends a reply without an end"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_a_server_says_decides_the_status(tmp_path, script, status, text):
    with FakeServer(str(tmp_path / "s"), script) as server:
        done = send(server.name)
    assert (done.returncode, done.stderr.decode()) == (status, f"sendmail: {text}\n")


def test_helo_where_ehlo_is_not_known(tmp_path):
    with FakeServer(str(tmp_path / "s"), [b"220 hi\r\n", b"502 what?\r\n", OK, OK, OK, b"354 go\r\n", OK, b"221 bye\r\n"]) as server:
        done = send(server.name, "-N", "never", "-V", "x", "-R", "full", "-f", "ann@dev.test", message="Subject: ä\n\nö\n".encode())
    assert done.returncode == 0, done
    assert server.heard[1].startswith(b"HELO ")
    assert server.heard[2:4] == [b"MAIL FROM:<ann@dev.test>\r\n", b"RCPT TO:<bob@dev.test>\r\n"]


def test_what_the_server_offers_is_used(tmp_path):
    offer = b"250-fake.test\r\n250-size 1000\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n"
    with FakeServer(str(tmp_path / "s"), [b"220 hi\r\n", offer, OK, OK, b"354 go\r\n", OK, b"221 bye\r\n"]) as server:
        done = send(server.name, "-N", "success,delay", "-V", "a b", "-R", "hdrs", "-f", "ann@dev.test", message="Subject: ä\n\n.ö\n".encode())
    assert done.returncode == 0, done
    mail = server.heard[1].decode().split()
    assert mail[:2] == ["MAIL", "FROM:<ann@dev.test>"]
    assert mail[2].startswith("SIZE=") and mail[3:] == ["BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=a+20b"]
    assert server.heard[2] == b"RCPT TO:<bob@dev.test> NOTIFY=SUCCESS,DELAY\r\n"
    assert "..ö\r\n".encode() in server.heard


@pytest.mark.parametrize("recipient, offer, wire", [
    ("bob@köln.test", b"250-SMTPUTF8\r\n", "bob@köln.test"), ("böb@köln.test", b"250-SMTPUTF8\r\n", "böb@köln.test"),
    ("bob@köln.test", b"", "bob@xn--kln-sna.test"), ("böb@köln.test", b"", None)])
def test_addresses_beyond_ascii(tmp_path, recipient, offer, wire):
    with FakeServer(str(tmp_path / "s"), [b"220 hi\r\n", b"250-fake.test\r\n" + offer + b"250 SIZE\r\n", OK, OK, OK, b"354 go\r\n", OK,
                                          b"221 bye\r\n"]) as server:
        done = send(server.name, recipient)
    if wire is None:
        assert done.returncode == 69 and "böb@köln.test>: the server does not offer SMTPUTF8" in done.stderr.decode()
    else:
        assert done.returncode == 0, done
        assert f"RCPT TO:<{wire}>\r\n".encode() in server.heard
        assert (b" SMTPUTF8" in server.heard[1]) == bool(offer)


def test_no_server():
    assert send("unix:/nowhere/smtp.sock").returncode == 75
    assert send("127.0.0.1:1").returncode == 75
    assert send("no-such-host.invalid").returncode in (68, 75)  # 75: the resolver itself could not be asked


def test_the_environment_names_a_server(tmp_path):
    with FakeServer(str(tmp_path / "s"), [b"554 heard\r\n"]) as server:
        done = subprocess.run([SENDMAIL, "bob@dev.test"], input=b"\nhello\n", capture_output=True, timeout=30,
                              env={"HOOKSMTPD_SERVER": server.name})
    assert done.stderr == b"sendmail: 554 heard\n"


def test_no_room_for_a_large_message(tmp_path):
    done = send("unix:/nowhere", message=b"Subject: x\n\n" + b"x\n" * 300000, TMPDIR=str(tmp_path / "missing"))
    assert done.returncode == 71 and b"temporary file" in done.stderr
