"""A document's text as parts to show: headings, paragraphs, tables, page marks, furniture; a quote marked in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from vectorstore.passage import Document, Span
from vectorstore.tables import cell_spans

Kind = Literal["heading", "text", "table", "furniture", "page"]

# Headings of official documents as they are numbered; used where the file's markup declares none.
_NUMBERED: Final = (
    (2, re.compile(r"第[一二三四五六七八九十百零〇\d]{1,5}[编章]|附件\s*[\d一二三四五六七八九十]*[:：]?")),
    (3, re.compile(r"第[一二三四五六七八九十百零〇\d]{1,5}节|[一二三四五六七八九十]{1,3}[、.．]")),
    (4, re.compile(r"[（(][一二三四五六七八九十]{1,3}[)）]")),
)
# What Markdown writes around a heading, a table's row and under its head; shown without.
_HASHES: Final = re.compile(r"#{1,6}\s+")
_RULE: Final = re.compile(r"[|:\s]*-{3,}[|:\-\s]*")
_SENTENCE_END: Final = re.compile(r"[。；：，、！？…;:,!?]$")
_LONGEST_HEADING: Final = 40


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of the text; `first` tells the first marked ones, where a link to the quote lands."""

    text: str
    marked: bool = False
    first: bool = False


Pieces = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One block. `level` is a heading's (2 to 4) or a page's number; `rows` a table's cells; `parts` what is folded."""

    kind: Kind
    pieces: Pieces = ()
    level: int = 0
    rows: tuple[tuple[Pieces, ...], ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def marked(self) -> bool:
        """Whether some of the quote stands in it."""
        return (
            any(piece.marked for piece in self.pieces)
            or any(piece.marked for row in self.rows for cell in row for piece in cell)
            or any(part.marked for part in self.parts)
        )


def lay_out(document: Document, quote: Span | None = None) -> list[Part]:
    """All of a document's text in order; left out are white space around lines, and Markdown's own marks."""
    layout = _Layout(document, quote)
    for start, end, furniture in _lines(document):
        layout.take(start, end, furniture)
    layout.close()
    return layout.parts


class _Layout:
    """Gathers lines into parts: rows into tables, furniture into what is folded."""

    def __init__(self, document: Document, quote: Span | None) -> None:
        self.parts: list[Part] = []
        self._document = document
        self._marker = _Marker(document.text, quote)
        self._pages = list(document.pages[1:])
        self._headings = {heading.start: heading.level for heading in document.headings}
        self._table = -1
        self._rows: list[tuple[Pieces, ...]] = []
        self._folded: list[Part] = []

    def take(self, start: int, end: int, furniture: bool) -> None:
        """The next line of the text."""
        text = self._document.text
        self._turn_pages(start)
        table = self._table_at(start)
        if table >= 0 and _RULE.fullmatch(text, start, end):
            return
        table = -1 if furniture else table
        if table != self._table or bool(self._folded) != furniture:
            self.close()
        self._table = table
        if furniture:
            self._folded.append(Part("text", self._marker.pieces(start, end)))
        elif table < 0:
            level = self._level(text[start:end], start, end)
            hashes = _HASHES.match(text, start, end) if level else None
            pieces = self._marker.pieces(hashes.end() if hashes else start, end)
            self.parts.append(Part("heading" if level else "text", pieces, level))
        else:
            self._rows.append(tuple(self._marker.pieces(*cell) for cell in cell_spans(text, (start, end))))

    def close(self) -> None:
        """End the table or the furniture that is being gathered."""
        if self._rows:
            self.parts.append(Part("table", rows=tuple(self._rows)))
            self._rows.clear()
        if self._folded:
            self.parts.append(Part("furniture", parts=tuple(self._folded)))
            self._folded.clear()

    def _turn_pages(self, start: int) -> None:
        while self._pages and self._pages[0] <= start:
            self.close()
            self._pages.pop(0)
            self.parts.append(Part("page", level=len(self._document.pages) - len(self._pages)))

    def _table_at(self, start: int) -> int:
        """The table that a place lies in, -1 for none."""
        tables = self._document.tables
        index = bisect_right(tables, (start, len(self._document.text) + 1)) - 1
        return index if index >= 0 and start < tables[index][1] else -1

    def _level(self, line: str, start: int, end: int) -> int:
        """2 to 4 for a heading, 0 for other lines."""
        declared = [self._headings[place] for place in range(start, min(end, start + 4)) if place in self._headings]
        if declared:
            return min(max(declared[0] + 1, 2), 4)
        title = self._document.metadata.spans.get("title")
        if title is not None and start <= title[0] < end and end - start < 100:
            return 2
        if self._headings or len(line) > _LONGEST_HEADING or _SENTENCE_END.search(line):
            return 0
        return next((level for level, pattern in _NUMBERED if pattern.match(line)), 0)


class _Marker:
    """Cuts spans at the quote's ends, and remembers whether its first piece has been given out."""

    def __init__(self, text: str, quote: Span | None) -> None:
        self._text = text
        self._start, self._end = quote or (0, 0)
        self._given = False

    def pieces(self, start: int, end: int) -> Pieces:
        left, right = max(start, self._start), min(end, self._end)
        if left >= right:
            return (Piece(self._text[start:end]),)
        first, self._given = not self._given, True
        cut = [Piece(self._text[start:left]), Piece(self._text[left:right], True, first), Piece(self._text[right:end])]
        return tuple(piece for piece in cut if piece.text)


def _lines(document: Document) -> Iterator[tuple[int, int, bool]]:
    """Lines with their white space off, as (start, end, whether they are furniture)."""
    text, position = document.text, 0
    for start, end in (*document.boilerplate, (len(text), len(text))):
        yield from ((left, right, False) for left, right in _split(text, position, start))
        yield from ((left, right, True) for left, right in _split(text, max(start, position), end))
        position = max(position, end)


def _split(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        line = text[start:stop]
        left = start + len(line) - len(line.lstrip())
        right = start + len(line.rstrip())
        if left < right:
            yield left, right
        start = stop + 1
