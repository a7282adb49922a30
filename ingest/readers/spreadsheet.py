"""Sheets of cells to a document: values written as the sheet shows them, merged cells and blank rows resolved."""

from __future__ import annotations

import datetime
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.errors import UnreadableDocument
from ingest.readers.building import MAX_TEXT_CHARACTERS, TextBuilder
from ingest.readers.html_tables import REPEATED_CHARACTERS
from vectorstore.passage import Document

# The longest tables of policy offices (every village of a county, every drug of a list) have some tens of thousands
# of filled cells.
MAX_CELLS = 500_000
# Cells between filled ones count here, too: five thousand rows of four hundred columns.
_MAX_POSITIONS = 2_000_000
# So many blank rows end a table; one or two are space between its parts, which its header still heads.
_BLANK_ROWS = 3
# Names that programs give, and that say nothing: Sheet1, 工作表1, Sheet1 (2).
_MEANINGLESS = re.compile(r"(?:sheet|工作表|表格?|table|chart)?[\s_]*\d*\s*(?:[(（]\d+[)）])?", re.I)

# Number formats: what stands in quotes, in brackets or after a backslash is no code.
_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.I)
_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_BUILT_IN_PERCENT = frozenset([9, 10])
_EPOCH = datetime.datetime(1899, 12, 30)
_EPOCH_1904 = datetime.datetime(1904, 1, 1)
_LAST_DAY = 2_958_465  # 9999-12-31, the last day a sheet can show

Merge = tuple[int, int, int, int]
"""First row, last row, first column, last column, all counted from 0 and included."""


@dataclass(slots=True)
class Sheet:
    """The filled cells of one sheet, by row and column, and its merged ranges."""

    name: str
    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)


@dataclass(slots=True)
class Budget:
    """What a workbook may still hold; a few bytes can claim millions of cells, or repeat one long text in each."""

    cells: int = MAX_CELLS
    characters: int = MAX_TEXT_CHARACTERS

    def take(self, text: str, times: int = 1) -> None:
        """Count cells of this text.

        Raises `UnreadableDocument` once the workbook holds more than any document.
        """
        self.cells -= times
        self.characters -= len(text) * times
        if self.cells < 0 or self.characters < 0:
            raise UnreadableDocument(
                f"Its sheets hold over {MAX_CELLS:,} filled cells or {MAX_TEXT_CHARACTERS:,} characters; "
                "split the workbook into smaller ones."
            )


def sheets_document(sheets: Sequence[Sheet], source: str, media_type: str, notes: tuple[str, ...] = ()) -> Document:
    """A document with a heading for every named sheet and a table for every block of rows."""
    builder = TextBuilder()
    for sheet in sheets:
        blocks = _blocks(resolved(sheet))
        if not blocks:
            continue
        if not _MEANINGLESS.fullmatch(sheet.name.strip()):
            builder.line(sheet.name, heading=1)
        for rows in blocks:
            write_rows(builder, rows)
    return builder.document(source, media_type, notes=notes)


def write_rows(builder: TextBuilder, rows: Sequence[Sequence[str]]) -> None:
    """Rows as a table, or as lines where no row has a second filled cell: text that was typed into one column."""
    if any(sum(1 for cell in row if cell.strip()) > 1 for row in rows):
        builder.table(rows)
        return
    for row in rows:
        for cell in row:
            for line in cell.split("\n"):
                builder.line(line)


def resolved_rows(sheet: Sheet) -> list[list[str]]:
    """The rows of a table that stands within a text, merged labels repeated."""
    return [row for block in _blocks(resolved(sheet)) for row in block]


def resolved(sheet: Sheet) -> dict[int, dict[int, str]]:
    """The filled rows, with every short label that is merged over rows repeated in each of them.

    A row that would hold nothing else is none: it is the second line of a header, or space within a tall cell.
    """
    filled = sorted(number for number, cells in sheet.rows.items() if any(text.strip() for text in cells.values()))
    rows = {number: dict(sheet.rows[number]) for number in filled}
    budget = Budget()
    for first, last, left, _ in sheet.merges:
        text = sheet.rows.get(first, {}).get(left, "")
        if text.strip() and len(text) <= REPEATED_CHARACTERS:
            for number in filled[bisect_right(filled, first) : bisect_right(filled, last)]:
                budget.take(text)
                rows[number].setdefault(left, text)
    return rows


def _blocks(rows: dict[int, dict[int, str]]) -> list[list[list[str]]]:
    """Rows of cells by position, empty columns left out, parted where several blank rows stand."""
    blocks: list[list[list[str]]] = []
    columns = sorted({column for cells in rows.values() for column in cells})
    if sum(bisect_right(columns, max(cells)) for cells in rows.values()) > _MAX_POSITIONS:
        raise UnreadableDocument(
            "Its cells lie scattered over a sheet without measure; copy its tables into a new one."
        )
    before = -1
    for number, cells in rows.items():
        if not blocks or number - before > _BLANK_ROWS:
            blocks.append([])
        width = max(cells)
        blocks[-1].append([cells.get(column, "") for column in columns if column <= width])
        before = number
    return blocks


def number_text(value: float, code: str, identifier: int, *, since_1904: bool = False) -> str:
    """A number as its format shows it: a date as 2016-08-29, a share as 12.5%, whole numbers without a fraction.

    `code` is the format's own code, `identifier` its number ([ECMA-376] 18.8.30 lists the built-in ones).
    """
    section = _LITERALS.sub("", code.split(";")[0]).lower()
    if identifier in _BUILT_IN_DATES or (identifier > 49 and _is_date(section)):
        return date_text(value, since_1904=since_1904)
    if identifier in _BUILT_IN_PERCENT or (identifier > 49 and "%" in section):
        return f"{_plain(value * 100)}%"
    text = _plain(value)
    if re.fullmatch("0{2,}", section) and text.isdecimal():  # codes and telephone numbers with leading zeros
        return text.zfill(len(section))
    return text


def date_text(value: float, *, since_1904: bool = False) -> str:
    """Days since the sheet's first day as a date, with the time where there is one; a number beyond all days stays."""
    if not 0 <= value <= _LAST_DAY - 1462 * since_1904:
        return _plain(value)
    moment = (_EPOCH_1904 if since_1904 else _EPOCH) + datetime.timedelta(seconds=round(value * 86_400))
    if value < 1:
        return f"{moment:%H:%M}"
    return moment.date().isoformat() if not moment.hour and not moment.minute else f"{moment:%Y-%m-%d %H:%M}"


def _is_date(section: str) -> bool:
    return bool(re.search(r"[ymdh]|s{2}|年|月", section)) and "general" not in section


def _plain(value: float) -> str:
    """Digits without an exponent as far as a sheet shows them: fifteen."""
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    text = f"{value:.15g}"
    if "e" in text:
        text = f"{value:.0f}" if abs(value) >= 1 else f"{value:.15f}".rstrip("0").rstrip(".")
    return text
