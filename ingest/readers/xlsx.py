"""Excel workbooks (.xlsx): read cell by cell, so that a sheet which only claims to be huge costs nothing."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree

from ingest.errors import UnreadableDocument
from ingest.readers.spreadsheet import Budget, Merge, Sheet, number_text, sheets_document
from vectorstore.passage import Document

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_RELATIONSHIP = re.compile(r"\{http[^}]*/relationships\}id")
_REFERENCE = re.compile(r"\$?([A-Z]{0,3})\$?(\d{0,7})")
_LAST_ROW, _LAST_COLUMN = 1_048_575, 16_383


def read_xlsx(data: bytes, source: str) -> Document:
    """A document of the visible sheets of a package that `check_package` let pass.

    Raises `UnreadableDocument` where the package is damaged or its sheets hold more than any document.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _Workbook(package).document(source)
    except (zipfile.BadZipFile, zlib.error, etree.LxmlError, EOFError, OSError, ValueError, KeyError) as error:
        raise UnreadableDocument(
            "It is damaged and cannot be opened as an Excel workbook; open it in Excel or WPS and save it again."
        ) from error


class _Workbook:
    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self._names = {name.lower().lstrip("/"): name for name in package.namelist()}
        self._budget = Budget()
        self._strings: list[str] = []
        self._formats: list[tuple[int, str]] = []
        self._since_1904 = False

    def document(self, source: str) -> Document:
        """The document of the sheets that are not hidden, or of all where all are."""
        root = self._tree("xl/workbook.xml")
        if root is None:
            raise KeyError("xl/workbook.xml")
        settings = root.find("{*}workbookPr")
        self._since_1904 = settings is not None and settings.get("date1904") in ("1", "true")
        targets = self._targets()
        self._strings = list(self._shared_strings())
        self._formats = list(self._cell_formats())
        described = [sheet for sheet in root.iter("{*}sheet") if targets.get(_identifier(sheet))]
        visible = [sheet for sheet in described if sheet.get("state", "visible") == "visible"]
        sheets = [
            self._sheet(str(sheet.get("name") or ""), targets[_identifier(sheet)]) for sheet in visible or described
        ]
        hidden = len(described) - len(visible) if visible else 0
        notes = (f"Hidden sheets left out: {hidden}.",) if hidden else ()
        return sheets_document(sheets, source, MEDIA_TYPE, notes)

    def _tree(self, part: str) -> etree._Element | None:
        name = self._names.get(part.lower())
        if name is None:
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
        return etree.fromstring(self._package.read(name), parser)

    def _elements(self, part: str, *tags: str) -> Iterator[etree._Element]:
        """The elements of a part as they end, each forgotten once it was looked at."""
        with self._package.open(self._names[part.lower()]) as stream:
            for _, element in etree.iterparse(
                stream, tag=[f"{{*}}{tag}" for tag in tags], resolve_entities=False, no_network=True, load_dtd=False
            ):
                yield element
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]

    def _targets(self) -> dict[str, str]:
        """The parts of the worksheets by relationship id."""
        root = self._tree("xl/_rels/workbook.xml.rels")
        found: dict[str, str] = {}
        for relation in root if root is not None else ():
            if not str(relation.get("Type") or "").endswith("/worksheet"):
                continue
            part = posixpath.normpath(posixpath.join("/xl", str(relation.get("Target") or ""))).lstrip("/")
            if part.lower() in self._names:
                found[str(relation.get("Id"))] = part
        return found

    def _shared_strings(self) -> Iterator[str]:
        if "xl/sharedstrings.xml" in self._names:
            for element in self._elements("xl/sharedStrings.xml", "si"):
                yield _rich_text(element)

    def _cell_formats(self) -> Iterator[tuple[int, str]]:
        """Number and code of the number format of every cell style."""
        root = self._tree("xl/styles.xml")
        if root is None:
            return
        codes = {
            str(element.get("numFmtId")): str(element.get("formatCode") or "") for element in root.iter("{*}numFmt")
        }
        for style in root.iterfind("{*}cellXfs/{*}xf"):
            identifier = str(style.get("numFmtId") or "0")
            yield (int(identifier) if identifier.isdecimal() else 0), codes.get(identifier, "")

    def _sheet(self, name: str, part: str) -> Sheet:
        sheet = Sheet(name)
        row, column = -1, -1  # the row that ended last, the cell before
        for element in self._elements(part, "c", "row", "mergeCell"):
            tag = etree.QName(element).localname
            if tag == "row":
                row, column = _row(element, row + 1), -1
            elif tag == "c":
                place = _place(str(element.get("r") or ""))
                own_row, column = place or (_row(element.getparent(), row + 1), column + 1)
                text = self._value(element)
                if text.strip() and own_row <= _LAST_ROW and column <= _LAST_COLUMN:
                    self._budget.take(text)
                    sheet.rows.setdefault(own_row, {})[column] = text
            else:
                merge = _merge(str(element.get("ref") or ""))
                if merge is not None:
                    self._budget.take("")
                    sheet.merges.append(merge)
        return sheet

    def _value(self, cell: etree._Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find("{*}is")
            return "" if inline is None else _rich_text(inline)
        value = cell.findtext("{*}v") or ""
        if kind == "s":
            index = int(value) if value.isascii() and value.isdecimal() else -1
            return self._strings[index] if 0 <= index < len(self._strings) else ""
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        if kind == "e":  # "#REF!" is no text of the document
            return ""
        if kind == "d":
            return value.removesuffix("T00:00:00").replace("T", " ")
        if kind != "n":
            return _unescaped(value)
        style = str(cell.get("s") or "0")
        identifier, code = (
            self._formats[int(style)] if style.isdecimal() and int(style) < len(self._formats) else (0, "")
        )
        try:
            return number_text(float(value), code, identifier, since_1904=self._since_1904)
        except (ValueError, OverflowError):
            return value


def _identifier(sheet: etree._Element) -> str:
    return next((str(value) for name, value in sheet.attrib.items() if _RELATIONSHIP.fullmatch(str(name))), "")


def _rich_text(element: etree._Element) -> str:
    """The text of a string item without its readings (`rPh`), which some programs keep beside Chinese."""
    pieces: list[str] = []
    for child in element:
        if not isinstance(child.tag, str):
            continue
        tag = etree.QName(child).localname
        if tag == "t":
            pieces.append(child.text or "")
        elif tag == "r":
            pieces += [run.text or "" for run in child.iterfind("{*}t")]
    return _unescaped("".join(pieces))


def _unescaped(text: str) -> str:
    """Characters that XML cannot hold stand as _x000D_ ([ECMA-376] 22.9.2.19)."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _row(element: etree._Element | None, otherwise: int) -> int:
    """The number of a row from 0; programs may leave it out."""
    number = str(element.get("r") or "") if element is not None else ""
    return int(number) - 1 if re.fullmatch("[0-9]{1,7}", number) else otherwise


def _place(reference: str) -> tuple[int, int] | None:
    match = _REFERENCE.fullmatch(reference)
    if match is None or not match[1] or not match[2]:
        return None
    return int(match[2]) - 1, _column(match[1])


def _merge(reference: str) -> Merge | None:
    """A range such as `A2:C5`, or of whole rows (`1:1`) or columns (`A:A`)."""
    first, _, last = reference.partition(":")
    start, end = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last or first)
    if start is None or end is None or not reference:
        return None
    return (
        int(start[2] or 1) - 1,
        min(int(end[2] or _LAST_ROW + 1) - 1, _LAST_ROW),
        _column(start[1]) if start[1] else 0,
        _column(end[1]) if end[1] else _LAST_COLUMN,
    )


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
