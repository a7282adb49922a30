"""What the rows of a table are read with: its caption, its unit, its header, and the line that heads their group."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from vectorstore.passage import Document, Span
from vectorstore.tables import cell_spans, row_spans

# A caption fits on a line of an official document, rarely on two.
_CAPTION_CHARACTERS = 60
# The words over a column are short; a longer cell is what the column holds.
_HEADER_CHARACTERS = 40
# Headers of official tables have up to three levels.
_HEADER_ROWS = 3
# What a row is read with is to say what it is about, not to outweigh it.
_CONTEXT_CHARACTERS = 400
# Cells that name a row stand in its first columns and are short.
LABEL_CHARACTERS = 60
_LABELS = 3

_UNIT = re.compile(r"[（(\s]*(?:计量|金额)?单位\s*[:：]")
_SENTENCE = re.compile(r"[。！？；：:;]$")
# 每月880元, 20分, 3-5: an amount with the words around it; 2019年 names a column.
_VALUE = re.compile(r"[^\w\s]*[\u4e00-\u9fff]{0,2}\s*\d[\d.,，%％~～—–\-/]*\s*[\u4e00-\u9fff/%％²㎡]{0,4}[^\w\s]*")
# A year, or what was counted in it: 2026年比例.
_YEAR = re.compile(r"(?:19|20)\d{2}\s*(?:年?度?|年度?[\u4e00-\u9fff]{1,6}[（(]?[\u4e00-\u9fff%％]*[）)]?)")
_NOTE = re.compile(r"[（(]?(?:注|备注|说明|填表说明)\s*\d?\s*[:：]")
_MARKDOWN_RULE = re.compile(r"[|:\-\s]+")


@dataclass(frozen=True, slots=True)
class Table:
    """A table's rows with what each is read with; `header` are the rows that name the columns."""

    rows: tuple[Span, ...]
    header: tuple[Span, ...]
    contexts: dict[int, tuple[Span, ...]]
    """By the start of the row."""
    columns: int


class Tables:
    """The tables of a document."""

    def __init__(self, document: Document) -> None:
        self._text = document.text
        self._starts = [start for start, _ in document.tables]
        self._tables: list[Table] = []
        for span in document.tables:
            self._tables.append(self._read(document, span))

    def context(self, start: int) -> tuple[Span, ...]:
        """What the row that starts there is read with: spans of the text before it, in order."""
        table = bisect_right(self._starts, start) - 1
        return self._tables[table].contexts.get(start, ()) if table >= 0 else ()

    def cells(self, row: Span) -> list[tuple[Span, tuple[Span, ...]]]:
        """The filled cells of a row too long to be read as one, each with the header of its column and the row's labels."""
        table = self._tables[bisect_right(self._starts, row[0]) - 1]
        cells = cell_spans(self._text, row)
        labels: list[Span] = []
        for cell in cells[:_LABELS]:
            if cell[1] - cell[0] > LABEL_CHARACTERS:
                break
            labels += [cell] if cell[0] < cell[1] else []
        heads = [span for span in table.contexts.get(row[0], ()) if span not in table.header]
        found = []
        for column, cell in enumerate(cells):
            if cell[0] == cell[1]:
                continue
            names = [
                names[column]
                for names in (cell_spans(self._text, header) for header in table.header)
                if column < len(names) and names[column][0] < names[column][1]
            ]
            found.append((cell, tuple(sorted({*heads, *names, *(label for label in labels if label != cell)}))))
        return found

    def _read(self, document: Document, span: Span) -> Table:
        text = document.text
        rows = [row for row in row_spans(text, span) if not _MARKDOWN_RULE.fullmatch(text, *row)]
        cells = {row: [text[slice(*cell)] for cell in cell_spans(text, row)] for row in rows}
        columns = max((len(filled) for filled in cells.values()), default=0)
        opening = 0
        while opening < len(rows) and _filled(cells[rows[opening]]) == 1 and columns > 1:
            opening += 1
        captions = [
            *self._above(document, span[0]),
            *(row for row in rows[:opening] if row[1] - row[0] <= _CAPTION_CHARACTERS),
        ]
        header = _header([cells[row] for row in rows[opening:]], columns)
        header_rows = tuple(rows[opening : opening + header])
        if not header and self._tables and self._continues(document, span, columns):
            header_rows = self._tables[-1].header
            captions = captions or list(self._tables[-1].contexts.get(self._tables[-1].rows[-1][0], ()))
            captions = [caption for caption in captions if caption not in header_rows]
        contexts: dict[int, tuple[Span, ...]] = {}
        group: list[Span] = []
        for row in rows[opening + header :]:
            if columns > 2 and _filled(cells[row]) == 1:
                heads = row[1] - row[0] <= _CAPTION_CHARACTERS and not _NOTE.match(text, *row)
                group = [row] if heads else []
                contexts[row[0]] = _bounded(captions)
            else:
                contexts[row[0]] = _bounded([*captions, *header_rows, *group])
        return Table(tuple(rows), header_rows, contexts, columns)

    def _above(self, document: Document, start: int) -> list[Span]:
        """The caption and the unit on the lines above a table, where they are no heading and no sentence."""
        found: list[Span] = []
        headings = {heading.start for heading in document.headings}
        position = start
        for _ in range(2):
            end = len(document.text[:position].rstrip())
            begin = document.text.rfind("\n", 0, end) + 1
            line = document.text[begin:end].strip()
            begin += len(document.text[begin:end]) - len(document.text[begin:end].lstrip())
            last = bisect_right(document.boilerplate, (begin, len(document.text))) - 1
            if last >= 0 and begin < document.boilerplate[last][1]:
                break
            if (
                not line
                or len(line) > _CAPTION_CHARACTERS
                or _SENTENCE.search(line)
                or begin in headings
                or "|" in line
            ):
                break
            found.insert(0, (begin, end))
            if not _UNIT.match(line):
                break
            position = begin
        return found

    def _continues(self, document: Document, span: Span, columns: int) -> bool:
        """Whether a table goes on from the one before it, over a page's end."""
        before = self._tables[-1]
        if before.columns != columns or not before.rows:
            return False
        between, marked = (before.rows[-1][1], span[0]), document.boilerplate
        place = bisect_right(marked, between) - 1
        position = between[0]
        for start, end in marked[max(0, place) :]:
            if start >= between[1]:
                break
            if document.text[position : max(position, start)].strip():
                return False
            position = max(position, end)
        return not document.text[position : between[1]].strip()


def _header(rows: Sequence[Sequence[str]], columns: int) -> int:
    """How many of the first rows name the columns."""
    if columns < 2 or len(rows) < 2 or not _names(rows[0]) or _filled(rows[0]) < 2:
        return 0
    count = 1
    while count < min(_HEADER_ROWS, len(rows) - 1):
        above, below = rows[count - 1], rows[count]
        merged_across = any(not cell for cell in above[1:]) or len(above) < len(below)
        merged_down = any(cell and cell == lower for cell, lower in zip(above, below, strict=False))
        goes_on = merged_across and _names(below) and (merged_down or not below[0])
        if not (goes_on or below == above):
            break
        count += 1
    # A label that goes on below is a row's own and no column's name.
    return count if not rows[0][0] or rows[count][0] != rows[0][0] else 0


def _names(row: Sequence[str]) -> bool:
    """Whether a row may name columns: short words, no values."""
    return all(
        len(cell) <= _HEADER_CHARACTERS and (not _VALUE.fullmatch(cell) or _YEAR.fullmatch(cell))
        for cell in row
        if cell
    )


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell)


def _bounded(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The spans in order, as many of the last as stay within bounds."""
    kept: list[Span] = []
    left = _CONTEXT_CHARACTERS
    for span in reversed(dict.fromkeys(spans)):
        left -= span[1] - span[0]
        if left < 0:
            break
        kept.append(span)
    return tuple(sorted(kept))
