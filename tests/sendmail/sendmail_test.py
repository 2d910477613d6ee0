"""The sendmail program and the real daemon: what arrives, and for whom."""

import email
import email.policy
import email.utils
import socket
import subprocess
import time

import pytest

from harness import hooks
from harness.daemon import BUILD
from interop.messages import MESSAGES

SENDMAIL = str(BUILD / "daemon/sendmail/sendmail")
MESSAGE = b"From: ann@client.test\nTo: Bob <bob@dev.test>\nSubject: x\n\nhello\n"


@pytest.fixture(scope="module")
def daemon(make_module_daemon):
    daemon = make_module_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    return daemon.start()


def send(daemon, arguments: list[str], message: bytes = MESSAGE, status: int = 0, **environment: str) -> subprocess.CompletedProcess:
    done = daemon.run([SENDMAIL, *arguments], input=message, env={"PATH": "/usr/bin:/bin", **environment})
    assert done.returncode == status, done
    return done


def last(daemon) -> tuple[dict, bytes]:
    request, message = daemon.recorded().messages()[-1]
    return request, hooks.as_sent(request, message)


def own_domain() -> str:
    try:
        with open("/etc/mailname", encoding="ascii") as file:
            return file.readline().strip().lower()
    except FileNotFoundError:
        return socket.gethostname().lower()


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_a_whole_message_arrives_octet_by_octet(daemon, name, line_end):
    message = MESSAGES[name]
    send(daemon, ["-i", "-f", "ann@client.test", "bob@dev.test"], message.replace(b"\r\n", line_end))
    request, received = last(daemon)
    # A header alone gets the empty line that ends it.
    assert received == message + (b"\r\n" if name == "headers_only" else b"")
    assert request["from"] == "ann@client.test" and request["to"] == ["bob@dev.test"]


def test_a_lone_dot_ends_the_message_without_i(daemon):
    send(daemon, ["bob@dev.test"], MESSAGE + b".\nnot sent\n")
    assert last(daemon)[1].endswith(b"\r\nhello\r\n")
    send(daemon, ["-oi", "bob@dev.test"], MESSAGE + b".\nsent\n")
    assert last(daemon)[1].endswith(b"\r\nhello\r\n.\r\nsent\r\n")


def test_what_is_missing_in_the_header_is_added(daemon):
    send(daemon, ["-f", "ann@client.test", "-F", "Ann Exämple", "bob@dev.test"], b"just text\n")
    request, received = last(daemon)
    parsed = email.message_from_bytes(received, policy=email.policy.SMTP)
    assert parsed["From"] == "Ann Exämple <ann@client.test>"
    assert abs(parsed["Date"].datetime.timestamp() - time.time()) < 120
    assert parsed["Message-ID"].endswith(f"@{own_domain()}>")
    assert parsed.get_content() == "just text\r\n"
    assert received.isascii()


def test_the_sender_is_the_caller(daemon):
    send(daemon, ["root"], b"Subject: x\n\nhello\n")
    request, received = last(daemon)
    assert request["from"] == f"root@{own_domain()}" and request["to"] == [f"root@{own_domain()}"]
    assert f"<root@{own_domain()}>".encode() in received.split(b"\r\n\r\n")[0]


@pytest.mark.parametrize("sender", ["", "<>"])
def test_the_null_sender(daemon, sender):
    send(daemon, ["-f", sender, "bob@dev.test"])
    assert last(daemon)[0]["from"] == ""


LISTS = (b"To: \"Builder, Bob\" <bob@dev.test>, (a comment, <no@dev.test>) carl@dev.test,\n"
         b"\tFriends: dora@dev.test, Eve <eve@dev.test>;\n"
         b"Cc: =?utf-8?q?Fr=C3=A4d=2C_x=40y=2Etest?= <fred@dev.test>, BOB@dev.test, bob@dev.test\n"
         b"Bcc: gina@dev.test,\n hans@dev.test\n"
         b"Subject: lists\nbcc: ida@dev.test\n\nhello\n")


def test_recipients_from_the_header(daemon):
    send(daemon, ["-t", "-i"], LISTS)
    request, received = last(daemon)
    assert request["to"] == [f"{name}@dev.test" for name in ("bob", "carl", "dora", "eve", "fred", "BOB", "gina", "hans", "ida")]
    assert b"bcc" not in received.lower() and b"gina" not in received and b"ida@" not in received
    assert received.startswith(LISTS[:LISTS.index(b"Bcc")].replace(b"\n", b"\r\n") + b"Subject: lists\r\n")


def test_with_t_recipients_of_the_command_line_are_added(daemon):
    send(daemon, ["-t", "carl@dev.test", "bob@dev.test"])
    assert last(daemon)[0]["to"] == ["carl@dev.test", "bob@dev.test"]


def test_bcc_goes_without_t_as_well(daemon):
    send(daemon, ["bob@dev.test"], b"Bcc: secret@dev.test\n" + MESSAGE)
    request, received = last(daemon)
    assert request["to"] == ["bob@dev.test"] and b"secret" not in received


def test_a_large_message_is_streamed_in_bounded_memory(daemon):
    line = b"0123456789" * 7 + b"\n"
    body = line * (20 * 1024 * 1024 // len(line))
    done = send(daemon, ["-v", "bob@dev.test"], MESSAGE + body)
    request, received = last(daemon)
    assert received.endswith(line.replace(b"\n", b"\r\n"))
    assert len(received) > 20 * 1024 * 1024
    assert f"SIZE={len(received)}".encode() in done.stderr
    limited = daemon.run(["prlimit", f"--data={16 * 1024 * 1024}", SENDMAIL, "bob@dev.test"], input=MESSAGE + body)
    assert limited.returncode == 0, limited


def test_eight_bits_are_declared(daemon):
    done = send(daemon, ["-v", "bob@dev.test"], MESSAGE + "Grüße\n".encode())
    assert b"BODY=8BITMIME" in done.stderr
    done = send(daemon, ["-v", "bob@dev.test"], MESSAGE)
    assert b"BODY=" not in done.stderr


def test_one_recipient_refused_and_nobody_gets_it(make_daemon):
    daemon = make_daemon()
    daemon.hook("recorder", hooks.RECORDER)
    daemon.hook("policy", hooks.by_address(nobody='echo "reject 550 5.1.1 no such user"', later='echo "defer 450 4.2.1 busy"'),
                "validate_recipient")
    daemon.start()
    done = send(daemon, ["bob@dev.test", "nobody@dev.test", "later@dev.test"], status=67)
    assert done.stderr.decode().splitlines() == ["sendmail: <nobody@dev.test>: 550 5.1.1 no such user",
                                                 "<later@dev.test>: 450 4.2.1 busy"]
    send(daemon, ["bob@dev.test", "later@dev.test"], status=75)
    assert daemon.recorded().requests("deliver") == []
    send(daemon, ["bob@dev.test"])
    assert len(daemon.recorded().requests("deliver")) == 1


@pytest.mark.parametrize("answer, status", [("reject 550 5.1.1 gone", 69), ("reject 554 5.7.1 spam", 69), ("defer 451 4.3.0 later", 75)])
def test_the_status_when_the_message_is_refused(make_daemon, answer, status):
    daemon = make_daemon()
    daemon.hook("scripted", hooks.SCRIPTED, options={"deliver": answer})
    daemon.start()
    done = send(daemon, ["bob@dev.test"], status=status)
    assert done.stderr.decode() == f"sendmail: {answer.split(' ', 1)[1]}\n"


def test_too_large_for_the_server(make_daemon):
    daemon = make_daemon("limits.message_size = 10000").start()
    assert b"552 " in send(daemon, ["bob@dev.test"], MESSAGE + b"x\n" * 10000, status=69).stderr


@pytest.mark.parametrize("arguments, message", [
    ([], MESSAGE), (["-t"], b"Subject: x\n\nhello\n"), (["-t"], b"To: undisclosed-recipients:;\n\nhello\n"), (["--nonsense"], MESSAGE),
    (["-f", "two@dev.test, senders@dev.test", "bob@dev.test"], MESSAGE), (["bob@dev..test"], MESSAGE),
    (["--server", "unix:", "bob@dev.test"], MESSAGE), (["--server", "a:b:c", "bob@dev.test"], MESSAGE),
], ids=str)
def test_a_command_line_that_makes_no_sense(daemon, arguments, message):
    assert send(daemon, arguments, message, status=64).stderr.startswith(b"sendmail: ")


def test_an_address_in_the_header_that_makes_no_sense(daemon):
    before = len(daemon.recorded().requests("deliver"))
    send(daemon, ["-t"], b"To: bob@dev.test, carl@dev..test\n\nhello\n", status=65)
    assert len(daemon.recorded().requests("deliver")) == before


def test_a_header_without_an_end(daemon):
    send(daemon, ["bob@dev.test"], b"X: " + b"x" * 2 * 1024 * 1024, status=65)


@pytest.mark.parametrize("evil", [
    b"To: bob@dev.test>\r RCPT TO:<eve@evil.test\n", b"To: \"bob\r\n RCPT TO:<eve@evil.test>\"@dev.test\n",
    b"To: bob@dev.test\0, eve@evil.test\n", b"To: <bob@dev.test> SIZE=1> X=Y\n", b"To: bob@dev.test\r\n\r\nCc: eve@evil.test\n",
], ids=repr)
def test_no_header_can_say_something_to_the_server(daemon, evil):
    """What an address list cannot say is refused, or stays in the message: nobody else hears of it."""
    done = daemon.run([SENDMAIL, "-t", "-i", "-v"], input=evil + b"\nhello\n")
    named = [line for line in done.stderr.decode().splitlines() if line.startswith("> RCPT")]
    assert done.returncode in (0, 64, 65, 69)
    # Between quotes it is a strange name of somebody at dev.test.
    assert set(named) <= {"> RCPT TO:<bob@dev.test>", '> RCPT TO:<"bob RCPT TO:<eve@evil.test>"@dev.test>'}


@pytest.mark.parametrize("arguments", [["-f", "ann@dev.test>\r\nRCPT TO:<eve@evil.test"], ["-F", "Ann\nBcc: eve@evil.test", "bob@dev.test"],
                                       ["bob@dev.test\nDATA"], ["-f", "ann@dev.test> X=Y", "bob@dev.test"]], ids=repr)
def test_no_argument_can_either(daemon, arguments):
    assert b"\n> " not in send(daemon, ["-v", *arguments], status=64).stderr


def test_the_callers_session(daemon):
    commands = b"EHLO client.test\r\nMAIL FROM:<ann@client.test>\r\nRCPT TO:<bob@dev.test>\r\nDATA\r\n"
    with daemon.network:
        process = subprocess.Popen([SENDMAIL, "-bs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(commands)
    process.stdin.flush()
    while not process.stdout.readline().startswith(b"354"):
        pass
    out, _ = process.communicate(b"Subject: x\r\n\r\nsaid by hand\r\n.\r\nQUIT\r\n", timeout=20)
    assert process.returncode == 0
    assert out.startswith(b"250 ") and b"\r\n221 " in out
    assert last(daemon)[1].endswith(b"said by hand\r\n")


def test_the_end_of_the_callers_input_ends_the_session(daemon):
    done = send(daemon, ["-bs"], b"EHLO client.test\r\n")
    assert done.stdout.startswith(b"220 ") and b"\r\n250 " in done.stdout


@pytest.mark.parametrize("arguments", [["-q"], ["-bp"], ["-bi"], ["--version"], ["--help"]], ids=lambda words: words[0])
def test_what_needs_no_server(daemon, arguments):
    send(daemon, [*arguments, "--server", "unix:/nowhere"])


def test_a_link_named_sendmail_on_the_path(daemon, tmp_path):
    (tmp_path / "sendmail").symlink_to(SENDMAIL)
    done = daemon.run(["sh", "-c", "printf 'Subject: x\\n\\nhello\\n' | sendmail -oem -oi -- bob@dev.test"],
                      env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert done.returncode == 0, done


def test_over_a_unix_socket(make_daemon):
    daemon = make_daemon()
    socket_path = daemon.folder / "run/smtp.sock"
    daemon.config = f'[[listener]]\naddress = ["unix:{socket_path}"]\n'
    daemon.hook("recorder", hooks.RECORDER)
    daemon.start()
    send(daemon, ["--server", f"unix:{socket_path}", "bob@dev.test"])
    send(daemon, ["bob@dev.test"], HOOKSMTPD_SERVER=f"unix:{socket_path}")
    assert len(daemon.recorded().requests("deliver")) == 2


def test_as_a_command_of_hooksmtpd(daemon):
    done = daemon.run([str(daemon.program), "sendmail", "-i", "bob@dev.test"], input=MESSAGE + b".\nend\n")
    assert done.returncode == 0, done
    assert last(daemon)[1].endswith(b"\r\n.\r\nend\r\n")
    assert daemon.run([str(daemon.program), "sendmail", "--nonsense"]).returncode == 64


def test_a_plain_user_finds_the_daemon_of_root_and_one_of_their_own(daemon, make_daemon, programs):
    as_user = ["setpriv", "--reuid=61999", "--regid=61999", "--clear-groups", str(programs / "daemon/sendmail/sendmail"), "-v", "bob@dev.test"]
    done = daemon.run(as_user, input=MESSAGE)
    assert done.returncode == 0, done
    assert last(daemon)[0]["from"] == f"uid61999@{own_domain()}"
    own = make_daemon('[[listener]]\naddress = ["127.0.0.1:1025"]')
    own.hook("recorder", hooks.RECORDER)
    own.start()
    done = own.run(as_user, input=MESSAGE)
    assert done.returncode == 0, done
    assert own.run(as_user[4:], input=MESSAGE).returncode == 75  # root has no business with a port that is anybody's
