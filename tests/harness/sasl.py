"""The client's side of AUTH (RFC 4954), mechanism by mechanism, written after the RFCs and nothing of the daemon's.

Each dialogue is a generator of answers: it yields what the client says (octets), and is sent what the server said.
`Auth` plays one and keeps every octet that must never be seen in a log."""

import base64
import hashlib
import hmac
import re
import secrets

from harness.client import Client, Reply


def plain(user: str, password: str, authorization: str = ""):
    yield "\0".join((authorization, user, password)).encode()


def login(user: str, password: str):
    asked = yield user.encode()
    assert asked == b"Password:"
    yield password.encode()


def cram_md5(user: str, password: str):
    challenge = yield None
    yield user.encode() + b" " + hmac.new(password.encode(), challenge, "md5").hexdigest().encode()


def scram_sha_256(user: str, password: str, authorization: str = "", header: str = "n"):
    """RFC 5802 §3; checks that the server holds the password's keys, too."""
    gs2 = f"{header},{'a=' + authorization if authorization else ''},"
    name = user.replace("=", "=3D").replace(",", "=2C")
    nonce = secrets.token_urlsafe(18)
    bare = f"n={name},r={nonce}"
    server_first = (yield (gs2 + bare).encode()).decode()
    fields = dict(field.split("=", 1) for field in server_first.split(","))
    assert list(fields) == ["r", "s", "i"] and fields["r"].startswith(nonce) and len(fields["r"]) >= len(nonce) + 18
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    final = f"c={base64.b64encode(gs2.encode()).decode()},r={fields['r']}"
    message = f"{bare},{server_first},{final}".encode()
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    server_final = yield f"{final},p={base64.b64encode(proof).decode()}".encode()
    expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    assert server_final == b"v=" + base64.b64encode(expected)
    yield b""


def xoauth2(user: str, token: str):
    yield f"user={user}\1auth=Bearer {token}\1\1".encode()
    yield b""  # to the error


def oauthbearer(user: str, token: str):
    yield f"n,a={user},\1host=mail.test\1port=25\1auth=Bearer {token}\1\1".encode()
    yield b"\1"  # to the error


DIALOGUES = {"PLAIN": plain, "LOGIN": login, "CRAM-MD5": cram_md5, "SCRAM-SHA-256": scram_sha_256, "XOAUTH2": xoauth2,
             "OAUTHBEARER": oauthbearer}


class Auth:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.said: list[bytes] = []        # all that was sent, decoded and encoded
        self.names: set[bytes] = set()
        self.challenges: list[bytes] = []  # of the last exchange

    def encode(self, answer: bytes) -> str:
        text = base64.b64encode(answer)
        self.said += [answer, text]
        return text.decode()

    def __call__(self, mechanism: str, user: str, secret: str, *, initial: bool = True, **more: str) -> Reply:
        """The reply that ends the exchange."""
        self.said.append(secret.encode())
        self.names |= {name.encode() for name in (user, f"a={user},", f"user={user}", "host=mail.test", "port=25", "auth=")}
        self.challenges = []
        dialogue = DIALOGUES[mechanism](user, secret, **more)
        answer = next(dialogue)
        if answer is None or not initial:
            reply = self.client.say(f"AUTH {mechanism}")
            if answer is None and reply.code == 334:
                answer = dialogue.send(self.challenge(reply))
            if reply.code == 334:
                reply = self.client.say(self.encode(answer))
        else:
            reply = self.client.say(f"AUTH {mechanism} {self.encode(answer) or '='}")
        while reply.code == 334:
            reply = self.client.say(self.encode(dialogue.send(self.challenge(reply))))
        return reply

    def challenge(self, reply: Reply) -> bytes:
        self.challenges.append(base64.b64decode(reply[4:], validate=True))
        return self.challenges[-1]

    def secrets(self) -> set[bytes]:
        """What a log must not have: each thing said and the secret in it, as it is, in hex, and what shows of it in
        base64 of something longer. A user's name is none."""
        parts = {part for whole in self.said for part in (whole, *re.split(rb"[\0\1 ]|,p=|Bearer ", whole))}
        return {form for part in parts - self.names for form in (part, part.hex().encode(), *in_base64(part))
                if len(form) >= 8}


def in_base64(part: bytes) -> list[bytes]:
    """For each offset that it may have there."""
    return [base64.b64encode(b"\0" * before + part)[(4 if before else 0):-4] for before in range(3)]
