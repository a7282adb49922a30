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
from vectorstore.proving import prove
from vectorstore.room import check_room, index_bytes, remove
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
        self._proven = 0  # the generation that this process has built, or proven
        self._followed = 0  # the one of another process that this one has tried to open
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
            if row is not None and held is not None:
                self._follow(row)
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
        """Build the next generation if enough passages are outside the present one; whether it was built.

        Raises:
            StoreLocked: another process writes.
            StoreError: the disk has too little room, or was full before it was built; the present one stays.
        """
        with self._lock.held():
            with self._catalog.snapshot() as connection:
                if not force and not worth_building(connection):
                    return False
                ids, matrix = all_vectors(connection)
                present = current_generation(connection)
            self._clear_folders(keep=present["generation"] if present else 0)
            check_room(
                self._folder, index_bytes(len(ids)), f"the index of {len(ids):,} passages (searches go without it)"
            )
            number = self._build(ids, matrix)
            self._clear_folders(keep=number)
        logger.info("index generation %d built with %d passages", number, len(ids))
        if self._wanted:
            self.open()
        return True

    def _build(self, ids: list[int], matrix: NDArray[np.float32]) -> int:
        """Build a generation beside the present one and make it the present one; its number."""
        with self._catalog.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO generations (highest_passage_id, passages, stored, strays, manifest, built) "
                "VALUES (?, 0, 0, '[]', '', '')",
                (max(ids, default=0),),
            )
            number = int(cursor.lastrowid or 0)
        folder = self._folder / str(number)
        try:
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
        except StoreError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except Exception as error:  # Chroma's own, and the disk's
            shutil.rmtree(folder, ignore_errors=True)
            raise StoreError(
                f"The index could not be built in {folder}: {error}. Nothing is lost: searches go without it. Free disk "
                "space and check the folder's permissions, then run `zhice reindex`."
            ) from error
        self._proven = number
        return number

    def open(self) -> bool:
        """Prove the present generation and answer from it; build one if there is none or it is damaged.

        Until this has returned, and whenever it fails, searches scan the catalog's vectors exactly.

        Raises:
            StoreLocked: a generation has to be built, and another process writes.
            StoreError: it cannot be built.
        """
        self._wanted = True
        for _ in range(2):
            with self._catalog.snapshot() as connection:
                row = current_generation(connection)
            if row is not None:
                try:
                    self._open_generation(row)
                    return True
                except Exception as error:
                    logger.warning("%s It is being rebuilt from the catalog.", error)
                self._forget(row["generation"])
            if passage_count(self._catalog.connection()) == 0:
                return False
            self._wanted = False
            self.refresh(force=True)
            self._wanted = True
        return False

    def examine(self) -> str:
        """What is wrong with the present generation, in a sentence; nothing if it is sound. It is not opened here."""
        with self._catalog.snapshot() as connection:
            row = current_generation(connection)
            count = passage_count(connection)
        if row is None:
            return "There is none yet." if count else ""
        try:
            self._check(row)
        except StoreError as error:
            return str(error)
        return ""

    def strays(self) -> list[Path]:
        """What lies in the index folder and is not the present generation."""
        row = current_generation(self._catalog.connection())
        return self._others(row["generation"] if row else 0)

    def _follow(self, row: sqlite3.Row) -> None:
        """Open what another process has built, once, and without holding up the search that has noticed it."""
        with self._guard:
            if row["generation"] in (self._followed, self._proven):
                return
            self._followed = row["generation"]
        threading.Thread(target=self._open_followed, args=(row,), name="index", daemon=True).start()

    def _open_followed(self, row: sqlite3.Row) -> None:
        try:
            self._open_generation(row)
        except Exception as error:
            logger.warning("%s Searches scan exactly; `zhice doctor --fix` rebuilds it.", error)
        if not self._wanted:
            self.close()

    def _open_generation(self, row: sqlite3.Row) -> None:
        self._check(row)
        generation = vectors.Generation(self._folder / str(row["generation"]))
        with self._guard:
            previous, self._open = self._open, _Open(row, generation, tuple(json.loads(row["strays"])))
            self._scanned = None
        if previous is not None:
            previous.generation.close()

    def _check(self, row: sqlite3.Row) -> None:
        """Raises: GenerationDamaged."""
        folder = self._folder / str(row["generation"])
        vectors.check(folder, json.loads(row["manifest"]))
        if row["generation"] != self._proven:
            prove(folder, row["stored"])
            self._proven = row["generation"]

    def _forget(self, number: int) -> None:
        """Give a damaged generation up, so that its room is free for the next."""
        with self._lock.held(), self._catalog.transaction() as connection:
            connection.execute("DELETE FROM generations WHERE generation = ?", (number,))

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
        for path in self._others(keep):
            remove(path)

    def _others(self, keep: int) -> list[Path]:
        return [path for path in sorted(self._folder.glob("*")) if path.name != str(keep)]


def _joined(first: Vectors, second: Vectors) -> Vectors:
    if not first[0] or not second[0]:
        return first if first[0] else second
    return [*first[0], *second[0]], np.concatenate([first[1], second[1]])
