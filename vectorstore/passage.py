"""The types that flow from the readers through the store to the answers.

All offsets count characters (Unicode code points) of `Document.text`, start included, end excluded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that the file's own markup declares; `level` 1 is the outermost."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a document says about itself; `None` where it says nothing.

    Dates are ISO 8601 (`2019-03-01`). `signed` is the day under the signature, `published` the one that the document
    is known by: signed, or else published. `spans` gives, by field name, the place in the text each field was
    read from; a field taken from elsewhere (markup, a file name) has no span.
    """

    title: str | None = None
    issuer: str | None = None
    doc_no: str | None = None
    signed: str | None = None
    published: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    region: str | None = None
    level: str | None = None
    kind: str | None = None
    repeals: tuple[str, ...] = ()
    spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was read. `text` is immutable: everything later points into it and nothing edits it.

    `pages` holds the start of every page (the first is 0; empty where the format has no pages), `tables` the
    span of every table (one row a line, cells joined by " | "), `boilerplate` sorted, disjoint spans that are
    kept in the text but neither indexed nor quoted.
    """

    source: str
    media_type: str
    text: str
    pages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = ()
    tables: tuple[Span, ...] = ()
    boilerplate: tuple[Span, ...] = ()
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is searched as one: `document.text[start:end]`.

    `section` is the path of headings above it, outermost first; `page` counts from 1. `kind` is one of
    `text`, `item` (of a list) and `row` (of a table). `context` are the places of what a table's row or cell is read
    with: caption, unit, header. `clauses` say from which offset on which clause of a regulation the text belongs to
    (第十二条第二款第（三）项).
    """

    position: int
    start: int
    end: int
    section: tuple[str, ...] = ()
    page: int | None = None
    kind: str = "text"
    context: tuple[Span, ...] = ()
    clauses: tuple[tuple[int, str], ...] = ()

    def clause(self, place: int) -> str:
        """The clause that a place in the passage belongs to, empty where none is numbered."""
        return next((label for start, label in reversed(self.clauses) if start <= place), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A passage that a search found, without its text.

    `lexical` is a BM25 score (>= 0), `coverage` the same as a share of the highest score that the question allows,
    `cosine` the similarity in meaning, in [-1, 1].
    """

    passage_id: int
    document_id: str
    version: int
    passage: Passage
    metadata: Metadata
    source: str
    collection: str
    lexical: float
    coverage: float
    cosine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Match):
    """A passage that a search found, with its text."""

    text: str
