"""PostgreSQL: a pool of connections, which each thread takes one of for a statement or a transaction."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from vectorstore.engines.base import Engine, Lock
from vectorstore.engines.migrations import HEAD, upgrade
from vectorstore.engines.postgres_files import DatabaseUploads
from vectorstore.engines.postgres_lock import DatabaseLock
from vectorstore.engines.postgres_text import PostgresText
from vectorstore.errors import StoreError, StoreUnavailable
from vectorstore.sql import Connection
from vectorstore.uploads import Uploads

try:
    import psycopg
    from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout
except ImportError as error:
    raise StoreError(
        "ZHICE_DATABASE_URL is set, and the packages for PostgreSQL are not installed: pip install 'zhice[postgres]'."
    ) from error

# It tells of every attempt to connect; what comes of them is told here.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

CONNECTIONS: Final = 16
"""Of one process at most: two questions are searched and read at once, the others wait for a language model."""

PATIENCE: Final = 3.0
"""Seconds that a step waits for a free connection, or for the server to be back, before it is given up."""

# Seconds for a connection to be made, milliseconds until one is given up whose server has gone without a word; what
# compiles plans would take longer than the plans themselves.
_SETTINGS: Final[Mapping[str, Any]] = {"connect_timeout": 3, "tcp_user_timeout": 5000, "options": "-c jit=off"}
_RECONNECT: Final = 30.0


class _Row(tuple[Any, ...]):
    """A row by position and by name; a class is made of it for each list of columns."""

    __slots__ = ()
    places: Mapping[str, int] = {}

    def __getitem__(self, place: Any) -> Any:
        return tuple.__getitem__(self, self.places[place] if isinstance(place, str) else place)

    def keys(self) -> Iterable[str]:
        return self.places.keys()


@functools.lru_cache(maxsize=512)
def _row_class(names: tuple[str, ...]) -> type[_Row]:
    return type("Row", (_Row,), {"__slots__": (), "places": {name: place for place, name in enumerate(names)}})


def _rows(cursor: psycopg.Cursor[Any]) -> Any:
    names = tuple(column.name for column in cursor.description or ())
    return _row_class(names)


@functools.lru_cache(maxsize=1024)
def _marked(statement: str) -> str:
    """A statement with its values marked as psycopg wants them."""
    return statement.replace("%", "%%").replace("?", "%s")


class _Rows:
    """What a statement has given, all of it read, so that the connection is free again."""

    def __init__(self, rowcount: int, rows: Sequence[Any]) -> None:
        self.rowcount = rowcount
        self._rows = rows
        self._next = 0

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row

    def fetchone(self) -> Any:
        self._next += 1
        return self._rows[self._next - 1] if self._next <= len(self._rows) else None

    def fetchall(self) -> list[Any]:
        first, self._next = self._next, len(self._rows)
        return list(self._rows[first:])


class PostgresEngine(Engine):
    """A database; safe to use from several threads, and from several machines.

    Args:
        url: `postgresql://user:password@host:port/name`, with any parameter of libpq behind a question mark.
        folder: the data folder, which is the machine's own.

    Raises:
        StoreUnavailable: the server does not answer.
        StoreError: the database cannot be used; the message says why.
    """

    shared = True
    fulltext = PostgresText()

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        self._local = threading.local()
        called = f"zhice {' '.join(sys.argv[1:2])}, process {os.getpid()} on {socket.gethostname()}"
        try:
            known = psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error as error:
            raise StoreError("ZHICE_DATABASE_URL cannot be read; give postgresql://user@host:port/name.") from error
        self._name = f"{known.get('dbname', '')} on {known.get('host', 'this machine')}"
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            url,
            kwargs={**_SETTINGS, "application_name": called[:63], "autocommit": True, "row_factory": _rows},
            min_size=1,
            max_size=CONNECTIONS,
            timeout=PATIENCE,
            reconnect_timeout=_RECONNECT,
            check=ConnectionPool.check_connection,
            open=False,
        )
        try:
            self._try(url)
            self._pool.open()
            self._bring_up()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        return f"the database {self._name}"

    def connection(self) -> Connection:
        if self._pool.closed:
            raise StoreError(f"The catalog in {self.name} has been closed.")
        return self

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> _Rows:
        """Run one statement: in this thread's transaction, or by itself."""
        with self.bound() as connection, self._told():
            cursor = connection.execute(_marked(statement), values or None, binary=True)
            return _Rows(cursor.rowcount, cursor.fetchall() if cursor.description else ())

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> None:
        """Run one statement for each of some values."""
        with self.bound() as connection, self._told(), connection.cursor() as cursor:
            cursor.executemany(_marked(statement), values)

    def close(self) -> None:
        self._pool.close(timeout=PATIENCE)

    @contextmanager
    def bound(self) -> Iterator[psycopg.Connection[Any]]:
        """This thread's connection: the one that it holds already, or one of the pool."""
        held: psycopg.Connection[Any] | None = getattr(self._local, "held", None)
        if held is not None:
            yield held
            return
        with self._told():
            connection = self._pool.getconn()
        self._local.held = connection
        try:
            yield connection
        finally:
            self._local.held = None
            self._pool.putconn(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        with self.bound() as connection:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                yield self
                return
            with self._transaction(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
                yield self

    @contextmanager
    def writing(self, alone: str) -> Iterator[Connection]:
        with self.bound() as connection, self._transaction(connection, "BEGIN"):
            self.execute("SELECT pg_advisory_xact_lock(?)", (lock_number(f"alone {alone}"),))
            yield self

    @contextmanager
    def _transaction(self, connection: psycopg.Connection[Any], begin: str) -> Iterator[None]:
        if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
            raise RuntimeError("a transaction cannot begin within another")  # the server would only warn
        with self._told():
            connection.execute(begin)
        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            raise
        with self._told():
            connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The driver's errors in the user's words."""
        try:
            yield
        except (PoolTimeout, PoolClosed, psycopg.InterfaceError) as error:
            raise StoreUnavailable(f"The database {self._name} does not answer. Try again once it is back.") from error
        except (psycopg.errors.DiskFull, psycopg.errors.ReadOnlySqlTransaction) as error:
            raise StoreError(f"The database {self._name} cannot be written: {_first_line(error)}.") from error
        except psycopg.OperationalError as error:
            raise StoreUnavailable(
                f"The database {self._name} has ended the connection: {_first_line(error)}. Try again once it is back."
            ) from error
        except psycopg.Error as error:
            raise StoreError(f"The database {self._name} cannot do this: {_first_line(error)}.") from error

    def lock(self, folder: Path, name: str) -> Lock:  # noqa: ARG002 - whoever has the database open asks for the same one
        return DatabaseLock(self, self._name, lock_number(f"lock {name}"))

    def uploads(self, folder: Path) -> Uploads:  # noqa: ARG002 - no folder is every machine's
        return DatabaseUploads(self)

    def settle(self, connection: Connection) -> None:
        for table, column in _COUNTED:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), coalesce(max({column}), 0) + 1, false) "
                f"FROM {table}"
            )

    def acknowledge(self, revision: int) -> None:
        """Nothing: what the server has committed it does not lose without a word."""

    def acknowledged(self) -> int:
        return 0

    def examine(self) -> str:
        (broken,) = self.execute(
            "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
            "WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace"
        ).fetchall()[0]
        return f"{broken} indexes of the database are not valid" if broken else ""

    def describe(self) -> str:
        (version,) = self.execute("SHOW server_version").fetchall()[0]
        return f"PostgreSQL {version}, format {HEAD}"

    def _try(self, url: str) -> None:
        """One connection without the pool, which would say that none came and not why."""
        try:
            psycopg.connect(url, **_SETTINGS).close()
        except psycopg.Error as error:
            raise StoreUnavailable(
                f"The database {self._name} cannot be used: {_first_line(error)}. Check that its server runs, and the user, "
                "the password and the name in ZHICE_DATABASE_URL."
            ) from error

    def _bring_up(self) -> None:
        """Bring the tables to this program's format; one process does, the others wait for it."""
        if self._format() == HEAD:
            return
        with self.bound() as connection:
            with self._told():
                connection.execute("SELECT pg_advisory_lock(%s)", (lock_number("migrations"),))
            try:
                if self._format() != HEAD:
                    upgrade(self.url, self._name)
            finally:
                with suppress(psycopg.Error):
                    connection.execute("SELECT pg_advisory_unlock(%s)", (lock_number("migrations"),))

    def _format(self) -> str:
        there = self.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchall()[0][0]
        rows = self.execute("SELECT version_num FROM alembic_version").fetchall() if there else []
        return str(rows[0][0]) if rows else ""


# The tables that number their rows by themselves.
_COUNTED: Final = (
    ("generations", "generation"),
    ("answers", "number"),
    ("feedback", "feedback_id"),
    ("turns", "turn_id"),
    ("audit", "audit_id"),
)


def lock_number(name: str) -> int:
    """The number of an advisory lock, of 64 bits as PostgreSQL has them, by what it is for."""
    return int.from_bytes(hashlib.blake2b(f"zhice {name}".encode(), digest_size=8).digest(), "big", signed=True)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
