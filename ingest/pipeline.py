"""Documents in: find files -> read -> clean -> describe -> split -> store, one file a transaction.

Up to the store, every step is a pure function of a file's bytes and name. A file that cannot be read is reported
and the others go in; an interrupted run is picked up by running it again, what is in already being `unchanged`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Literal

from ingest.cleaning import mark_boilerplate
from ingest.errors import UnreadableDocument
from ingest.metadata import describe
from ingest.readers import MAX_BYTES, read_document
from ingest.splitting import split
from vectorstore.encoder import load_encoder
from vectorstore.passage import Document, Passage
from vectorstore.store import PolicyStore

Outcome = Literal["added", "updated", "unchanged"]
Progress = Callable[[int, int, str], None]
"""Called before each file with how many are done, how many there are, and the file's name."""

_UPLOAD = "upload:"


@dataclass(slots=True)
class Report:
    """What an ingest did: numbers of documents, of passages written, seconds taken, and (file, reason) of failures."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0

    def count(self, outcome: Outcome, passages: int) -> None:
        """Count one document in."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        self.passages += passages


def prepare(data: bytes, source: str) -> tuple[Document, tuple[Passage, ...]]:
    """A file's bytes to a document and its passages; pure.

    Raises:
        UnreadableDocument: with the reason and what to do.
    """
    document = describe(mark_boilerplate(read_document(data, source)))
    passages = split(document)
    if not passages:
        raise UnreadableDocument("It holds no text besides navigation and boilerplate; there is nothing to search.")
    return document, passages


def ingest_paths(
    paths: Sequence[str | Path],
    *,
    data_dir: str | Path,
    encoder: str | None = None,
    prune: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Take files, and all files in folders, into the knowledge base in `data_dir`.

    Args:
        paths: files and folders; hidden files are left out.
        data_dir: the data folder; made if missing.
        encoder: a sentence-transformers model instead of the bundled one (setting ZHICE_ENCODER).
        prune: also remove documents that were read from these folders and whose file is gone.
        progress: called before each file.

    Raises:
        StoreLocked: another process is writing to the data folder.
        EncoderMismatch: the data folder was built with another encoder.
        StoreError: the folder cannot be written, or the disk is full; what was reported before is safe.
    """
    store = PolicyStore(Path(data_dir), encoder=load_encoder(encoder))
    try:
        return ingest_into(store, paths, prune=prune, progress=progress)
    finally:
        store.close()


def ingest_into(
    store: PolicyStore, paths: Sequence[str | Path], *, prune: bool = False, progress: Progress | None = None
) -> Report:
    """`ingest_paths` into an open store."""
    started = time.perf_counter()
    report = Report()
    found = list(_files(paths, report))
    with store.writing():
        for done, path in enumerate(found):
            if progress is not None:
                progress(done, len(found), path.name)
            try:
                data = _bytes(path)
                report.count(*_take(store, data, key=str(path), source=path.name))
            except UnreadableDocument as error:
                report.failed.append((str(path), str(error)))
        if prune:
            report.removed = _prune(store, [Path(path).absolute() for path in paths if Path(path).is_dir()])
        store.refresh_index()
    report.seconds = time.perf_counter() - started
    return report


def ingest_upload(store: PolicyStore, name: str, data: bytes) -> tuple[Outcome, str]:
    """Take one uploaded file in and keep its bytes, so that it can be read again; the outcome and document id.

    Raises:
        UnreadableDocument: with the reason and what to do.
    """
    _check_size(len(data))
    source = Path(name.replace("\\", "/")).name or "upload"
    kept = store.folder / "files" / hashlib.sha256(data).hexdigest()
    with store.writing():
        document, passages = prepare(data, source)
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(data)
        outcome, _ = _take(store, data, key=_UPLOAD + source, source=source, prepared=(document, passages))
        record = store.catalog.find(key=_UPLOAD + source, sha256=kept.name)
        store.refresh_index()
    return outcome, record.document_id if record else ""


def ingest_again(store: PolicyStore, document_id: str) -> Outcome:
    """Read a document's file again, as after an improved reader; an unchanged result makes no new version.

    Raises:
        UnreadableDocument: the file is gone or cannot be read any more; the document stays as it is.
        UnknownDocument: no such id.
    """
    record = store.catalog.record(document_id)
    if record.key.startswith(_UPLOAD):
        path = store.folder / "files" / record.sha256
    elif record.collection == "samples":
        return "unchanged"
    else:
        path = Path(record.key)
    data = _bytes(path)
    with store.writing():
        outcome, _ = _take(store, data, key=record.key, source=record.source, again=True)
        store.refresh_index()
    return outcome


def ingest_samples(store: PolicyStore) -> Report:
    """Take the sample policies into a collection of their own, unless there are documents already."""
    report = Report()
    folder = files("ingest.samples")
    with store.writing():
        if any(record.collection == "own" for record in store.catalog.records()):
            return report
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith((".md", ".txt", ".html")):
                data = entry.read_bytes()
                report.count(*_take(store, data, key=entry.name, source=entry.name, collection="samples"))
        store.refresh_index()
    return report


def _take(
    store: PolicyStore,
    data: bytes,
    *,
    key: str,
    source: str,
    collection: str = "own",
    prepared: tuple[Document, tuple[Passage, ...]] | None = None,
    again: bool = False,
) -> tuple[Outcome, int]:
    sha256 = hashlib.sha256(data).hexdigest()
    known = store.catalog.find(key=key, sha256=sha256, collection=collection)
    if known is not None and known.sha256 == sha256 and not again:
        if known.key != key and not known.key.startswith(_UPLOAD) and not Path(known.key).exists():
            store.catalog.move(known.document_id, key=key, source=source)
        return "unchanged", 0
    document, passages = prepared or prepare(data, source)
    if known is not None and again and store.catalog.document(known.document_id, known.version) == document:
        return "unchanged", 0
    store.put(document, passages, key=key, sha256=sha256, collection=collection)
    return ("added" if known is None else "updated"), len(passages)


def _files(paths: Iterable[str | Path], report: Report) -> Iterator[Path]:
    seen: set[Path] = set()
    for given in paths:
        path = Path(given).expanduser().absolute()
        if path.is_dir():
            inside = sorted(
                file
                for file in path.rglob("*")
                if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
        elif path.exists():
            inside = [path]
        else:
            report.failed.append((str(given), "There is no such file or folder; check the path."))
            continue
        for file in inside:
            if file not in seen:
                seen.add(file)
                yield file


def _bytes(path: Path) -> bytes:
    try:
        _check_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise UnreadableDocument(
            f"It cannot be opened: {error.strerror}. Check that it exists and may be read."
        ) from error


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise UnreadableDocument(
            f"It has {size / 2**20:.0f} MiB; files up to {MAX_BYTES // 2**20} MiB are read. Split it into parts."
        )


def _prune(store: PolicyStore, folders: Sequence[Path]) -> int:
    removed = 0
    for record in store.catalog.records():
        path = Path(record.key)
        if record.collection == "own" and any(path.is_relative_to(folder) for folder in folders) and not path.exists():
            store.remove(record.document_id)
            removed += 1
    return removed
