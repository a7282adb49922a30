"""The engines that can hold a catalog: SQLite in the data folder, or PostgreSQL on a server of its own."""

from __future__ import annotations

from pathlib import Path

from vectorstore.engines.base import Engine
from vectorstore.engines.sqlite import SqliteEngine


def open_engine(path: Path, database: str | None = None, *, accept_loss: bool = False) -> Engine:
    """The engine of a catalog: the database's, where one is named, or else the file's.

    Raises:
        StoreError: it cannot be opened; the message says why and what to do.
    """
    if database is None:
        return SqliteEngine(path, accept_loss=accept_loss)
    from vectorstore.engines.postgres import PostgresEngine  # psycopg is an extra

    return PostgresEngine(database, path.parent)


__all__ = ["Engine", "open_engine"]
