"""A script written for tcllib's smtpd: in process there, and behind hooksmtpd; what a client and the script see of it."""

import base64
import json
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from harness.client import Client
from harness.network import HOST
from hooks.pipe import BUILD, Hook, golden, to_line

TCL = BUILD / "hooks/tcl/tcl"
SCRIPT = pathlib.Path(__file__).parent / "tcl/smtpd.tcl"
EVENTS = ["validate_host", "validate_sender", "validate_recipient", "deliver"]
WAYS = {  # how a delivery ends in the script, and what the client hears of it
    "fine": "250 ID Message accepted for delivery",
    "full": "554 Transaction failed: disk full",
    "code": "452 disk full",
    "enhanced": "552 too large",
    "status": "554 Transaction failed: on holiday",
    "runtime": "554 Transaction failed: can't read \"nothing\": no such variable",
    "own": "550 not for you",
    "own4": "451 not now",
}

pytestmark = pytest.mark.skipif(not shutil.which("tclsh"), reason="needs tclsh")


class Tcllib:
    """The script in a process of its own, with tcllib's smtpd."""

    def __init__(self, folder, script, mode):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.state = folder
        self.process = subprocess.Popen(["tclsh", script, str(self.port), mode], cwd=folder, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        assert self.process.stderr.readline().startswith("ready: smtpd service already running on socket")

    def client(self, **options):
        return Client(HOST, self.port, **options)

    def close(self):
        self.process.kill()
        self.process.communicate()


class Behind:
    """The same script behind the daemon."""

    def __init__(self, daemon, script, mode):
        folder = daemon.folder / "hooks"
        shutil.copy2(script, folder)
        shutil.copy2(TCL, folder)
        daemon.hook_command("script", [str(folder / "tcl"), str(folder / script.name), "25", mode], EVENTS)
        self.daemon = daemon.start()
        daemon.log.wait("ready: smtpd service already running on socket")
        self.state = daemon.state / "hooks/script"
        self.client, self.close = daemon.client, lambda: None


@pytest.fixture
def servers(make_daemon, tmp_path):
    """One of each kind, with the script in a mode."""
    made = []

    def start(mode, script=SCRIPT):
        made.extend([Tcllib(tmp_path, script, mode), Behind(make_daemon(), script, mode)])
        return made

    yield start
    for server in made:
        server.close()


def plain(reply):
    """Without what is the daemon's own: enhanced codes (RFC 2034), the words of a plain yes, dates and ids."""
    reply = re.sub(r"(?m)^(\d{3}[- ])[245]\.\d+\.\d+ ", r"\1", reply)
    reply = re.sub(r"^250 \S+ Message accepted", "250 ID Message accepted", reply)
    return reply if reply[0] in "345" or "accepted" in reply else reply[:3]


def dialogue(server, lines, source=None):
    """What a client hears: one reply for each line, and for the greeting."""
    with server.client(source=source) as client:
        return [plain(client.reply())] + [plain(client.say(line)) for line in lines]


def noted(server):
    """What the callbacks were called with, without the trace header fields of a message."""
    text = (server.state / "noted").read_text(encoding="utf-8")
    calls = [line.split("\x1f") for line in text.split("\n")[:-1]]
    for call in calls:
        if call[0] == "deliver":
            lines = call[3].split("\x1e")
            assert lines[0] == f"Return-Path: {call[1]}" and lines[1].startswith("Received: from client.test")
            end = next(i for i in range(2, len(lines)) if not lines[i].startswith(("\t", " ")))
            call[3] = lines[end:]
            call[2] = call[2].split("\x1e")
    return calls


def transaction(recipient, body, sender="ann@client.test"):
    """With an RSET before it: smtpd lets recipients leak from one transaction into the next, a fault of its own."""
    return ["RSET", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "RCPT TO:<second@dev.test>", "DATA", "\r\n".join(body + ["."])]


def ends(lines, replies):
    """The replies to the ends of messages; the first is the greeting."""
    return [reply for line, reply in zip(lines, replies[1:]) if line.endswith("\r\n.")]


def test_deliver_is_called_with_the_same_and_its_errors_are_heard_as_there(servers):
    body = ["Subject: x", "", "..a dot", "...", "[exit] $argv {", "\xe4\xff", ""]
    lines = ["EHLO client.test"] + [line for way in WAYS for line in transaction(f"{way}@dev.test", body)] + ["QUIT"]
    inside, behind = servers("deliver")
    replies = dialogue(inside, lines)
    assert ends(lines, replies) == list(WAYS.values())
    assert dialogue(behind, lines) == replies
    calls = noted(inside)
    assert calls[3] == ["deliver", "<ann@client.test>", ["<fine@dev.test>", "<second@dev.test>"],
                        ["Subject: x", "", ".a dot", "..", "[exit] $argv {", "\xe4\xff", ""]]
    assert noted(behind) == calls


MULTIPART = ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"', "", "--b", "Content-Type: text/plain", "",
             "one", "--b", "Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", "", "AAECAw==",
             "--b--"]


def test_deliver_mime_gets_a_token_and_wins_over_deliver(servers):
    lines = ["EHLO client.test"]
    for way in WAYS:
        lines += transaction("x@dev.test", [f"Subject: {way}", "", "hello", "..dot"])
    lines += transaction("x@dev.test", ["Subject: fine", *MULTIPART]) + ["QUIT"]
    inside, behind = servers("deliverMIME")
    replies = dialogue(inside, lines)
    assert ends(lines, replies)[:len(WAYS)] == list(WAYS.values())
    assert dialogue(behind, lines) == replies
    assert noted(behind) == noted(inside) and "mime" in [call[0] for call in noted(inside)]


def test_a_token_that_the_callback_finalised_itself_is_an_error_in_both(servers):
    lines = ["EHLO client.test", *transaction("x@dev.test", ["Subject: x", "", "y"]), "QUIT"]
    inside, behind = servers("finalised")
    assert ends(lines, dialogue(inside, lines)) == ends(lines, dialogue(behind, lines))
    assert ends(lines, dialogue(behind, lines))[0].startswith("554 Transaction failed: ")


def test_validation_is_heard_as_there(servers):
    lines = ["EHLO client.test", "MAIL FROM:<denied@client.test>", "MAIL FROM:<Ann@client.test>", "DATA", "RCPT TO:<error@dev.test>",
             "RCPT TO:<break@dev.test>", "RCPT TO:<return@dev.test>", "RCPT TO:<Bob@dev.test>", "RCPT TO:<postmaster>", "RSET", "DATA",
             "QUIT"]
    inside, behind = servers("deliver")
    replies = dialogue(inside, lines)
    assert [reply[:3] for reply in replies[3:]] == ["250", "503", "553", "553", "553", "250", "250", "250", "503", "221"][0:]
    assert dialogue(behind, lines) == replies
    assert noted(behind) == noted(inside)
    behind.daemon.log.wait("session=.*this goes to standard output: 127.0.0.1")


def test_a_refused_host_is_told_why_and_may_only_quit(servers):
    inside, behind = servers("deliver")
    lines = ["EHLO client.test", "NOOP", "QUIT"]
    replies = dialogue(inside, lines, source="127.9.0.1")
    assert replies == ["550 Access denied: go away!", "503 bad sequence of commands", "503 bad sequence of commands", replies[3]]
    assert [reply[:3] for reply in dialogue(behind, lines, source="127.9.0.1")] == ["550", "503", "503", "221"]
    assert dialogue(behind, ["QUIT"], source="127.9.0.1")[0] == replies[0]


HOSTILE = ['"a[exit]"@x.test', '"a$::argv0[exit]"@x.test', '{@x.test', '}{@x.test', '"a b"@x.test', '"a;exit"@x.test', '#@x.test',
           '"[\\"exit]"@x.test', "$env@x.test", "{*}exit@x.test", "a{b}c@x.test", "a@[127.0.0.1]"]


def test_client_text_is_never_evaluated(servers):
    """tcllib would call `exit` here."""
    _, behind = servers("deliver")
    lines = ["EHLO client.test"]
    for address in HOSTILE:
        lines += transaction(address, ["Subject: [exit] $x {", "", "[exit] } ; exit"], sender=address)
    replies = dialogue(behind, lines)
    assert ends(lines, replies) == [WAYS["fine"]] * len(HOSTILE)
    calls = noted(behind)
    assert [call[1] for call in calls if call[0] == "sender"] == HOSTILE
    assert [call[2] for call in calls if call[0] == "recipient"][::2] == HOSTILE
    assert [call[2][0] for call in calls if call[0] == "deliver"] == [f"<{address}>" for address in HOSTILE]
    assert len(behind.daemon.log.lines("hook start")) == 1


def test_the_null_sender_is_accepted_without_asking(servers):
    _, behind = servers("deliver")
    lines = ["EHLO client.test", *transaction("x@dev.test", ["Subject: x", "", "y"], sender="")]
    assert ends(lines, dialogue(behind, lines)) == [WAYS["fine"]]
    assert [call[0] for call in noted(behind)] == ["recipient", "recipient", "deliver"]
    assert noted(behind)[-1][1] == "<>"


class Script:
    """A script of the test's own through the pipe, after hello."""

    def __init__(self, folder, text, *arguments, events=EVENTS):
        (folder / "script.tcl").write_text(text)
        self.message = folder / "message"
        self.hook = Hook([TCL, folder / "script.tcl", *arguments], {"HOOK_STATE": str(folder), "LANG": "C.UTF-8"})
        self.ready = self.ask({**json.loads(golden("hello")[0]), "events": events})

    def deliver(self, octets=b"Subject: x\r\n\r\ny\r\n", **changes):
        self.message.write_bytes(octets)
        request = json.loads(golden("deliver")[0])
        request["message"]["path"] = str(self.message)
        request |= changes
        message = request.pop("message")
        return self.ask({**request, "message": message})  # it comes last

    def ask(self, request):
        """The reply without its id."""
        reply = self.hook.ask(request)
        assert reply.pop("id") == request["id"]
        return reply


OK = {"action": "accept"}
SERVE = "package require smtpd\nsmtpd::configure -deliver d\nsmtpd::start\n"


@pytest.mark.parametrize("code, reply", [
    ("451", {"action": "defer", "code": 451}),
    ("{550 5.7.1}", {"action": "reject", "code": 550, "enhanced": "5.7.1"}),
    ("{550 4.7.1}", {"action": "reject", "code": 550}),
    ("421", {"action": "close", "code": 421}),
    ("571", {"action": "reject", "code": 554}),
    ("{CHILDSTATUS 12345 1}", {"action": "reject"}),
    ("{POSIX ENOENT {no such file}}", {"action": "reject"}),
    ("354", {"action": "reject"}),
])
def test_which_errorcodes_are_reply_codes(tmp_path, code, reply):
    script = Script(tmp_path, f"proc d args {{ error {{so it is}} {{}} {code} }}\n" + SERVE)
    assert script.deliver() == {**reply, "text": ["so it is"]}
    script.hook.close()


def test_a_message_of_an_error_stays_within_its_lines(tmp_path):
    script = Script(tmp_path, 'proc d args { error "one\\r\\n250 \\"two\\" \\u00fc\\0\\n\\[exit]\\n" }\n' + SERVE)
    assert script.deliver()["text"] == ["one\r", '250 "two" \u00fc\0', "[exit]"]
    script.hook.close()


def test_a_message_of_an_error_stays_within_a_reply(tmp_path):
    """A script may say what it has found in a message, whose octets take up to six in JSON."""
    script = Script(tmp_path, "proc d {from to lines} { error [join $lines \\n] }\n" + SERVE)
    reply = script.deliver((b"\xe9" * 998 + b"\r\n") * 200)
    assert reply["action"] == "reject" and len(json.dumps(reply)) < 65000
    assert 1 < len(reply["text"]) <= 100 and set("".join(reply["text"])) == {"\xe9"}
    script.hook.close()


def test_octets_that_are_no_text_arrive_as_a_channel_of_smtpd_reads_them(tmp_path):
    script = Script(tmp_path, 'proc d {s r l} { puts stderr [list $s $r [string length [lindex $l 0]]] }\n' + SERVE)
    assert script.deliver(b"\xe2\x82\xac\r\n", from_b64="/EBhLnRlc3Q=", **{"from": "\ufffd@a.test"},
                          to_b64=[None, "/kBhLnRlc3Q="], to=["k\u00f6@a.test", "\ufffd@a.test"]) == OK
    assert "<\xfc@a.test> {<k\xf6@a.test> <\xfe@a.test>} 3\n" in script.hook.close()


@pytest.mark.parametrize("octets", [
    b"Subject: x\r\n\r\n\"quoted\" back\\slash \t tab\r\n", b"", b"\r\n\r\n", b"no end", b"a\0b\x01\x7f\r\nc\rd\ne\r\r\n",
    "\u20ac \U0001f600\u2028\r\n".encode(), b"\xe9 \xff\xfe\r\nascii\r\n", b'","message":{"path":"/etc/passwd"}}\r\n[exit] $x }\r\n'])
def test_a_message_in_the_request_is_octet_for_octet_what_it_is_in_a_file(tmp_path, octets):
    script = Script(tmp_path, "proc d {s r l} { set e {}; foreach n $l { lappend e [binary encode hex $n] }; puts $e }\n" + SERVE)
    assert script.ready["body"] == "inline"
    assert script.deliver(octets) == OK
    message = {"size": len(octets), "eight_bit": False, "long_lines": 0, "trace_headers": 0}
    try:
        message["data"] = octets.decode()
    except UnicodeDecodeError:
        message["data_b64"] = base64.b64encode(octets).decode()
    assert script.deliver(message=message) == OK
    assert script.deliver(message=message, **{"from": '"a b"@x.test'}) == OK
    lines = octets.removesuffix(b"\n").replace(b"\r\n", b"\n").split(b"\n") if octets else []
    lines = [line.removesuffix(b"\r") if number == len(lines) - 1 and octets.endswith(b"\n") else line
             for number, line in enumerate(lines)]
    expected = " ".join(line.hex() or "{}" for line in lines)
    assert script.hook.close().splitlines() == [expected] * 3


def test_a_message_that_is_none_is_deferred(tmp_path):
    script = Script(tmp_path, "proc d args {}\n" + SERVE)
    for message in ({"size": 1, "path": str(tmp_path / "gone")}, {"size": 1}):
        assert script.deliver(message=message)["code"] == 451
    assert "cannot read " in script.hook.close()


def test_what_a_script_prints_is_no_reply(tmp_path):
    script = Script(tmp_path, """
        puts "ok"
        proc d args { puts {reject}; puts -nonewline ok; flush stdout; exec echo discard >@stdout; after 1 {puts late}; gets stdin }
        """ + SERVE + "vwait forever")
    assert [script.deliver() for _ in range(3)] == [OK] * 3
    assert script.hook.close().count("discard\n") == 3


def test_start_and_stop_as_the_manual_page_has_them(tmp_path):
    script = Script(tmp_path, """
        package require -exact smtpd 1.5
        namespace import smtpd::start
        smtpd::configure -validate_host h -banner hi -certfile /x -usetls 1 -loglevel notice --
        proc h ip { smtpd::stop }
        start localhost 0
        catch start again
        foreach option {-banner -certfile usetls -loglevel -keyfile -serveraddr} { lappend all [smtpd::cget $option] }
        catch { smtpd::configure -bogus x } bogus
        puts [list $again $all $bogus [expr {[llength [smtpd::configure]] % 2}] $argv0 $argv]
        vwait smtpd::stopped
        puts "stopped $smtpd::stopped"
        vwait forever
        """, "one", "two words")
    host = json.loads(golden("validate_host")[0])
    assert script.ask(host) == OK
    assert script.ask(host) == {"action": "close", "code": 421, "enhanced": "4.3.2", "text": ["smtpd service stopped"]}
    log = script.hook.close()
    assert "{smtpd service already running on socket hooksmtpd} {hi /x 1 notice {} localhost}" in log
    assert 'unknown option: "-bogus": must be one of' in log and f"0 {tmp_path}/script.tcl {{one {{two words}}}}" in log
    assert "<5>smtpd service stopped\n" in log and "stopped 1\n" in log


@pytest.mark.parametrize("text, why", [
    ("package require smtpd", "the script has not called smtpd::start"),
    ("package require smtpd\nerror {no database}", "the script has failed: no database"),
    ("proc {", "the script has failed: missing close-brace"),
])
def test_a_script_that_serves_nothing_is_not_ready(tmp_path, text, why):
    script = Script(tmp_path, text)
    assert script.ready == {"ready": False, "text": [why]} or script.ready["text"][0].startswith(why)
    script.hook.close()


def test_a_callback_that_nobody_will_ask_is_a_warning(tmp_path):
    script = Script(tmp_path, SERVE, events=["validate_host"])
    assert script.ready["ready"] is True and script.ready["stores"] is True
    assert script.hook.close() == ('<4>the script has a -deliver, but the daemon does not ask this hook: add "deliver" to its events\n')


def test_what_it_does_not_know_it_accepts(tmp_path):
    script = Script(tmp_path, SERVE)
    for event in ("auth", "reset", "disconnect"):
        assert [script.ask(json.loads(line)) for line in golden(event)] == [OK] * len(golden(event))
    assert script.ask({"v": 1, "id": 9, "event": "from_the_future"}) == OK
    assert json.loads(script.hook.ask_line("nonsense"))["code"] == 451
    script.hook.close()


def test_many_requests_at_once_are_answered_in_order(tmp_path):
    (tmp_path / "script.tcl").write_text("proc v a { if {[string match *7@* $a]} { after 5; error $a } }\n"
                                         "package require smtpd\nsmtpd::configure -validate_recipient v\nsmtpd::start\n")
    hook = Hook([TCL, "-j", "64", tmp_path / "script.tcl"])
    assert hook.ask(json.loads(golden("hello")[0]))["concurrency"] == 64
    request = json.loads(golden("validate_recipient")[0])
    lines = [json.dumps({**request, "id": number, "address": f"{number}@x.test"}, separators=(",", ":")) for number in range(200)]
    hook.write("".join(line + "\n" for line in lines))
    replies = [json.loads(hook.read()) for _ in lines]
    assert [reply["id"] for reply in replies] == list(range(200))
    assert [reply.get("text") for reply in replies] == [[f"{n}@x.test"] if n % 10 == 7 else None for n in range(200)]
    hook.close()


@pytest.mark.parametrize("together", [True, False])
def test_others_are_answered_while_a_callback_waits_for_events(tmp_path, together):
    (tmp_path / "script.tcl").write_text("""
        proc v a {
            if {$a eq "c@x.test"} { set ::came $a }
            if {$a ne "wait@x.test"} return
            vwait ::came
            set program [open {|echo done} r]
            fileevent $program readable [list apply {{program} { set ::said [gets $program]; close $program }} $program]
            vwait ::said
            after 1 { set ::later yes }
            vwait ::later
            error "$::came $::said $::later"
        }
        package require smtpd
        smtpd::configure -validate_recipient v
        smtpd::start
        """)
    hook = Hook([TCL, "-j", "64", tmp_path / "script.tcl"])
    hook.ask(json.loads(golden("hello")[0]))
    request = json.loads(golden("validate_recipient")[0])
    lines = [to_line({**request, "id": number, "address": address}) + "\n"
             for number, address in ((2, "wait@x.test"), (3, "b@x.test"), (4, "c@x.test"))]
    for text in ["".join(lines)] if together else lines:
        hook.write(text)
    replies = [json.loads(hook.read()) for _ in range(3)]
    assert replies == [{"id": 3, **OK}, {"id": 4, **OK}, {"id": 2, "action": "reject", "text": ["c@x.test done yes"]}]
    assert hook.close() == ""


def test_what_was_said_before_a_callback_exits_is_heard(tmp_path):
    (tmp_path / "script.tcl").write_text("proc v a { if {$a eq {last@x.test}} exit }\npackage require smtpd\n"
                                         "smtpd::configure -validate_recipient v\nsmtpd::start\n")
    hook = Hook([TCL, "-j", "64", tmp_path / "script.tcl"])
    hook.ask(json.loads(golden("hello")[0]))
    request = json.loads(golden("validate_recipient")[0])
    hook.write("".join(json.dumps({**request, "id": number, "address": address}, separators=(",", ":")) + "\n"
                       for number, address in ((2, "a@x.test"), (3, "last@x.test"), (4, "c@x.test"))))
    assert json.loads(hook.read()) == {"id": 2, **OK}
    hook.close()


def test_a_script_may_serve_a_socket(tmp_path):
    """Tcl waits here in a way of our own: what it waits for must come all the same."""
    script = Script(tmp_path, """
        proc answer {channel address port} { fileevent $channel readable [list echo $channel] }
        proc echo {channel} { gets $channel line; puts $channel [string toupper $line]; close $channel }
        set server [socket -server answer -myaddr 127.0.0.1 0]
        proc d args {
            set client [socket -async 127.0.0.1 [lindex [fconfigure $::server -sockname] 2]]
            fileevent $client writable [list tell $client]
            vwait ::heard
            error $::heard
        }
        proc tell {client} {
            fileevent $client writable {}
            fconfigure $client -buffering line
            puts $client hello
            fileevent $client readable [list apply {{client} { set heard [gets $client]; close $client; set ::heard $heard }} $client]
        }
        """ + SERVE)
    assert script.deliver()["text"] == ["HELLO"]
    assert script.hook.close() == ""


@pytest.mark.parametrize("arguments", [[], ["-j"], ["-j", "4"], ["-j", "0", "x"], ["-j", "x", "y"], ["-j", "257", "x"]])
def test_a_wrong_call_says_what_is_right(arguments):
    done = subprocess.run([TCL, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 64 and done.stderr == "usage: tcl [-j N] SCRIPT [ARGUMENT...]\n"
