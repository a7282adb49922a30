"""What a reader tells the one who runs it while it works: a page is recognised, more memory is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Supervisor(Protocol):
    """Runs a reader, and may stop one of which nothing is heard."""

    def page(self, done: int, total: int) -> None:
        """`done` of `total` pages that take seconds each are done."""

    def text_recognition(self) -> None:
        """Text recognition begins; it needs more memory than reading."""


class _Nobody:
    def page(self, done: int, total: int) -> None:
        pass

    def text_recognition(self) -> None:
        pass


# A variable of the context, since the readers between the one who listens and the one who tells need not know of it.
_SUPERVISOR: ContextVar[Supervisor | None] = ContextVar("supervisor", default=None)


def supervisor() -> Supervisor:
    """The one who runs this reader; one who does not listen where there is none."""
    return _SUPERVISOR.get() or _Nobody()


@contextmanager
def supervised(by: Supervisor) -> Iterator[None]:
    """Tell `by` of what is read in this block."""
    token = _SUPERVISOR.set(by)
    try:
        yield
    finally:
        _SUPERVISOR.reset(token)
