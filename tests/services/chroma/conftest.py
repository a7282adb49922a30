"""A Chroma server, a proxy before it, and knowledge bases on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.services.chroma_bases import (
    COLLECTIONS,
    Drawn,
    Opening,
    names,
)
from tests.services.chroma_server import ChromaServer, Proxy, chroma_server, proxy_before
from vectorstore import lookout
from vectorstore.place import Place
from vectorstore.store import PolicyStore


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    with chroma_server(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def server(running: ChromaServer, monkeypatch: pytest.MonkeyPatch) -> ChromaServer:
    """The server with nothing on it, and knowledge bases that look at it often."""
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(lookout, "RETRY_SECONDS", 0.3)
    for name in names(running):
        httpx.delete(f"{running.url}{COLLECTIONS}/{name}").raise_for_status()
    return running


@pytest.fixture
def proxy(server: ChromaServer) -> Iterator[Proxy]:
    with proxy_before(server) as proxy:
        yield proxy


@pytest.fixture
def opening(tmp_path: Path, server: ChromaServer) -> Iterator[Opening]:
    """Opens knowledge bases on the server, by name or in the folder `kb`, and closes them."""
    with contextlib.ExitStack() as opened:

        def open_store(name: str = "kb", *, url: str | None = None, **headers: str) -> PolicyStore:
            place = Place(tmp_path / name, chroma=url or server.url, chroma_headers=headers)
            store = PolicyStore(place, encoder=Drawn())
            opened.callback(store.close)
            return store

        yield open_store
