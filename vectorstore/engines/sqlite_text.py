"""Index terms in SQLite: an FTS5 table that takes them as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vectorstore.engines.base import TextRow
from vectorstore.sql import Connection

FTS5: Final = "fts5 (body, section, title, tokenize = \"unicode61 remove_diacritics 0 tokenchars '.'\")"
"""Terms come folded, and a decimal number is one of them."""


class SqliteText:
    """The table `passages_text`, its rows numbered as the passages, and `passages_terms`, which counts its terms."""

    def put(self, connection: Connection, rows: Iterable[TextRow]) -> None:
        connection.executemany("INSERT INTO passages_text (rowid, body, section, title) VALUES (?, ?, ?, ?)", rows)

    def drop(self, connection: Connection, passages: Sequence[int]) -> None:
        connection.executemany("DELETE FROM passages_text WHERE rowid = ?", [(number,) for number in passages])

    def rename(self, connection: Connection, passages: Sequence[int], title: str) -> None:
        connection.executemany(
            "UPDATE passages_text SET title = ? WHERE rowid = ?", [(title, number) for number in passages]
        )

    def clear(self, connection: Connection) -> None:
        for table in ("passages_terms", "passages_text"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"CREATE VIRTUAL TABLE passages_text USING {FTS5}")
        connection.execute("CREATE VIRTUAL TABLE passages_terms USING fts5vocab (passages_text, row)")

    def frequency(self, connection: Connection, term: str) -> int:
        row = connection.execute("SELECT doc FROM passages_terms WHERE term = ?", (term,)).fetchone()
        return 0 if row is None else int(row[0])

    def frequent(self, connection: Connection, least: int) -> dict[str, int]:
        return dict(connection.execute("SELECT term, doc FROM passages_terms WHERE doc >= ?", (least,)).fetchall())

    def having(self, connection: Connection, term: str) -> NDArray[np.int64]:
        # One string of all numbers comes ten times as fast as a row for each.
        quoted = '"' + term.replace('"', '""') + '"'
        packed = connection.execute(
            "SELECT group_concat(rowid) FROM passages_text WHERE passages_text MATCH ?", (quoted,)
        ).fetchone()[0]
        return np.fromstring(packed or "", dtype=np.int64, sep=",")

    def examine(self, connection: Connection) -> str:
        try:  # FTS5 takes its own check for a write
            connection.execute("INSERT INTO passages_text (passages_text) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            return f"The full text does not fit its own index ({error})."
        return ""
