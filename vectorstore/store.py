"""PolicyStore: add, replace, remove, search, text; the catalog is the truth, Chroma an index of it.

Everything is first committed to the catalog, vectors included, and is searchable from then on: what the current
Chroma generation does not hold yet is scanned exactly. `refresh_index` brings the index up to the catalog.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vectorstore import fulltext
from vectorstore.catalog import Catalog, Record, set_meta
from vectorstore.encoder import Encoder, load_encoder
from vectorstore.errors import EncoderMismatch, StoreError
from vectorstore.fulltext import Facet, Scorer, Statistics, Wording
from vectorstore.index import IndexState, VectorIndex
from vectorstore.making import Made, encoded_text, make
from vectorstore.packing import unpack_metadata, unpack_passage
from vectorstore.passage import Document, Hit, Match, Metadata, Passage
from vectorstore.place import Place, place_of
from vectorstore.room import check_room, size_of
from vectorstore.rows import best_of, indexed, missing_vectors, passage_rows, revision_of, unpacked, vectors_in
from vectorstore.sql import Connection, Row

# Passages that are encoded in one transaction: some seconds, after which others may write.
ENCODED_AT_ONCE = 128

# Told how many vectors are made, and how many there are to make.
EncodeProgress = Callable[[int, int], None]

# Texts of documents kept in memory, the last used: answering reads the same document many times over.
KEPT_TEXTS = 64


class PolicyStore:
    """One data folder.

    Args:
        place: its folder, made if missing, holds `catalog.sqlite3`, `index/<generation>/` and `files/`.
        encoder: makes the vectors; the bundled one by default.
        accept_loss: open it even if what was acknowledged is missing from the catalog.

    Raises:
        EncoderMismatch: the folder was built with another encoder (unless `check_encoder` is false).
        StoreDamaged: the catalog is damaged or missing, or has lost what was acknowledged.
        StoreError: the folder cannot be made, read or written.
    """

    def __init__(
        self,
        place: Path | Place,
        *,
        encoder: Encoder | None = None,
        check_encoder: bool = True,
        accept_loss: bool = False,
    ) -> None:
        self.place = place = place_of(place)
        self.folder = folder = place.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The data folder {folder} cannot be made: {error.strerror}. "
                "Choose another with --data-dir or ZHICE_DATA_DIR."
            ) from error
        self.encoder = encoder or load_encoder(None)
        self.catalog = Catalog(folder / "catalog.sqlite3", database=place.database, accept_loss=accept_loss)
        self.lock = self.catalog.engine.lock(folder, "writer")
        self.uploads = self.catalog.engine.uploads(folder)
        self._guard = threading.Lock()
        self.index = VectorIndex(place, self.catalog, self.lock)
        self._statistics: tuple[int, Statistics] | None = None
        self._texts: dict[tuple[str, int], str] = {}
        self._described: dict[tuple[str, int], tuple[Metadata, str, str]] = {}
        built_with = self.catalog.meta("encoder")
        if check_encoder and built_with not in (None, self.encoder.name):
            self.catalog.close()
            raise EncoderMismatch(
                f"The data folder {folder} was built with the encoder {built_with}, the setting ZHICE_ENCODER asks "
                f"for {self.encoder.name}. Set it back, or run `zhice reindex` to build the vectors anew."
            )

    def close(self) -> None:
        self.index.close()
        self.catalog.close()

    # writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder for writing; several steps may share it.

        Raises:
            StoreLocked: another process writes.
        """
        with self.lock.held():
            yield

    def put(
        self,
        document: Document,
        passages: Sequence[Passage],
        *,
        key: str,
        sha256: str,
        collection: str = "own",
        made: Made | None = None,
        later: bool = False,
    ) -> Record:
        """Store a document as the next version of whatever has this key; searchable when this returns.

        `made` is what `vectorstore.making.make` gives for it with this store's encoder, if that was done elsewhere. With
        `later`, only its words are searched until `encode_missing` has made its vectors.
        """
        made = made or make(document, passages, None if later else self.encoder)
        with self.writing():
            return self.catalog.put(
                document, passages, made, key=key, sha256=sha256, collection=collection, encoder=self.encoder.name
            )

    def remove(self, document_id: str) -> None:
        """Take a document out of search; citations of it still open.

        Raises:
            UnknownDocument: no such id.
        """
        with self.writing():
            self.catalog.remove(document_id)

    def correct(self, document_id: str, fields: Mapping[str, object]) -> bool:
        """Let these be the fields that a person set right at the desk; whether that changed anything.

        Raises:
            InvalidCorrection: a field that there is not, or a value that it cannot have.
            UnknownDocument: no such id.
        """
        with self.writing():
            return self.catalog.correct(document_id, fields, origin="desk")

    def reencode(self, only: Collection[int] | None = None, progress: EncodeProgress | None = None) -> int:
        """Make every vector, or `only` those of some passages, anew with this store's encoder; returns how many.

        Until that is done, those passages are found by their words; ended halfway, `encode_missing` goes on.

        Raises:
            StoreError: the disk has too little room; nothing was changed.
        """
        with self.writing():
            # Every page that a vector lies on is written to SQLite's log, and then to the catalog.
            self.check_room(size_of(self.catalog.path), "new vectors")
            with self.catalog.transaction() as connection:
                if only is None:
                    connection.execute("UPDATE passages SET vector = ?", (b"",))
                else:
                    connection.executemany(
                        "UPDATE passages SET vector = ? WHERE passage_id = ?", [(b"", number) for number in only]
                    )
                set_meta(connection, "encoder", self.encoder.name)
                connection.execute("DELETE FROM generations")
        return self.encode_missing(progress)

    def encode_missing(self, progress: EncodeProgress | None = None, stopped: threading.Event | None = None) -> int:
        """Make the vectors that are to follow, a batch a transaction, until none is left or `stopped`; returns how many.

        `progress` is told how many are made, and how many there are to make.

        Raises:
            StoreLocked: another process writes.
        """
        made = 0
        with self.catalog.snapshot() as connection:
            missing = missing_vectors(connection)
        for first in range(0, len(missing), ENCODED_AT_ONCE):
            if stopped is not None and stopped.is_set():
                break
            with self.writing():
                with self.catalog.snapshot() as connection:
                    rows = list(passage_rows(connection, missing[first : first + ENCODED_AT_ONCE]).values())
                texts = self._encoded_texts(rows)
                vectors = self.encoder.encode(texts).astype(np.float16)
                with self.catalog.transaction() as connection:
                    connection.executemany(
                        "UPDATE passages SET vector = ? WHERE passage_id = ?",
                        [(vector.tobytes(), row["passage_id"]) for vector, row in zip(vectors, rows, strict=True)],
                    )
            made += len(rows)
            if progress is not None:
                progress(made, len(missing))
        return made

    def check_room(self, bytes_needed: int, purpose: str) -> None:
        """Refuse what would fill the disk that the catalog is on; a database's server looks after its own.

        Raises:
            StoreError: there is less room; it says how much is needed and how much is free.
        """
        if not self.catalog.engine.shared:
            check_room(self.folder, bytes_needed, purpose)

    # reading

    def text(self, document_id: str, version: int) -> str:
        """The text that offsets into this version point into.

        Raises:
            UnknownDocument: no such document or version.
        """
        version_key = (document_id, version)
        with self._guard:
            text = self._texts.pop(version_key, None)
        if text is None:
            text = self.catalog.text(document_id, version)
        with self._guard:
            self._texts[version_key] = text
            while len(self._texts) > KEPT_TEXTS:
                self._texts.pop(next(iter(self._texts)))
        return text

    def count_terms(self) -> None:
        """Count the frequent terms ahead of the questions."""
        with self.catalog.snapshot() as connection:
            fulltext.look_up_frequent(self.catalog.engine.fulltext, connection, self._known(connection))

    def document_frequencies(self, terms: Sequence[str]) -> tuple[int, dict[str, int]]:
        """The number of passages, and in how many of them each term stands."""
        with self.catalog.snapshot() as connection:
            known = self._known(connection)
            return known.passages, fulltext.look_up(self.catalog.engine.fulltext, connection, known, terms)

    def places(self) -> Mapping[str, int]:
        """How many of the documents that are searched are for each place, by the `region` of their metadata."""
        with self.catalog.snapshot() as connection:
            return self._known(connection).places

    def search(
        self, text: str, scorer: Scorer, *, limit: int = 100, documents: Collection[str] | None = None
    ) -> list[Match]:
        """The passages nearest in wording or in meaning, all scores with each; in no particular order.

        Args:
            text: what to look for in meaning; encoded as one vector.
            scorer: what to look for in wording.
            limit: how many of each of the two lists to join.
            documents: the ids of the only documents to search, whose vectors are then compared one by one.
        """
        vector = self.encoder.encode_query(text)
        with self.catalog.snapshot() as connection:
            known, index = self._known(connection), self.catalog.engine.fulltext
            if documents is None:
                cosines = self.index.nearest(connection, vector, limit)
                worded = fulltext.candidates(index, connection, known, scorer.facets, limit)
            else:
                inside, matrix = vectors_in(connection, documents)
                cosines = best_of(inside, matrix, vector, limit)
                among = frozenset(inside)
                every = fulltext.candidates(index, connection, known, scorer.facets, known.passages)
                worded = [number for number in every if number in among][:limit]
            ids = dict.fromkeys([*cosines, *worded])
            rows = passage_rows(connection, list(ids))
            others, matrix = unpacked((number, row["vector"]) for number, row in rows.items() if number not in cosines)
            if others:
                cosines |= zip(others, (matrix @ vector).tolist(), strict=True)
            # Those whose vectors are to follow may be as near as the nearest: their words decide.
            cosines = dict.fromkeys(rows, max(cosines.values(), default=0.0)) | cosines
            wordings = scorer.score({number: indexed(row) for number, row in rows.items()})
            return [self._match(row, wordings[number], cosines[number], connection) for number, row in rows.items()]

    def scorer(self, facets: Sequence[Facet]) -> Scorer:
        """What scores texts for these facets (index terms, see `segmentation.terms`) by this store's statistics."""
        with self.catalog.snapshot() as connection:
            known = self._known(connection)
            fulltext.look_up(
                self.catalog.engine.fulltext, connection, known, [term for facet in facets for term in facet.terms]
            )
            return Scorer(known, facets)

    def hit_at(self, document_id: str, version: int, place: int) -> Hit | None:
        """The searched passage of a document that holds a place in its text, if one does."""
        with self.catalog.snapshot() as connection:
            self._known(connection)
            row = connection.execute(
                'SELECT * FROM passages WHERE document_id = ? AND version = ? AND start <= ? AND "end" > ?',
                (document_id, version, place, place),
            ).fetchone()
            if row is None:
                return None
            match = self._match(row, Wording(0.0, 0.0), 0.0, connection)
        return self.read([match])[0]

    def read(self, matches: Sequence[Match]) -> list[Hit]:
        """The matches with their texts, in their order."""
        return [
            Hit(**{name: getattr(match, name) for name in Match.__slots__}, text=self._passage_text(match))
            for match in matches
        ]

    # the index

    def index_state(self) -> IndexState:
        return self.index.state()

    def refresh_index(self, *, force: bool = False) -> bool:
        """Build the next Chroma generation if enough passages are outside the present one; whether it was built.

        It is not built while vectors are to follow, unless by `force`, which makes them first.
        """
        if force:
            self.encode_missing()
        with self.catalog.snapshot() as connection:
            if missing_vectors(connection, most=1):
                return False
        return self.index.refresh(force=force)

    def open_index(self) -> bool:
        """Prove the present generation and answer from it, or build one; until then searches scan exactly."""
        return self.index.open()

    def _known(self, connection: Connection) -> Statistics:
        """The term statistics of the present contents; another revision starts them anew."""
        revision = revision_of(connection)
        with self._guard:
            if self._statistics is None or self._statistics[0] != revision:
                self._statistics = (revision, fulltext.statistics(connection))
                self._described.clear()
            return self._statistics[1]

    def _encoded_texts(self, rows: Sequence[Row]) -> list[str]:
        """What passages are encoded as: under the title as it was read, so that no correction makes a vector anew."""
        versions = {(row["document_id"], row["version"]) for row in rows}
        read = {version: self.catalog.document(*version, as_read=True) for version in versions}
        documents = [read[row["document_id"], row["version"]] for row in rows]
        return [
            encoded_text(document.metadata.title or document.source, document.text, unpack_passage(row))
            for document, row in zip(documents, rows, strict=True)
        ]

    def _described_by(self, row: Row, connection: Connection) -> tuple[Metadata, str, str]:
        """The metadata, the source and the collection of a passage's document."""
        version_key = (row["document_id"], row["version"])
        described = self._described.get(version_key)
        if described is None:
            found = connection.execute(
                "SELECT v.metadata, d.source, d.collection FROM versions v JOIN documents d USING (document_id) "
                "WHERE v.document_id = ? AND v.version = ?",
                version_key,
            ).fetchone()
            described = unpack_metadata(found["metadata"]), found["source"], found["collection"]
            self._described[version_key] = described
        return described

    def _match(self, row: Row, wording: Wording, cosine: float, connection: Connection) -> Match:
        metadata, source, collection = self._described_by(row, connection)
        return Match(
            passage_id=row["passage_id"],
            document_id=row["document_id"],
            version=row["version"],
            passage=unpack_passage(row),
            metadata=metadata,
            source=source,
            collection=collection,
            lexical=wording.bm25,
            coverage=wording.coverage,
            cosine=cosine,
        )

    def _passage_text(self, match: Match) -> str:
        return self.text(match.document_id, match.version)[match.passage.start : match.passage.end]
