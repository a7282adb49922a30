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
    """The rows of a table; a merged cell counts once in its row, a short vertically merged one again in each row."""
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
                cells.append(text if len(text) <= REPEATED_CHARACTERS else "")
                if left > 1:
                    following[column] = (left - 1, width, text)
                column += width
            if cell is None:
                break
            text = text_of(cell)
            cells.append(text)
            if (height := _span(cell, "rowspan")) > 1:
                following[column] = (height - 1, _span(cell, "colspan"), text)
            column += _span(cell, "colspan")
        carried = following
        if any(cells):
            rows.append([cell for cell in cells if cell])
    return rows


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return min(int(value), _MAX_SPAN) if value.isdecimal() and value.isascii() and len(value) < 6 and int(value) else 1
