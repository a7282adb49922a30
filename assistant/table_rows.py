"""Rows of tables as answers: which line names the columns, what a cell's column is called, a row said in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assistant.quoting import LONGEST_QUOTE, trim
from vectorstore.passage import Passage, Span
from vectorstore.tables import cell_spans

_UNIT: Final = re.compile(
    r"[（(]\s*((?:万|亿)?[元人分个年月天日名套户亩吨%％㎡]|平方米|公里|(?:万|亿)?元/(?:[人年月亩]|平方米))\s*[）)]\s*$"
)
_TABLE_UNIT: Final = re.compile(r"单位\s*[:：]\s*([^\s）)，,；;]{1,8})")
_COUNTED: Final = (("人口数|人数", "人"), ("分值|积分|得分|分数|满分", "分"), ("户数", "户"), ("年限", "年"))
_NUMBER: Final = re.compile(r"[≥≤<>＞＜约]?\s*\d[\d,，]*(?:\.\d+)?")
# A cell that says what a row is about; a longer one is what the table says about it.
LABEL_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is called, and what the numbers in it count: from its name, or from the table's own line."""

    name: str
    unit: str


def header_span(text: str, passage: Passage) -> Span | None:
    """The lines that name a row's columns, as one quote; None where the table has none."""
    rows = _header_rows(text, passage)
    return trim(text, rows[0][0], rows[-1][1]) if rows else None


def column_names(text: str, passage: Passage) -> list[str]:
    """What each column of a row is called; a header of several levels is read from above."""
    rows = [[text[slice(*cell)] for cell in cell_spans(text, row)] for row in _header_rows(text, passage)]
    names: list[str] = []
    for column in range(max(map(len, rows), default=0)):
        # A name over several columns stands in the first of them.
        above = next((cell for cell in reversed(rows[0][: column + 1]) if cell), "")
        below = [row[column] for row in rows[1:] if column < len(row)]
        names.append(" ".join(dict.fromkeys(filter(None, (above, *below)))))
    return names


def columns(text: str, passage: Passage) -> dict[Span, Column]:
    """The columns of a row's cells that hold a bare number."""
    names = column_names(text, passage)
    line = unit_span(text, passage)
    found = _TABLE_UNIT.search(text, *line) if line else None
    whole = found[1] if found else ""
    cells = cell_spans(text, (passage.start, passage.end))
    return {
        cell: Column(name, _unit(name) or whole)
        for cell, name in zip(cells, names, strict=False)
        if _NUMBER.fullmatch(text, *cell)
    }


def _unit(name: str) -> str:
    found = _UNIT.search(name)
    if found:
        return found[1]
    return next((unit for ending, unit in _COUNTED if re.search(ending, name)), "")


def unit_span(text: str, passage: Passage) -> Span | None:
    """The line over a table that says what its numbers count: 单位：万元."""
    lines = [span for span in passage.context if "|" not in text[slice(*span)]]
    return next((span for span in lines if _TABLE_UNIT.search(text, *span)), None)


def label_span(text: str, passage: Passage, window: Span) -> Span | None:
    """The first filled cell of a row, where it says what the row is about and a quote begins behind it."""
    cells = [cell for cell in cell_spans(text, (passage.start, passage.end)) if cell[0] < cell[1]]
    first = cells[0]
    return first if first[1] <= window[0] and first[1] - first[0] <= LABEL_CHARACTERS else None


def row_clauses(text: str, passage: Passage) -> list[Span]:
    """The filled cells of a row, which are what a quote is chosen from."""
    return [cell for cell in cell_spans(text, (passage.start, passage.end)) if cell[0] < cell[1]]


def named_row(text: str, passage: Passage, window: Span, keys: Sequence[str] = ()) -> str:
    """The quoted cells of a row with the names of their columns, nothing where those are not known.

    Of a row too long to be said, only the cells are named that hold one of the `keys`.
    """
    names = column_names(text, passage)
    cells = cell_spans(text, (passage.start, passage.end))
    filled = [(column, cell) for column, cell in enumerate(cells) if cell[0] < cell[1]]
    if not names or len(cells) > len(names) or len(filled) < 2:
        return ""
    label = text[slice(*filled[0][1])]
    said = [
        f"{names[column]} {text[slice(*cell)]}".strip()
        for column, cell in filled[1:]
        if window[0] <= cell[0] and cell[1] <= window[1]
    ]
    if len(label) + sum(map(len, said)) > LONGEST_QUOTE:
        said = [each for each in said if any(key in each for key in keys)] or said
    return f"{label}：{'；'.join(said)}" if said else ""


def _header_rows(text: str, passage: Passage) -> list[Span]:
    if passage.kind != "row":
        return []
    return [span for span in passage.context if "|" in text[slice(*span)]]
