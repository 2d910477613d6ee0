#!/usr/bin/python3
"""Hands messages on to the next mail server, for the recipients that it may hand them on to, and nobody else.

    [[hook]]
    use = "relay"
    options = { servers = ["mail.example.org:25"], recipients = ["@example.org"] }
    sandbox = { network = "host" }

Without both lists it is not ready, and says so: nothing is relayed by accident.

    servers        where messages may go: the first that can be reached, in this order; port 25 if none is given
    recipients     to whom: "ann@example.org", "@example.org", "@.example.org" for everything below it as well; others are
                   refused with 550 5.7.1, at RCPT if this hook is asked about validate_recipient
    tls            "verify": STARTTLS, with a certificate for the server's name (the default); "encrypt": STARTTLS, with any;
                   "may": STARTTLS if it is offered; "none"; "implicit": TLS from the first octet, verified
    ca_file        verified against this authority instead of the system's
    user, password_file    to authenticate with, over TLS only
    hostname       in EHLO; this machine's name if not given
    hops           how many Received fields a message may have: 100 (RFC 5321 §6.3)
    timeout        seconds for each step at the next server: 20

ca_file and password_file are read in the hook's jail: sandbox.read has to name their folder.

The inbox releases messages through a socket of this hook, which then need not be asked about anything:

    [[hook]]
    use = "relay"
    events = []
    options = { servers = ["mail.example.org:25"], recipients = ["@example.org"] }
    sandbox = { network = "host", listen = ["unix:/srv/hooksmtpd/relay.sock"] }

Who connects writes a line of JSON, {"from": "ann@example.org", "to": ["bob@example.org"], "size": 1901}, and so many octets;
the answer is a reply to deliver (PROTOCOL.md), on a line. The same recipients are allowed as by SMTP.

The 250 comes after the 250 of the next server, and any refusal of it is handed back as it is: nothing waits here. Over LMTP
each recipient gets its own answer. Elsewhere there is one for all, so that a message goes out only if the next server takes
every recipient of it; whom it refuses is in the text. A Return-Path field in front goes (§4.4). What the next server cannot
take is refused: eight-bit text without 8BITMIME, SMTPUTF8, REQUIRETLS, a bare CR or LF.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import smtplib
import socket
import socketserver
import ssl
import sys
import threading
from typing import Any, Iterator, Optional

try:
    import hooksmtpd
except ModuleNotFoundError:  # by hand: from the build folder, or from the source
    sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("sdk", "python")]
    import hooksmtpd
from hooksmtpd import Answer, Reply, Request, accept, defer, per_recipient, reject

DEFAULTS: dict[str, Any] = {"servers": [], "recipients": [], "tls": "verify", "ca_file": None, "user": None, "password_file": None,
                            "hostname": None, "hops": 100, "timeout": 20}
TLS = ("verify", "encrypt", "may", "none", "implicit")
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")  # another server might take it for the end of a line (§2.3.8)
RECEIVED = re.compile(rb"^received:", re.IGNORECASE | re.MULTILINE)

NO_ADDRESS = re.compile(r"[\x00-\x20<>\x7f]")
LINES = 100  # that a reply may have
LISTENER = 3  # sd_listen_fds(3)
MAX_LINE = 64 * 1024  # octets of what is asked at our socket,
MAX_MESSAGE = 64 * 1024 * 1024  # and of the message behind it
NOT_ALLOWED = reject("relaying to this recipient is not allowed", code=550, enhanced="5.7.1")

hook = hooksmtpd.Hook("relay", stores=True, threads=8)


class Refused(Exception):
    """What the next server said no with, or would have."""

    def __init__(self, code: int, text: str, about: str = "") -> None:
        super().__init__(f"{code} {about}{text}")
        self.code, self.text, self.about = code, text, about

    def reply(self) -> Reply:
        """Its own words, and its codes as far as they fit the protocol."""
        found = re.match(r"([245]\.\d{1,3}\.\d{1,3})\s", self.text)
        enhanced = found[1] if found and found[1][0] == str(self.code)[0] else None
        lines = [self.about + re.sub(r"^[245]\.\d{1,3}\.\d{1,3}\s+", "", line) for line in self.text.split("\n")][:LINES]
        if 400 <= self.code < 500 and self.code != 421:
            return defer(lines, code=self.code if self.code < 460 else 451, enhanced=enhanced)
        if 500 <= self.code < 600:
            return reject(lines, code=self.code if self.code < 560 else 554, enhanced=enhanced)
        return defer(["the next server is not available", *lines], code=451, enhanced="4.4.2")


def say(smtp: smtplib.SMTP, verb: str, rest: str, about: str = "") -> None:
    code, text = smtp.docmd(verb, rest)
    if not 200 <= code < 300:
        raise Refused(code, text.decode("utf-8", "replace"), about)


def trusting(ca_file: Optional[str]) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # which does not name the file
        raise ValueError(f"the option ca_file is {ca_file!r}: {error}") from None


class Relay:
    def __init__(self, given: dict[str, Any], seconds: float) -> None:
        if unknown := set(given) - set(DEFAULTS):
            raise ValueError(f"unknown option {min(unknown)!r}: there are {', '.join(DEFAULTS)}")
        options = {**DEFAULTS, **given}
        if not options["servers"] or not options["recipients"]:
            raise ValueError("relay is off: options must name servers, where messages may go, and recipients, to whom")
        if not all(isinstance(options[name], list) for name in ("servers", "recipients")):
            raise ValueError("the options servers and recipients must be lists")
        if options["tls"] not in TLS:
            raise ValueError(f"the option tls is {options['tls']!r}: it must be one of {', '.join(TLS)}")
        self.servers = [self.server(str(one)) for one in options["servers"]]
        self.recipients = [str(one).casefold() for one in options["recipients"]]
        if wrong := [one for one in self.recipients if "@" not in one]:
            raise ValueError(f"{wrong[0]!r} among recipients is no address: write \"@{wrong[0]}\" for everybody there")
        self.mode, self.hops = options["tls"], int(options["hops"])
        self.context = trusting(options["ca_file"])
        if self.mode in ("encrypt", "may"):
            self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.hostname = options["hostname"] or socket.gethostname()
        self.timeout = min(float(options["timeout"]), seconds / 3)
        self.user, self.password = options["user"], ""
        if self.user:
            self.password = pathlib.Path(options["password_file"] or os.devnull).read_text().rstrip("\n")
            if not self.password:
                raise ValueError("a user needs a password_file that is not empty")
            if self.mode in ("may", "none"):
                raise ValueError('a password needs tls = "verify", "encrypt" or "implicit"')

    @staticmethod
    def server(text: str) -> tuple[str, int]:
        found = re.fullmatch(r"(?:\[(?P<six>[^]]+)\]|(?P<host>[^:\s]+))(?::(?P<port>\d{1,5}))?", text)
        if not found:
            raise ValueError(f"{text!r} among servers must be HOST or HOST:PORT, with [] around an IPv6 address")
        return found["six"] or found["host"], int(found["port"] or 25)

    def may(self, address: str) -> bool:
        domain = address.rpartition("@")[2].casefold()
        labels = domain.split(".")
        wanted = {address.casefold(), "@" + domain} | {"@." + ".".join(labels[i:]) for i in range(len(labels))}
        return not wanted.isdisjoint(self.recipients)

    def connect(self) -> smtplib.SMTP:
        """To the first server that answers, as encrypted as it must be."""
        why = ""
        for host, port in self.servers:
            try:
                return self.greet(host, port)
            except OSError as error:  # SMTPException is one, too
                why = f"{host}:{port}: {type(error).__name__}: {error}"
                hook.log.warning("next server not usable: %s", why)
        raise ConnectionError(why)

    def greet(self, host: str, port: int) -> smtplib.SMTP:
        if self.mode == "implicit":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, self.hostname, timeout=self.timeout, context=self.context)
        else:
            smtp = smtplib.SMTP(host, port, self.hostname, timeout=self.timeout)
        try:
            smtp.ehlo_or_helo_if_needed()
            if self.mode in ("verify", "encrypt") or self.mode == "may" and smtp.has_extn("starttls"):
                smtp.starttls(context=self.context)
                smtp.ehlo_or_helo_if_needed()
            if self.user:
                smtp.login(self.user, self.password)
            return smtp
        except BaseException:
            smtp.close()
            raise

    def send(self, request: Request, to: list[str], data: bytes) -> list[Reply]:
        """An answer for each of `to`: over LMTP its own, else the same."""
        smtp = self.connect()
        try:
            say(smtp, "MAIL", " ".join([f"FROM:<{request.sender}>", *self.parameters(smtp, request, to, data)]))
            refused = [self.recipient(smtp, address) for address in to]
            if any(refused) and not request.protocol.startswith("LMTP"):
                raise max(filter(None, refused), key=lambda one: one.code)  # what will never do counts before what may later
            end = accept() if all(refused) else self.data(smtp, data)
            return [one.reply() if one else end for one in refused]
        finally:
            with contextlib.suppress(OSError):
                smtp.putcmd("QUIT")  # its answer changes nothing any more
            smtp.close()

    def parameters(self, smtp: smtplib.SMTP, request: Request, to: list[str], data: bytes) -> Iterator[str]:
        """Of MAIL. What the message needs and the next server does not have is its refusal."""
        if smtp.has_extn("size"):
            yield f"SIZE={len(data)}"
        if request.message.eight_bit:
            if not smtp.has_extn("8bitmime"):
                raise Refused(554, "5.6.3 the next server takes no eight-bit text")
            yield "BODY=8BITMIME"
        if "SMTPUTF8" in request.params:
            if smtp.has_extn("smtputf8"):
                smtp.command_encoding = "utf-8"
                yield "SMTPUTF8"
            elif not ("".join([request.sender, *to]).isascii() and data.partition(b"\r\n\r\n")[0].isascii()):
                raise Refused(553, "5.6.7 the next server takes no UTF-8 in addresses and header fields")
        if "REQUIRETLS" in request.params:
            if self.mode not in ("verify", "implicit") or not smtp.has_extn("requiretls"):
                raise Refused(550, "5.7.30 the next server has no REQUIRETLS")  # RFC 8689 §5
            yield "REQUIRETLS"

    def recipient(self, smtp: smtplib.SMTP, address: str) -> Optional[Refused]:
        try:
            say(smtp, "RCPT", f"TO:<{address}>", f"<{address}>: ")
        except Refused as refused:
            return refused
        return None

    def data(self, smtp: smtplib.SMTP, data: bytes) -> Reply:
        try:
            code, text = smtp.data(data)
        except smtplib.SMTPDataError as error:
            code, text = error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
        return accept() if code == 250 else Refused(code, text.decode("utf-8", "replace")).reply()


relay: Relay
releases: Optional[ReleaseServer] = None


@hook.hello
def hello(request: Request) -> None:
    global relay, releases
    relay = Relay(request.options, request.get("timeout_ms", {}).get("deliver", 60_000) / 1000)
    if releases is None and os.environ.get("LISTEN_FDS", "0") != "0":
        releases = ReleaseServer()
        threading.Thread(target=releases.serve_forever, daemon=True).start()


@hook.validate_recipient
def recipient(request: Request) -> Answer:
    return None if relay.may(request.address) else NOT_ALLOWED


def hand_on(request: Request, data: bytes) -> Answer:
    to = [address for address in request.to if relay.may(address)]
    is_lmtp = request.protocol.startswith("LMTP")
    if not to or len(to) < len(request.to) and not is_lmtp:
        return NOT_ALLOWED
    if data.startswith(b"Return-Path:"):
        data = data.partition(b"\r\n")[2]
    if BARE.search(data):
        return reject("a CR or LF stands alone in the message", code=554, enhanced="5.6.0")
    if len(RECEIVED.findall(data.partition(b"\r\n\r\n")[0])) > relay.hops:
        return reject("too many Received fields: the message goes round in circles", code=554, enhanced="5.4.6")
    try:
        answers = dict(zip(to, relay.send(request, to, data)))
    except Refused as refused:
        hook.log.warning("not relayed: %s transaction=%s", refused, request.transaction)
        return refused.reply()
    except OSError as error:  # SMTPException is one, too
        hook.log.warning("not relayed: %s: %s transaction=%s", type(error).__name__, error, request.transaction)
        return defer("the next server cannot be reached", code=451, enhanced="4.4.1")
    refused_to = [address for address, answer in answers.items() if answer.fields["action"] != "accept"]
    if refused_to:
        said = answers[refused_to[0]].fields
        hook.log.warning("not relayed: %s %s transaction=%s recipients=%d", said["code"], said["text"][0], request.transaction, len(refused_to))
    if len(refused_to) < len(to):
        hook.log.info("relayed transaction=%s recipients=%d size=%d", request.transaction, len(to) - len(refused_to), len(data))
    return per_recipient(answers.get(address, NOT_ALLOWED) for address in request.to) if is_lmtp else answers[to[0]]


@hook.deliver
def deliver(request: Request) -> Answer:
    return hand_on(request, request.message.bytes())


class Release(socketserver.StreamRequestHandler):
    """Somebody at our socket, with one message."""

    timeout = 30  # without an octet from it

    def handle(self) -> None:
        try:
            reply = self.answer()
        except (OSError, ValueError, KeyError, TypeError) as error:
            hook.log.warning("not released: %s: %s", type(error).__name__, error)
            reply = defer("this cannot be released", code=451)
        with contextlib.suppress(OSError):
            self.wfile.write(json.dumps(reply.fields).encode() + b"\n")

    def answer(self) -> Reply:
        asked = json.loads(self.rfile.readline(MAX_LINE))
        if not 0 < asked["size"] <= MAX_MESSAGE or any(NO_ADDRESS.search(one) for one in [asked["from"], *asked["to"]]):
            raise ValueError("the size of the message, or an address, is none")
        data = self.rfile.read(asked["size"])
        if len(data) < asked["size"]:
            raise ValueError("the message is shorter than it should be")
        in_unicode = not "".join([asked["from"], *asked["to"]]).isascii() or not data.partition(b"\r\n\r\n")[0].isascii()
        request = Request({"event": "deliver", "from": asked["from"], "to": asked["to"], "params": {"SMTPUTF8": True} if in_unicode else {},
                           "protocol": "ESMTP", "transaction": "release", "message": {"eight_bit": not data.isascii()}})
        answer = hand_on(request, data)
        assert isinstance(answer, Reply)
        return answer


class ReleaseServer(socketserver.ThreadingUnixStreamServer):
    """On the first of sandbox.listen."""

    daemon_threads = True

    def __init__(self) -> None:
        # UnixStreamServer would make a socket of its own first, which no hook of a plain user without namespaces may.
        socketserver.BaseServer.__init__(self, "", Release)
        self.socket = socket.socket(fileno=LISTENER)


if __name__ == "__main__":
    hook.run()
