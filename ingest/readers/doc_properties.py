"""Properties of characters and paragraphs of old Word files ([MS-DOC] 2.6, 2.9): only those that change the text."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingest.readers.doc_file import CHARACTER_RUNS, PARAGRAPH_RUNS, STYLES, Piece, WordFile
from ingest.readers.word_tables import Row

_PAGE = 512
_PAGE_NUMBERS = 0x3F_FFFF
# Runs of one format; a compilation of a thousand pages has some hundred thousand.
_MAX_RUNS = 1_000_000

_OPERAND_SIZES = (1, 1, 2, 4, 2, 2, -1, 3)  # by the three highest bits; -1: the operand says
_DELETED, _HIDDEN, _SYMBOL = 0x0800, 0x083C, 0x6A09
_STYLE, _LIST_LEVEL, _LIST, _OUTLINE_LEVEL = 0x4600, 0x260A, 0x460B, 0x2640
_IN_TABLE, _ROW_END, _TABLE_DEPTH = 0x2416, 0x2417, 0x6649
_INNER_CELL_END, _INNER_ROW_END = 0x244B, 0x244C
_HUGE = (0x6645, 0x6646)
_TABLE_DEFINITION, _CHANGED_TABS, _VERTICAL_MERGE = 0xD608, 0xC615, 0xD62B
# Modifiers of pieces that name a property by a number of their own ([MS-DOC] 2.9.215).
_SHORT_FORMS = {0x18: _IN_TABLE, 0x19: _ROW_END, 0x41: _DELETED, 0x5C: _HIDDEN}
_HEADINGS, _TITLE = range(1, 10), 62  # numbers of built-in styles


_NO_ROW = Row()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The properties of a paragraph, which are those of the mark at its end. `level` 0 is no heading, `list` 0 none."""

    level: int = 0
    list: int = 0
    list_level: int = 0
    depth: int = 0
    ends_cell: bool = False
    ends_row: bool = False
    row: Row = _NO_ROW


def modifications(properties: bytes) -> Iterator[tuple[int, bytes]]:
    """The single changes in a list of them ([MS-DOC] 2.6.1), code and operand; what is cut off ends it."""
    position = 0
    while position + 2 < len(properties):
        (code,) = struct.unpack_from("<H", properties, position)
        position += 2
        size = _OPERAND_SIZES[code >> 13]
        if code == _TABLE_DEFINITION:
            if position + 2 > len(properties):
                return
            size = struct.unpack_from("<H", properties, position)[0] - 1
            position += 2
        elif size < 0:
            size = properties[position]
            position += 1
            if code == _CHANGED_TABS and size == 255:
                return  # a length of its own, and nothing that matters here follows it
        if size < 0 or position + size > len(properties):
            return
        yield code, properties[position : position + size]
        position += size


class Properties:
    """The properties of a file's text, asked for by character position."""

    def __init__(self, word: WordFile) -> None:
        self._word = word
        self._styles = _styles(word.table(STYLES))
        self._paragraph_starts, self._paragraphs = _runs(word, PARAGRAPH_RUNS)
        self._character_starts, self._characters = _runs(word, CHARACTER_RUNS)

    def paragraph(self, mark: int) -> Paragraph:
        """The properties of the paragraph that ends with the mark at this position."""
        piece = self._word.piece_at(mark)
        place = piece.offset + (mark - piece.start) * piece.width
        stored = _at(self._paragraph_starts, self._paragraphs, place)
        found = Paragraph()
        if len(stored) >= 2:
            found = replace(self._styles.get(struct.unpack_from("<H", stored)[0], Paragraph()))
        return self._changed(self._changed(found, stored[2:]), self._modifier(piece))

    def dropped(self) -> Iterator[tuple[int, int]]:
        """The spans of hidden text and of text that was deleted but is kept for review."""
        for start, end, properties in self._character_runs():
            state = {code: operand[:1] in (b"\x01", b"\x81") for code, operand in properties}
            if state.get(_DELETED) or state.get(_HIDDEN):
                yield start, end

    def symbols(self) -> Iterator[tuple[int, str]]:
        """Positions of characters that stand for one of a symbol font, and that one ([MS-DOC] 2.9.48)."""
        for start, end, properties in self._character_runs():
            for code, operand in properties:
                if code == _SYMBOL and len(operand) == 4:
                    yield from ((position, chr(struct.unpack("<HH", operand)[1])) for position in range(start, end))

    def _character_runs(self) -> Iterator[tuple[int, int, list[tuple[int, bytes]]]]:
        for piece in self._word.pieces:
            first = piece.offset
            last = first + (piece.end - piece.start) * piece.width
            own = list(modifications(self._modifier(piece)))
            index = max(0, bisect_right(self._character_starts, first) - 1)
            if own:
                yield piece.start, piece.end, own
            while index < len(self._characters) and self._character_starts[index] < last:
                end, properties = self._characters[index]
                start = max(first, self._character_starts[index])
                if properties and start < min(end, last):
                    yield (
                        piece.start + (start - first) // piece.width,
                        piece.start + (min(end, last) - first) // piece.width,
                        list(modifications(properties)),
                    )
                index += 1

    def _modifier(self, piece: Piece) -> bytes:
        """What a piece of a fast-saved file changes ([MS-DOC] 2.9.214)."""
        if piece.modifier & 1:
            index = piece.modifier >> 1
            return self._word.modifiers[index] if index < len(self._word.modifiers) else b""
        code = _SHORT_FORMS.get(piece.modifier >> 1 & 0x7F)
        return struct.pack("<HB", code, piece.modifier >> 8) if code else b""

    def _changed(self, paragraph: Paragraph, properties: bytes, *, huge: bool = False) -> Paragraph:
        for code, operand in modifications(properties):
            if code in _HUGE and not huge:
                (place,) = struct.unpack("<I", operand)
                data = self._word.pictures[place : place + 2]
                size = struct.unpack("<H", data)[0] if len(data) == 2 else 0
                paragraph = self._changed(paragraph, self._word.pictures[place + 2 : place + 2 + size], huge=True)
            elif code == _STYLE:
                paragraph = replace(self._styles.get(struct.unpack("<H", operand)[0], paragraph))
            else:
                paragraph = _apply(paragraph, code, operand)
        return paragraph


def _apply(paragraph: Paragraph, code: int, operand: bytes) -> Paragraph:
    number = int.from_bytes(operand[:4], "little")
    if code == _IN_TABLE:
        return replace(paragraph, depth=max(paragraph.depth, 1) if number else 0)
    if code == _TABLE_DEPTH:
        return replace(paragraph, depth=min(number, 0x7FFF))
    if code in (_ROW_END, _INNER_ROW_END):
        return replace(paragraph, ends_row=bool(number))
    if code == _INNER_CELL_END:
        return replace(paragraph, ends_cell=bool(number))
    if code == _OUTLINE_LEVEL:
        return replace(paragraph, level=number + 1 if number < 9 else 0)
    if code == _LIST:
        return replace(paragraph, list=number if number < 0xF801 else 0)
    if code == _LIST_LEVEL:
        return replace(paragraph, list_level=min(number, 8))
    if code == _TABLE_DEFINITION:
        return replace(paragraph, row=_row(operand))
    if code == _VERTICAL_MERGE and len(operand) >= 2 and operand[0] < len(paragraph.row.vertical):
        vertical = list(paragraph.row.vertical)
        vertical[operand[0]] = operand[1] & 3
        return replace(paragraph, row=replace(paragraph.row, vertical=tuple(vertical)))
    return paragraph


def _row(definition: bytes) -> Row:
    """A row's cells ([MS-DOC] 2.9.311): edges, then twenty bytes a cell of which the first two tell merges."""
    count = definition[0] if definition else 0
    if len(definition) < 1 + 2 * (count + 1):
        return Row()
    edges = struct.unpack_from(f"<{count + 1}h", definition, 1)
    flags = [
        int.from_bytes(definition[place : place + 2], "little")
        for place in range(1 + 2 * (count + 1), 1 + 2 * (count + 1) + 20 * count, 20)
    ]
    return Row(edges, tuple(flag >> 5 & 3 for flag in flags))


def _at(starts: list[int], runs: list[tuple[int, bytes]], place: int) -> bytes:
    index = bisect_right(starts, place) - 1
    return runs[index][1] if index >= 0 and place < runs[index][0] else b""


def _runs(word: WordFile, index: int) -> tuple[list[int], list[tuple[int, bytes]]]:
    """Starts, ends and properties of all runs of one kind, by their bytes in the main stream ([MS-DOC] 2.9.32, 2.9.174)."""
    table = word.table(index)
    count = max(0, (len(table) - 4) // 8)
    pages = struct.unpack_from(f"<{count}I", table, 4 * (count + 1)) if count else ()
    found: list[tuple[int, int, bytes]] = []
    for page in dict.fromkeys(number & _PAGE_NUMBERS for number in pages):
        content = word.main[page * _PAGE : (page + 1) * _PAGE]
        if len(content) < _PAGE or len(found) > _MAX_RUNS:
            continue
        size = 13 if index == PARAGRAPH_RUNS else 1
        number = min(content[-1], (_PAGE - 5) // (4 + size))
        places = struct.unpack_from(f"<{number + 1}I", content)
        for run in range(number):
            offset = content[4 * (number + 1) + size * run] * 2
            found.append((places[run], places[run + 1], _stored(content, offset, index == PARAGRAPH_RUNS)))
    found.sort(key=lambda run: run[0])
    return [run[0] for run in found], [run[1:] for run in found]


def _stored(page: bytes, offset: int, paragraph: bool) -> bytes:
    if not offset or offset >= _PAGE - 2:
        return b""
    size = page[offset]
    if not paragraph:
        return page[offset + 1 : offset + 1 + size]
    if size:
        return page[offset + 1 : offset + 2 * size]
    return page[offset + 2 : offset + 2 + 2 * page[offset + 1]]


def _styles(table: bytes) -> dict[int, Paragraph]:
    """Properties of the paragraph styles by number ([MS-DOC] 2.9.271), those they are based on taken in."""
    own: dict[int, tuple[int, int, bytes]] = {}
    try:
        (size,) = struct.unpack_from("<H", table)
        count, base_size = struct.unpack_from("<HH", table, 2)
        position = 2 + size
        for index in range(count):
            (size,) = struct.unpack_from("<H", table, position)
            style = table[position + 2 : position + 2 + size]
            position += 2 + size + (size & 1)
            if len(style) > base_size + 2:
                own[index] = _style(style, base_size)
    except struct.error:  # a table cut off: the styles so far
        pass
    found: dict[int, Paragraph] = {}
    for index in own:
        line, number = [], index
        while number in own and number not in line:
            line.append(number)
            number = own[number][1]
        paragraph = Paragraph()
        for ancestor in reversed(line):
            builtin, _, properties = own[ancestor]
            if builtin in _HEADINGS or builtin == _TITLE:
                paragraph = replace(paragraph, level=builtin if builtin in _HEADINGS else 1)
            for code, operand in modifications(properties):
                if code in (_LIST, _LIST_LEVEL, _OUTLINE_LEVEL):
                    paragraph = _apply(paragraph, code, operand)
        found[index] = paragraph
    return found


def _style(style: bytes, base_size: int) -> tuple[int, int, bytes]:
    """Number of the built-in style, style it is based on, and paragraph properties ([MS-DOC] 2.9.259)."""
    builtin, kind = struct.unpack_from("<HH", style)
    (length,) = struct.unpack_from("<H", style, base_size)
    position = base_size + 2 + 2 * length + 2
    properties = b""
    if kind & 15 == 1 and position + 2 <= len(style):
        (size,) = struct.unpack_from("<H", style, position)
        properties = style[position + 4 : position + 2 + size]
    return builtin & 0x0FFF, kind >> 4, properties
