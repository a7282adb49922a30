"""A Chroma server on this machine that can be killed and started again, and a proxy before it."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STARTING_SECONDS = 60.0


class ChromaServer:
    """`chroma run` with its data in a folder and always on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers."""
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self._folder)]
        self._process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        give_up = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < give_up:
            assert self._process.poll() is None, "the Chroma server has ended"
            try:
                with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        self.kill()
        raise TimeoutError("the Chroma server does not answer")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def chroma_server(folder: Path) -> Iterator[ChromaServer]:
    """A server that runs, and is ended at last."""
    server = ChromaServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Proxy:
    """Forwards to a server below the path `/behind` what carries the header `X-Token: letmein`, and refuses the rest.

    While `silent` is set it takes requests and does not answer them. `asked` counts what came in.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.silent = threading.Event()
        self._ended = threading.Event()
        self.asked = 0
        self.refused = 0
        self.largest = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/behind"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def forward(self) -> None:
                proxy.asked += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.largest = max(proxy.largest, len(body))
                if proxy.silent.is_set():
                    proxy._ended.wait(30)
                    self.close_connection = True
                    return
                if self.headers.get("X-Token") != "letmein" or not self.path.startswith("/behind/"):
                    proxy.refused += 1
                    self.answer(403, b"not you")
                    return
                connection = http.client.HTTPConnection("127.0.0.1", proxy._port, timeout=60)
                try:
                    headers = {"Content-Type": "application/json"}
                    connection.request(self.command, self.path.removeprefix("/behind"), body, headers)
                    reply = connection.getresponse()
                    self.answer(reply.status, reply.read())
                except OSError:
                    self.answer(502, b"nobody there")
                finally:
                    connection.close()

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = do_PUT = forward

            def log_message(self, *args: object) -> None:
                """Nothing."""

        return Handler


@contextmanager
def proxy_before(server: ChromaServer) -> Iterator[Proxy]:
    """A proxy that runs, and is ended at last."""
    proxy = Proxy(server.port)
    try:
        yield proxy
    finally:
        proxy.close()
