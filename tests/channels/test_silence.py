"""Connections that ask for nothing, or too slowly: they are closed in time, and those that do ask are not."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from channels import guard

SECONDS = 1.0  # instead of half a minute
GRACE = 3.0


SCRIPT = f"""
import asyncio
from fastapi import FastAPI
from channels import server

server.HEAD_SECONDS = {SECONDS}
app = FastAPI()

@app.get("/slow")
async def slow():
    await asyncio.sleep({SECONDS + 1.5})
    return "done"

@app.get("/quick")
async def quick():
    return "done"

class Assistant:
    def warm_up(self):
        pass

server.serve(app, Assistant(), host="127.0.0.1", port=0)
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline().rpartition(":")[2])
        process.kill()


def closed_within(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nX-Slow: ", b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_connection_that_asks_for_nothing_more_is_closed(port: int, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(said)
        assert closed_within(connection, SECONDS + GRACE)


def test_an_answer_that_takes_longer_is_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        heard = b""
        while not heard.endswith(b'"done"'):
            heard += connection.recv(4096)


def test_a_connection_that_goes_on_asking_stays(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for _ in range(8):
            connection.sendall(b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n")
            heard = b""
            while not heard.endswith(b'"done"'):
                piece = connection.recv(4096)
                assert piece
                heard += piece
            time.sleep((SECONDS + GRACE) / 8)


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_a_body_that_is_too_slow_ends_its_connection(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    sent: list[Any] = []

    async def nothing() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/gradio_api/queue/join", "query_string": b""}
    asyncio.run(shelf.app()({**scope, "headers": [(b"host", b"127.0.0.1")]}, nothing, send))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
