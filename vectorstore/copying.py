"""A catalog copied into an empty one on another engine, row by row, and proven equal before it is committed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from vectorstore.catalog import INDEX_OWNER, Catalog
from vectorstore.engines.base import TEXT_COLUMNS
from vectorstore.errors import StoreError
from vectorstore.sql import Connection
from vectorstore.uploads import Uploads, needed_uploads

_ROWS: Final = 500
"""Rows read at once; the texts of so many documents take some ten MB."""

# Every table with its columns, the first of them its key, in the order in which one refers to another. Generations of the
# index stay where they are, and so does what is counted for limits.
_TABLES: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "meta": (1, ("key", "value")),
    "documents": (1, ("document_id", "key", "source", "collection", "version", "state")),
    "versions": (
        2,
        (
            "document_id", "version", "sha256", "text", "layout", "metadata", "ingested", "as_read", "notes", "region",
        ),
    ),
    "passages": (
        1,
        (
            "passage_id", "document_id", "version", "position", "start", '"end"', "section", "page", "kind", "context",
            "clauses", "vector",
        ),
    ),
    "passages_text": (1, ("rowid", *TEXT_COLUMNS)),
    "corrections": (3, ("document_id", "field", "origin", "value", "made")),
    "answers": (1, ("number", "answer_id", "asked", "answer")),
    "feedback": (1, ("feedback_id", "answer_id", "rating", "reason", "given")),
    "links": (1, ("code", "document_id", "version", "start", '"end"', "expires", "revoked")),
    "keys": (1, ("key_id", "digest", "name", "scopes", "made", "revoked")),
    "turns": (1, ("turn_id", "channel", '"user"', "question", "asked")),
    "messages": (
        3,
        (
            "channel", '"user"', "message", "question", "state", "parts", "next", "arrived", "until", "attempts", "draft",
        ),
    ),
    "audit": (1, ("audit_id", "at", "actor", "action", "target", "outcome")),
    "sessions": (1, ("digest", "until")),
    "jobs": (1, ("job_id", "number", "name", "sha256", "state", "begun", "outcome", "at")),
    "page_turns": (2, ("conversation", "number", "question", "answer_id", "within", "at")),
}  # fmt: skip


def copy(source: Catalog, target: Catalog) -> dict[str, int]:
    """Copy everything; how many rows of each table were copied and found equal.

    Raises:
        StoreError: the target holds something already, or differs from the source; nothing of it stays.
    """
    copied: dict[str, int] = {}
    with source.snapshot() as reading, target.transaction(searched=False, alone="copy") as writing:
        for table in ("documents", "answers", "keys"):
            if writing.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                raise StoreError(
                    f"There is a knowledge base in {target.engine.name} already; name an empty database, or empty it first."
                )
        writing.execute("DELETE FROM meta")
        for table, (keys, columns) in _TABLES.items():
            copied[table] = _copy_table(reading, target, writing, table, keys, columns)
        target.engine.settle(writing)
        for table, (keys, columns) in _TABLES.items():
            if _digest(reading, table, keys, columns) != _digest(writing, table, keys, columns):
                raise StoreError(
                    f"The table {table} in {target.engine.name} did not come out as it is in {source.engine.name}; nothing "
                    "was kept. Run it again, and report it if it happens again."
                )
        writing.execute("DELETE FROM meta WHERE key = ?", (INDEX_OWNER,))
    return copied


def copy_uploads(source: Uploads, target: Uploads, connection: Connection) -> list[str]:
    """Copy the uploaded files that documents were read from or wait to be; the digests of those that are gone or altered."""
    missing = []
    for digest in sorted(needed_uploads(connection)):
        data = source.read(digest)
        if data is None:
            missing.append(digest)
        else:
            target.keep(digest, data)
    return missing


def _copy_table(
    reading: Connection, target: Catalog, writing: Connection, table: str, keys: int, columns: Sequence[str]
) -> int:
    count = 0
    marks = ", ".join("?" * len(columns))
    for rows in _blocks(reading, table, keys, columns):
        if table == "passages_text":
            target.engine.fulltext.put(writing, [(row[0], row[1], row[2], row[3]) for row in rows])
        else:
            writing.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        count += len(rows)
    return count


def _digest(connection: Connection, table: str, keys: int, columns: Sequence[str]) -> str:
    """The SHA-256 of all rows in the order of their keys."""
    digest = hashlib.sha256()
    for rows in _blocks(connection, table, keys, columns):
        for row in rows:
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _blocks(connection: Connection, table: str, keys: int, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """All rows in the order of their keys, some at a time."""
    names, key = ", ".join(columns), ", ".join(columns[:keys])
    select = f"SELECT {names} FROM {table}"
    rows = connection.execute(f"{select} ORDER BY {key} LIMIT ?", (_ROWS,)).fetchall()
    after = f"{select} WHERE ({key}) > ({', '.join('?' * keys)}) ORDER BY {key} LIMIT ?"
    while rows:
        yield [tuple(row) for row in rows]
        rows = connection.execute(after, (*rows[-1][:keys], _ROWS)).fetchall()
