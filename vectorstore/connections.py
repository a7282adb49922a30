"""Connections to the catalog's file, one a thread, and the transactions on them; the file is proven when it is opened."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vectorstore.errors import StoreDamaged, StoreError
from vectorstore.schema import connect, damaged, is_damage
from vectorstore.witness import acknowledge, acknowledged


class _Held:
    """A thread's connection, closed when the thread has ended: servers begin and end threads all day."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Connections:
    """One SQLite file; safe to use from several threads.

    Args:
        path: the file; made if its folder is new.
        accept_loss: open it even if what was acknowledged is missing from it.

    Raises:
        StoreDamaged: the file is damaged or missing, or has lost what was acknowledged.
        StoreError: it cannot be opened.
    """

    def __init__(self, path: Path, *, accept_loss: bool = False) -> None:
        self.path = path
        self._local = threading.local()
        self._closed = False
        try:
            self._prove(accept_loss=accept_loss)
        except BaseException:
            self.close()
            raise

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
        """A read transaction: all that is read inside comes from one state.

        Raises:
            StoreDamaged: what was read is damaged.
        """
        connection = self.connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise damaged(self.path, f"is damaged ({error})") from error
            raise
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def transaction(self, *, searched: bool = True) -> Iterator[sqlite3.Connection]:
        """A write transaction; it counts the revision up unless nothing that is `searched` is written.

        Raises:
            StoreDamaged: what was read or written is damaged.
            StoreError: the disk is full or the file cannot be written; nothing of the transaction stays.
        """
        connection = self.connection()
        revision = 0
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            if searched:
                ((revision,),) = connection.execute(
                    "UPDATE meta SET value = value + 1 WHERE key = 'revision' RETURNING CAST(value AS INTEGER)"
                ).fetchall()
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            _rollback(connection)
            if is_damage(error):
                raise damaged(self.path, f"is damaged ({error})") from error
            if not isinstance(error, sqlite3.OperationalError):
                raise
            raise StoreError(
                f"The catalog {self.path} could not be written: {error}. Nothing was changed by this step; "
                "free disk space or check the folder's permissions, then run it again."
            ) from error
        except BaseException:
            _rollback(connection)
            raise
        if revision:
            acknowledge(self.path, revision)

    def meta(self, key: str) -> str | None:
        row = self.connection().execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def revision(self) -> int:
        """Counts what is written to be searched, by any process; equal revisions mean equal contents."""
        return int(self.meta("revision") or 0)

    def _prove(self, *, accept_loss: bool) -> None:
        """Read the whole file for damage (0.2 s for 147,288 passages in 346 MB), and compare it with its witness."""
        noted = acknowledged(self.path)  # before the revision, which may grow meanwhile
        try:
            verdict = self.connection().execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise damaged(self.path, f"is damaged ({verdict})")
            revision = self.revision()
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise damaged(self.path, f"is damaged ({error})") from error
            raise StoreError(f"The catalog {self.path} cannot be read: {error}. Try again.") from error
        if revision < noted and not accept_loss:
            raise StoreDamaged(
                f"The catalog {self.path} has lost what was written to it: it is at revision {revision}, and {noted} had "
                "been reached. Its -wal file was damaged or removed, or an older copy was put in its place. Restore a "
                "backup (`zhice restore FILE --force`); or accept what is there with `zhice doctor --fix` and ingest your "
                "documents again, which adds what is missing."
            )


def _rollback(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
