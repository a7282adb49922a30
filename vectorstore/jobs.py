"""The queue of uploaded files that wait to be read: any process puts files in, one at a time takes them in."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from vectorstore.catalog import Catalog
from vectorstore.taken import Taken
from vectorstore.uploads import UPLOADING, Uploads

TRIES: Final = 3
"""How often a file is begun: one that has ended its process so often is given up."""

KEPT_SECONDS: Final = 24 * 3600
"""Seconds for which is known what became of a file."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file that waits: what it is called, and the SHA-256 of its bytes; it was `begun` so often before."""

    job_id: str
    name: str
    sha256: str
    begun: int


class Jobs:
    """The queue of one catalog; safe to use from several threads and processes.

    Args:
        catalog: keeps the queue.
        uploads: keep the files.
        clock: seconds since 1970.
    """

    def __init__(self, catalog: Catalog, uploads: Uploads, *, clock: Callable[[], float] = time.time) -> None:
        self._catalog = catalog
        self._uploads = uploads
        self._clock = clock

    def add(self, name: str, data: bytes) -> str:
        """Put a file into the queue; the id of its job. From then on it will be taken in, whatever ends meanwhile.

        Raises:
            StoreError: it cannot be kept.
        """
        job_id, sha256, now = secrets.token_hex(12), hashlib.sha256(data).hexdigest(), self._clock()
        with self._catalog.transaction(searched=False, alone=UPLOADING) as connection:
            self._uploads.keep(sha256, data)
            connection.execute("DELETE FROM jobs WHERE state = 'done' AND at < ?", (now - KEPT_SECONDS,))
            connection.execute(
                "INSERT INTO jobs (job_id, number, name, sha256, state, at) "
                "SELECT ?, coalesce(max(number), 0) + 1, ?, ?, 'waiting', ? FROM jobs",
                (job_id, name, sha256, now),
            )
        return job_id

    def waiting(self) -> int:
        """How many files wait."""
        row = self._catalog.connection().execute("SELECT count(*) FROM jobs WHERE state = 'waiting'").fetchone()
        return int(row[0])

    def begin(self) -> Job | None:
        """The file that has waited longest; whoever asks holds the lock on the queue."""
        with self._catalog.transaction(searched=False, alone=UPLOADING) as connection:
            row = connection.execute(
                "SELECT job_id, name, sha256, begun FROM jobs WHERE state = 'waiting' ORDER BY number LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE jobs SET begun = begun + 1 WHERE job_id = ?", (row["job_id"],))
        return Job(*row)

    def put_back(self, job: Job) -> None:
        """A file could not be taken in for now, which is not its fault."""
        with self._catalog.transaction(searched=False, alone=UPLOADING) as connection:
            connection.execute("UPDATE jobs SET begun = ? WHERE job_id = ?", (job.begun, job.job_id))

    def finish(self, job: Job, taken: Sequence[Taken]) -> None:
        """A file was taken in or cannot be; what no document was read from is not kept."""
        outcome = json.dumps([asdict(each) for each in taken], ensure_ascii=False)
        with self._catalog.transaction(searched=False, alone=UPLOADING) as connection:
            connection.execute(
                "UPDATE jobs SET state = 'done', outcome = ?, at = ? WHERE job_id = ?",
                (outcome, self._clock(), job.job_id),
            )
            needed = connection.execute(
                "SELECT 1 FROM versions WHERE sha256 = ? UNION ALL "
                "SELECT 1 FROM jobs WHERE sha256 = ? AND state = 'waiting' LIMIT 1",
                (job.sha256, job.sha256),
            ).fetchone()
            if needed is None:
                self._uploads.remove(job.sha256)

    def outcome(self, job_id: str) -> list[Taken] | None:
        """What became of a file; None while it waits."""
        row = (
            self._catalog.connection()
            .execute("SELECT outcome FROM jobs WHERE job_id = ? AND state = 'done'", (job_id,))
            .fetchone()
        )
        return None if row is None else [Taken(**each) for each in json.loads(row[0])]
