"""The catalog: documents, versions, passages with their vectors and full text, answers and feedback, in SQLite.

It is the truth; the vector index is made from it. Every write is one transaction, so a process killed at any
moment leaves either all of a document or nothing of it. Readers see one state per `snapshot`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectorstore.errors import StoreError, UnknownDocument
from vectorstore.passage import Document, Heading, Metadata, Passage
from vectorstore.schema import connect
from vectorstore.segmentation import terms

KEPT_ANSWERS = 5000  # answers that feedback and links can still refer to; about 20 MB


@dataclass(frozen=True, slots=True)
class Record:
    """One document as the catalog lists it; `key` is what tells two files of one name apart."""

    document_id: str
    key: str
    source: str
    collection: str
    version: int
    state: str
    sha256: str
    ingested: str
    metadata: Metadata


class _Held:
    """A thread's connection, closed when the thread has ended: servers begin and end threads all day."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Catalog:
    """The SQLite file and everything that is said to it; one connection a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._closed = False
        self.connection()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection.

        Raises:
            StoreError: the catalog has been closed.
        """
        held: _Held | None = getattr(self._local, "held", None)
        if self._closed:
            self._local.held = None
            raise StoreError(f"The catalog {self.path} has been closed.")
        if held is None:
            held = self._local.held = _Held(connect(self.path))
        return held.connection

    def close(self) -> None:
        """Close this thread's connection, and each other thread's when it next asks for it or ends.

        Closing a connection while another thread runs a statement on it would end the process.
        """
        self._closed = True
        self._local.held = None

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A read transaction: all that is read inside comes from one state."""
        connection = self.connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def transaction(self, *, searched: bool = True) -> Iterator[sqlite3.Connection]:
        """A write transaction; it counts the revision up unless nothing that is `searched` is written.

        Raises:
            StoreError: the disk is full or the file cannot be written; nothing of the transaction stays.
        """
        connection = self.connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            if searched:
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            _rollback(connection)
            raise StoreError(
                f"The catalog {self.path} could not be written: {error}. Nothing was changed by this step; "
                "free disk space or check the folder's permissions, then run it again."
            ) from error
        except BaseException:
            _rollback(connection)
            raise

    def meta(self, key: str) -> str | None:
        row = self.connection().execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def revision(self) -> int:
        """Counts what is written to be searched, by any process; equal revisions mean equal contents."""
        return int(self.meta("revision") or 0)

    # documents

    def records(self, *, include_removed: bool = False) -> list[Record]:
        where = "" if include_removed else "WHERE d.state = 'live'"
        rows = self.connection().execute(f"{_RECORD} {where} ORDER BY d.collection, d.source, d.document_id")
        return [_record(row) for row in rows]

    def record(self, document_id: str) -> Record:
        """Raises: UnknownDocument."""
        row = self.connection().execute(f"{_RECORD} WHERE d.document_id = ?", (document_id,)).fetchone()
        if row is None:
            raise UnknownDocument(f"No document goes by the id {document_id!r}; `zhice list` shows the ids.")
        return _record(row)

    def find(self, *, key: str = "", sha256: str = "", collection: str = "own") -> Record | None:
        """The live document with this key, or else one whose current version has these bytes."""
        row = (
            self.connection()
            .execute(
                f"{_RECORD} WHERE d.state = 'live' AND d.collection = ? AND (d.key = ? OR v.sha256 = ?) "
                "ORDER BY d.key = ? DESC LIMIT 1",
                (collection, key, sha256, key),
            )
            .fetchone()
        )
        return None if row is None else _record(row)

    def put(
        self,
        document: Document,
        passages: Sequence[Passage],
        vectors: NDArray[np.float32],
        *,
        key: str,
        sha256: str,
        collection: str,
        encoder: str,
    ) -> Record:
        """Store a version and make its passages the searchable ones, all in one transaction.

        `vectors` is (len(passages), dimension). The first own document takes the samples out of search.
        """
        document_id = "d" + hashlib.blake2b(f"{collection}\n{key}".encode(), digest_size=6).hexdigest()
        title = " ".join(terms(document.metadata.title or document.source))
        rows = [_fulltext(document.text, passage, title) for passage in passages]
        with self.transaction() as connection:
            previous = connection.execute(
                "SELECT max(version) FROM versions WHERE document_id = ?", (document_id,)
            ).fetchone()[0]
            version = (previous or 0) + 1
            _drop_passages(connection, document_id)
            if collection == "own":
                _retire_samples(connection)
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, 'live') ON CONFLICT (document_id) DO UPDATE "
                "SET source = excluded.source, version = excluded.version, state = 'live'",
                (document_id, key, document.source, collection, version),
            )
            connection.execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?)",
                (document_id, version, sha256, document.text, _layout(document), _metadata(document.metadata), _now()),
            )
            for passage, vector, fulltext in zip(passages, vectors.astype(np.float16), rows, strict=True):
                cursor = connection.execute(
                    "INSERT INTO passages (document_id, version, position, start, end, section, page, kind, vector) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        document_id, version, passage.position, passage.start, passage.end,
                        json.dumps(passage.section, ensure_ascii=False), passage.page, passage.kind,
                        vector.tobytes(),
                    ),
                )  # fmt: skip
                connection.execute(
                    "INSERT INTO passages_text (rowid, body, section, title) VALUES (?, ?, ?, ?)",
                    (cursor.lastrowid, *fulltext),
                )
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('encoder', ?)", (encoder,))
        return self.record(document_id)

    def move(self, document_id: str, *, key: str, source: str) -> None:
        """The same content now lies elsewhere."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE documents SET key = ?, source = ? WHERE document_id = ?", (key, source, document_id)
            )

    def remove(self, document_id: str) -> None:
        """Take a document out of search; its texts stay, so that old citations still open."""
        self.record(document_id)
        with self.transaction() as connection:
            _drop_passages(connection, document_id)
            connection.execute("UPDATE documents SET state = 'removed' WHERE document_id = ?", (document_id,))

    def text(self, document_id: str, version: int) -> str:
        """The text of one version.

        Raises:
            UnknownDocument: no such document or version.
        """
        row = (
            self.connection()
            .execute("SELECT text FROM versions WHERE document_id = ? AND version = ?", (document_id, version))
            .fetchone()
        )
        if row is None:
            raise _unknown_version(document_id, version)
        return str(row["text"])

    def document(self, document_id: str, version: int) -> Document:
        """One version as it was read.

        Raises:
            UnknownDocument: no such document or version.
        """
        row = (
            self.connection()
            .execute(
                "SELECT d.source, v.text, v.layout, v.metadata FROM versions v JOIN documents d USING (document_id) "
                "WHERE v.document_id = ? AND v.version = ?",
                (document_id, version),
            )
            .fetchone()
        )
        if row is None:
            raise _unknown_version(document_id, version)
        layout = json.loads(row["layout"])
        return Document(
            source=row["source"],
            media_type=layout["media_type"],
            text=row["text"],
            pages=tuple(layout["pages"]),
            headings=tuple(Heading(*heading) for heading in layout["headings"]),
            tables=tuple((start, end) for start, end in layout["tables"]),
            boilerplate=tuple((start, end) for start, end in layout["boilerplate"]),
            metadata=metadata_from(row["metadata"]),
            notes=tuple(layout["notes"]),
        )

    # answers and feedback

    def keep_answer(self, answer_id: str, answer: Mapping[str, Any]) -> None:
        """Keep an answer for feedback; lost answers are no lost knowledge, so a read-only folder is no error."""
        try:
            connection = self.connection()
            connection.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                (answer_id, _now(), json.dumps(answer, ensure_ascii=False)),
            )
            connection.execute(
                "DELETE FROM answers WHERE rowid <= (SELECT max(rowid) FROM answers) - ?", (KEPT_ANSWERS,)
            )
        except sqlite3.OperationalError:
            return

    def answer(self, answer_id: str) -> dict[str, Any] | None:
        row = self.connection().execute("SELECT answer FROM answers WHERE answer_id = ?", (answer_id,)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def add_feedback(self, answer_id: str, rating: int, reason: str) -> None:
        with self.transaction(searched=False) as connection:
            connection.execute(
                "INSERT INTO feedback (answer_id, rating, reason, given) VALUES (?, ?, ?, ?)",
                (answer_id, rating, reason, _now()),
            )

    def feedback(self) -> list[dict[str, Any]]:
        """All feedback, oldest first: answer_id, rating (-1 or 1), reason, given (UTC)."""
        rows = self.connection().execute("SELECT answer_id, rating, reason, given FROM feedback ORDER BY feedback_id")
        return [dict(row) for row in rows]


_RECORD = (
    "SELECT d.document_id, d.key, d.source, d.collection, d.version, d.state, v.sha256, v.ingested, v.metadata "
    "FROM documents d JOIN versions v ON v.document_id = d.document_id AND v.version = d.version"
)


def metadata_from(packed: str) -> Metadata:
    """Metadata as a row of the catalog holds it (JSON)."""
    fields = json.loads(packed)
    fields["repeals"] = tuple(fields["repeals"])
    fields["spans"] = {name: (start, end) for name, (start, end) in fields["spans"].items()}
    return Metadata(**fields)


def _metadata(metadata: Metadata) -> str:
    return json.dumps(asdict(replace(metadata, spans=dict(metadata.spans))), ensure_ascii=False)


def _layout(document: Document) -> str:
    return json.dumps(
        {
            "media_type": document.media_type,
            "pages": document.pages,
            "headings": [(heading.start, heading.end, heading.level) for heading in document.headings],
            "tables": document.tables,
            "boilerplate": document.boilerplate,
            "notes": document.notes,
        },
        ensure_ascii=False,
    )


def _record(row: sqlite3.Row) -> Record:
    fields = dict(row)
    fields["metadata"] = metadata_from(fields["metadata"])
    return Record(**fields)


def _fulltext(text: str, passage: Passage, title: str) -> tuple[str, str, str]:
    return " ".join(terms(text[passage.start : passage.end])), " ".join(terms(" ".join(passage.section))), title


def _drop_passages(connection: sqlite3.Connection, document_id: str) -> None:
    connection.execute(
        "DELETE FROM passages_text WHERE rowid IN (SELECT passage_id FROM passages WHERE document_id = ?)",
        (document_id,),
    )
    connection.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))


def _retire_samples(connection: sqlite3.Connection) -> None:
    live = connection.execute("SELECT document_id FROM documents WHERE collection = 'samples' AND state = 'live'")
    for (document_id,) in live.fetchall():
        _drop_passages(connection, document_id)
    connection.execute("UPDATE documents SET state = 'removed' WHERE collection = 'samples'")


def _unknown_version(document_id: str, version: int) -> UnknownDocument:
    return UnknownDocument(f"No version {version} of a document {document_id!r} is kept; `zhice list` shows them.")


def _rollback(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
