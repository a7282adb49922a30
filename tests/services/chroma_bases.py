"""Knowledge bases of drawn vectors, and what tests ask of them and of a Chroma server."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.services.chroma_server import ChromaServer
from vectorstore.errors import StoreError
from vectorstore.passage import Document, Passage
from vectorstore.store import PolicyStore

PATIENCE = 30.0  # seconds for what a thread does by itself
AT_ONCE = 0.5  # seconds; these searches take milliseconds
TIMED_OUT = 3.0  # seconds; a search waits one for each step of a request
COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"

Opening = Callable[..., PolicyStore]


class Drawn:
    """An encoder that draws a vector for each text, whatever its heading; they lie along some directions more than along others."""

    name = "drawn"
    dimension = 256

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        lengths = 1 / np.arange(1, self.dimension + 1) ** 0.7
        seeds = [
            int.from_bytes(hashlib.sha256(text.rpartition("｜")[2].strip().encode()).digest()[:4]) for text in texts
        ]
        rows = np.array([np.random.default_rng(seed).normal(size=self.dimension) * lengths for seed in seeds])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.encode([text])[0]
        return vector


def put(store: PolicyStore, key: str, count: int) -> None:
    """A document of so many passages."""
    lines = [f"{key}{number}" for number in range(count)]
    text = "\n".join(lines)
    starts = np.cumsum([0, *(len(line) + 1 for line in lines)]).tolist()
    passages = [Passage(place, starts[place], starts[place] + len(line)) for place, line in enumerate(lines)]
    document = Document(f"{key}.txt", "text/plain", text)
    store.put(document, passages, key=key, sha256=hashlib.sha256(text.encode()).hexdigest())


def nearest(store: PolicyStore, vector: NDArray[np.float32], limit: int = 10) -> list[int]:
    with store.catalog.snapshot() as connection:
        return list(store.index.nearest(connection, vector, limit))


def found(store: PolicyStore, text: str) -> bool:
    """Whether the passage of this text is the nearest to it."""
    (best,) = nearest(store, store.encoder.encode([text])[0], 1)
    with store.catalog.snapshot() as connection:
        row = connection.execute("SELECT * FROM passages WHERE passage_id = ?", (best,)).fetchone()
    return store.text(row["document_id"], row["version"])[row["start"] : row["end"]] == text


def names(server: ChromaServer) -> list[str]:
    return sorted(each["name"] for each in httpx.get(server.url + COLLECTIONS).raise_for_status().json())


def collection(server: ChromaServer, name: str) -> dict[str, Any]:
    described: dict[str, Any] = httpx.get(f"{server.url}{COLLECTIONS}/{name}").raise_for_status().json()
    return described


def becomes(state: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + PATIENCE
    while not state() and time.monotonic() < give_up:
        time.sleep(0.02)
    return state()


def timed(search: Callable[[], object]) -> float:
    start = time.monotonic()
    search()
    return time.monotonic() - start


def refused(step: Callable[[], object]) -> None:
    with pytest.raises(StoreError, match="Chroma server"):
        step()


def in_use(store: PolicyStore) -> bool:
    return store.index_state().open
