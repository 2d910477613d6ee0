"""Each transcript against the real daemon, over TCP: the same files that tests/proto/smtp plays in memory.

tests/proto/smtp/transcript.h says what the lines mean.
"""

import fnmatch
import json
import os
import pathlib
import re
import ssl

import pytest

from harness.daemon import Daemon, supervisor_gid, toml
from harness.hooks import PYTHON

FILES = sorted(pathlib.Path(__file__).parent.glob("*.transcript"))
LIMITS = ("recipients", "message_size", "errors", "commands", "strict_lines")

# Answers what the transcript says, one line after another, and keeps what it was asked.
REPLAYER = PYTHON + """
import json, shutil, sys
answers = iter(())
with open("requests", "a", buffering=1) as requests:
    for line in sys.stdin:
        request = json.loads(line)
        if request["event"] == "hello":
            answers = iter(request["options"]["answers"])
            print(json.dumps({"modifies": ["sender", "recipient", "headers"]}), flush=True)
            continue
        if request["event"] == "deliver":
            shutil.copyfile(request["message"]["path"], request["transaction"] + ".eml")
        requests.write(line)
        print(next(answers, "ok"), flush=True)
"""


def unescape(text: str) -> bytes:
    escapes = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}
    pieces = re.split(r"\\(x[0-9a-f]{2}|[rnt\\])", text)
    return b"".join(piece.encode("latin-1") if i % 2 == 0 else escapes[piece] if piece in escapes
                    else bytes.fromhex(piece[1:]) for i, piece in enumerate(pieces))


# ann, whose password is "secret".
PASSWORDS = ("ann:{SCRAM-SHA-256}4096,AAECAwQFBgcICQoLDA0ODw==$THoPhoTAuqyoQsK4dUHncUzgfD8fdmhsgKZhWVqNP5U="
             "$7YiHMMi2OcXGRogub03Ek06JRZ9bkhTOdCzHa5iPLiQ=\n")


class Transcript:
    def __init__(self, file: pathlib.Path) -> None:
        self.settings: dict[str, str] = {}
        self.client = [b""]  # what it sends, cut where a TLS handshake stands between
        self.server: list[tuple[str, str]] = []  # text and kind of each line
        self.questions: list[dict] = []
        for line in file.read_text(encoding="latin-1").splitlines():
            kind, rest = line[:2], line[3:]
            if kind == "C:":
                self.client[-1] += rest.encode("latin-1") + b"\r\n"
            elif kind == "C|":
                self.client[-1] += unescape(rest)
            elif kind == "T:":
                self.client.append(b"")
            elif kind in ("S:", "S~", "S*"):
                self.server.append((rest, kind))
            elif kind == "H>":
                self.questions.append({"expected": json.loads(rest), "answer": "ok", "message": []})
            elif kind == "H<":
                self.questions[-1]["answer"] = rest
            elif kind in ("M:", "M~"):
                self.questions[-1]["message"].append((rest, kind))
            elif kind == "@ ":
                key, _, value = line[2:].partition(" = ")
                self.settings[key] = value

    def configure(self, daemon: Daemon) -> None:
        """Writes the settings as the daemon knows them."""
        own = self.settings
        limits = "".join(f"{key} = {own[key]}\n" for key in LIMITS if key in own)
        daemon.port = 24 if own.get("protocol") == "lmtp" else 25  # RFC 2033 §5
        listener = [f'address = ["127.0.0.1:{daemon.port}"]']
        listener += [f"{key} = {json.dumps(own[key])}" for key in ("protocol", "tls") if key in own]
        listener += [f"lenient = {own['lenient']}"] if "lenient" in own else []
        listener += [f"{key} = {toml([own[key]])}" for key in ("add", "xclient") if key in own]
        listener += [f"hide = {toml(own['hide'].split())}"] if "hide" in own else []
        auth = [f"{key} = {own['auth_' + key]}" for key in ("required", "before_tls") if "auth_" + key in own]
        if "auth" in own:
            auth.append(f"source = {json.dumps(own['auth'])}")
        if own.get("auth") == "passwords":
            passwords = daemon.folder / "etc/passwords"
            passwords.write_text(PASSWORDS)
            passwords.chmod(0o640)
            os.chown(passwords, 0, supervisor_gid())
            auth.append(f"passwords = {json.dumps(str(passwords))}")
        daemon.config = "\n".join(["[limits]", limits, *(["[auth]"] if auth else []), *auth, "[[listener]]", *listener, ""])


def matches(line: str, pattern: tuple[str, str]) -> bool:
    text, kind = pattern
    if kind == "S*":
        return line.startswith(text + " ")
    # Only '*' is special in a transcript.
    return fnmatch.fnmatchcase(line, re.sub(r"([\[?])", r"[\1]", text)) if kind[1] == "~" else line == text


def compare(lines: list[str], patterns: list[tuple[str, str]]) -> None:
    left = list(lines)
    for pattern in patterns:
        while pattern[1] == "S*" and left and left[0].startswith(pattern[0] + "-"):
            left.pop(0)
        assert left, f"missing: {pattern[0]!r}"
        line = left.pop(0)
        assert matches(line, pattern), f"expected {pattern[0]!r}, got {line!r}"
    assert not left, left


def handshake(client) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client.socket = context.wrap_socket(client.socket)


def read_until(client, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        piece = client.socket.recv(65536)
        assert piece, f"closed after {data!r}"
        data += piece
    return data


def read_all(client) -> bytes:
    data = b""
    while piece := client.socket.recv(65536):
        data += piece
    return data


def play(client, transcript: Transcript) -> str:
    said = b""
    if transcript.settings.get("tls") == "implicit":
        handshake(client)
    for number, segment in enumerate(transcript.client):
        if number > 0:
            said += read_until(client, b"\r\n220 2.0.0 Ready to start TLS\r\n")
            handshake(client)
        client.send(segment)
    return (said + read_all(client)).decode("ascii")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_transcript_plays_against_the_daemon_as_it_is_written(file: pathlib.Path) -> None:
    transcript = Transcript(file)
    daemon = Daemon()
    try:
        transcript.configure(daemon)
        if events := transcript.settings.get("hooks"):
            daemon.hook("replayer", REPLAYER, events.split(),
                        options={"answers": [question["answer"] for question in transcript.questions]})
        daemon.start()
        with daemon.client() as client:
            said = play(client, transcript)
        compare(said.removesuffix("\r\n").split("\r\n"), transcript.server)
        asked = daemon.recorded("replayer")
        requests = asked.requests()
        assert len(requests) == len(transcript.questions), requests
        for request, question in zip(requests, transcript.questions):
            for key, value in question["expected"].items():
                assert request[key] == value, (request, question)
            if question["message"]:
                message = (asked.state / f"{request['transaction']}.eml").read_bytes().decode("latin-1")
                compare(message.removesuffix("\r\n").split("\r\n"), question["message"])
    finally:
        daemon.close()
