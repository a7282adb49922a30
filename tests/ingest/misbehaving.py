"""A reader that does what the file says, for `test_isolation.py`; it runs in the process that reads files."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ingest.readers.effort import supervisor
from vectorstore.passage import Document, Passage


def prepare(data: bytes, source: str) -> tuple[Document, tuple[Passage, ...]]:
    """The document that the bytes name, or a misdeed."""
    word, _, rest = data.decode().partition(":")
    text = _DEEDS[word](rest)
    return Document(source, "text/plain", text), (Passage(0, 0, len(text)),)


def _memory(size: str) -> str:
    return f"took {len(bytearray(int(size) * 2**20))}"


def _recognised_memory(size: str) -> str:
    supervisor().text_recognition()
    return _memory(size)


def _aborted(_: str) -> str:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def _loop(_: str) -> str:
    while True:
        pass


def _pages(rest: str) -> str:
    count, seconds = rest.split(",")
    for number in range(1, int(count) + 1):
        time.sleep(float(seconds))
        supervisor().page(number, int(count))
    return f"{count} pages"


def _same_page(_: str) -> str:
    while True:
        time.sleep(0.05)
        supervisor().page(1, 2)


def _flood(size: str) -> str:
    return "文" * (int(size) * 2**20 // 3)


def _error_flood(_: str) -> str:
    for _ in range(2000):
        os.write(2, b"x" * 1024)
    return "said much"


def _frame(rest: str) -> str:
    """Write bytes of one's own to the parent, as a reader that was taken over can."""
    payload = rest.encode()
    _to_parent(struct.pack(">I", len(payload)) + payload)
    time.sleep(30)
    return ""


def _garbage(rest: str) -> str:
    _to_parent(bytes.fromhex(rest))
    os._exit(0)


def _to_parent(data: bytes) -> None:
    for number in range(3, 20):
        try:
            os.write(number, data)
        except OSError:
            continue


def _started(_: str) -> str:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return str(child.pid)


def _failed(_: str) -> str:
    raise KeyError("the file's own words")


def _network(port: str) -> str:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5):
        return "connected"


def _written(size: str) -> str:
    Path("big").write_bytes(b"0" * (int(size) * 2**20))
    return "written"


_DEEDS: dict[str, Callable[[str], str]] = {
    "text": str,
    "memory": _memory,
    "recognised": _recognised_memory,
    "aborted": _aborted,
    "loop": _loop,
    "pages": _pages,
    "same page": _same_page,
    "segfault": lambda _: str(ctypes.string_at(0)),
    "killed": lambda _: str(os.kill(os.getpid(), signal.SIGKILL)),
    "gone": lambda _: os._exit(0),
    "flood": _flood,
    "errors": _error_flood,
    "frame": _frame,
    "garbage": _garbage,
    "environment": lambda _: json.dumps(dict(os.environ)),
    "directory": lambda _: str(Path.cwd()),
    "process": lambda _: str(os.getpid()),
    "started": _started,
    "failed": _failed,
    "network": _network,
    "written": _written,
}
