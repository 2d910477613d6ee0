"""A server that says what it is told to say: for what hooksmtpd would not do."""

import contextlib
import socket
import threading


class FakeServer:
    """One connection on a unix socket. `script`: what is said, one reply for each line of the client; None closes, and so
    does QUIT."""

    def __init__(self, path: str, script: list[bytes | None]) -> None:
        self.name, self.script, self.heard = f"unix:{path}", script, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(10)
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self) -> "FakeServer":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join()
        self.listener.close()

    def serve(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except TimeoutError:
            return
        connection.settimeout(10)
        with connection, connection.makefile("rb") as lines, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for words in self.script:
                if words is None:
                    return
                connection.sendall(words)
                while line := lines.readline():
                    self.heard.append(line)
                    if not words.startswith(b"354") or line == b".\r\n":
                        break
                if line == b"QUIT\r\n":
                    return
            lines.read()
