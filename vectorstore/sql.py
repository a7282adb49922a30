"""What the shelf asks of a database's connection: as much of `sqlite3`'s own as it uses, whichever engine answers.

Statements mark their values by `?`, and are such as SQLite and PostgreSQL both understand; what they do not share stands
with the engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol


class Row(Protocol):
    """A row, by position and by name; `dict` of it gives its columns."""

    def __getitem__(self, place: int | str, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Iterable[str]: ...


class Rows(Protocol):
    """What a statement gives; `rowcount` says how many rows one that writes has touched."""

    @property
    def rowcount(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """A connection, or what stands for the next one that is free."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows: ...

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> object: ...
