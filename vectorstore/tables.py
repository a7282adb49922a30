"""Rows of tables as every text holds them: one row a line, its cells separated by " | "."""

from __future__ import annotations

import re
from typing import Final

from vectorstore.passage import Span

CELL_SEPARATOR: Final = " | "

_BAR: Final = re.compile(r"[^\S\n]*\|[^\S\n]*")


def cell_spans(text: str, row: Span) -> list[Span]:
    """The cells of a row in order, empty ones included; bars at both ends, as in Markdown, make no cell."""
    start, end = row
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end - start > 1 and text[start] == text[end - 1] == "|":
        start, end = start + 1, end - 1
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
    cells: list[Span] = []
    begin = start
    for bar in _BAR.finditer(text, start, end):
        cells.append((begin, bar.start()))
        begin = bar.end()
    cells.append((begin, end))
    return cells


def row_spans(text: str, table: Span) -> list[Span]:
    """The non-blank lines of a table."""
    rows: list[Span] = []
    position = table[0]
    for line in text[slice(*table)].split("\n"):
        if line.strip():
            rows.append((position, position + len(line)))
        position += len(line) + 1
    return rows
