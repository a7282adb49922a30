"""The Chroma collection: immutable generations of it, each proven before it is used.

A generation is built once from the catalog's vectors into a folder of its own, made to find every one of them, and
closed; a manifest of its files' hashes goes into the catalog. Nothing is ever added to it, so no crash can catch it
half-written: passages that came later are scanned exactly until the next generation takes their place. A folder
whose files do not match the manifest, the pickle among them, is never opened. (Chroma updated in place was left
broken or silently incomplete by 67 of 130 kills aimed at the moment it persists.)
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vectorstore.errors import StoreError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_COLLECTION = "passages"
_BATCH = 2000  # Chroma refuses more than 5461 rows at once
_MOVED = 1000  # rows that Chroma collects before it puts them into the graph
_WRITES = 3  # times that Chroma writes the growing graph out while it is built; by default every thousand rows
_FOUND = 1e-3  # cosine distance under which a vector counts as having found itself (float32 rounding is 1e-6)
_BOOKKEEPING = "chroma.sqlite3"  # Chroma rewrites its header at every opening, so it is checked instead of hashed


class GenerationDamaged(StoreError):
    """The folder of a generation is not as it was built; the next generation replaces it."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a finished build says of itself; `strays` are ids that the approximate index does not find by itself."""

    manifest: dict[str, str]
    strays: tuple[int, ...]


def build(folder: Path, ids: Sequence[int], vectors: NDArray[np.float32]) -> Built:
    """Build and prove a generation in an empty folder; `vectors` is (n, dimension), rows of unit length."""
    client = _client(folder)
    threshold = max(_MOVED, len(ids) // _WRITES)
    try:
        collection = client.create_collection(
            _COLLECTION,
            embedding_function=None,
            configuration={
                "hnsw": {
                    "space": "cosine",
                    "ef_construction": 100,
                    "ef_search": 200,
                    "batch_size": min(_MOVED, threshold),
                    "sync_threshold": threshold,
                }
            },
        )
        for first in range(0, len(ids), _BATCH):
            batch = slice(first, first + _BATCH)
            collection.upsert(ids=[str(number) for number in ids[batch]], embeddings=vectors[batch])
    finally:
        client.close()  # type: ignore[attr-defined]
    generation = Generation(folder)
    try:
        strays = generation.prove(ids, vectors)
    finally:
        generation.close()
    return Built(manifest=_manifest(folder), strays=strays)


def check(folder: Path, manifest: dict[str, str]) -> None:
    """Raises: GenerationDamaged."""
    found = _manifest(folder)
    changed = sorted(name for name in manifest.keys() | found.keys() if manifest.get(name) != found.get(name))
    if changed:
        raise GenerationDamaged(f"The index folder {folder} is not as it was built ({', '.join(changed)}).")
    try:
        connection = sqlite3.connect(f"file:{folder / _BOOKKEEPING}?mode=ro", uri=True)
        try:
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise GenerationDamaged(f"The index folder {folder} is damaged: {error}.") from error
    if verdict != "ok":
        raise GenerationDamaged(f"The index folder {folder} is damaged: {verdict}.")


class Generation:
    """An open generation; only folders that `check` has passed may be opened."""

    def __init__(self, folder: Path) -> None:
        self._client = _client(folder)
        self._collection: Collection = self._client.get_collection(_COLLECTION, embedding_function=None)

    def count(self) -> int:
        return self._collection.count()

    def query(self, vector: NDArray[np.float32], limit: int) -> dict[int, float]:
        """The ids nearest to a unit vector with their cosines."""
        found = self._collection.query(query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"])
        distances = found["distances"]
        if distances is None:
            return {}
        return {int(key): 1.0 - float(far) for key, far in zip(found["ids"][0], distances[0], strict=True)}

    def prove(self, ids: Sequence[int], vectors: NDArray[np.float32]) -> tuple[int, ...]:
        """Query every vector for itself; the ids of those that are not found (a twin of equal vector counts)."""
        strays: list[int] = []
        for first in range(0, len(ids), _BATCH):
            batch = slice(first, first + _BATCH)
            found = self._collection.query(query_embeddings=vectors[batch], n_results=1, include=["distances"])
            for number, far in zip(ids[batch], found["distances"] or [], strict=True):
                if not len(far) or far[0] > _FOUND:
                    strays.append(number)
        return tuple(strays)

    def close(self) -> None:
        self._client.close()  # type: ignore[attr-defined]


def _client(folder: Path) -> ClientAPI:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))


def _manifest(folder: Path) -> dict[str, str]:
    manifest: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(_BOOKKEEPING):
            with path.open("rb") as file:
                manifest[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return manifest
