"""Repairs of a data folder, each under the writer's lock, from what is still sound in it."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from vectorstore.packing import fulltext_fields, unpack_metadata, unpack_passage
from vectorstore.room import remove
from vectorstore.segmentation import terms
from vectorstore.store import PolicyStore
from vectorstore.uploads import UPLOADS, kept_uploads
from vectorstore.witness import acknowledge

_DIGEST: Final = re.compile("[0-9a-f]{64}")

_SEARCHED: Final = "SELECT document_id, version FROM documents WHERE state = 'live'"

_REFERRING: Final = ("passages", "versions", "corrections")  # the tables whose rows belong to a document


def lost_passages(connection: sqlite3.Connection) -> list[int]:
    """The passages that lie outside the text of a version that is searched."""
    rows = connection.execute(
        "SELECT p.passage_id FROM passages p LEFT JOIN versions v USING (document_id, version) "
        f"WHERE v.text IS NULL OR (p.document_id, p.version) NOT IN ({_SEARCHED}) "
        'OR p.start < 0 OR p.start >= p."end" OR p."end" > length(v.text)'
    )
    return [int(row[0]) for row in rows]


def bare_documents(connection: sqlite3.Connection) -> list[str]:
    """The sources of documents that have no passage, or fewer than the position of their last one says."""
    rows = connection.execute(
        "SELECT d.source FROM documents d JOIN versions v USING (document_id, version) "
        "LEFT JOIN passages p USING (document_id, version) WHERE d.state = 'live' "
        "GROUP BY d.document_id HAVING count(p.passage_id) = 0 OR count(p.passage_id) != max(p.position) + 1 ORDER BY d.source"
    )
    return [str(row[0]) for row in rows]


def unindexed(connection: sqlite3.Connection) -> int:
    """How many passages are in the catalog only or in the full text only."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM passages WHERE passage_id NOT IN (SELECT rowid FROM passages_text)) + "
        "(SELECT count(*) FROM passages_text WHERE rowid NOT IN (SELECT passage_id FROM passages))"
    ).fetchone()
    return int(row[0])


def strays(store: PolicyStore) -> list[Path]:
    """Generations that are not the present one, and uploads that no document was read from."""
    kept = kept_uploads(store.catalog.connection())
    uploads = sorted((store.folder / UPLOADS).glob("*"))
    return [
        *store.index.strays(),
        *(path for path in uploads if _DIGEST.fullmatch(path.name) and path.name not in kept),
    ]


def lost_uploads(folder: Path, kept: Mapping[str, Sequence[str]]) -> list[str]:
    """The sources of the uploads whose file is gone, or is not the one that was read."""
    lost: list[str] = []
    for digest, sources in kept.items():
        try:
            with (folder / digest).open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            whole = False
        if not whole:
            lost += sources
    return sorted(set(lost))


def accept(store: PolicyStore) -> str:
    """Take the catalog's revision for the one that was reached."""
    acknowledge(store.catalog.path, store.catalog.revision())
    return "What is there was accepted; ingest your documents again, which adds what is missing."


def drop_references(store: PolicyStore) -> str:
    """Delete the rows that belong to no document."""
    with store.catalog.transaction() as connection:
        dropped = sum(
            connection.execute(
                f"DELETE FROM {table} WHERE document_id NOT IN (SELECT document_id FROM documents)"
            ).rowcount
            for table in _REFERRING
        )
    return f"{dropped} rows were deleted."


def drop_passages(store: PolicyStore) -> str:
    """Delete the passages that point nowhere."""
    with store.catalog.transaction() as connection:
        lost = [(number,) for number in lost_passages(connection)]
        sources = _sources(connection, [number for (number,) in lost])
        connection.executemany("DELETE FROM passages WHERE passage_id = ?", lost)
        connection.executemany("DELETE FROM passages_text WHERE rowid = ?", lost)
    again = f" Read again: {', '.join(sources)}." if sources else ""
    return f"{len(lost)} passages were deleted.{again}"


def _sources(connection: sqlite3.Connection, passages: Sequence[int]) -> list[str]:
    """The documents that are searched and lose some of these passages."""
    rows = connection.execute(
        "SELECT DISTINCT d.source FROM passages p JOIN documents d USING (document_id, version) "
        "WHERE d.state = 'live' AND p.passage_id IN (SELECT value FROM json_each(?)) ORDER BY d.source",
        (json.dumps(list(passages)),),
    )
    return [str(row[0]) for row in rows]


def rebuild_fulltext(store: PolicyStore) -> str:
    """Make the full text anew from the texts and the passages."""
    with store.catalog.transaction() as connection:
        connection.execute("DROP TABLE passages_terms")
        connection.execute("DROP TABLE passages_text")
        connection.execute("CREATE VIRTUAL TABLE passages_text USING fts5 (body, section, title)")
        connection.execute("CREATE VIRTUAL TABLE passages_terms USING fts5vocab (passages_text, row)")
        documents = connection.execute(
            "SELECT d.document_id, d.version, d.source, v.text, v.metadata FROM documents d "
            "JOIN versions v USING (document_id, version) WHERE d.state = 'live'"
        ).fetchall()
        count = 0
        for document in documents:
            title = " ".join(terms(unpack_metadata(document["metadata"]).title or document["source"]))
            passages = connection.execute(
                "SELECT * FROM passages WHERE document_id = ? AND version = ?",
                (document["document_id"], document["version"]),
            ).fetchall()
            rows = [
                (row["passage_id"], *fulltext_fields(document["text"], unpack_passage(row), title)) for row in passages
            ]
            connection.executemany("INSERT INTO passages_text (rowid, body, section, title) VALUES (?, ?, ?, ?)", rows)
            count += len(rows)
    return f"{count} passages were indexed from their texts."


def delete_strays(store: PolicyStore) -> str:
    """Delete what belongs to nothing."""
    found = strays(store)
    for path in found:
        remove(path)
    return f"{len(found)} were deleted."
