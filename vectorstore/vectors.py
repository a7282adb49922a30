"""The Chroma collection: immutable generations of it in folders, each proven before it is used.

Chroma keeps its vectors in memory, so a generation holds them along their principal axes only, and names more passages
than are wanted: their exact cosines are computed from the catalog's vectors.

A generation is built once from the catalog's vectors into a folder of its own, made to find every one of them, and
closed; a manifest of its files' hashes goes into the catalog. Nothing is ever added to it, so no crash can catch it
half-written: passages that came later are scanned exactly until the next generation takes their place. A folder
whose files do not match the manifest, the pickle among them, is never opened. (Chroma updated in place was left
broken or silently incomplete by 67 of 130 kills aimed at the moment it persists.) `chroma_server` keeps generations on
a server instead, and shares with this file what does not depend on that.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectorstore.errors import StoreError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

_COLLECTION = "passages"
_AXES_FILE = "axes.npy"
_AXES = 96  # they hold 77 % of the squared length of the bundled encoder's 256 dimensions
_BATCH = 2000  # Chroma refuses more than 5461 rows at once
_MOVED = 1000  # rows that Chroma collects before it puts them into the graph
_WRITES = 3  # times that Chroma writes the growing graph out while it is built; by default every thousand rows
# Rows after which Chroma writes at all. What it never wrote it makes anew at each opening, and not byte for byte the same.
_FEWEST = 2
_FOUND = 1e-5  # cosine distance under which a vector counts as having found itself (float32 rounding is 1e-6)
_SHORTEST = 1e-3  # length along the axes under which a unit vector counts as orthogonal to them
_BOOKKEEPING = "chroma.sqlite3"  # Chroma rewrites its header at every opening, so it is checked instead of hashed


class GenerationDamaged(StoreError):
    """A generation is not as it was built; the next generation replaces it."""


class IndexUnavailable(StoreError):
    """What keeps the generations does not answer, which says nothing about them."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a finished build says of itself; `strays` are ids that the index does not find, `stored` how many it holds."""

    manifest: dict[str, Any]
    strays: tuple[int, ...]
    stored: int


class Collected:
    """A generation's collection, and the principal axes that its vectors lie along, shape (dimension, axes)."""

    def __init__(self, collection: Collection, axes: NDArray[np.float32], *, batch: int = _BATCH) -> None:
        self.axes = axes
        self._collection = collection
        self._batch = batch

    def count(self) -> int:
        return self._collection.count()

    def query(self, vector: NDArray[np.float32], limit: int) -> list[int]:
        """The ids of the passages that are nearest to a unit vector along the axes, nearest first."""
        along_axes = along(vector[np.newaxis], self.axes)
        found = self._collection.query(query_embeddings=along_axes, n_results=limit, include=[])
        return [int(key) for key in found["ids"][0]]

    def put(self, ids: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Store vectors along the axes."""
        rows = _rows_and_threshold(len(ids), self._batch)[0]
        for first in range(0, len(ids), rows):
            batch = slice(first, first + rows)
            self._collection.upsert(ids=[str(number) for number in ids[batch]], embeddings=vectors[batch])

    def unfound(self, ids: Sequence[int], vectors: NDArray[np.float32]) -> list[int]:
        """Query every vector (along the axes) for itself; the ids that are not found, a twin of equal vector counting."""
        strays: list[int] = []
        for first in range(0, len(ids), self._batch):
            batch = slice(first, first + self._batch)
            found = self._collection.query(query_embeddings=vectors[batch], n_results=1, include=["distances"])
            for number, far in zip(ids[batch], found["distances"] or [], strict=True):
                if not len(far) or far[0] > _FOUND:
                    strays.append(number)
        return strays

    def close(self) -> None:
        """Let go of what only this generation holds."""


class Generation(Collected):
    """An open generation in a folder; only folders that `check` has passed may be opened."""

    def __init__(self, folder: Path) -> None:
        self._client = _client(folder)
        super().__init__(
            self._client.get_collection(_COLLECTION, embedding_function=None),
            np.load(folder / _AXES_FILE, allow_pickle=False),
        )

    def sample(self, limit: int) -> tuple[list[int], NDArray[np.float32]]:
        """Some ids with their vectors along the axes."""
        found = self._collection.get(limit=limit, include=["embeddings"])
        return [int(key) for key in found["ids"]], np.asarray(found["embeddings"], dtype=np.float32)

    def close(self) -> None:
        self._client.close()  # type: ignore[attr-defined]


def build(folder: Path, ids: Sequence[int], vectors: NDArray[np.float32]) -> Built:
    """Build and prove a generation in an empty folder; `vectors` is (n, dimension), rows of length 1 or 0."""
    axes = principal_axes(vectors)
    np.save(folder / _AXES_FILE, axes)
    stored, vectors, bare = split(ids, along(vectors, axes))
    _fill(folder, axes, stored, vectors)
    generation = Generation(folder)
    try:
        strays = generation.unfound(stored, vectors)
    finally:
        generation.close()
    return Built(_manifest(folder), (*strays, *bare), len(stored))


def _fill(folder: Path, axes: NDArray[np.float32], ids: Sequence[int], vectors: NDArray[np.float32]) -> None:
    client = _client(folder)
    try:
        collection = Collected(
            client.create_collection(_COLLECTION, embedding_function=None, configuration=configuration(len(ids))), axes
        )
        for _ in range(_FEWEST if len(ids) < _FEWEST else 1):
            collection.put(ids, vectors)
    finally:
        client.close()  # type: ignore[attr-defined]


def configuration(count: int, batch: int = _BATCH) -> CreateCollectionConfiguration:
    """How Chroma is to keep a collection that gets this many vectors, `batch` at once at most."""
    threshold = _rows_and_threshold(count, batch)[1]
    return {
        "hnsw": {
            "space": "cosine",
            "ef_construction": 100,
            "ef_search": 100,
            "batch_size": min(_MOVED, threshold),
            "sync_threshold": threshold,
        }
    }


def _rows_and_threshold(count: int, batch: int) -> tuple[int, int]:
    """Rows to store at once, and rows after which Chroma writes, such that its last write comes with the last row.

    What it has not written it puts into the graph anew at each opening: 44,000 of 140,000 rows took 16 processor seconds.
    """
    if count <= batch:
        return batch, max(_FEWEST, count // _WRITES)
    requests = -(-count // (_WRITES * batch))  # of one write
    rows = -(-count // (_WRITES * requests))
    return rows, count - (_WRITES - 1) * requests * rows


def check(folder: Path, manifest: dict[str, str]) -> None:
    """Raises: GenerationDamaged."""
    if _AXES_FILE not in manifest:
        raise GenerationDamaged(f"The index folder {folder} was built by an earlier version.")
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


def principal_axes(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The directions in which the vectors are longest, shape (dimension, axes); not centred, as cosines are not."""
    _, directions = np.linalg.eigh(vectors.T @ vectors)  # the longest come last
    return np.ascontiguousarray(directions[:, ::-1][:, :_AXES], dtype=np.float32)


def along(vectors: NDArray[np.float32], axes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors along the axes, shape (n, axes), rows of length 1, or 0 where they are orthogonal to all of them."""
    projected = vectors @ axes
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    found: NDArray[np.float32] = np.zeros_like(projected)
    np.divide(projected, lengths, out=found, where=lengths > _SHORTEST)
    return found


def split(ids: Sequence[int], vectors: NDArray[np.float32]) -> tuple[list[int], NDArray[np.float32], list[int]]:
    """The ids and the vectors that have a direction along the axes, and the ids of those that are orthogonal to all."""
    usable: NDArray[np.bool_] = np.any(vectors, axis=1)
    stored = [number for number, keep in zip(ids, usable, strict=True) if keep]
    bare = [number for number, keep in zip(ids, usable, strict=True) if not keep]
    return stored, vectors[usable], bare


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
