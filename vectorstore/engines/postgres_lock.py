"""A lock for whoever has the database open: PostgreSQL's advisory lock, held by a connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Protocol

from vectorstore.errors import StoreError, StoreLocked
from vectorstore.sql import Connection


class _Binding(Connection, Protocol):
    def bound(self) -> AbstractContextManager[Any]: ...


class DatabaseLock:
    """Threads of one process wait for each other; a second process is refused at once and told who holds it.

    The thread that holds it does everything over the connection that holds it, too: with the connection the lock is
    lost, and then nothing that was begun under it can be committed any more.
    """

    def __init__(self, database: _Binding, called: str, number: int) -> None:
        self._database = database
        self._called = called
        self._number = number
        self._threads = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises: StoreLocked, StoreUnavailable."""
        with self._threads:
            if self._depth:
                yield
                return
            with self._database.bound():
                row = self._database.execute("SELECT pg_try_advisory_lock(?)", (self._number,)).fetchone()
                if not row[0]:
                    raise StoreLocked(
                        f"The database {self._called} is being written by {self._holder()}. Wait until that has finished "
                        "and try again."
                    )
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                    with suppress(StoreError):  # a connection that is gone has given its locks back
                        self._database.execute("SELECT pg_advisory_unlock(?)", (self._number,))

    def holder_is_gone(self) -> bool:
        """Never: the server gives a lock back with the connection."""
        return False

    def _holder(self) -> str:
        row = self._database.execute(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
            "AND l.granted AND l.objsubid = 1 AND ((l.classid::bigint << 32) | l.objid::bigint) = ?",
            (self._number,),
        ).fetchone()
        return str(row[0]) if row else "another process"
