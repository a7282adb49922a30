"""Tables of HTML pages: which of them carry data, and their cells as rows."""

from __future__ import annotations

from collections.abc import Callable

from bs4 import Tag

# A vertically merged label is repeated in each of its rows, so that a row can be read alone; a text longer than
# this is no label.
REPEATED_CHARACTERS = 60
# Cells that together hold more paragraphs than this are a page laid out in a table.
_LAYOUT_PARAGRAPHS = 12
# No table of a document is wider or has longer merges; attributes beyond are mistakes or attacks.
_MAX_SPAN = 500
_MAX_ROWS = 20_000


def is_data_table(table: Tag) -> bool:
    """Whether a table without tables in it holds data: two rows with two columns, and no page text in one cell."""
    if str(table.get("role") or "") == "presentation":
        return False
    rows = table.find_all("tr")
    wide = 0
    for row in rows:
        cells = row.find_all(["td", "th"])
        wide += len([cell for cell in cells if cell.get_text(strip=True)]) >= 2
        for cell in cells:
            if len(cell.find_all(["p", "div", "br"])) > _LAYOUT_PARAGRAPHS and len(cells) <= 2:
                return False
            if cell.find(["h1", "h2", "form", "ul"]) is not None and len(cells) <= 2:
                return False
    return wide >= 2


def grid(table: Tag, text_of: Callable[[Tag], str]) -> list[list[str]]:
    """The rows of a table, one cell a column; a merged cell stands in its first, a short one again in each of its rows."""
    rows: list[list[str]] = []
    carried: dict[int, tuple[int, int, str]] = {}  # column -> rows still to fill, columns taken, text
    caption = table.find("caption")
    if isinstance(caption, Tag) and text_of(caption):
        rows.append([text_of(caption)])
    for row in table.find_all("tr")[:_MAX_ROWS]:
        cells: list[str] = []
        column = 0
        following: dict[int, tuple[int, int, str]] = {}
        for cell in [*row.find_all(["td", "th"]), None]:
            while column in carried:
                left, width, text = carried[column]
                cells += [text if len(text) <= REPEATED_CHARACTERS else "", *[""] * (width - 1)]
                if left > 1:
                    following[column] = (left - 1, width, text)
                column += width
            if cell is None:
                break
            text, width = text_of(cell), _span(cell, "colspan")
            cells += [text, *[""] * (width - 1)]
            if (height := _span(cell, "rowspan")) > 1:
                following[column] = (height - 1, width, text)
            column += width
        carried = following
        rows.append(cells)
    return rows


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return min(int(value), _MAX_SPAN) if value.isdecimal() and value.isascii() and len(value) < 6 and int(value) else 1
