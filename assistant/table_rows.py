"""Rows of tables as answers: which line names the columns, what a cell's column is called, a row said in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assistant.quoting import trim
from vectorstore.passage import Passage, Span
from vectorstore.segmentation import terms
from vectorstore.tables import cell_spans

_UNIT: Final = re.compile(
    r"[（(]\s*((?:万|亿)?[元人分个年月天日名套户亩吨%％㎡]|平方米|公里|(?:万|亿)?元/(?:[人年月亩]|平方米))\s*[）)]\s*$"
)
_TABLE_UNIT: Final = re.compile(r"单位\s*[:：]\s*([^\s）)，,；;]{1,8})")
_COUNTED: Final = (("人口数|人数", "人"), ("分值|积分|得分|分数|满分", "分"), ("户数", "户"), ("年限", "年"))
_DIGITS: Final = re.compile(r"\d+")
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


def asked_cells(text: str, passage: Passage, asked: str) -> list[Span]:
    """The filled cells of a row under the columns that a question's words name best, none where they name none.

    A number in a column's name (2027年) is named by that number alone.
    """
    names = column_names(text, passage)
    cells = cell_spans(text, (passage.start, passage.end))
    if len(cells) > len(names):
        return []
    numbers, pairs = set(_DIGITS.findall(asked)), set(terms(asked))
    worths = [_named(name, numbers, pairs) for name in names[: len(cells)]]
    best = max(worths[1:], default=0.0)
    filled = [(cell, worth) for cell, worth in zip(cells[1:], worths[1:], strict=True) if cell[0] < cell[1]]
    return [cell for cell, worth in filled if worth == best] if best > 0 else []


def _named(name: str, numbers: set[str], pairs: set[str]) -> float:
    own = set(_DIGITS.findall(name))
    if own and numbers and not own & numbers:
        return 0.0
    words = [pair for pair in terms(_DIGITS.sub(" ", name)) if len(pair) > 1]
    return len(own & numbers) + sum(pair in pairs for pair in words) / max(1, len(words))


def named_row(text: str, passage: Passage, cells: Sequence[Span]) -> str:
    """Cells of a row with the names of their columns behind what the row is about; nothing where those are not known.

    Words before the first of them, which say more of what the row is about, are said as well.
    """
    names = column_names(text, passage)
    own = cell_spans(text, (passage.start, passage.end))
    filled = [(column, cell) for column, cell in enumerate(own) if cell[0] < cell[1]]
    if not names or len(own) > len(names) or len(filled) < 2:
        return ""
    label = text[slice(*filled[0][1])]
    said = [
        f"{names[column]} {text[slice(*cell)]}".strip()
        for column, cell in filled[1:]
        if cell in cells or (cells and cell < min(cells) and not _DIGITS.search(text, *cell))
    ]
    return f"{label}：{'；'.join(said)}" if said else ""


def _header_rows(text: str, passage: Passage) -> list[Span]:
    if passage.kind != "row":
        return []
    return [span for span in passage.context if "|" in text[slice(*span)]]
