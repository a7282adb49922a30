"""The nearest vectors: from the present Chroma generation, exactly for what is newer, or all exactly without one."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vectorstore import vectors
from vectorstore.catalog import Catalog
from vectorstore.errors import StoreError
from vectorstore.fulltext import passage_count
from vectorstore.lock import WriterLock
from vectorstore.rows import (
    Vectors,
    all_vectors,
    best_of,
    current_generation,
    gone_since,
    revision_of,
    vectors_of,
    worth_building,
)

logger = logging.getLogger(__name__)

# Passages that the generation names for each that is wanted; see `vectors` for what that finds.
_NAMED = 4


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the Chroma index has come: `indexed` of `passages` are in `generation` (0: none is built)."""

    generation: int
    indexed: int
    passages: int
    open: bool


@dataclass(frozen=True, slots=True)
class _Open:
    row: sqlite3.Row
    generation: vectors.Generation
    strays: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Scanned:
    """The vectors that a generation (0: none) does not find, at a revision of the catalog that has dropped `gone` others."""

    revision: int
    generation: int
    gone: int
    ids: list[int]
    matrix: NDArray[np.float32]


class VectorIndex:
    """The generations in a folder, and what of the catalog they do not hold."""

    def __init__(self, folder: Path, catalog: Catalog, lock: WriterLock) -> None:
        self._folder = folder
        self._catalog = catalog
        self._lock = lock
        self._guard = threading.Lock()
        self._wanted = False
        self._open: _Open | None = None
        self._scanned: _Scanned | None = None

    def close(self) -> None:
        with self._guard:
            if self._open is not None:
                self._open.generation.close()
            self._open = None
            self._wanted = False

    def state(self) -> IndexState:
        with self._catalog.snapshot() as connection:
            row = current_generation(connection)
            return IndexState(
                generation=0 if row is None else row["generation"],
                indexed=0 if row is None else row["passages"] - gone_since(connection, row),
                passages=passage_count(connection),
                open=self._open is not None,
            )

    def nearest(self, connection: sqlite3.Connection, vector: NDArray[np.float32], limit: int) -> dict[int, float]:
        """The passages nearest to a unit vector with their cosines, nearest first."""
        row = current_generation(connection) if self._wanted else None
        held = self._open
        if row is None or held is None or held.row["generation"] != row["generation"]:
            everything = self._scan(connection, None)
            return best_of(everything.ids, everything.matrix, vector, limit)
        others = self._scan(connection, held)
        try:
            named = held.generation.query(vector, min(_NAMED * limit + others.gone, held.row["stored"]))
        except Exception:
            logger.exception("Chroma did not answer; scanning the catalog's vectors instead.")
            everything = self._scan(connection, None)
            return best_of(everything.ids, everything.matrix, vector, limit)
        ids, matrix = _joined(vectors_of(connection, named), (others.ids, others.matrix))
        return best_of(ids, matrix, vector, limit)

    def refresh(self, *, force: bool = False) -> bool:
        """Build the next generation if enough passages are outside the present one; whether it was built."""
        with self._lock.held():
            with self._catalog.snapshot() as connection:
                if not force and not worth_building(connection):
                    return False
                ids, matrix = all_vectors(connection)
            with self._catalog.transaction() as connection:
                cursor = connection.execute(
                    "INSERT INTO generations (highest_passage_id, passages, stored, strays, manifest, built) "
                    "VALUES (?, 0, 0, '[]', '', '')",
                    (max(ids, default=0),),
                )
                number = int(cursor.lastrowid or 0)
            folder = self._folder / str(number)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            built = vectors.build(folder, ids, matrix)
            with self._catalog.transaction() as connection:
                connection.execute(
                    "UPDATE generations SET passages = ?, stored = ?, strays = ?, manifest = ?, built = ? "
                    "WHERE generation = ?",
                    (len(ids), built.stored, json.dumps(built.strays), json.dumps(built.manifest),
                     datetime.now(UTC).isoformat(timespec="seconds"), number),
                )  # fmt: skip
                connection.execute("DELETE FROM generations WHERE generation < ?", (number,))
            self._clear_folders(keep=number)
        logger.info("index generation %d built with %d passages", number, len(ids))
        if self._wanted:
            self.open()
        return True

    def open(self) -> bool:
        """Prove the present generation against its manifest and answer from it; build one if there is none.

        Until this has returned, and whenever it fails, searches scan the catalog's vectors exactly.
        """
        self._wanted = True
        for _ in range(2):
            with self._catalog.snapshot() as connection:
                row = current_generation(connection)
            if row is not None:
                try:
                    self._open_generation(row)
                    return True
                except StoreError as error:
                    logger.warning("%s It is being rebuilt from the catalog.", error)
                except Exception:
                    logger.exception(
                        "The index generation %d cannot be opened; it is being rebuilt.", row["generation"]
                    )
            if passage_count(self._catalog.connection()) == 0:
                return False
            self._wanted = False
            self.refresh(force=True)
            self._wanted = True
        return False

    def _open_generation(self, row: sqlite3.Row) -> None:
        folder = self._folder / str(row["generation"])
        vectors.check(folder, json.loads(row["manifest"]))
        generation = vectors.Generation(folder)
        if generation.count() != row["stored"]:
            generation.close()
            raise vectors.GenerationDamaged(f"The index folder {folder} has lost passages.")
        with self._guard:
            previous, self._open = self._open, _Open(row, generation, tuple(json.loads(row["strays"])))
            self._scanned = None
        if previous is not None:
            previous.generation.close()

    def _scan(self, connection: sqlite3.Connection, held: _Open | None) -> _Scanned:
        """What a generation does not find, or everything for None; kept until the catalog changes."""
        revision, generation = revision_of(connection), held.row["generation"] if held else 0
        with self._guard:
            kept = self._scanned
            if kept is None or (kept.revision, kept.generation) != (revision, generation):
                gone = gone_since(connection, held.row) if held else 0
                ids, matrix = all_vectors(connection, held.row["highest_passage_id"] if held else 0)
                if held:
                    ids, matrix = _joined(vectors_of(connection, held.strays), (ids, matrix))
                kept = self._scanned = _Scanned(revision, generation, gone, ids, matrix)
            return kept

    def _clear_folders(self, *, keep: int) -> None:
        for folder in self._folder.iterdir():
            if folder.name != str(keep):
                shutil.rmtree(folder, ignore_errors=True)


def _joined(first: Vectors, second: Vectors) -> Vectors:
    if not first[0] or not second[0]:
        return first if first[0] else second
    return [*first[0], *second[0]], np.concatenate([first[1], second[1]])
