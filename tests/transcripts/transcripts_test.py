"""Each transcript against the real daemon, over TCP: the same files that tests/proto/smtp plays in memory.

tests/proto/smtp/transcript.h says what the lines mean.
"""

import fnmatch
import json
import pathlib
import re

import pytest

from harness.daemon import Daemon
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
            print("ok", flush=True)
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


class Transcript:
    def __init__(self, file: pathlib.Path) -> None:
        self.settings: dict[str, str] = {}
        self.client = b""
        self.server: list[tuple[str, bool]] = []
        self.questions: list[dict] = []
        for line in file.read_text(encoding="latin-1").splitlines():
            kind, rest = line[:2], line[3:]
            if kind == "C:":
                self.client += rest.encode("latin-1") + b"\r\n"
            elif kind == "C|":
                self.client += unescape(rest)
            elif kind in ("S:", "S~"):
                self.server.append((rest, kind == "S~"))
            elif kind == "H>":
                self.questions.append({"expected": json.loads(rest), "answer": "ok", "message": []})
            elif kind == "H<":
                self.questions[-1]["answer"] = rest
            elif kind in ("M:", "M~"):
                self.questions[-1]["message"].append((rest, kind == "M~"))
            elif kind == "@ ":
                key, _, value = line[2:].partition(" = ")
                self.settings[key] = value


def matches(line: str, pattern: tuple[str, bool]) -> bool:
    text, is_glob = pattern
    # Only '*' is special in a transcript.
    return fnmatch.fnmatchcase(line, re.sub(r"([\[?])", r"[\1]", text)) if is_glob else line == text


def compare(lines: list[str], patterns: list[tuple[str, bool]]) -> None:
    for line, pattern in zip(lines, patterns):
        assert matches(line, pattern), f"expected {pattern[0]!r}, got {line!r}"
    assert len(lines) == len(patterns), (lines, patterns)


def read_all(client) -> str:
    data = client.unread
    while piece := client.socket.recv(65536):
        data += piece
    return data.decode("ascii")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_transcript_plays_against_the_daemon_as_it_is_written(file: pathlib.Path) -> None:
    transcript = Transcript(file)
    limits = "".join(f"{key} = {transcript.settings[key]}\n" for key in LIMITS if key in transcript.settings)
    daemon = Daemon(f"[limits]\n{limits}")
    try:
        if events := transcript.settings.get("hooks"):
            daemon.hook("replayer", REPLAYER, events.split(),
                        options={"answers": [question["answer"] for question in transcript.questions]})
        daemon.start()
        with daemon.client() as client:
            client.send(transcript.client)
            said = read_all(client)
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
