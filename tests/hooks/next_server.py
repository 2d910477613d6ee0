"""A mail server for the tests of relay: it answers what it is told to, and keeps what it heard."""

import contextlib
import socket
import ssl
import threading


class NextServer:
    """`answers`: by the beginning of a command, "DATA" and "." among them, else 250. `extensions`: of EHLO. An answer of
    None closes the connection. `tls`: an SSLContext for STARTTLS, or from the first octet on if `implicit`."""

    def __init__(self, extensions=("8BITMIME", "SIZE"), tls=None, implicit=False, **answers):
        self.extensions, self.tls, self.implicit, self.answers = list(extensions), tls, implicit, answers
        self.lines, self.messages = [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        if self.implicit:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except ssl.SSLError:  # the client did not like it
                return
        file = connection.makefile("rwb")

        def say(text):
            with contextlib.suppress(ConnectionError):  # the client need not have waited
                file.write(text.encode() + b"\r\n")
                file.flush()

        say(self.answers.get("greeting", "220 next.test"))
        while line := file.readline():
            command = line.decode(errors="replace").rstrip("\r\n")
            self.lines.append(command)
            verb = command.split(" ")[0].upper()
            answer = next((self.answers[key] for key in self.answers if command.upper().startswith(key.upper())), "250 2.0.0 OK")
            if answer is None:
                connection.close()
                return
            if verb == "EHLO":
                words = ["next.test", *self.extensions, *(["STARTTLS"] if self.tls and not self.implicit else [])]
                answer = "\r\n".join(["250-" + word for word in words[:-1]] + ["250 " + words[-1]])
            if verb == "STARTTLS":
                say("220 go")
                try:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                except ssl.SSLError:  # the client did not like it
                    return
                file = connection.makefile("rwb")
                continue
            if verb == "DATA" and answer.startswith("250"):
                say("354 go")
                message = b""
                while (line := file.readline()) != b".\r\n":
                    message += line.removeprefix(b".")
                self.messages.append(message)
                answer = self.answers.get("end", "250 2.0.0 taken")
                if answer is None:
                    connection.close()
                    return
            say(answer)
            if verb == "QUIT":
                connection.close()
                return

    def close(self):
        self.socket.close()
