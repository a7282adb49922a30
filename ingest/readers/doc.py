"""Old Word documents (.doc, .wps): the main text as it is shown, headings by style, list numbers, tables as rows."""

from __future__ import annotations

import re
import struct

from ingest.errors import UnreadableDocument
from ingest.readers.building import TextBuilder
from ingest.readers.doc_file import WordFile
from ingest.readers.doc_lists import DocLists
from ingest.readers.doc_properties import Paragraph, Properties
from ingest.readers.word_tables import Flow, Line
from vectorstore.passage import Document

MEDIA_TYPE = "application/msword"

_MARKS = re.compile("[\r\x07\x0c]")
_FIELD_MARKS = re.compile("[\x13\x14\x15]")
# Characters that stand for something else ([MS-DOC] 2.4.1, 2.8.25): pictures, notes, fields, optional hyphens, and
# the second bytes of pairs.
_SHOWN = str.maketrans(
    {"\x0b": "\n", "\x0e": "\n", "\x1e": "-", **dict.fromkeys("\x00\x01\x02\x03\x04\x05\x08\x13\x14\x15\x1f")}
)
_SYMBOL_MARK = "("
# Signs of the symbol fonts that forms are drawn with; others have no meaning outside their font.
_SYMBOLS = {
    0xF0A8: "□",
    0xF06F: "□",
    0xF071: "□",
    0xF0FE: "☑",
    0xF052: "☑",
    0xF0FC: "√",
    0xF0D8: "•",
    0xF06C: "•",
    0xF0B7: "•",
}


def read_doc(data: bytes, source: str) -> Document:
    """A document of the main text; notes, headers, hidden text and text deleted under review are left out.

    Raises `UnreadableDocument` for encrypted, damaged and pre-1997 files.
    """
    try:
        builder = _Writer(WordFile(data)).write()
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        raise UnreadableDocument(
            "It is damaged and cannot be opened as a Word document; open it in Word or WPS and save it as .docx."
        ) from error
    return builder.document(source, MEDIA_TYPE)


class _Writer:
    def __init__(self, word: WordFile) -> None:
        self._flow = Flow()
        self._properties = Properties(word)
        self._text = _with_symbols(word.text, self._properties)
        self._lists = DocLists(word)
        self._visible = _visible(self._text, self._properties)

    def write(self) -> TextBuilder:
        """The text, put in paragraph by paragraph."""
        start = 0
        for match in _MARKS.finditer(self._text):
            self._paragraph(start, match.start())
            start = match.end()
        if start < len(self._text):
            self._paragraph(start, len(self._text) - 1, marked=False)
        self._flow.finish()
        return self._flow.builder

    def _paragraph(self, start: int, mark: int, *, marked: bool = True) -> None:
        properties = self._properties.paragraph(mark)
        is_cell_mark = marked and self._text[mark] == "\x07"
        depth = max(properties.depth, 1) if is_cell_mark else properties.depth
        if properties.ends_row and depth:
            self._flow.end_row(depth, properties.row)
            return
        self._flow.paragraph(self._line(self._shown(start, mark if marked else mark + 1), properties), depth)
        if is_cell_mark or (properties.ends_cell and depth):
            self._flow.end_cell(depth)

    def _line(self, text: str, properties: Paragraph) -> Line:
        if not text.strip():
            return Line("")
        label = self._lists.label(properties.list, properties.list_level) if properties.list else ""
        return Line(label + text, properties.level)

    def _shown(self, start: int, end: int) -> str:
        text = "".join(
            character
            for character, visible in zip(self._text[start:end], self._visible[start:end], strict=True)
            if visible
        )
        text = text.translate(_SHOWN)
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _with_symbols(text: str, properties: Properties) -> str:
    """The text with the signs of symbol fonts written out, one character each, so that positions hold."""
    symbols = dict(properties.symbols())
    if not symbols:
        return text
    characters = list(text)
    for position, symbol in symbols.items():
        if position < len(characters) and characters[position] == _SYMBOL_MARK:
            sign = _SYMBOLS.get(ord(symbol), symbol)
            characters[position] = "\x00" if "\ue000" <= sign <= "\uf8ff" else sign
    return "".join(characters)


def _visible(text: str, properties: Properties) -> bytearray:
    """One byte a character: whether it is shown. Instructions of fields, hidden and deleted text are not."""
    visible = bytearray(b"\x01") * len(text)
    for start, end in properties.dropped():
        visible[start:end] = bytes(max(0, min(end, len(text)) - start))
    open_fields: list[tuple[int, bool]] = []
    for match in _FIELD_MARKS.finditer(text):
        if match[0] == "\x13":
            open_fields.append((match.start(), False))
        elif open_fields:
            start, separated = open_fields.pop()
            if not separated:  # up to here stands the instruction, which is not shown
                visible[start : match.end()] = bytes(match.end() - start)
            if match[0] == "\x14":
                open_fields.append((match.start(), True))
    return visible
