"""The flow of old Word and RTF files, where marks end cells and rows: paragraphs, and tables put together from them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from ingest.readers.building import TextBuilder
from ingest.readers.spreadsheet import Budget, Sheet, resolved_rows, write_rows

# Edges that lie closer, in twentieths of a point, are one: rows drawn by hand are off by a millimetre.
_SAME_EDGE = 60
# As in html_tables.py and docx.py: many paragraphs in one cell of a narrow table are a page laid out in a table.
_LAYOUT_PARAGRAPHS = 8
# Tables in tables; Word itself allows some forty.
_MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Row:
    """Where the cells of a table row begin and end, in twentieths of a point, and how they are merged.

    A `vertical` merge of 3 begins one, 1 goes on. Cells merged sideways keep their places, all but the first empty.
    """

    edges: tuple[int, ...] = ()
    vertical: tuple[int, ...] = ()


@dataclass(slots=True)
class Line:
    """A paragraph and its heading level."""

    text: str
    level: int = 0


@dataclass(slots=True)
class Cell:
    """The paragraphs and tables of a cell, in order."""

    blocks: list[Line | Table] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The paragraphs joined."""
        return "\n".join(block.text for block in self.blocks if isinstance(block, Line) and block.text.strip())


@dataclass(slots=True)
class Table:
    """Rows of cells with the layout of each row; `open` holds the cells of a row not yet ended."""

    rows: list[tuple[list[Cell], Row]] = field(default_factory=list)
    open: list[Cell] = field(default_factory=lambda: [Cell()])

    def end_row(self, row: Row) -> None:
        """The cells so far are a row; the paragraph that says so is in none of them."""
        if len(self.open) > 1:
            self.rows.append((self.open[:-1], row))
        self.open = [Cell()]

    def finished(self) -> None:
        """Cells that no row end followed are a row, too."""
        if self.open[-1].blocks:
            self.open.append(Cell())
        self.end_row(Row())


class Flow:
    """Takes paragraphs and marks in the order of the file and writes them; `depth` 0 is outside of tables."""

    def __init__(self) -> None:
        self.builder = TextBuilder()
        self._tables: list[Table] = []  # those that are open, outermost first
        self._budget = Budget()

    def paragraph(self, line: Line, depth: int) -> None:
        """A paragraph of the text or of the open cell."""
        self._enter(depth)
        if not self._tables:
            self._write_line(line)
        elif line.text.strip():
            self._tables[-1].open[-1].blocks.append(line)

    def end_cell(self, depth: int) -> None:
        """The open cell ends."""
        self._enter(max(depth, 1))
        self._tables[-1].open.append(Cell())

    def end_row(self, depth: int, row: Row) -> None:
        """The open row ends; `row` is its layout."""
        self._enter(max(depth, 1))
        self._tables[-1].end_row(row)

    def finish(self) -> None:
        """The text ends, and with it all that is open."""
        self._enter(0)

    def _enter(self, depth: int) -> None:
        depth = min(depth, _MAX_DEPTH)
        while len(self._tables) > depth:
            table = self._tables.pop()
            table.finished()
            if not self._tables:
                self._write_table(table)
        while len(self._tables) < depth:
            table = Table()
            if self._tables:
                self._tables[-1].open[-1].blocks.append(table)
            self._tables.append(table)

    def _write_line(self, line: Line) -> None:
        for number, text in enumerate(line.text.split("\n")):
            self.builder.line(text, heading=0 if number else line.level)

    def _write_table(self, table: Table) -> None:
        """A table as rows, or block by block where it only lays out a page."""
        stack: list[Line | Table] = [table]
        while stack:
            block = stack.pop()
            if isinstance(block, Line):
                self._write_line(block)
            elif _is_layout(block):
                inner = [part for cells, _ in block.rows for cell in cells for part in cell.blocks]
                stack.extend(reversed(inner))
            else:
                write_rows(self.builder, resolved_rows(_sheet(block, self._budget)))


def _is_layout(table: Table) -> bool:
    wide = 0
    for cells, _ in table.rows:
        wide += len(cells) >= 2
        for cell in cells:
            if any(isinstance(block, Table) for block in cell.blocks):
                return True
            if len(cells) <= 2 and len(cell.blocks) > _LAYOUT_PARAGRAPHS:
                return True
    return wide < 2


def _sheet(table: Table, budget: Budget) -> Sheet:
    sheet = Sheet("")
    columns = _columns(table)
    above: dict[int, int] = {}  # column -> row in which the merge that goes on there began
    for number, (cells, row) in enumerate(table.rows):
        going_on: dict[int, int] = {}
        for index, cell in enumerate(cells):
            laid_out = index < len(row.edges)
            column = bisect_left(columns, row.edges[index] - _SAME_EDGE) if laid_out else index
            merge = row.vertical[index] if index < len(row.vertical) else 0
            if merge == 1 and column in above:
                going_on[column] = above[column]
                sheet.merges.append((above[column], number, column, column))
                continue
            if cell.text.strip():
                budget.take(cell.text)
                here = sheet.rows.setdefault(number, {})
                while column in here:  # cells narrower than the tolerance
                    column += 1
                here[column] = cell.text
            if merge:
                going_on[column] = number
        above = going_on
    return sheet


def _columns(table: Table) -> list[int]:
    """The left edges of all columns."""
    columns: list[int] = []
    for edge in sorted({edge for _, row in table.rows for edge in row.edges[:-1]}):
        if not columns or edge - columns[-1] > _SAME_EDGE:
            columns.append(edge)
    return columns
