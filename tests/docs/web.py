"""A web server for a hook that posts."""

import http.server


class Posted(http.server.BaseHTTPRequestHandler):
    """It keeps what comes, and says 200 to the first and 503 to the others; forget() begins anew."""

    bodies: list[bytes] = []

    @classmethod
    def forget(cls) -> type["Posted"]:
        cls.bodies = []
        return cls

    def do_POST(self):
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200 if len(self.bodies) == 1 else 503)
        self.end_headers()

    def log_message(self, *_):
        pass
