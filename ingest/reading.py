"""Files read ahead of the one that is being stored: in a process beside this one, or on a cluster (`ingest.cluster`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from ingest.isolation import IsolatedReader, PageProgress
from vectorstore.making import Made
from vectorstore.passage import Document, Passage

# Files held for reading at once hold their bytes: as much as the two largest documents and some ordinary ones.
BYTES_AHEAD = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was read, with what it is searched by where that was made there, too."""

    document: Document
    passages: tuple[Passage, ...]
    made: Made | None = None


class Reading(Protocol):
    """Reads files, some of them ahead; a context manager that ends with whatever is still being read."""

    @property
    def files_ahead(self) -> int:
        """How many files to begin before the first of them is stored."""

    @property
    def bytes_ahead(self) -> int:
        """How many bytes they may have together, if they are more than one."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def submit(self, data: bytes, source: str, *, on_page: PageProgress) -> Callable[[], Read]:
        """Begin to read a file; what is returned waits for it, and is called once a file, in the files' order.

        It raises UnreadableDocument with the reason and what to do.
        """


class Beside:
    """Reads in a process beside this one: reading uses one core, encoding and storing another."""

    files_ahead = 2
    bytes_ahead = BYTES_AHEAD

    def __init__(self) -> None:
        self._reader = IsolatedReader()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    def submit(self, data: bytes, source: str, *, on_page: PageProgress) -> Callable[[], Read]:
        """Begin to read a file."""
        reading = self._reader.submit(data, source, on_page=on_page)
        return lambda: Read(*reading.result())
