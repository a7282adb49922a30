"""Pages of paragraphs and tables to a document: what runs over a page's end stays whole."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.readers.building import TextBuilder
from ingest.readers.pdf_layout import Line, Paragraph, Table, join, page_blocks
from vectorstore.passage import Document

# A table goes on with the same columns at the same place, as far as pages are set alike.
_SHIFT = 0.06
_SENTENCE_END = "。！？；：!?;:"


def write_pages(
    pages: Sequence[Sequence[Line | Table]],
    running: set[int],
    source: str,
    notes: tuple[str, ...],
    media_type: str = "application/pdf",
) -> Document:
    """The document of these pages.

    Where the last paragraph or table of a page goes on, the next page begins inside it, and the running lines that
    stood between follow it; so its sentences can be found and quoted whole, and its rows keep their heading.
    """
    writer = _Writer()
    for parts in pages:
        body, furniture = _separated(page_blocks(parts), running)
        writer.page(body, furniture)
    return writer.finish(source, media_type, notes)


def _separated(blocks: list[Paragraph | Table], running: set[int]) -> tuple[list[Paragraph | Table], list[str]]:
    body: list[Paragraph | Table] = []
    furniture: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            body.append(block)
            continue
        lines = tuple(line for line in block.lines if id(line) not in running)
        furniture += [line.text for line in block.lines if id(line) in running]
        if lines:
            body.append(Paragraph(lines, block.opened, block.open))
    return body, furniture


class _Writer:
    def __init__(self) -> None:
        self._builder = TextBuilder()
        self._pending = ""  # a paragraph that may go on, not yet written
        self._breaks: list[int] = []  # where in it pages begin
        self._table: Table | None = None  # a table that may go on, not yet written
        self._rows: list[tuple[str, ...]] = []
        self._row_breaks: list[int] = []  # with which of its rows pages begin
        self._furniture: list[str] = []
        self._may_continue = False

    def page(self, body: list[Paragraph | Table], furniture: list[str]) -> None:
        first = body[0] if body else None
        if isinstance(first, Paragraph) and self._may_continue and first.opened:
            joined = join(self._pending, first.text)
            self._breaks.append(len(joined) - len(first.text))
            self._pending, self._may_continue = joined, first.open and len(body) == 1
            body = body[1:]
        elif isinstance(first, Table) and self._table is not None and _goes_on(self._table, self._rows, first):
            more = _new_rows(self._rows, first.rows)
            if more and _is_rest(self._rows[-1], more[0]):
                self._rows[-1] = tuple(map(join, self._rows[-1], more[0]))
                more = more[1:]
            self._row_breaks.append(len(self._rows))
            self._rows += more
            self._table = first if len(body) == 1 else None
            body = body[1:]
        else:
            self._flush()
            self._builder.page()
        self._furniture += furniture
        for block in body:
            self._flush_block()
            if isinstance(block, Table):
                self._table, self._rows, self._may_continue = block, list(block.rows), False
            else:
                self._pending, self._may_continue = block.text, block.open
        if not self._may_continue and self._table is None:
            self._flush()

    def finish(self, source: str, media_type: str, notes: tuple[str, ...]) -> Document:
        self._flush()
        return self._builder.document(source, media_type, notes=notes)

    def _flush_block(self) -> None:
        start = self._builder.length
        for offset in self._breaks:
            self._builder.page(start + offset)
        self._builder.line(self._pending)
        self._pending, self._breaks, self._may_continue = "", [], False
        self._flush_table()

    def _flush_table(self) -> None:
        if self._row_breaks:
            # Which rows are left out, and how long the others become, only the builder knows.
            trial = TextBuilder()
            trial.table(self._rows)
            lengths = iter([len(line) + 1 for line in trial.document("", "").text.splitlines()])
            offset, breaks = self._builder.length, list(self._row_breaks)
            for number, row in enumerate(self._rows):
                while breaks and breaks[0] == number:
                    self._builder.page(offset)
                    breaks.pop(0)
                offset += next(lengths, 0) if any(cell.strip() for cell in row) else 0
            for _ in breaks:
                self._builder.page(offset)
        self._builder.table(self._rows)
        self._table, self._rows, self._row_breaks = None, [], []

    def _flush(self) -> None:
        self._flush_block()
        for text in self._furniture:
            self._builder.line(text, boilerplate=True)
        self._furniture = []


def _goes_on(before: Table, rows: Sequence[tuple[str, ...]], table: Table) -> bool:
    """Whether a table at a page's beginning goes on with the one at the end of the page before.

    One that begins with a heading like that one's, but another one, is a table of its own.
    """
    if not rows or not table.rows or len(table.rows[0]) != len(rows[0]):
        return False
    first = table.rows[0]
    if first[0] == rows[0][0] != "" and first not in rows and not any(map(str.isdigit, first[0])):
        return False
    slack = _SHIFT * (before.right - before.left)
    return abs(table.left - before.left) <= slack and abs(table.right - before.right) <= slack


def _new_rows(rows: list[tuple[str, ...]], more: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
    """The rows of the next page without the heading rows that it repeats."""
    same = 0
    while same < len(more) - 1 and more[same] in rows:
        same += 1
    return more[same:]


def _is_rest(row: tuple[str, ...], first: tuple[str, ...]) -> bool:
    """Whether a page's first row is the rest of the row that the page before ends with: no label, no number, no end."""
    return (
        not first[0]
        and any(first)
        and all(
            before and not before.isdecimal() and before[-1] not in _SENTENCE_END
            for before, rest in zip(row, first, strict=True)
            if rest
        )
    )
