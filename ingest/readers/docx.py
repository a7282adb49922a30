"""Word documents (.docx): body text in order, headings by style, list numbers as shown, tables as rows."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import docx
from docx.document import Document as WordDocument
from lxml import etree

from ingest.errors import UnreadableDocument
from ingest.readers.building import TextBuilder
from ingest.readers.docx_numbering import Numbering
from vectorstore.passage import Document

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

# See html_tables.py: a merged label is repeated in its rows, and a table of few columns with many paragraphs in one
# cell is a page laid out in a table.
_REPEATED_CHARACTERS = 60
_LAYOUT_PARAGRAPHS = 8
# Word's tables have at most 63 columns.
_WIDEST = 63
# Nesting beyond this is an attack; Word itself allows some forty levels of tables.
_MAX_DEPTH = 60
_CONTAINERS = frozenset(f"{_W}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"))
_SKIPPED = frozenset(
    [f"{_W}{name}" for name in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText", "txbxContent")]
    + ["{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"]
)
_HEADING_STYLE = re.compile(r"(?:heading|标题)\s*([1-9])", re.I)


def read_docx(data: bytes, source: str) -> Document:
    """A document of the body of a Word package that `check_package` let pass.

    Raises `UnreadableDocument` where the package cannot be opened as a Word document.
    """
    try:
        opened = docx.Document(io.BytesIO(data))
        reader = _Reader(opened)
        reader.container(opened.element.body, 0)
    except UnreadableDocument:
        raise
    except Exception as error:  # the library lets through whatever its parsers raise on damaged parts
        raise UnreadableDocument(
            "It is damaged and cannot be opened as a Word document; open it in Word or WPS and save it again."
        ) from error
    return reader.builder.document(source, MEDIA_TYPE)


class _Reader:
    def __init__(self, opened: WordDocument) -> None:
        self.builder = TextBuilder()
        self._levels = _heading_levels(opened)
        self._numbering = Numbering(opened)

    def container(self, element: etree._Element, depth: int) -> None:
        """Paragraphs and tables of a body, a cell or a content control, in order."""
        if depth > _MAX_DEPTH:
            raise UnreadableDocument("Its tables are nested beyond measure; save its text as .txt and add that.")
        for child in element:
            if child.tag == f"{_W}p":
                text, level = self._paragraph(child)
                for number, line in enumerate(text.split("\n")):
                    self.builder.line(line, heading=level if number == 0 else 0)
            elif child.tag == f"{_W}tbl":
                self._table(child, depth)
            elif child.tag in _CONTAINERS:
                self.container(child, depth + 1)

    def _paragraph(self, element: etree._Element) -> tuple[str, int]:
        text = _text(element)
        style = _value(element, "pPr/pStyle")
        level = self._levels.get(style or "", 0)
        outline = _value(element, "pPr/outlineLvl")
        if outline and outline.isdecimal() and int(outline) < 9:
            level = int(outline) + 1
        if not text.strip():
            return "", 0
        return self._numbering.label(element, style) + text, level

    def _table(self, table: etree._Element, depth: int) -> None:
        rows = _children(table, "tr")
        if _is_layout(rows):
            for row in rows:
                for cell in _children(row, "tc"):
                    if _merge(cell) != "continue":
                        self.container(cell, depth + 1)
            return
        above: dict[int, str] = {}
        lines: list[list[str]] = []
        for row in rows:
            column, cells = 0, []
            current: dict[int, str] = {}
            for cell in _children(row, "tc"):
                merge = _merge(cell)
                text = above.get(column, "") if merge == "continue" else self._cell(cell)
                repeated = merge != "continue" or len(text) <= _REPEATED_CHARACTERS
                if merge is not None:
                    current[column] = text
                span = _value(cell, "tcPr/gridSpan") or "1"
                width = min(int(span), _WIDEST) if span.isdecimal() and span.isascii() else 1
                cells += [text if repeated else "", *[""] * (width - 1)]
                column += width
            above = current
            lines.append(cells)
        self.builder.table(lines)

    def _cell(self, cell: etree._Element) -> str:
        return " ".join(text for text in (self._paragraph(p)[0].strip() for p in _paragraphs(cell)) if text)


def _is_layout(rows: list[etree._Element]) -> bool:
    wide = 0
    for row in rows:
        cells = _children(row, "tc")
        wide += len(cells) >= 2
        for cell in cells:
            if next(cell.iter(f"{_W}tbl"), None) is not None:
                return True
            if len(cells) <= 2 and len(_children(cell, "p")) > _LAYOUT_PARAGRAPHS:
                return True
    return wide < 2


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    """Children of this name, content controls and insertions seen through."""
    found: list[etree._Element] = []
    for child in element:
        if child.tag == _W + name:
            found.append(child)
        elif child.tag in _CONTAINERS:
            found += _children(child, name)
    return found


def _paragraphs(cell: etree._Element) -> Iterator[etree._Element]:
    return cell.iter(f"{_W}p")


def _merge(cell: etree._Element) -> str | None:
    """`restart` or `continue` for a vertically merged cell."""
    element = cell.find(f"{_W}tcPr/{_W}vMerge")
    return None if element is None else str(element.get(f"{_W}val") or "continue")


def _value(element: etree._Element, path: str) -> str | None:
    found = element.find("/".join(_W + name for name in path.split("/")))
    return None if found is None else found.get(f"{_W}val")


def _text(paragraph: etree._Element) -> str:
    """The visible text of a paragraph, insertions in, deletions out; line breaks are `\\n`."""
    pieces: list[str] = []
    stack: list[etree._Element] = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if element.tag in _SKIPPED:
            continue
        if element.tag == f"{_W}t":
            pieces.append(element.text or "")
        elif element.tag in (f"{_W}br", f"{_W}cr"):
            pieces.append("\n")
        elif element.tag == f"{_W}tab":
            pieces.append("\t")
        elif element.tag == f"{_W}noBreakHyphen":
            pieces.append("-")
        else:
            stack.extend(reversed(element))
    return "".join(pieces)


def _heading_levels(opened: WordDocument) -> dict[str, int]:
    """Heading level by style id: from the outline level or the name of the style or of one it is based on."""
    levels: dict[str, int] = {}
    bases: dict[str, str] = {}
    for style in opened.styles.element.iter(f"{_W}style"):
        identifier = str(style.get(f"{_W}styleId") or "")
        name = _value(style, "name") or ""
        outline = _value(style, "pPr/outlineLvl")
        match = _HEADING_STYLE.fullmatch(name.strip())
        if match:
            levels[identifier] = int(match[1])
        elif name.lower() in ("title", "标题"):
            levels[identifier] = 1
        elif outline and outline.isdecimal() and int(outline) < 9:
            levels[identifier] = int(outline) + 1
        bases[identifier] = _value(style, "basedOn") or ""
    for identifier in bases:
        seen, base = {identifier}, bases[identifier]
        while identifier not in levels and base and base not in seen:
            seen.add(base)
            if base in levels:
                levels[identifier] = levels[base]
            base = bases.get(base, "")
    return levels
