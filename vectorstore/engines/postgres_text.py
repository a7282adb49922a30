"""Index terms in PostgreSQL: a GIN index over them as they are, and a table that counts in how many passages each stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vectorstore.engines.base import TextRow
from vectorstore.sql import Connection

TERMS: Final = "string_to_array(body || ' ' || section || ' ' || title, ' ')"
"""The terms of a row of `passages_text`, as the index has them."""


class PostgresText:
    """The tables `passages_text` and `vocabulary`."""

    def put(self, connection: Connection, rows: Iterable[TextRow]) -> None:
        rows = list(rows)
        connection.executemany("INSERT INTO passages_text VALUES (?, ?, ?, ?)", rows)
        _count(connection, [" ".join(row[1:]) for row in rows], 1)

    def drop(self, connection: Connection, passages: Sequence[int]) -> None:
        rows = connection.execute(
            "DELETE FROM passages_text WHERE rowid = ANY(?) RETURNING body, section, title", (list(passages),)
        ).fetchall()
        _count(connection, [" ".join(row) for row in rows], -1)

    def rename(self, connection: Connection, passages: Sequence[int], title: str) -> None:
        rows = connection.execute(
            "SELECT rowid, body, section FROM passages_text WHERE rowid = ANY(?)", (list(passages),)
        ).fetchall()
        self.drop(connection, passages)
        self.put(connection, [(row[0], row[1], row[2], title) for row in rows])

    def clear(self, connection: Connection) -> None:
        connection.execute("TRUNCATE passages_text, vocabulary")

    def frequency(self, connection: Connection, term: str) -> int:
        row = connection.execute("SELECT passages FROM vocabulary WHERE term = ?", (term,)).fetchone()
        return 0 if row is None else int(row[0])

    def frequent(self, connection: Connection, least: int) -> dict[str, int]:
        rows = connection.execute("SELECT term, passages FROM vocabulary WHERE passages >= ?", (least,))
        return {row[0]: row[1] for row in rows}

    def having(self, connection: Connection, term: str) -> NDArray[np.int64]:
        packed = connection.execute(
            f"SELECT string_agg(rowid::text, ',') FROM passages_text WHERE {TERMS} @> ARRAY[?::text]", (term,)
        ).fetchone()[0]
        return np.fromstring(packed or "", dtype=np.int64, sep=",")

    def examine(self, connection: Connection) -> str:
        (wrong,) = connection.execute(
            "SELECT count(*) FROM (SELECT term, count(*) AS passages FROM (SELECT DISTINCT rowid, unnest("
            f"{TERMS}) AS term FROM passages_text) t WHERE term != '' GROUP BY term) found "
            "FULL JOIN vocabulary kept USING (term) WHERE found.passages IS DISTINCT FROM kept.passages"
        ).fetchone()
        return f"{wrong} index terms are counted wrong." if wrong else ""


def _count(connection: Connection, texts: Sequence[str], sign: int) -> None:
    """Count the terms of some passages in or out."""
    counts = Counter(term for text in texts for term in set(text.split(" ")) if term)
    terms = sorted(counts)
    connection.execute(
        "INSERT INTO vocabulary SELECT * FROM unnest(?::text[], ?::bigint[]) "
        "ON CONFLICT (term) DO UPDATE SET passages = vocabulary.passages + excluded.passages",
        (terms, [sign * counts[term] for term in terms]),
    )
    if sign < 0:
        connection.execute("DELETE FROM vocabulary WHERE term = ANY(?) AND passages <= 0", (terms,))
