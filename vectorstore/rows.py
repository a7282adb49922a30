"""What searching and indexing read of the catalog, and how its rows are packed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vectorstore.fulltext import Indexed, passage_count
from vectorstore.sql import Connection, Row

# The next generation is built when more than a tenth of the passages, or this many, are outside the present one: the
# scan of 20,000 vectors takes 0.7 ms, and reading them after a change 30 ms; a generation holds all passages, not only
# the new ones: a million take 18 processor minutes in a folder and 55 on a Chroma server (docs/scale.md).
PENDING_SHARE = 0.1
PENDING_PASSAGES = 20_000

_BLOCK = 10_000  # values in one statement; SQLite takes 32,766 and PostgreSQL 65,535

# Ids of passages, and their vectors of shape (n, dimension).
Vectors = tuple[list[int], NDArray[np.float32]]


def all_vectors(connection: Connection, above: int = 0) -> Vectors:
    """The ids and the vectors, shape (n, dimension), of the passages whose id is above a number, in the ids' order."""
    return unpacked(
        connection.execute("SELECT passage_id, vector FROM passages WHERE passage_id > ? ORDER BY passage_id", (above,))
    )


def vectors_of(connection: Connection, ids: Sequence[int]) -> Vectors:
    """The ids and the vectors, shape (n, dimension), of those passages that are still there, in the ids' order."""
    marks = _marks(ids)
    return unpacked(
        connection.execute(
            f"SELECT passage_id, vector FROM passages WHERE passage_id IN ({marks}) ORDER BY passage_id", list(ids)
        )
    )


def vectors_in(connection: Connection, documents: Collection[str]) -> Vectors:
    """The ids and the vectors, shape (n, dimension), of the passages of some documents, in the ids' order."""
    ordered, rows = sorted(documents), []
    for first in range(0, len(ordered), _BLOCK):
        block = ordered[first : first + _BLOCK]
        rows += connection.execute(
            f"SELECT passage_id, vector FROM passages WHERE document_id IN ({_marks(block)})", block
        ).fetchall()
    return unpacked(sorted(((row[0], row[1]) for row in rows), key=lambda row: row[0]))


def missing_vectors(connection: Connection, most: int = 1_000_000_000) -> list[int]:
    """The passages whose vectors are to follow, or at most so many of them."""
    rows = connection.execute(
        "SELECT passage_id FROM passages WHERE length(vector) = 0 ORDER BY passage_id LIMIT ?", (most,)
    )
    return [int(row[0]) for row in rows]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values)) or "NULL"


def unpacked(rows: Iterable[tuple[int, bytes]]) -> Vectors:
    """Ids and stored vectors as read from the catalog; those whose vectors are to follow are left out."""
    ids, packed = [], []
    for number, vector in rows:
        if vector:
            ids.append(number)
            packed.append(vector)
    matrix = np.frombuffer(b"".join(packed), dtype=np.float16).astype(np.float32)
    return ids, matrix.reshape(len(ids), -1) if ids else np.zeros((0, 0), dtype=np.float32)


def current_generation(connection: Connection) -> Row | None:
    """The newest generation that was built to the end, none before the first."""
    row: Row | None = connection.execute(
        "SELECT * FROM generations WHERE built != '' ORDER BY generation DESC LIMIT 1"
    ).fetchone()
    return row


def gone_since(connection: Connection, row: Row) -> int:
    """How many passages of a generation the catalog has dropped since."""
    living = connection.execute(
        "SELECT count(*) FROM passages WHERE passage_id <= ?", (row["highest_passage_id"],)
    ).fetchone()[0]
    return int(row["passages"]) - int(living)


def passage_rows(connection: Connection, ids: Sequence[int]) -> Mapping[int, Row]:
    """The passages with their indexed terms by id, in the order asked for; those that are gone are left out."""
    marks = _marks(ids)
    found = connection.execute(
        "SELECT p.*, t.body, t.section AS headings, t.title FROM passages p JOIN passages_text t "
        f"ON t.rowid = p.passage_id WHERE p.passage_id IN ({marks})",
        list(ids),
    ).fetchall()
    rows = {int(row["passage_id"]): row for row in found}
    return {number: rows[number] for number in ids if number in rows}


def indexed(row: Row) -> Indexed:
    """A passage's row as the full text holds it."""
    return Indexed(row["body"], row["headings"], row["title"], row["end"] - row["start"])


def revision_of(connection: Connection) -> int:
    """The revision that this snapshot shows."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()[0])


def best_of(
    ids: Sequence[int], matrix: NDArray[np.float32], vector: NDArray[np.float32], limit: int
) -> dict[int, float]:
    """The ids of the highest cosines with them, the best first; `matrix` holds their vectors."""
    if not ids:
        return {}
    cosines = matrix @ vector
    best = np.argpartition(-cosines, limit)[:limit] if limit < len(ids) else np.arange(len(ids))
    order = best[np.argsort(-cosines[best], kind="stable")]
    return {ids[index]: float(cosines[index]) for index in order}


def worth_building(connection: Connection) -> bool:
    """Whether so much has come or gone since the present generation that the next is due."""
    row = current_generation(connection)
    count = passage_count(connection)
    if row is None:
        return count > 0
    gone = gone_since(connection, row)
    newer = count - (row["passages"] - gone)
    return bool(newer + gone > min(PENDING_PASSAGES, PENDING_SHARE * count))
