"""The catalog: documents, versions, passages with their vectors and full text, answers and feedback, in a database.

It is the truth; the vector index is made from it. Every write is one transaction, so a process killed at any
moment leaves either all of a document or nothing of it. Readers see one state per `snapshot`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vectorstore.corrections import Origin, check, corrected
from vectorstore.engines import open_engine
from vectorstore.errors import StoreError, UnknownDocument
from vectorstore.making import Made
from vectorstore.packing import (
    pack_layout,
    pack_metadata,
    pack_passage,
    unpack_document,
    unpack_metadata,
)
from vectorstore.passage import Document, Metadata, Passage
from vectorstore.segmentation import terms
from vectorstore.sql import Connection, Row

INDEX_OWNER = "index_owner"
"""What tells this knowledge base's collections on a Chroma server from others', by its key in `meta`; no copy has it."""

# Answers that feedback and links can still refer to: about 20 MB in a folder, 2 GB in a database of many offices.
KEPT_ANSWERS = 5000
KEPT_SHARED_ANSWERS = 100 * KEPT_ANSWERS


@dataclass(frozen=True, slots=True)
class Record:
    """One document as the catalog lists it; `key` is what tells two files of one name apart.

    `notes` counts what its reader remarked, such as a page read with little confidence.
    """

    document_id: str
    key: str
    source: str
    collection: str
    version: int
    state: str
    sha256: str
    ingested: str
    metadata: Metadata
    notes: int = 0


class Catalog:
    """A database and everything that is said to it; safe to use from several threads.

    Args:
        path: the file, made if its folder is new; beside it lies what no database holds.
        database: the URL of the PostgreSQL database that takes the file's place.
        accept_loss: open it even if what was acknowledged is missing from it.

    Raises:
        StoreDamaged: the file is damaged or missing, or has lost what was acknowledged.
        StoreError: it cannot be opened.
    """

    def __init__(self, path: Path, *, database: str | None = None, accept_loss: bool = False) -> None:
        self.path = path
        self.engine = open_engine(path, database, accept_loss=accept_loss)
        self.connection = self.engine.connection
        self.snapshot = self.engine.snapshot
        self.close = self.engine.close

    @contextmanager
    def transaction(self, *, searched: bool = True, alone: str = "") -> Iterator[Connection]:
        """A write transaction; it counts the revision up unless nothing that is `searched` is written.

        `alone` names what nobody else may write meanwhile, where that is less than everything that is not searched.

        Raises:
            StoreDamaged: what was read or written is damaged.
            StoreError: it could not be written; nothing of the transaction stays.
        """
        revision = 0
        with self.engine.writing("documents" if searched else alone) as connection:
            yield connection
            if searched:
                revision = int(_counted(connection, "revision", 1))
        if revision:
            self.engine.acknowledge(revision)

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

    def held(self, collection: str = "own") -> dict[str, str]:
        """The digests of all live documents' bytes by their keys, without those that a sidecar corrects."""
        rows = self.connection().execute(
            "SELECT d.key, v.sha256 FROM documents d JOIN versions v USING (document_id, version) "
            "WHERE d.state = 'live' AND d.collection = ? "
            "AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.document_id = d.document_id AND c.origin = 'sidecar')",
            (collection,),
        )
        return {row["key"]: row["sha256"] for row in rows}

    def put(
        self,
        document: Document,
        passages: Sequence[Passage],
        made: Made,
        *,
        key: str,
        sha256: str,
        collection: str,
        encoder: str,
    ) -> Record:
        """Store a version and make its passages the searchable ones, all in one transaction.

        `made` is what its passages are searched by. The first own document takes the samples out of search. Corrections
        made to the document before take the place of what was read.
        """
        document_id = document_id_of(key, collection)
        metadata = corrected(document.metadata, self.corrections(document_id))
        title = " ".join(terms(metadata.title or document.source))
        with self.transaction() as connection:
            previous = connection.execute(
                "SELECT max(version) FROM versions WHERE document_id = ?", (document_id,)
            ).fetchone()[0]
            version = (previous or 0) + 1
            self._drop_passages(connection, document_id)
            if collection == "own":
                self._retire_samples(connection)
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, 'live') ON CONFLICT (document_id) DO UPDATE "
                "SET source = excluded.source, version = excluded.version, state = 'live'",
                (document_id, key, document.source, collection, version),
            )
            connection.execute(
                "INSERT INTO versions (document_id, version, sha256, text, layout, metadata, ingested, as_read, notes, "
                "region) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    document_id, version, sha256, document.text, pack_layout(document), pack_metadata(metadata), _now(),
                    pack_metadata(document.metadata), len(document.notes), metadata.region,
                ),
            )  # fmt: skip
            # An id is never given twice: a generation of the index knows what it holds by the highest.
            last = int(_counted(connection, "highest_passage_id", len(passages)))
            ids = range(last - len(passages) + 1, last + 1)
            connection.executemany(
                'INSERT INTO passages (passage_id, document_id, version, position, start, "end", section, page, kind, '
                "context, clauses, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (number, document_id, version, *pack_passage(passage), vector.tobytes())
                    for number, passage, vector in zip(ids, passages, made.vectors, strict=True)
                ],
            )
            self.engine.fulltext.put(
                connection, [(number, *fields, title) for number, fields in zip(ids, made.terms, strict=True)]
            )
            set_meta(connection, "encoder", encoder)
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
            self._drop_passages(connection, document_id)
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

    def document(self, document_id: str, version: int, *, as_read: bool = False) -> Document:
        """One version; its metadata corrected, or `as_read`.

        Raises:
            UnknownDocument: no such document or version.
        """
        column = "coalesce(v.as_read, v.metadata) AS metadata" if as_read else "v.metadata"
        row = (
            self.connection()
            .execute(
                f"SELECT d.source, v.text, v.layout, {column} FROM versions v JOIN documents d USING (document_id) "
                "WHERE v.document_id = ? AND v.version = ?",
                (document_id, version),
            )
            .fetchone()
        )
        if row is None:
            raise _unknown_version(document_id, version)
        return unpack_document(row)

    def versions(self, document_id: str) -> list[tuple[int, str]]:
        """The versions of a document, oldest first, each with the time it came in (UTC).

        Raises:
            UnknownDocument: no such id.
        """
        self.record(document_id)
        rows = self.connection().execute(
            "SELECT version, ingested FROM versions WHERE document_id = ? ORDER BY version", (document_id,)
        )
        return [(row["version"], row["ingested"]) for row in rows]

    # corrections

    def corrections(self, document_id: str, origin: Origin | None = None) -> dict[str, str | None]:
        """The corrected fields of a document; what was set at the desk goes before the file beside the document."""
        rows = self.connection().execute(
            "SELECT field, value, origin FROM corrections WHERE document_id = ? ORDER BY origin DESC", (document_id,)
        )
        return {row["field"]: row["value"] for row in rows if origin in (None, row["origin"])}

    def correct(self, document_id: str, fields: Mapping[str, object], *, origin: Origin) -> bool:
        """Let these be all the corrections of this origin; whether that changed anything.

        Raises:
            InvalidCorrection: a field that there is not, or a value that it cannot have; nothing was changed.
            UnknownDocument: no such id.
        """
        checked = check(fields)
        record = self.record(document_id)
        if checked == self.corrections(document_id, origin):
            return False
        read = self.document(document_id, record.version, as_read=True).metadata
        with self.transaction() as connection:
            connection.execute("DELETE FROM corrections WHERE document_id = ? AND origin = ?", (document_id, origin))
            connection.executemany(
                "INSERT INTO corrections VALUES (?, ?, ?, ?, ?)",
                [(document_id, name, value, origin, _now()) for name, value in checked.items()],
            )
            metadata = corrected(read, self.corrections(document_id))
            connection.execute(
                "UPDATE versions SET metadata = ?, as_read = ?, region = ? WHERE document_id = ? AND version = ?",
                (pack_metadata(metadata), pack_metadata(read), metadata.region, document_id, record.version),
            )
            title = " ".join(terms(metadata.title or record.source))
            self.engine.fulltext.rename(connection, _passages_of(connection, document_id), title)
        return True

    # answers and feedback

    def keep_answer(self, answer_id: str, answer: Mapping[str, Any]) -> None:
        """Keep an answer for feedback; lost answers are no lost knowledge, so a read-only folder is no error."""
        kept = KEPT_SHARED_ANSWERS if self.engine.shared else KEPT_ANSWERS
        with suppress(StoreError), self.transaction(searched=False, alone=answer_id) as connection:
            connection.execute(
                "INSERT INTO answers (answer_id, asked, answer) VALUES (?, ?, ?)",
                (answer_id, _now(), json.dumps(answer, ensure_ascii=False)),
            )
            connection.execute("DELETE FROM answers WHERE number <= (SELECT max(number) FROM answers) - ?", (kept,))

    def answer(self, answer_id: str) -> dict[str, Any] | None:
        row = self.connection().execute("SELECT answer FROM answers WHERE answer_id = ?", (answer_id,)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def kept_answers(self, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """The answers that were kept last, newest first, each with the time it was given (UTC)."""
        rows = self.connection().execute("SELECT asked, answer FROM answers ORDER BY number DESC LIMIT ?", (limit,))
        return [(row["asked"], dict(json.loads(row["answer"]))) for row in rows]

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

    def _drop_passages(self, connection: Connection, document_id: str) -> None:
        self.engine.fulltext.drop(connection, _passages_of(connection, document_id))
        connection.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))

    def _retire_samples(self, connection: Connection) -> None:
        live = connection.execute("SELECT document_id FROM documents WHERE collection = 'samples' AND state = 'live'")
        for (document_id,) in live.fetchall():
            self._drop_passages(connection, document_id)
        connection.execute("UPDATE documents SET state = 'removed' WHERE collection = 'samples'")


_RECORD = (
    "SELECT d.document_id, d.key, d.source, d.collection, d.version, d.state, v.sha256, v.ingested, v.metadata, "
    "v.notes FROM documents d JOIN versions v ON v.document_id = d.document_id AND v.version = d.version"
)


def document_id_of(key: str, collection: str) -> str:
    """The id of the document that has this key; the same on every machine."""
    return "d" + hashlib.blake2b(f"{collection}\n{key}".encode(), digest_size=6).hexdigest()


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Let the catalog say this of itself."""
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
    )


def _counted(connection: Connection, key: str, more: int) -> str:
    """What a number that the catalog keeps of itself is now, after counting so many more."""
    row = connection.execute(
        "UPDATE meta SET value = CAST(CAST(value AS BIGINT) + ? AS TEXT) WHERE key = ? RETURNING value", (more, key)
    ).fetchall()[0]
    return str(row[0])


def _record(row: Row) -> Record:
    fields = dict(row)
    fields["metadata"] = unpack_metadata(fields["metadata"])
    return Record(**fields)


def _passages_of(connection: Connection, document_id: str) -> list[int]:
    rows = connection.execute("SELECT passage_id FROM passages WHERE document_id = ?", (document_id,))
    return [int(row[0]) for row in rows]


def _unknown_version(document_id: str, version: int) -> UnknownDocument:
    return UnknownDocument(f"No version {version} of a document {document_id!r} is kept; `zhice list` shows them.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
