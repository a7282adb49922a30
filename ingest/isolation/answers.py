"""What the process that reads files may answer: everything else is refused before it can do harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ingest.isolation.plain_data import NotPlain, from_plain
from ingest.readers.building import MAX_TEXT_CHARACTERS
from vectorstore.passage import Document, Passage, Span

_REASON_CHARACTERS = 1_000
_PASSAGES = MAX_TEXT_CHARACTERS  # disjoint, so at most one a character


class BadAnswer(ValueError):
    """The answer is not one that a reader gives; says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class PageDone:
    """Text recognition has `done` of `total` pages."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done:
    """The file is read."""

    document: Document
    passages: tuple[Passage, ...]
    last: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The reader says why the file cannot be read."""

    reason: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """The reader had no more than `limit` bytes."""

    limit: int
    last: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The reader has a fault."""

    error: str
    last: bool = False


Answer = PageDone | Done | Unreadable | OutOfMemory | Failed
_KINDS: dict[str, type[Answer]] = {
    "page": PageDone,
    "done": Done,
    "unreadable": Unreadable,
    "memory": OutOfMemory,
    "failed": Failed,
}


def read_answer(frame: dict[str, Any]) -> Answer:
    """The answer in a frame.

    Raises:
        BadAnswer: it is of no known kind, a value has another type, or an offset lies outside the text.
    """
    name = frame.pop("kind", None)
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadAnswer("It is of no known kind.")
    try:
        answer = from_plain(kind, frame)
    except (NotPlain, RecursionError) as error:
        raise BadAnswer(str(error)) from error
    if isinstance(answer, Done):
        _check(answer)
    elif isinstance(answer, Unreadable | Failed):
        text = answer.reason if isinstance(answer, Unreadable) else answer.error
        if len(text) > _REASON_CHARACTERS or not text.replace("\n", "").isprintable():
            raise BadAnswer("Its reason is no short text.")
    return answer


def _check(answer: Done) -> None:
    """Every offset lies in the text, pages and passages come in order."""
    document, passages = answer.document, answer.passages
    length = len(document.text)
    if length > MAX_TEXT_CHARACTERS or len(passages) > _PASSAGES:
        raise BadAnswer("It is longer than a document may be.")
    if any(not 0 <= start <= end <= length for start, end in _spans((document, passages))):
        raise BadAnswer("A span lies outside the text.")
    if any(not 0 <= page <= length for page in document.pages) or list(document.pages) != sorted(document.pages):
        raise BadAnswer("Its pages are out of order.")
    position = 0
    for number, passage in enumerate(passages):
        if passage.position != number or passage.start < position or passage.start >= passage.end:
            raise BadAnswer("Its passages are out of order.")
        if passage.page is not None and not 1 <= passage.page <= max(1, len(document.pages)):
            raise BadAnswer("A passage lies on a page that is not there.")
        position = passage.end


def _spans(value: Any) -> Iterator[Span]:
    """Every pair of whole numbers in a value, and every `start` and `end`: in these types, each is a span."""
    if isinstance(value, tuple) and len(value) == 2 and type(value[0]) is int and type(value[1]) is int:
        yield value
        return
    if hasattr(value, "start") and hasattr(value, "end"):
        yield value.start, value.end
    for inner in _parts(value):
        yield from _spans(inner)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, tuple):
        return () if value and isinstance(value[0], str) else value
    if isinstance(value, Mapping):
        return value.values()
    if is_dataclass(value):
        return (getattr(value, field.name) for field in fields(value) if field.name != "pages")
    return ()
