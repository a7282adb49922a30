"""The vectors that are compared one by one, because no open generation of the index finds them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vectorstore.fulltext import passage_count
from vectorstore.rows import Vectors, all_vectors, gone_since, revision_of, vectors_of
from vectorstore.sql import Connection, Row

logger = logging.getLogger(__name__)

SCAN_LIMIT: Final = 200_000
"""Vectors that are scanned at most: so many take 0.3 s to read, 195 MiB to keep and 6 ms to scan."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """Vectors that a generation (0: none) does not find, at a revision of the catalog that has dropped `gone` others."""

    revision: int
    generation: int
    gone: int
    ids: list[int]
    matrix: NDArray[np.float32]


class Scan:
    """What was scanned last, kept until the catalog changes."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: Scanned | None = None

    def of(self, connection: Connection, row: Row | None, strays: Sequence[int] = ()) -> Scanned:
        """What is newer than a generation, and its strays; everything where there is none.

        More than `SCAN_LIMIT` newer ones are left out: the full text finds theirs.
        """
        revision, generation = revision_of(connection), row["generation"] if row else 0
        with self._guard:
            kept = self._kept
            if kept is None or (kept.revision, kept.generation) != (revision, generation):
                kept = self._kept = _read(connection, row, strays, revision)
            return kept


def _read(connection: Connection, row: Row | None, strays: Sequence[int], revision: int) -> Scanned:
    gone = gone_since(connection, row) if row else 0
    newer = passage_count(connection) - (row["passages"] - gone if row else 0)
    if newer <= SCAN_LIMIT:
        found = all_vectors(connection, row["highest_passage_id"] if row else 0)
    else:
        found = read(connection, ())
        logger.warning("%d passages are in no index and too many to scan; only their wording is searched.", newer)
    ids, matrix = joined(read(connection, strays), found)
    return Scanned(revision, row["generation"] if row else 0, gone, ids, matrix)


def read(connection: Connection, ids: Sequence[int]) -> Vectors:
    """The ids and the vectors of those passages that are still there; of none for none."""
    return vectors_of(connection, ids) if ids else ([], np.zeros((0, 0), dtype=np.float32))


def joined(first: Vectors, second: Vectors) -> Vectors:
    """Both, one after the other."""
    if not first[0] or not second[0]:
        return first if first[0] else second
    return [*first[0], *second[0]], np.concatenate([first[1], second[1]])
