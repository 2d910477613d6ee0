"""A web server for the tests: it keeps what is posted, and answers what it is told to."""

import email
import http.server
import json
import queue
import threading


class WebServer:
    """`statuses` are given one after the other, then 200. A status of 0 closes the connection without an answer."""

    def __init__(self, network, statuses=(), port=0, tls=None):
        self.statuses, self.posts = list(statuses), queue.Queue()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.statuses.pop(0) if outer.statuses else 200
                outer.posts.put(Post(status, self.path, self.headers, body))
                if status:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                self.close_connection = True

            def log_message(self, *_):
                pass

        with network:
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def post(self, seconds=20):
        return self.posts.get(timeout=seconds)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Post:
    def __init__(self, status, path, headers, body):
        self.status, self.path, self.headers = status, path, headers
        self.key = headers["Idempotency-Key"]
        boundary = headers["Content-Type"].partition("boundary=")[2].encode()
        first, second = body.removesuffix(b"\r\n--" + boundary + b"--\r\n").split(b"--" + boundary + b"\r\n")[1:]
        self.request = json.loads(first.removesuffix(b"\r\n").partition(b"\r\n\r\n")[2])
        head, _, self.message = second.partition(b"\r\n\r\n")
        assert email.message_from_bytes(head).get_filename() == "message.eml"
