"""A recognised picture as the lines and tables of a page, in reading order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from ingest.readers.ocr import Recognised, Word
from ingest.readers.pdf_layout import Line, Table, join
from ingest.readers.ruling import Grid, Ruling, grids, holds_data

# A ruling line is at least this share of the page long, or it is a stroke of a character.
_SHORTEST_RULE = 1 / 40
_RULE_TOLERANCE = 6.0
# Columns stand at least this many characters apart, and pieces of one line less.
_COLUMN_GAP = 1.2
_PIECE_GAP = 1.5
# A gap between lines this high, in lines, ends what stands above it in all columns.
_SECTION_GAP = 1.5


def page_parts(found: Recognised) -> list[Line | Table]:
    """The lines and tables of a picture; coordinates are pixels, the origin at its lower left."""
    if not found.words:
        return []
    height = float(found.picture.shape[0])
    tables: list[tuple[Grid, dict[int, list[Word]]]] = []
    outside = list(found.words)
    for grid in grids(_rulings(found.picture), _RULE_TOLERANCE):
        cells: dict[int, list[Word]] = defaultdict(list)
        rest: list[Word] = []
        for word in outside:
            cell = grid.at((word.left + word.right) / 2, height - word.middle)
            if cell is None:
                rest.append(word)
            else:
                cells[cell].append(word)
        if holds_data({cell: "".join(word.text for word in words) for cell, words in cells.items()}, grid):
            tables.append((grid, cells))
            outside = rest
    parts: list[Line | Table] = []
    above = 0.0
    for grid, cells in tables:
        top = max(above, height - grid.top)
        parts += _lines([word for word in outside if above <= word.middle < top], height)
        parts.append(_table(grid, cells))
        above = top
    return parts + _lines([word for word in outside if above <= word.middle], height)


def _table(grid: Grid, cells: dict[int, list[Word]]) -> Table:
    texts = {}
    for cell, words in cells.items():
        text = ""
        for line in _rows(words):
            for word in line:
                text = join(text, word.text)
        texts[cell] = text
    return Table(grid.filled(texts), grid.left, grid.right, grid.top, grid.bottom)


def _lines(words: list[Word], height: float) -> list[Line]:
    return [
        Line("  ".join(_joined(row)), row[0].left, row[-1].right, height - _middle(row), height)
        for block in _blocks(words)
        for row in _rows(block)
    ]


def _joined(row: Sequence[Word]) -> list[str]:
    """The words of one line, those that stand close put together."""
    pieces = [row[0].text]
    for before, word in pairwise(row):
        if word.left - before.right <= _PIECE_GAP * word.height:
            pieces[-1] = join(pieces[-1], word.text)
        else:
            pieces.append(word.text)
    return pieces


def _middle(row: Sequence[Word]) -> float:
    return sum(word.middle for word in row) / len(row)


def _rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words on one level, from left to right; the levels from top to bottom."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.middle):
        if rows and abs(word.middle - _middle(rows[-1])) < 0.5 * min(word.height, median(w.height for w in rows[-1])):
            rows[-1].append(word)
        else:
            rows.append([word])
    return [sorted(row, key=lambda word: word.left) for row in rows]


def _blocks(words: list[Word]) -> list[list[Word]]:
    """Blocks in reading order: cut where a gap between lines is wide, else between columns, else at the widest gap."""
    if len(words) < 2:
        return [words] if words else []
    em = median(word.height for word in words)
    levels = _cut([(word.top, word.bottom, word) for word in words], -0.4 * em)
    gaps = [min(word.top for word in below) - max(word.bottom for word in level) for level, below in pairwise(levels)]
    widest = max(gaps, default=0.0)
    columns = _columns(words, em)
    if widest < _SECTION_GAP * em and (len(columns) > 2 or (len(columns) == 2 and len(_rows(words)) > 2)):
        return [block for column in columns for block in _blocks(column)]
    # Levels of one piece each are one text; cutting it apart would only lose how its lines stand to one another.
    if len(levels) < 2 or all(len(_columns(level, em)) == 1 for level in levels):
        return [words]
    at = gaps.index(widest) + 1
    upper = [word for level in levels[:at] for word in level]
    lower = [word for level in levels[at:] for word in level]
    return _blocks(upper) + _blocks(lower)


def _columns(words: list[Word], em: float) -> list[list[Word]]:
    return _cut([(word.left, word.right, word) for word in words], _COLUMN_GAP * em)


def _cut(intervals: list[tuple[float, float, Word]], gap: float) -> list[list[Word]]:
    """Groups of words between which the page is empty for `gap`."""
    groups: list[list[Word]] = []
    reach = 0.0
    for start, end, word in sorted(intervals, key=lambda interval: interval[:2]):
        if groups and start - reach < gap:
            groups[-1].append(word)
            reach = max(reach, end)
        else:
            groups.append([word])
            reach = end
    return groups


def _rulings(picture: Any) -> list[Ruling]:
    """The straight lines of a picture, by opening it with long thin brushes."""
    import cv2
    import numpy

    height, width = picture.shape[:2]
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 15)
    found: list[Ruling] = []
    for horizontal in (True, False):
        length = max(30, int((width if horizontal else height) * _SHORTEST_RULE))
        brush = numpy.ones((1, length) if horizontal else (length, 1), numpy.uint8)
        # A hair's breadth of slope breaks a line into steps; closing joins them again.
        opened = cv2.dilate(cv2.morphologyEx(ink, cv2.MORPH_OPEN, brush), numpy.ones((3, 3), numpy.uint8))
        _, _, boxes, _ = cv2.connectedComponentsWithStats(opened)
        for left, top, wide, high, _ in boxes[1:]:
            if horizontal and wide >= 2 * length and high <= max(12, wide * 0.02):
                found.append(Ruling(True, height - (top + high / 2), float(left), float(left + wide)))
            elif not horizontal and high >= length and wide <= max(12, high * 0.02):
                found.append(Ruling(False, left + wide / 2, float(height - top - high), float(height - top)))
    return found
