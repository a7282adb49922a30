"""What a catalog asks of the engine that holds it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vectorstore.sql import Connection
from vectorstore.uploads import Uploads

# The columns that hold index terms, separated by blanks.
TEXT_COLUMNS = ("body", "section", "title")

TextRow = tuple[int, str, str, str]
"""A passage's id and the index terms of its body, of what it stands under, and of the document's title."""


class Lock(Protocol):
    """One holder at a time, across processes: threads of one process wait for each other."""

    def held(self) -> AbstractContextManager[None]:
        """Raises: StoreLocked, if another process holds it; StoreError, if it cannot be asked for."""
        ...

    def holder_is_gone(self) -> bool:
        """Whether the process that took it last has ended."""
        ...


class FullText(Protocol):
    """The index terms of passages: which passages have a term, and how many. Scores are computed elsewhere."""

    def put(self, connection: Connection, rows: Iterable[TextRow]) -> None: ...

    def drop(self, connection: Connection, passages: Sequence[int]) -> None: ...

    def rename(self, connection: Connection, passages: Sequence[int], title: str) -> None:
        """Let these be the title's terms of some passages."""
        ...

    def clear(self, connection: Connection) -> None:
        """Make the index anew, empty."""
        ...

    def frequency(self, connection: Connection, term: str) -> int:
        """In how many passages a term stands."""
        ...

    def frequent(self, connection: Connection, least: int) -> dict[str, int]:
        """The terms that stand in so many passages at least, with their numbers."""
        ...

    def having(self, connection: Connection, term: str) -> NDArray[np.int64]:
        """The ids of the passages that have a term, in no particular order."""
        ...

    def examine(self, connection: Connection) -> str:
        """What is wrong with the index itself, in a sentence; nothing if it is sound."""
        ...


class Engine(ABC):
    """A database that holds one catalog; safe to use from several threads.

    `shared` says that processes on other machines may have it open, too. `fulltext` is its index of terms.
    """

    shared: bool
    fulltext: FullText

    @property
    @abstractmethod
    def name(self) -> str:
        """What the catalog is called in messages; no secret stands in it."""

    @abstractmethod
    def connection(self) -> Connection:
        """This thread's connection, outside of a transaction each statement one of its own.

        Raises:
            StoreError: the catalog has been closed, or its server does not answer.
        """

    @abstractmethod
    def close(self) -> None:
        """Close all connections as soon as nobody uses them."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Connection]:
        """A read transaction: all that is read inside comes from one state.

        Raises:
            StoreDamaged: what was read is damaged.
            StoreUnavailable: the server does not answer.
        """

    @abstractmethod
    def writing(self, alone: str) -> AbstractContextManager[Connection]:
        """A write transaction, of which only one at a time is under way for each text `alone`.

        Raises:
            StoreDamaged: what was read or written is damaged.
            StoreError: it could not be written; nothing of it stays.
        """

    @abstractmethod
    def lock(self, folder: Path, name: str) -> Lock:
        """A lock by its name; `folder` is the data folder."""

    @abstractmethod
    def uploads(self, folder: Path) -> Uploads:
        """Where uploaded files are kept; `folder` is the data folder."""

    @abstractmethod
    def settle(self, connection: Connection) -> None:
        """After rows were copied in with their numbers: new ones get higher numbers."""

    @abstractmethod
    def acknowledge(self, revision: int) -> None:
        """Note that a revision was committed, where the engine itself can lose one without a word."""

    @abstractmethod
    def acknowledged(self) -> int:
        """The revision that was noted last, 0 where none is."""

    @abstractmethod
    def examine(self) -> str:
        """Read everything; what is damaged, in a sentence, or nothing."""

    @abstractmethod
    def describe(self) -> str:
        """The engine and its version, and the format of its tables."""
