"""A language model's endpoint that fails, and says in its errors what it was sent: the key and the messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

STATUSES: Final = (422, 400, 401, 500)
"""The statuses of its errors, in turn: what is refused is told on by the program, and the others are named."""


class _Failing(BaseHTTPRequestHandler):
    """Answers each request with an error that holds the key and the last message."""

    asked = 0

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = f"wrong key {self.headers['Authorization']} for: {sent['messages'][-1]['content'].split()[-1]}"
        body = json.dumps({"error": {"message": told}}, ensure_ascii=False).encode()
        self.send_response(STATUSES[type(self).asked % len(STATUSES)])
        type(self).asked += 1
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is written."""


@contextmanager
def failing_model() -> Iterator[str]:
    """The endpoint until the block ends; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Failing)
    thread = threading.Thread(target=server.serve_forever, name="failing-model")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
