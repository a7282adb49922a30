"""Documents in: find files -> read, clean, describe, split (in a process of its own) -> store, one file a transaction -> encode.

Up to the store, every step is a pure function of a file's bytes and name. A file that cannot be read is reported
and the others go in; an interrupted run is picked up by running it again, what is in already being `unchanged`.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Literal

from ingest.archives import members
from ingest.cluster import ClusterReader
from ingest.errors import UnreadableDocument
from ingest.finding import INSIDE, Failure, Finding, Found, find, read_bytes
from ingest.isolation import IsolatedReader, PageProgress
from ingest.preparing import prepare
from ingest.reading import Beside, Read, Reading
from ingest.sidecars import read_sidecar
from vectorstore.catalog import Record
from vectorstore.encoder import load_encoder
from vectorstore.errors import StoreError
from vectorstore.place import Place, place_of
from vectorstore.room import text_bytes
from vectorstore.store import EncodeProgress, PolicyStore
from vectorstore.taken import Taken
from vectorstore.uploads import KEY as UPLOAD_KEY

logger = logging.getLogger(__name__)

Outcome = Literal["added", "updated", "unchanged"]
Progress = Callable[[int, int, str], None]
"""Called before each file is stored with how many are done, how many there are, and its name; the ones before are in."""

# Bytes; a larger file holds pictures besides its text.
_MOST_TEXT = 2**20


@dataclass(slots=True)
class Report:
    """What an ingest did: numbers of documents, of passages written, seconds taken, and (file, reason) of failures.

    `notes` are (file, note) of documents that went in but want a second look, such as a page read with little confidence.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[Failure] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0

    def count(self, outcome: Outcome, passages: int) -> None:
        """Count one document in."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        self.passages += passages


def ingest_paths(
    paths: Sequence[str | Path],
    *,
    data_dir: str | Path | Place,
    encoder: str | None = None,
    prune: bool = False,
    progress: Progress | None = None,
    encoding: EncodeProgress | None = None,
    ray: str | None = None,
) -> Report:
    """Take files, and all files in folders and archives, into the knowledge base in `data_dir`.

    Args:
        paths: files and folders; hidden files are left out. A YAML file beside a document and named after it corrects
            its fields.
        data_dir: the data folder, made if missing; or a place that names the servers, too.
        encoder: a sentence-transformers model instead of the bundled one (setting ZHICE_ENCODER).
        prune: also remove documents that were read from these folders and whose file is gone.
        progress: called before each file is stored, and for each page of which the text is recognised.
        encoding: told how many vectors are made and how many there are to make, once the files are read.
        ray: the address of a Ray cluster that reads and encodes instead of this machine (see `ClusterReader`).

    Raises:
        ClusterUnavailable: there is no such cluster, or it was lost; what was reported before is safe.
        StoreLocked: another process is writing to the data folder.
        EncoderMismatch: the data folder was built with another encoder.
        StoreError: the folder cannot be written, or the disk is full; what was reported before is safe.
    """
    store = PolicyStore(place_of(data_dir), encoder=load_encoder(encoder))
    try:
        reading = ClusterReader(ray, encoder=encoder, encoder_name=store.encoder.name) if ray else None
        return ingest_into(store, paths, prune=prune, progress=progress, encoding=encoding, reading=reading)
    finally:
        store.close()


def ingest_into(
    store: PolicyStore,
    paths: Sequence[str | Path],
    *,
    prune: bool = False,
    progress: Progress | None = None,
    encoding: EncodeProgress | None = None,
    reading: Reading | None = None,
) -> Report:
    """`ingest_paths` into an open store; files are read by `reading`, or else in a process beside this one."""
    started = time.perf_counter()
    finding = find(paths)
    report = Report()
    with store.writing(), reading or Beside() as reader:
        run = _Run(store, reader, report, finding)
        store.check_room(text_bytes(run.new_bytes()), f"{len(finding.files):,} files")
        for done, path in enumerate(finding.files):
            told = _told(progress, done, len(finding.files), path.name)
            for found in finding.read(path):
                run.take(found, told)
        run.finish()
        if prune:
            folders = [Path(path).expanduser().absolute() for path in paths]
            report.removed = _prune(store, [folder for folder in folders if folder.is_dir()], finding, run.keys)
        store.encode_missing(encoding)
        report.notes += _indexed(store)
    report.failed = sorted(finding.failed)  # whichever were read first
    report.seconds = time.perf_counter() - started
    return report


class _Run:
    """One ingest: the next files are read while one is stored."""

    def __init__(self, store: PolicyStore, reader: Reading, report: Report, finding: Finding) -> None:
        self.keys: set[str] = set()
        self._held = store.catalog.held()
        self._store, self._reader, self._report, self._finding = store, reader, report, finding
        self._waiting: deque[tuple[Found, PageProgress, Callable[[], Read] | None]] = deque()
        self._bytes = 0

    def new_bytes(self) -> int:
        """An upper estimate of the text in the files that are not there yet."""
        new = (path for path in self._finding.files if str(path) not in self._held)
        return sum(min(path.stat().st_size, _MOST_TEXT) for path in new if path.exists())

    def take(self, found: Found, told: PageProgress) -> None:
        """Begin to read a file, unless it is known, and store what has been read before it."""
        self.keys.add(found.key)
        if found.sidecar is None and self._held.get(found.key) == found.sha256:
            self._report.count("unchanged", 0)  # most files of most runs
            return
        known = _unchanged(self._store, found)
        if known is not None and any(known.key == waiting.key for waiting, _, _ in self._waiting):
            known = None  # by the time this one is stored, that document may have become another
        reading = None if known else self._reader.submit(found.data, found.source, on_page=told)
        self._waiting.append((found, told, reading))
        self._bytes += len(found.data)
        while len(self._waiting) > self._reader.files_ahead or (
            len(self._waiting) > 1 and self._bytes > self._reader.bytes_ahead
        ):
            self._store_one(*self._waiting.popleft())

    def finish(self) -> None:
        """Store what is still being read."""
        while self._waiting:
            self._store_one(*self._waiting.popleft())

    def _store_one(self, found: Found, told: PageProgress, reading: Callable[[], Read] | None) -> None:
        told(0, 0)
        self._bytes -= len(found.data)
        try:
            read = reading() if reading else None
            outcome, passages, document_id = _store(self._store, found, read)
            if read and outcome != "unchanged":
                self._report.notes += [(found.key, note) for note in read.document.notes]
            own = self._store.catalog.record(document_id).key == found.key  # and not another copy's of the file
            if own and _correct(self._store, document_id, found, self._finding) and outcome == "unchanged":
                outcome = "updated"
            self._report.count(outcome, passages)
        except UnreadableDocument as error:
            self._finding.failed.append((found.key, str(error)))


def ingest_upload(store: PolicyStore, source: str, data: bytes, reader: IsolatedReader) -> list[Taken]:
    """Take one uploaded file in, or the files in an archive; the bytes are kept, so that they can be read again.

    Args:
        store: where documents go.
        source: what whoever sent the file calls it.
        data: its bytes.
        reader: reads it in a process of its own.
    """
    try:
        inside = members(data, source)
    except UnreadableDocument as error:
        return [Taken(source, "failed", reason=str(error))]
    if inside is None:
        return [_upload(store, Found(data, source, UPLOAD_KEY + source), reader)]
    taken = []
    for member in inside:
        found = Found(member.data, member.name.rpartition("/")[2], f"{UPLOAD_KEY}{source}{INSIDE}{member.name}")
        taken.append(
            Taken(member.name, "failed", reason=member.reason) if member.reason else _upload(store, found, reader)
        )
    return taken or [Taken(source, "failed", reason="It is an archive without any document; add the documents.")]


def _upload(store: PolicyStore, found: Found, reader: IsolatedReader) -> Taken:
    try:
        read = None if _unchanged(store, found) else Read(*reader.prepare(found.data, found.source))
    except UnreadableDocument as error:
        return Taken(found.source, "failed", reason=str(error))
    with store.writing():
        store.uploads.keep(found.sha256, found.data)
        outcome, _, document_id = _store(store, found, read)
        hindered = "".join(note for _, note in _indexed(store))
    return Taken(found.source, outcome, document_id, hindered)


def ingest_again(store: PolicyStore, document_id: str, reader: IsolatedReader) -> Outcome:
    """Read a document's file again, as after an improved reader; an unchanged result makes no new version.

    Raises:
        UnreadableDocument: the file is gone or cannot be read any more; the document stays as it is.
        UnknownDocument: no such id.
    """
    record = store.catalog.record(document_id)
    if record.collection == "samples":
        return "unchanged"
    document, passages = reader.prepare(_bytes_of(store, record), record.source)
    if store.catalog.document(document_id, record.version, as_read=True) == document:
        return "unchanged"
    with store.writing():
        store.put(document, passages, key=record.key, sha256=record.sha256, collection=record.collection)
        _indexed(store)
    return "updated"


def ingest_samples(store: PolicyStore) -> Report:
    """Take the sample policies into a collection of their own, unless there are documents already."""
    report = Report()
    folder = files("ingest.samples")
    with store.writing():
        if any(record.collection == "own" for record in store.catalog.records()):
            return report
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith((".md", ".txt", ".html")):
                found = Found(entry.read_bytes(), entry.name, entry.name)
                read = Read(*prepare(found.data, found.source))  # our own files need no process of their own
                outcome, passages, _ = _store(store, found, read, collection="samples")
                report.count(outcome, passages)
        store.encode_missing()
        report.notes += _indexed(store)
    return report


def _indexed(store: PolicyStore) -> list[tuple[str, str]]:
    """Build the index where that is due; what hindered it, as a note: the documents are in, and searches go without it."""
    try:
        store.refresh_index()
    except StoreError as error:
        logger.warning("the index was not built: %s", error)
        return [("index", str(error))]
    return []


def _unchanged(store: PolicyStore, found: Found, collection: str = "own") -> Record | None:
    """The document that holds exactly these bytes, under the file's key or else under any."""
    known = store.catalog.find(key=found.key, sha256=found.sha256, collection=collection)
    return known if known is not None and known.sha256 == found.sha256 else None


def _store(store: PolicyStore, found: Found, read: Read | None, *, collection: str = "own") -> tuple[Outcome, int, str]:
    """What became of a file, how many passages were written, and the document's id."""
    known = _unchanged(store, found, collection)
    if known is not None:
        if known.key != found.key and not known.key.startswith(UPLOAD_KEY) and not _file_of(known.key).exists():
            store.catalog.move(known.document_id, key=found.key, source=found.source)
        return "unchanged", 0, known.document_id
    if read is None:
        raise UnreadableDocument("It was removed while it was being added; add it again.")
    before = store.catalog.find(key=found.key, sha256=found.sha256, collection=collection)
    record = store.put(
        read.document,
        read.passages,
        key=found.key,
        sha256=found.sha256,
        collection=collection,
        made=read.made,
        later=True,  # `encode_missing` makes the vectors of many documents together
    )
    return ("added" if before is None else "updated"), len(read.passages), record.document_id


def _correct(store: PolicyStore, document_id: str, found: Found, finding: Finding) -> bool:
    """Bring a document's corrections in step with its sidecar; whether that changed anything."""
    try:
        fields = read_sidecar(found.sidecar) if found.sidecar else {}
    except UnreadableDocument as error:
        finding.failed.append((str(found.sidecar), str(error)))
        return False
    return store.catalog.correct(document_id, fields, origin="sidecar")


def _file_of(key: str) -> Path:
    """The file that a key names, without the name of what is inside it."""
    return Path(key.partition(INSIDE)[0])


def _bytes_of(store: PolicyStore, record: Record) -> bytes:
    if record.key.startswith(UPLOAD_KEY):
        kept = store.uploads.read(record.sha256)
        if kept is None:
            raise UnreadableDocument("The file that it was read from is gone or altered; add it again.")
        return kept
    data = read_bytes(_file_of(record.key))
    _, _, name = record.key.partition(INSIDE)
    if not name:
        return data
    inside = members(data, _file_of(record.key).name) or []
    member = next((each for each in inside if each.name == name and not each.reason), None)
    if member is None:
        raise UnreadableDocument("The archive that it was read from does not hold it any more.")
    return member.data


def _told(progress: Progress | None, done: int, total: int, name: str) -> PageProgress:
    """What tells of one file: that it is to be stored (0 pages of 0), or how many pages have been recognised."""

    def tell(page: int, pages: int) -> None:
        if progress is not None:
            progress(done, total, f"{name} ({page}/{pages})" if pages else name)

    return tell


def _prune(store: PolicyStore, folders: Sequence[Path], finding: Finding, keys: set[str]) -> int:
    """Remove the documents below some folders whose file, or whose place in an archive, is gone."""
    removed = 0
    for record in store.catalog.records():
        path = _file_of(record.key)
        if record.collection != "own" or not any(path.is_relative_to(folder) for folder in folders):
            continue
        if not path.exists() or (path in finding.opened and record.key not in keys):
            store.remove(record.document_id)
            removed += 1
    return removed
