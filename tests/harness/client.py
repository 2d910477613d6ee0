"""An SMTP client that says exactly the bytes it is told to say."""

import contextlib
import socket
import ssl


class Reply(str):
    """All lines of one reply, joined by "\\n", without CRLF."""

    @property
    def code(self) -> int:
        return int(self[:3])


class Client:
    def __init__(self, network: contextlib.AbstractContextManager, port: int = 25, address: str = "127.0.0.1",
                 source: str | None = None, timeout: float = 20) -> None:
        with network:
            self.socket = socket.create_connection((address, port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def read_line(self) -> str:
        while b"\n" not in self.unread:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError(f"closed after {self.unread!r}")
            self.unread += piece
        line, _, self.unread = self.unread.partition(b"\n")
        assert line.endswith(b"\r"), f"a line without CR: {line!r}"
        return line[:-1].decode("ascii")

    def reply(self) -> Reply:
        lines = [self.read_line()]
        while lines[-1][3:4] == "-":
            lines.append(self.read_line())
        assert all(line[:3] == lines[0][:3] for line in lines), lines
        return Reply("\n".join(lines))

    def start_tls(self, context: ssl.SSLContext, name: str = "127.0.0.1") -> None:
        """The handshake. What was read before it stays where it is."""
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    def say(self, line: bytes | str) -> Reply:
        """One command, CRLF added, and its reply."""
        self.send((line if isinstance(line, bytes) else line.encode("latin-1")) + b"\r\n")
        return self.reply()

    def expect(self, line: bytes | str, start: str) -> Reply:
        reply = self.say(line)
        assert reply.startswith(start), f"to {line!r} came {reply!r}, not {start!r}"
        return reply

    def greet(self, name: str = "client.test") -> Reply:
        greeting = self.reply()
        assert greeting.code == 220, greeting
        return self.expect(f"EHLO {name}", "250")

    def message(self, body: bytes | str = "Subject: x\r\n\r\nhello\r\n", sender: str = "a@client.test",
                recipients: tuple[str, ...] = ("b@dev.test",)) -> Reply:
        """One transaction; the reply to its end. `body` comes as it shall be on the wire, without the final dot."""
        self.expect(f"MAIL FROM:<{sender}>", "250")
        for recipient in recipients:
            self.expect(f"RCPT TO:<{recipient}>", "250")
        self.expect("DATA", "354")
        self.send(body)
        return self.say(".")

    def at_end(self) -> bool:
        """Whether the server closes, without a further byte."""
        try:
            return not self.unread and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


@contextlib.contextmanager
def session(network: contextlib.AbstractContextManager, **options):
    """A client that has said EHLO."""
    with Client(network, **options) as client:
        client.greet()
        yield client
