"""Repairs of a data folder, each under the writer's lock, from what is still sound in it."""

from __future__ import annotations

from typing import Final

from vectorstore.packing import fulltext_fields, unpack_metadata, unpack_passage
from vectorstore.segmentation import terms
from vectorstore.sql import Connection
from vectorstore.store import PolicyStore
from vectorstore.uploads import UPLOADING, needed_uploads

_SEARCHED: Final = "SELECT document_id, version FROM documents WHERE state = 'live'"

_REFERRING: Final = ("passages", "versions", "corrections")  # the tables whose rows belong to a document
_OF_NONE: Final = "document_id NOT IN (SELECT document_id FROM documents)"


def lost_passages(connection: Connection) -> list[int]:
    """The passages that lie outside the text of a version that is searched."""
    rows = connection.execute(
        "SELECT p.passage_id FROM passages p LEFT JOIN versions v USING (document_id, version) "
        f"WHERE v.text IS NULL OR (p.document_id, p.version) NOT IN ({_SEARCHED}) "
        'OR p.start < 0 OR p.start >= p."end" OR p."end" > length(v.text)'
    )
    return [int(row[0]) for row in rows]


def bare_documents(connection: Connection) -> list[str]:
    """The sources of documents that have no passage, or fewer than the position of their last one says."""
    rows = connection.execute(
        "SELECT d.source FROM documents d JOIN versions v USING (document_id, version) "
        "LEFT JOIN passages p USING (document_id, version) WHERE d.state = 'live' "
        "GROUP BY d.document_id HAVING count(p.passage_id) = 0 OR count(p.passage_id) != max(p.position) + 1 ORDER BY d.source"
    )
    return [str(row[0]) for row in rows]


def unindexed(connection: Connection) -> int:
    """How many passages are in the catalog only or in the full text only."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM passages WHERE passage_id NOT IN (SELECT rowid FROM passages_text)) + "
        "(SELECT count(*) FROM passages_text WHERE rowid NOT IN (SELECT passage_id FROM passages))"
    ).fetchone()
    return int(row[0])


def stray_uploads(store: PolicyStore, connection: Connection) -> list[str]:
    """The digests of uploads that no document was read from and none will be."""
    needed = needed_uploads(connection)
    return [digest for digest in store.uploads.digests() if digest not in needed]


def accept(store: PolicyStore) -> str:
    """Take the catalog's revision for the one that was reached."""
    store.catalog.engine.acknowledge(store.catalog.revision())
    return "What is there was accepted; ingest your documents again, which adds what is missing."


def stray_rows(connection: Connection) -> int:
    """How many rows belong to no document."""
    return sum(
        int(connection.execute(f"SELECT count(*) FROM {table} WHERE {_OF_NONE}").fetchone()[0]) for table in _REFERRING
    )


def drop_references(store: PolicyStore) -> str:
    """Delete the rows that belong to no document."""
    with store.catalog.transaction() as connection:
        dropped = sum(connection.execute(f"DELETE FROM {table} WHERE {_OF_NONE}").rowcount for table in _REFERRING)
    return f"{dropped} rows were deleted."


def drop_passages(store: PolicyStore) -> str:
    """Delete the passages that point nowhere."""
    with store.catalog.transaction() as connection:
        lost = lost_passages(connection)
        sources = _sources(connection, lost)
        store.catalog.engine.fulltext.drop(connection, lost)
        connection.executemany("DELETE FROM passages WHERE passage_id = ?", [(number,) for number in lost])
    again = f" Read again: {', '.join(sources)}." if sources else ""
    return f"{len(lost)} passages were deleted.{again}"


def _sources(connection: Connection, passages: list[int]) -> list[str]:
    """The documents that are searched and lose some of these passages."""
    found: set[str] = set()
    for number in passages:
        rows = connection.execute(
            "SELECT d.source FROM passages p JOIN documents d USING (document_id, version) "
            "WHERE d.state = 'live' AND p.passage_id = ?",
            (number,),
        )
        found.update(str(row[0]) for row in rows)
    return sorted(found)


def rebuild_fulltext(store: PolicyStore) -> str:
    """Make the full text anew from the texts and the passages."""
    with store.catalog.transaction() as connection:
        fulltext = store.catalog.engine.fulltext
        fulltext.clear(connection)
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
            fulltext.put(connection, rows)
            count += len(rows)
    return f"{count} passages were indexed from their texts."


def delete_strays(store: PolicyStore) -> str:
    """Delete what belongs to nothing."""
    # No file is kept to be read meanwhile.
    with store.catalog.transaction(searched=False, alone=UPLOADING) as connection:
        uploads = stray_uploads(store, connection)
        for digest in uploads:
            store.uploads.remove(digest)
    return f"{store.index.clear_strays() + len(uploads)} were deleted."
