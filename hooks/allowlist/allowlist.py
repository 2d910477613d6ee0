#!/usr/bin/python3
"""Lets in whom a list names, and nobody else.

    [[hook]]
    use = "allowlist"
    options = { clients = ["127.0.0.0/8", "::1"], senders = ["@example.org"], recipients = ["bob@example.test"],
                domains = ["example.test"], file = "/etc/hooksmtpd/allowed" }

    clients      addresses and networks that may connect; "unix" is a client of a unix socket
    senders      "ann@example.org", "@example.org" for everybody there, "@.example.org" also below it, "<>" for bounces
    recipients   the same
    domains      recipients at these domains: "example.test" is the same as "@example.test" among the recipients
    file         more of them, one a line, read again when it changes: "client 192.0.2.0/24", "sender @example.org",
                 "recipient bob@example.test", "domain example.test"; "#" begins a comment

Of which kind neither the options nor the file name any, everything is let in. A file that has become unreadable, wrong or
empty, as one is while it is written, is a line in the log, and what it said before goes on to count. Case does not matter. `postmaster` without a domain is
accepted by the daemon itself.
"""

from __future__ import annotations

import ipaddress
import os
import pathlib
import sys
from typing import Union

try:
    import hooksmtpd
except ModuleNotFoundError:  # by hand: from the build folder, or from the source
    sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("sdk", "python")]
    import hooksmtpd
from hooksmtpd import Answer, Request, reject

KINDS = ("client", "sender", "recipient", "domain")
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

hook = hooksmtpd.Hook("allowlist")


class Allowed:
    """One list: networks, and what addresses must be or end in."""

    def __init__(self) -> None:
        self.networks: list[Network] = []
        self.unix = False
        self.addresses: dict[str, set[str]] = {"sender": set(), "recipient": set()}

    def add(self, kind: str, text: str) -> None:
        if kind == "client" and text == "unix":
            self.unix = True
        elif kind == "client":
            self.networks.append(ipaddress.ip_network(text))
        elif kind == "domain":
            self.add("recipient", "@" + text.removeprefix("@"))
        elif kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}: there are {', '.join(KINDS)}")
        elif "@" in text or text == "<>":
            self.addresses[kind].add("" if text == "<>" else text.casefold())
        else:
            raise ValueError(f"{text!r} is no address: write \"ann@example.org\", or \"@example.org\" for everybody there")

    def has_client(self, text: str) -> bool:
        if not (self.networks or self.unix):
            return True
        if text == "":
            return self.unix
        address = ipaddress.ip_address(text)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)

    def has(self, kind: str, request: Request) -> bool:
        known = self.addresses[kind]
        domains = {request.get("domain", "").casefold(), request.get("domain_ascii", "").casefold()} - {""}
        local = request.address[: request.address.rfind("@")] if "@" in request.address else request.address
        wanted = {request.address.casefold()}
        for domain in domains:
            labels = domain.split(".")
            wanted |= {f"{local.casefold()}@{domain}", "@" + domain}
            wanted |= {"@." + ".".join(labels[i:]) for i in range(len(labels))}
        return not known or not known.isdisjoint(wanted)


class Lists:
    """The options and the file; the file is looked at before each answer."""

    def __init__(self, options: dict[str, object]) -> None:
        names = {kind + "s": kind for kind in KINDS}
        if unknown := set(options) - {*names, "file"}:
            raise ValueError(f"unknown option {min(unknown)!r}: there are {', '.join(names)} and file")
        if not options:
            raise ValueError("nothing is allowed or refused: options name " + ", ".join(names) + " or file")
        self.own: list[tuple[str, str]] = []
        for name, kind in names.items():
            values = options.get(name, [])
            if not isinstance(values, list):
                raise ValueError(f"the option {name} must be a list")
            self.own += [(kind, str(value)) for value in values]
        self.file = pathlib.Path(os.environ.get("HOOK_STATE", "."), str(options["file"])) if "file" in options else None
        self.seen: object = None
        self.allowed = self.read()

    def read(self) -> Allowed:
        allowed = Allowed()
        for kind, text in self.own:
            allowed.add(kind, text)
        if self.file:
            self.seen = self.stamp()
            entries = 0
            for number, line in enumerate(self.file.read_text(encoding="utf-8").splitlines(), 1):
                words = line.partition("#")[0].split()
                try:
                    if words:
                        kind, text = words
                        allowed.add(kind, text)
                        entries += 1
                except ValueError as error:
                    raise ValueError(f"{self.file}:{number}: {error}") from None
            if entries == 0:
                raise ValueError(f"{self.file} names nobody, which would let everybody in")
        return allowed

    def stamp(self) -> object:
        assert self.file
        status = self.file.stat()
        return status.st_mtime_ns, status.st_ino, status.st_size

    def now(self) -> Allowed:
        if self.file:
            try:
                if self.stamp() != self.seen:
                    self.allowed = self.read()
                    hook.log.notice("%s was read again", self.file)
            except (OSError, ValueError) as error:
                if self.seen != str(error):
                    hook.log.error("what was allowed before goes on to count: %s", error)
                if isinstance(error, OSError):
                    self.seen = str(error)
        return self.allowed


lists: Lists


@hook.hello
def hello(request: Request) -> None:
    global lists
    lists = Lists(request.options)


@hook.validate_host
def client(request: Request) -> Answer:
    return None if lists.now().has_client(request.address) else reject("not on the list of clients")


@hook.validate_sender
def sender(request: Request) -> Answer:
    return None if lists.now().has("sender", request) else reject("sender not on the list", code=550, enhanced="5.7.1")


@hook.validate_recipient
def recipient(request: Request) -> Answer:
    return None if lists.now().has("recipient", request) else reject("recipient not on the list", code=550, enhanced="5.7.1")


if __name__ == "__main__":
    hook.run()
