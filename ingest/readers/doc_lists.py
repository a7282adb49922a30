"""The lists of old Word files ([MS-DOC] 2.9.150, 2.9.131): their levels, and which list a paragraph's number names."""

from __future__ import annotations

import struct

from ingest.readers.doc_file import LIST_OVERRIDES, LISTS, WordFile
from ingest.readers.list_numbers import BULLET, ListCounts, ListLevel

# Number formats by code ([MS-OSHARED] 2.2.1.3); what is not here is written in Arabic digits.
_SHAPES = {
    1: "upperRoman",
    2: "lowerRoman",
    3: "upperLetter",
    4: "lowerLetter",
    10: "ideographDigital",
    11: "japaneseCounting",
    18: "decimalEnclosedCircle",
    22: "decimalZero",
    28: "decimalEnclosedCircleChinese",
    33: "taiwaneseCounting",
    35: "taiwaneseCountingThousand",
    37: "chineseCounting",
    38: "chineseLegalSimplified",
    39: "chineseCountingThousand",
}
_BULLETS, _NONE = 23, 255
_SIMPLE_LIST = 1
_LEVEL_HEADER = 28
# The levels follow the list table without being counted in its length.
_LEVELS_BYTES = 4 * 1024 * 1024
_MAX_LISTS = 10_000


class DocLists:
    """The numbers of a document's lists; ask for each paragraph once, in order."""

    def __init__(self, word: WordFile) -> None:
        self._names = _override_lists(word.table(LIST_OVERRIDES))
        try:
            levels = _levels(word.table(LISTS, _LEVELS_BYTES))
        except (struct.error, IndexError):  # damaged: numbers are lost, the text is not
            levels = {}
        self._counts = ListCounts(levels)

    def label(self, override: int, level: int) -> str:
        """The number before the next paragraph of this list override (from 1) and level (from 0)."""
        if not 0 < override <= len(self._names):
            return ""
        return self._counts.label(self._names[override - 1], level + 1)


def _override_lists(table: bytes) -> list[str]:
    if len(table) < 4:
        return []
    (count,) = struct.unpack_from("<I", table)
    return [
        str(struct.unpack_from("<i", table, 4 + 16 * index)[0]) for index in range(min(count, (len(table) - 4) // 16))
    ]


def _levels(table: bytes) -> dict[tuple[str, int], ListLevel]:
    levels: dict[tuple[str, int], ListLevel] = {}
    if len(table) < 2:
        return levels
    (count,) = struct.unpack_from("<H", table)
    position = 2 + 28 * count
    for index in range(min(count, _MAX_LISTS)):
        (identifier,) = struct.unpack_from("<i", table, 2 + 28 * index)
        simple = table[2 + 28 * index + 26] & _SIMPLE_LIST
        for depth in range(1 if simple else 9):
            level, position = _level(table, position)
            levels[(str(identifier), depth + 1)] = level
    return levels


def _level(table: bytes, position: int) -> tuple[ListLevel, int]:
    """One level and where the next begins."""
    start, code = struct.unpack_from("<iB", table, position)
    character_bytes, paragraph_bytes = table[position + 24], table[position + 25]
    position += _LEVEL_HEADER + character_bytes + paragraph_bytes
    (length,) = struct.unpack_from("<H", table, position)
    text = table[position + 2 : position + 2 + 2 * length].decode("utf-16-le", "replace")
    position += 2 + 2 * length
    if code == _BULLETS:
        return ListLevel("none", BULLET), position
    if code == _NONE:
        return ListLevel("none", ""), position
    # the characters 0 to 8 stand for the numbers of the levels
    shown = "".join(f"%{ord(character) + 1}%" if character < "\t" else character for character in text)
    return ListLevel(_SHAPES.get(code, "decimal"), shown, max(0, start)), position
