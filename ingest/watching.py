"""Keeping folders and the knowledge base in step: look again and again, take in what changed, remove what is gone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.finding import find
from ingest.pipeline import Progress, Report, ingest_paths
from vectorstore.catalog import Catalog, Record
from vectorstore.errors import StoreLocked
from vectorstore.place import Place, place_of

# Folders are looked at rather than listened to: file servers of offices (SMB, NFS) tell nobody of a change.
EVERY_SECONDS = 10.0
# Once in an hour every file is compared by its bytes: some programs keep a file's date when they write it.
WHOLE_SECONDS = 3600.0

_LOGGER = logging.getLogger(__name__)

Signature = dict[Path, tuple[int, int]]


def watch(
    folders: Sequence[Path],
    *,
    data_dir: Path | Place,
    encoder: str | None = None,
    every: float = EVERY_SECONDS,
    stopped: threading.Event,
    reported: Callable[[Report], None],
    progress: Progress | None = None,
) -> None:
    """Take the folders in now and after every change, deletions included, until `stopped` is set.

    A change is taken in once two looks in a row, `every` seconds apart, saw the same: a file being copied is left alone.
    A folder that is missing or empty at once, as one whose server is gone, removes nothing.
    """
    taken: Signature | None = None
    before = seen = _signature(folders)
    whole_at = 0.0
    while True:
        if time.monotonic() >= whole_at or (seen == before and seen != taken):
            try:
                here = [folder for folder in folders if _is_there(folder, data_dir)]
                report = ingest_paths(here, data_dir=data_dir, encoder=encoder, prune=True, progress=progress)
            except StoreLocked:
                _LOGGER.info("another process is writing to the data folder; trying again in %.0f s", every)
            else:
                taken, whole_at = seen, time.monotonic() + WHOLE_SECONDS
                reported(report)
        if stopped.wait(every):
            return
        before, seen = seen, _signature(folders)


def _signature(folders: Sequence[Path]) -> Signature:
    """Size and time of every file."""
    found: Signature = {}
    for path in [*(listed := find(folders)).files, *listed.sidecars.values()]:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_size, status.st_mtime_ns)
    return found


def _is_there(folder: Path, data_dir: Path | Place) -> bool:
    """Whether a folder can be compared; one that lost all its files at once more likely lost its server."""
    if folder.is_dir() and find([folder]).files:
        return True
    if any(Path(record.key).is_relative_to(folder.absolute()) for record in _records(data_dir)):
        _LOGGER.warning("%s is missing or empty; its documents are kept. Remove them with `zhice remove`.", folder)
        return False
    return folder.is_dir()


def _records(data_dir: Path | Place) -> list[Record]:
    place = place_of(data_dir)
    path = place.folder / "catalog.sqlite3"
    if place.database is None and not path.exists():
        return []
    catalog = Catalog(path, database=place.database)
    try:
        return catalog.records()
    finally:
        catalog.close()
