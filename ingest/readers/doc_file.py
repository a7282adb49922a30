"""The parts of an old Word file ([MS-DOC] 2.5): its text, put together from pieces, and where each character lies."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from dataclasses import dataclass

from ingest.errors import UnreadableDocument
from ingest.readers.building import MAX_TEXT_CHARACTERS
from ingest.readers.ole import open_container, stream

# Positions in the file information block of what is read of it ([MS-DOC] 2.5.1-2.5.6).
_IDENTIFIER, _IDENTIFIER_95 = 0xA5EC, 0xA5DC
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
_FIRST_WORD_97 = 0x00C1
_TEXT_CHARACTERS = 3  # of the 32-bit numbers
STYLES, CHARACTER_RUNS, PARAGRAPH_RUNS, PIECES, LISTS, LIST_OVERRIDES = 1, 12, 13, 33, 73, 74
_COMPRESSED = 0x4000_0000
# Languages of the Far East whose old programs stored bytes of their code page as "compressed" text.
_CODE_PAGES = {0x0804: "gb18030", 0x1004: "gb18030", 0x0404: "cp950", 0x0C04: "cp950"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `start` to `end` of the text lie at byte `offset` of the main stream, `width` bytes each.

    `modifier` changes the properties of all of them ([MS-DOC] 2.9.214).
    """

    start: int
    end: int
    offset: int
    width: int
    modifier: int


class WordFile:
    """An opened file: `text` has one UTF-16 unit a character position, as all positions in the file count.

    Raises `UnreadableDocument` for encrypted, damaged and pre-1997 files.
    """

    def __init__(self, data: bytes) -> None:
        container = open_container(data)
        try:
            self.main = stream(container, "WordDocument")
            identifier, version = struct.unpack_from("<HH", self.main)
            (flags,) = struct.unpack_from("<H", self.main, 0x0A)
            if flags & _ENCRYPTED:
                raise UnreadableDocument(
                    "It is a Word document protected with a password; remove the password in Word or WPS and add it again."
                )
            if identifier == _IDENTIFIER_95 or (identifier == _IDENTIFIER and version < _FIRST_WORD_97):
                raise UnreadableDocument(
                    "It is a document of Word 6 or 95; save it as .docx in Word, WPS or LibreOffice."
                )
            if identifier != _IDENTIFIER:
                raise ValueError("no Word document")
            self._table = stream(container, "1Table" if flags & _SECOND_TABLE else "0Table")
            self.pictures = stream(container, "Data")
        finally:
            container.close()
        self._positions: list[tuple[int, int]] = []
        length = self._read_header()
        self.modifiers: list[bytes] = []
        self.pieces = self._read_pieces(length)
        self._starts = [piece.start for piece in self.pieces]
        (language,) = struct.unpack_from("<H", self.main, 0x06)
        self.text = "".join(self._decoded(piece, _CODE_PAGES.get(language, "gb18030")) for piece in self.pieces)

    def table(self, index: int, beyond: int = 0) -> bytes:
        """One of the tables that the information block names, and as many bytes beyond its end."""
        if index >= len(self._positions):
            return b""
        start, length = self._positions[index]
        return self._table[start : start + length + beyond] if length else b""

    def piece_at(self, position: int) -> Piece:
        """The piece that holds a character."""
        return self.pieces[max(0, bisect_right(self._starts, position) - 1)]

    def _read_header(self) -> int:
        """Where the tables lie, and how many characters the main text has."""
        position = 32
        (words,) = struct.unpack_from("<H", self.main, position)
        position += 2 + 2 * words
        (longs,) = struct.unpack_from("<H", self.main, position)
        length: int = struct.unpack_from("<i", self.main, position + 2 + 4 * _TEXT_CHARACTERS)[0]
        position += 2 + 4 * longs
        (pairs,) = struct.unpack_from("<H", self.main, position)
        numbers = struct.unpack_from(f"<{2 * pairs}I", self.main, position + 2)
        self._positions = list(zip(numbers[::2], numbers[1::2], strict=True))
        if length > MAX_TEXT_CHARACTERS:
            raise UnreadableDocument(
                f"Its text has {length:,} characters and the limit is {MAX_TEXT_CHARACTERS:,}; split it into parts."
            )
        if length <= 0:
            raise UnreadableDocument("It is a Word document without text; save the document again and add that.")
        return length

    def _read_pieces(self, length: int) -> list[Piece]:
        """The piece table ([MS-DOC] 2.9.38), up to the end of the main text: notes and headers follow it."""
        table = self.table(PIECES)
        position = 0
        while position < len(table) and table[position] == 1:
            (size,) = struct.unpack_from("<H", table, position + 1)
            self.modifiers.append(table[position + 3 : position + 3 + size])
            position += 3 + size
        if position >= len(table) or table[position] != 2:
            raise ValueError("no piece table")
        (size,) = struct.unpack_from("<I", table, position + 1)
        position += 5
        count = min(size, len(table) - position) // 12
        starts = struct.unpack_from(f"<{count + 1}I", table, position)
        pieces: list[Piece] = []
        for index in range(count):
            start, end = starts[index], min(starts[index + 1], length)
            if end <= start or (pieces and start != pieces[-1].end):
                if start >= length:
                    break
                raise ValueError("pieces out of order")
            _, place, modifier = struct.unpack_from("<HIH", table, position + 4 * (count + 1) + 8 * index)
            width = 1 if place & _COMPRESSED else 2
            offset = (place & (_COMPRESSED - 1)) // (2 if width == 1 else 1)
            if offset + (end - start) * width > len(self.main):
                raise ValueError("a piece beyond the file")
            pieces.append(Piece(start, end, offset, width, modifier))
        if not pieces or pieces[0].start:
            raise ValueError("no text")
        return pieces

    def _decoded(self, piece: Piece, code_page: str) -> str:
        raw = self.main[piece.offset : piece.offset + (piece.end - piece.start) * piece.width]
        if piece.width == 1:
            return _single_bytes(raw, code_page)
        units = array("H", raw)
        return "".join(map(chr, units))


def _single_bytes(raw: bytes, code_page: str) -> str:
    """Compressed text, one character a byte: Windows-1252, or pairs of bytes of a Chinese code page.

    Word itself compresses only Western text. Where nearly all bytes are pairs of the code page another program wrote
    them; the second byte of a pair becomes a zero, which no text has, so that positions hold.
    """
    high = sum(byte > 0x7F for byte in raw)
    if high >= 4:
        try:
            text = raw.decode(code_page)
        except UnicodeDecodeError:
            text = ""
        chinese = sum("\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef" for character in text)
        if text and chinese * 2 >= high * 0.9:
            return "".join(character + "\x00" * (len(character.encode(code_page)) - 1) for character in text)
    return raw.decode("cp1252", "replace") if high else raw.decode("ascii")
