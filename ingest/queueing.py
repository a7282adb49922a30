"""Uploads taken in one at a time, by one process at a time: files wait in the catalog's queue, and whoever is free works it off.

What is taken in is found by its words at once; its vectors are made behind the queue, also those that a process which has
ended left to be made.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ingest.errors import UnreadableDocument
from ingest.finding import check_size
from ingest.isolation import IsolatedReader
from ingest.pipeline import ingest_upload
from vectorstore.errors import StoreError, StoreLocked, StoreUnavailable
from vectorstore.jobs import TRIES, Job, Jobs
from vectorstore.store import PolicyStore
from vectorstore.taken import Taken

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.2
"""Seconds between two looks for what another process makes of a file."""

PATIENCE: Final = 600.0
"""Seconds after which who has sent a file is told that it waits; recognising the text of a hundred pages takes five minutes."""

LOOK_SECONDS: Final = 5.0
"""Seconds between two looks for what a process that has ended has left in the queue."""


class Queue:
    """Takes files in, and what other processes have left.

    Args:
        store: where documents go.
        reader: reads files in a process of its own.
    """

    def __init__(self, store: PolicyStore, reader: IsolatedReader) -> None:
        self._store = store
        self._reader = reader
        self._jobs = Jobs(store.catalog, store.uploads)
        self._lock = store.catalog.engine.lock(store.folder, "ingest")
        self._closed = threading.Event()
        self._looking = threading.Thread(target=self._look, name="queue", daemon=True)
        self._looking.start()

    def close(self) -> None:
        """End with the file that is being read; the others wait for the next process."""
        self._closed.set()
        self._looking.join()

    def add(self, name: str, file: Path) -> Sequence[Taken]:
        """What becomes of an uploaded file, or of each in an archive.

        It is safe from the moment it is in the queue: "waiting" says that it will be taken in later.

        Args:
            name: what whoever sent the file calls it.
            file: where it lies; it stays there.

        Raises:
            StoreError: it cannot be kept.
        """
        source = Path(name.replace("\\", "/")).name or "upload"
        try:
            check_size(file.stat().st_size)
        except UnreadableDocument as error:
            return [Taken(source, "failed", reason=str(error))]
        job_id = self._jobs.add(source, file.read_bytes())
        give_up = time.monotonic() + PATIENCE
        hindered = ""
        while not (hindered or self._closed.is_set() or time.monotonic() > give_up):
            try:
                taken = self._jobs.outcome(job_id)
                if taken is not None:
                    return taken
                hindered = self._work_off()
            except (StoreLocked, StoreUnavailable):  # another process works it off; the database comes back
                self._closed.wait(POLL_SECONDS)
        return [Taken(source, "waiting", reason=hindered)]

    def _look(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            try:
                if self._jobs.waiting():
                    self._work_off()
                with self._lock.held():
                    if self._store.encode_missing(stopped=self._closed):
                        self._store.refresh_index()
            except StoreLocked:
                continue
            except StoreError as error:
                logger.warning("what was uploaded could not be taken in further: %s", error)

    def _work_off(self) -> str:
        """Take in what waits; what hinders it, if it has to wait on.

        Raises:
            StoreLocked: another process does.
        """
        with self._lock.held():
            while not self._closed.is_set() and (job := self._jobs.begin()) is not None:
                if job.begun >= TRIES:
                    self._jobs.finish(job, [Taken(job.name, "failed", reason=_GIVEN_UP)])
                    continue
                try:
                    self._jobs.finish(job, self._taken(job))
                except StoreError as error:
                    self._jobs.put_back(job)
                    return str(error)
        return ""

    def _taken(self, job: Job) -> list[Taken]:
        data = self._store.uploads.read(job.sha256)
        if data is None:
            return [Taken(job.name, "failed", reason="The file was lost or altered while it waited; add it again.")]
        try:
            return ingest_upload(self._store, job.name, data, self._reader)
        except StoreError:
            raise
        except Exception:
            logger.exception("an uploaded file could not be taken in")
            return [Taken(job.name, "failed", reason="It could not be taken in; the server's log says why.")]


_GIVEN_UP: Final = "The server has ended each time it was read. Save the document again in another format and add that."
