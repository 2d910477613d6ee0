"""The inbox at the other end of a pipe, with a listener for its web page, and HTTP with it."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).parent))
import openapi

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("HOOKSMTPD_BUILD", ROOT / "build"))
PROGRAM = BUILD / "hooks/inbox/inbox"

# Puts its standard input, a listening socket, where sd_listen_fds(3) says, and becomes the program.
BECOME = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.execve(sys.argv[2], [sys.argv[2]], {"PATH": "/usr/bin:/bin", "HOOK_STATE": sys.argv[3], "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})
"""


def message(subject="hello", body="It works.\r\n", sender="Ann <ann@example.org>", to="Bob <bob@example.test>", more=""):
    return (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject.encode().hex()}@example.org>\r\n"
            f"Date: Sun, 22 Nov 2026 17:20:11 +0000\r\n{more}\r\n{body}").encode()


class Inbox:
    def __init__(self, folder: pathlib.Path, options=None, expect_ready=True):
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        self.log_file = open(folder / "log", "ab")
        self.process = subprocess.Popen(
            [sys.executable, "-c", BECOME, str(self.listener.fileno()), str(PROGRAM), str(self.state)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log_file, pass_fds=[self.listener.fileno()])
        self.number = 0
        self.ready = self.ask({"event": "hello", "options": options or {}})
        if expect_ready:
            assert self.ready["ready"], self.ready

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    # ---- as a hook

    def write(self, *requests: dict) -> list[int]:
        numbers = []
        for request in requests:
            self.number += 1
            numbers.append(self.number)
            self.process.stdin.write((json.dumps({"v": 1, "id": self.number, **request}) + "\n").encode())
        self.process.stdin.flush()
        return numbers

    def read(self) -> dict:
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), self.log()
        return json.loads(line)

    def ask(self, request: dict) -> dict:
        number, = self.write(request)
        reply = self.read()
        assert reply["id"] == number
        return reply

    def deliver_request(self, raw: bytes, session="c7f3a1", to=("bob@example.test",), **more) -> dict:
        self.files = getattr(self, "files", 0) + 1
        path = self.folder / f"{self.files}.eml"
        path.write_bytes(raw)
        return {"event": "deliver", "session": session, "transaction": f"{session}-{self.files}", "listener": "smtp",
                "client": {"ip": "192.0.2.7", "port": 51514}, "server": {"ip": "192.0.2.1", "port": 25}, "helo": "laptop.example",
                "protocol": "ESMTP", "received_at": "2026-11-22T17:20:11.482Z", "from": "ann@example.org", "params": {},
                "to": list(to), "message": {"size": len(raw), "eight_bit": False, "long_lines": 0, "trace_headers": 0,
                                            "path": str(path)}, **more}

    def deliver(self, raw: bytes, **more) -> dict:
        return self.ask(self.deliver_request(raw, **more))

    def disconnect(self, dialogue=(), session="c7f3a1", accepted=0, reason="quit", **more) -> dict:
        return self.ask({"event": "disconnect", "session": session, "listener": "smtp",
                         "client": {"ip": "192.0.2.7", "port": 51514}, "server": {"ip": "192.0.2.1", "port": 25},
                         "helo": "laptop.example", "protocol": "ESMTP", "duration_ms": 812,
                         "counts": {"commands": 6, "recipients": 1, "messages_accepted": accepted, "messages_refused": 0,
                                    "bytes_received": 1, "bytes_sent": 1}, "dialogue": list(dialogue), "reason": reason, **more})

    # ---- as a web server

    def http(self, method, path, body=None, **headers):
        """(status, headers, octets)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            encoded = json.dumps(body).encode() if isinstance(body, dict) else body
            connection.request(method, path, encoded, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            octets = answer.read()
            openapi.check(method, path, answer.status, answer.getheader("Content-Type"), octets)
            return answer.status, dict(answer.getheaders()), octets
        finally:
            connection.close()

    def get(self, path, **headers):
        status, _, octets = self.http("GET", path, **headers)
        assert status == 200, (status, octets)
        return json.loads(octets)

    def post(self, path, body, status=200):
        found, _, octets = self.http("POST", path, body)
        assert found == status, (found, octets)
        return json.loads(octets)

    def find(self, query):
        """The subjects of what the search finds, oldest first."""
        from urllib.parse import quote
        return [each["subject"] for each in reversed(self.get(f"/api/v2/messages?query={quote(query)}")["messages"])]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)
        self.close()

    def close(self):
        for file in (self.process.stdin, self.process.stdout):
            try:
                file.close()
            except OSError:
                pass
        self.listener.close()
        self.log_file.close()
