"""OpenDocument texts (.odt) and spreadsheets (.ods): what LibreOffice and WPS save in the open format."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree

from ingest.errors import UnreadableDocument
from ingest.readers.building import TextBuilder
from ingest.readers.list_numbers import ListCounts
from ingest.readers.opendocument_lists import HEADINGS, list_levels, number
from ingest.readers.spreadsheet import Budget, Merge, Sheet, resolved_rows, sheets_document, write_rows
from vectorstore.passage import Document

TEXT_TYPE = "application/vnd.oasis.opendocument.text"
SPREADSHEET_TYPE = "application/vnd.oasis.opendocument.spreadsheet"

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
# Notes, remarks, deleted text and what floats beside the text.
_SKIPPED = frozenset(
    [f"{_TEXT}{name}" for name in ("note", "tracked-changes", "ruby-text")]
    + [f"{_OFFICE}{name}" for name in ("annotation", "forms")]
    + [f"{_TABLE}shapes"]
)
_ROW_GROUPS = frozenset(f"{_TABLE}{name}" for name in ("table-header-rows", "table-row-group", "table-rows"))
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
# Lists, sections and cells in one another; the parser itself stops at 256 elements.
_MAX_DEPTH = 60
_MAX_REPEATS = 1_048_576


def read_opendocument(data: bytes, source: str) -> Document:
    """A document of the body of a package that `check_package` let pass.

    Raises `UnreadableDocument` where the package is damaged or its sheets hold more than any document.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
            root = etree.fromstring(package.read("content.xml"), parser)
            styles = (
                etree.fromstring(package.read("styles.xml"), parser) if "styles.xml" in package.namelist() else None
            )
    except (zipfile.BadZipFile, zlib.error, etree.LxmlError, EOFError, OSError, ValueError, KeyError) as error:
        raise UnreadableDocument(
            "It is damaged and cannot be opened as an OpenDocument file; open it in its program and save it again."
        ) from error
    spreadsheet = root.find(f"{_OFFICE}body/{_OFFICE}spreadsheet")
    if spreadsheet is not None:
        return _spreadsheet(root, spreadsheet, source)
    text = root.find(f"{_OFFICE}body/{_OFFICE}text")
    if text is None:
        raise UnreadableDocument(
            "It is an OpenDocument file without a text or a sheet; save it as .odt, .ods or .docx."
        )
    writer = _Writer(ListCounts(list_levels(root, styles)))
    writer.content(text, 0)
    return writer.builder.document(source, TEXT_TYPE)


def _spreadsheet(root: etree._Element, body: etree._Element, source: str) -> Document:
    hidden = {
        str(style.get(f"{_STYLE}name"))
        for style in root.iter(f"{_STYLE}style")
        for properties in style.iterfind(f"{_STYLE}table-properties")
        if properties.get(f"{_TABLE}display") == "false"
    }
    tables = body.findall(f"{_TABLE}table")
    visible = [table for table in tables if table.get(f"{_TABLE}style-name") not in hidden]
    budget = Budget()
    sheets = [_sheet(table, budget) for table in visible or tables]
    left_out = len(tables) - len(visible) if visible else 0
    notes = (f"Hidden sheets left out: {left_out}.",) if left_out else ()
    return sheets_document(sheets, source, SPREADSHEET_TYPE, notes)


class _Writer:
    def __init__(self, numbers: ListCounts) -> None:
        self.builder = TextBuilder()
        self._numbers = numbers
        self._budget = Budget()

    def content(self, element: etree._Element, depth: int, lists: tuple[str, ...] = ()) -> None:
        """Headings, paragraphs, lists and tables in order; `lists` are the styles of the lists around."""
        if depth > _MAX_DEPTH:
            raise UnreadableDocument("Its parts are nested beyond measure; save its text as .txt and add that.")
        for child in element:
            if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                self._paragraph(child, "")
            elif child.tag == f"{_TEXT}list":
                self._list(child, depth, lists)
            elif child.tag == f"{_TABLE}table":
                self._table(child, depth)
            elif child.tag not in _SKIPPED and isinstance(child.tag, str):
                self.content(child, depth + 1, lists)

    def _paragraph(self, element: etree._Element, label: str) -> None:
        level = 0
        if element.tag == f"{_TEXT}h":
            level = min(9, _count(element.get(f"{_TEXT}outline-level")))
            label = label or self._numbers.label(HEADINGS, level)
        text = paragraph_text(element)
        for index, line in enumerate((label + text).split("\n") if text.strip() else ()):
            self.builder.line(line, heading=0 if index else level)

    def _list(self, element: etree._Element, depth: int, lists: tuple[str, ...]) -> None:
        if depth > _MAX_DEPTH:
            raise UnreadableDocument("Its lists are nested beyond measure; save its text as .txt and add that.")
        style = str(element.get(f"{_TEXT}style-name") or (lists[-1] if lists else ""))
        inner = (*lists, style)
        if (
            not lists
            and element.get(f"{_TEXT}continue-numbering") != "true"
            and not element.get(f"{_TEXT}continue-list")
        ):
            self._numbers.restart(style)
        for item in element:
            if item.tag not in (f"{_TEXT}list-item", f"{_TEXT}list-header"):
                continue
            label = ""
            for child in item:
                if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                    if child is item[0] and item.tag == f"{_TEXT}list-item":
                        start = item.get(f"{_TEXT}start-value")
                        label = self._numbers.label(style, len(inner), number(start, 1) if start else None)
                    self._paragraph(child, label)
                    label = ""
                elif child.tag == f"{_TEXT}list":
                    self._list(child, depth + 1, inner)

    def _table(self, table: etree._Element, depth: int) -> None:
        if next(table.iter(f"{_TABLE}table-cell"), None) is None:
            return
        rows = [list(row.iterchildren(_CELLS[0])) for row in _rows(table)]
        nested = any(inner is not table for inner in table.iter(f"{_TABLE}table"))
        if nested or max(map(len, rows), default=0) < 2:  # a page laid out in a table
            for cells in rows:
                for cell in cells:
                    self.content(cell, depth + 1)
            return
        write_rows(self.builder, resolved_rows(_sheet(table, self._budget)))


def _sheet(table: etree._Element, budget: Budget) -> Sheet:
    """The filled cells and the merges of a table of either kind; repeated rows and cells are counted out."""
    sheet = Sheet(str(table.get(f"{_TABLE}name") or ""))
    position = 0
    for row in _rows(table):
        cells: dict[int, str] = {}
        merges: list[Merge] = []
        column = 0
        for cell in row.iterchildren(*_CELLS):
            times = _count(cell.get(f"{_TABLE}number-columns-repeated"))
            text = _cell_text(cell) if cell.tag == _CELLS[0] else ""
            if text.strip():
                budget.take(text, times)
                cells.update(dict.fromkeys(range(column, column + times), text))
                height, width = (_count(cell.get(f"{_TABLE}number-{side}-spanned")) for side in ("rows", "columns"))
                if height > 1 or width > 1:
                    merges.append((0, height - 1, column, column + width - 1))
            column += times
        times = _count(row.get(f"{_TABLE}number-rows-repeated"))
        if cells:
            for text in cells.values():
                budget.take(text, times - 1)
            for repeated in range(position, position + times):
                sheet.rows[repeated] = cells
                sheet.merges += [
                    (repeated + first, repeated + last, left, right) for first, last, left, right in merges
                ]
        position += times
    return sheet


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    """The rows of a table, those of header and groups too, not those of tables within."""
    stack = list(reversed(table))
    while stack:
        element = stack.pop()
        if element.tag == f"{_TABLE}table-row":
            yield element
        elif element.tag in _ROW_GROUPS:
            stack.extend(reversed(element))


def _cell_text(cell: etree._Element) -> str:
    """A cell as it is shown, dates as 2016-08-29."""
    if cell.get(f"{_OFFICE}value-type") == "date" and cell.get(f"{_OFFICE}date-value"):
        return str(cell.get(f"{_OFFICE}date-value")).removesuffix("T00:00:00").replace("T", " ")
    paragraphs: list[str] = []
    stack = list(reversed(cell))
    while stack:
        element = stack.pop()
        if element.tag in (f"{_TEXT}p", f"{_TEXT}h"):
            paragraphs.append(paragraph_text(element))
        elif element.tag not in _SKIPPED:
            stack.extend(reversed(element))
    text = "\n".join(paragraphs)
    return text if text.strip() else str(cell.get(f"{_OFFICE}value") or "")


def paragraph_text(paragraph: etree._Element) -> str:
    """The text of a paragraph, notes and remarks left out; white space as [ODF 1.2] 6.1.2 has it."""
    pieces: list[str] = []
    stack: list[etree._Element | str] = [paragraph]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            pieces.append(" ".join(node.split("\n")))
            continue
        if node.tag == f"{_TEXT}line-break":
            pieces.append("\n")
        elif node.tag == f"{_TEXT}tab":
            pieces.append("\t")
        elif node.tag == f"{_TEXT}s":
            pieces.append(" " * min(100, _count(node.get(f"{_TEXT}c"))))
        elif node.tag not in _SKIPPED and isinstance(node.tag, str):
            for child in reversed(node):
                if child.tail:
                    stack.append(child.tail)
                stack.append(child)
            if node.text:
                stack.append(node.text)
    return "".join(pieces)


def _count(value: str | None) -> int:
    return (
        max(1, min(int(value), _MAX_REPEATS))
        if value and value.isascii() and value.isdecimal() and len(value) < 9
        else 1
    )
