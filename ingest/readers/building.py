"""Putting a document's text together line by line while keeping the places of headings, tables and pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from vectorstore.passage import Document, Heading, Metadata, Span
from vectorstore.tables import CELL_SEPARATOR

# A book of some five thousand pages; beyond, cleaning and splitting would take minutes and gigabytes.
MAX_TEXT_CHARACTERS = 5_000_000

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_WHITE = re.compile(r"\s+")
_SPREAD = re.compile(r"(?<![\u4e00-\u9fff])(?:[\u4e00-\u9fff] ){1,7}[\u4e00-\u9fff](?![\u4e00-\u9fff])")


def clean_text(text: str) -> str:
    """Text that SQLite, JSON and a reader can take: line ends are `\\n`, no controls, no lone surrogates, no mark.

    Control characters become spaces and lone surrogates U+FFFD; nothing else is edited.
    """
    text = _LINE_ENDS.sub("\n", text.removeprefix("\ufeff"))
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text))


def merge_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sorted, disjoint, non-empty spans that cover the same characters."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _cell(text: str) -> str:
    """What a cell says, on one line; words set apart to fill it (科 学) are put together."""
    folded = _WHITE.sub(" ", clean_text(text)).strip().replace("|", "｜")
    return _SPREAD.sub(lambda found: found.group().replace(" ", ""), folded)


class TextBuilder:
    """Collects lines; every offset it hands out counts characters of the text it will return."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._tables: list[Span] = []
        self._boilerplate: list[Span] = []
        self._pages: list[int] = []

    @property
    def length(self) -> int:
        """Characters so far, line ends included."""
        return self._length

    def line(self, text: str, *, heading: int = 0, boilerplate: bool = False) -> Span | None:
        """Add one line (white space at its ends is dropped) and return its span; nothing for a blank one."""
        text = clean_text(text).strip()
        if not text:
            return None
        if heading:
            text = _WHITE.sub(" ", text)
        span = (self._length, self._length + len(text))
        self._parts.append(text + "\n")
        self._length += len(text) + 1
        if heading and not boilerplate:
            self._headings.append(Heading(*span, heading))
        if boilerplate:
            self._boilerplate.append(span)
        return span

    def table(self, rows: Iterable[Sequence[str]], *, boilerplate: bool = False) -> None:
        """Add a table: one row a line, one cell a column; empty rows, columns and cells at a row's end are dropped.

        White space within a cell is folded, and a bar in it is written ｜, since bars separate the cells. The columns of
        merged cells are empty but for their first.
        """
        start = self._length
        filled = [[_cell(cell) for cell in row] for row in rows]
        used = sorted({column for row in filled for column, cell in enumerate(row) if cell})
        for row in filled:
            cells = [row[column] if column < len(row) else "" for column in used]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                self.line(CELL_SEPARATOR.join(cells), boilerplate=boilerplate)
        if self._length > start:
            self._tables.append((start, self._length - 1))

    def page(self, start: int | None = None) -> None:
        """A new page begins with the next character, or at `start`, which may lie ahead."""
        self._pages.append(self._length if start is None else start)

    def mark(self, start: int, end: int) -> None:
        """Mark a span of the text so far as boilerplate."""
        self._boilerplate.append((start, end))

    def document(
        self, source: str, media_type: str, *, metadata: Metadata | None = None, notes: tuple[str, ...] = ()
    ) -> Document:
        """The document so far."""
        return Document(
            source=source,
            media_type=media_type,
            text="".join(self._parts),
            pages=tuple(self._pages),
            headings=tuple(self._headings),
            tables=merge_spans(self._tables) if len(self._tables) < 2 else tuple(self._tables),
            boilerplate=merge_spans(self._boilerplate),
            metadata=metadata or Metadata(),
            notes=notes,
        )
