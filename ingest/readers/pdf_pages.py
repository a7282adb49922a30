"""One page of a PDF: the lines of its text layer, in the order in which they are read, and its ruled tables."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.readers.pdf_columns import GUTTER, Gap, in_columns
from ingest.readers.pdf_layout import Line, Table, join
from ingest.readers.ruling import Grid, Ruling, grids, holds_data

# Points: lines of tables are drawn as strokes or as thin filled rectangles, whose two sides are one line.
_THICKEST = 3.0
_SHORTEST = 4.0
_TOLERANCE = 2.5
# Beyond, a page is a drawing or a map.
_MAX_OBJECTS = 4_000
_MAX_DEPTH = 4
# Radians: scanned text layers are some tenths of a degree askew, watermarks 30 to 60 degrees.
_ASKEW = 0.17
# Characters of a page that tell which way up it is.
_SAMPLED = 100

_Box = tuple[float, float, float, float]
_Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class _View:
    """How a page is looked at: turned clockwise by quarters, from a corner that need not be the origin."""

    quarters: int
    left: float
    bottom: float
    width: float
    height: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the page's own space as the reader sees it, in points from the lower left."""
        x, y = x - self.left, y - self.bottom
        if self.quarters == 1:
            return y, self.height - x
        if self.quarters == 2:
            return self.width - x, self.height - y
        if self.quarters == 3:
            return self.width - y, x
        return x, y

    def box(self, left: float, bottom: float, right: float, top: float) -> _Box:
        """A box in that space, as left, bottom, right, top."""
        first, second = self.point(left, bottom), self.point(right, top)
        return min(first[0], second[0]), min(first[1], second[1]), max(first[0], second[0]), max(first[1], second[1])


def page_parts(page: pypdfium2.PdfPage) -> list[Line | Table]:
    """The lines and tables of one page.

    Raises:
        pypdfium2.PdfiumError: the page is damaged.
    """
    text_page = page.get_textpage()
    try:
        view = _upright(page, text_page)
        tables = grids(list(_rulings(page, view)), _TOLERANCE)
        reader = _Reader(text_page, view, tables)
        reader.read()
        if real := [grid for grid in tables if reader.is_table(grid)]:
            if len(real) < len(tables):
                reader = _Reader(text_page, view, real)
                reader.read()
        elif tables:
            reader = _Reader(text_page, view, [])
            reader.read()
        return reader.parts()
    finally:
        text_page.close()


def _upright(page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage) -> _View:
    """The view in which most characters stand upright, whatever the page says about itself."""
    quarters = page.get_rotation() // 90 % 4
    width, height = page.get_size()
    if quarters % 2:
        width, height = height, width
    count = max(0, pdfium.FPDFText_CountChars(text_page.raw))
    angles = Counter(
        round(pdfium.FPDFText_GetCharAngle(text_page.raw, index) / (math.pi / 2)) % 4
        for index in range(0, count, count // _SAMPLED + 1)
        if not chr(pdfium.FPDFText_GetUnicode(text_page.raw, index)).isspace()
    )
    if angles:
        # PDFium counts a character's angle clockwise.
        quarters = (4 - angles.most_common(1)[0][0]) % 4
    if quarters % 2:
        width, height = height, width
    left, bottom, _, _ = page.get_bbox()
    return _View(quarters, left, bottom, width or 1.0, height or 1.0)


@dataclass(slots=True)
class _Cell:
    """What stands in one cell: its lines, told apart by where they stand."""

    lines: list[str] = field(default_factory=list)
    middle: float = 0.0

    def add(self, character: str, middle: float, height: float) -> None:
        if not self.lines or abs(middle - self.middle) > 0.6 * height:
            self.lines.append("")
            self.middle = middle
        self.lines[-1] += character

    @property
    def text(self) -> str:
        text = ""
        for line in self.lines:
            text = join(text, line.strip())
        return text


class _Reader:
    """Goes through the characters of a page once; those in a table go to its cells, the others to lines."""

    def __init__(self, text_page: pypdfium2.PdfTextPage, view: _View, tables: list[Grid]) -> None:
        self._page, self._view, self._tables = text_page, view, tables
        self._parts: list[Line | Table | Grid] = []
        self._cells: dict[int, dict[int, _Cell]] = {}
        self._units: list[int] = []
        self._first = self._last = -1
        self._cell: _Cell | None = None
        self._slanting: list[int] = []
        self._gaps: list[Gap] = []
        self._gaps_of: dict[int, list[Gap]] = {}

    def read(self) -> None:
        """Take every character."""
        for index in range(max(0, pdfium.FPDFText_CountChars(self._page.raw))):
            unit = pdfium.FPDFText_GetUnicode(self._page.raw, index)
            if unit in (10, 13):
                self._close()
                self._cell = None
            elif unit and unit != 2:  # PDFium's mark for a hyphen it took out at a line's end
                self._take(index, unit)
        self._close()
        if self._slanting:
            self._units = [pdfium.FPDFText_GetUnicode(self._page.raw, index) for index in self._slanting]
            self._first, self._last = self._slanting[0], self._slanting[-1]
            self._close()

    def is_table(self, grid: Grid) -> bool:
        """Whether what stands in a grid makes it a table."""
        return holds_data(self._texts(grid), grid)

    def parts(self) -> list[Line | Table]:
        """The lines and tables in reading order."""
        parts = [
            Table(part.filled(self._texts(part)), part.left, part.right, part.top, part.bottom)
            if isinstance(part, Grid)
            else part
            for part in self._parts
        ]
        return in_columns(parts, self._gaps_of)

    def _take(self, index: int, unit: int) -> None:
        blank = chr(unit).isspace()
        if not blank and self._slants(index):
            self._slanting.append(index)
            return
        if self._tables:
            if blank and self._cell is not None:
                # Between two letters of a cell; the box of a blank that PDFium put in is nowhere.
                if self._cell.lines:
                    self._cell.lines[-1] += " "
                return
            if not blank and self._in_table(index, unit):
                return
        self._cell = None
        if not blank and self._units and chr(self._units[-1]).isspace():
            self._note_gap(index)
        self._units.append(unit)
        if not blank:
            self._first, self._last = index if self._first < 0 else self._first, index

    def _note_gap(self, index: int) -> None:
        """Keep where a line is white for longer than between words."""
        if self._last < 0:
            return
        _, _, left, _ = self._box(self._last)
        right, bottom, _, top = self._box(index)
        if right - left > GUTTER * (top - bottom):
            self._gaps.append(Gap(len(_decoded(self._units)), left, right))

    def _in_table(self, index: int, unit: int) -> bool:
        left, bottom, right, top = self._box(index)
        x, y = (left + right) / 2, (bottom + top) / 2
        for number, grid in enumerate(self._tables):
            cell = grid.at(x, y)
            if cell is None:
                continue
            if number not in self._cells:
                self._close()
                self._parts.append(grid)
                self._cells[number] = {}
            elif self._units:
                self._close()
            self._cell = self._cells[number].setdefault(cell, _Cell())
            self._cell.add(chr(unit), y, max(top - bottom, 6.0))
            return True
        return False

    def _slants(self, index: int) -> bool:
        """Whether a character is set askew, as those of a stamp across the page; they stand in no line and no cell."""
        quarter = math.pi / 2
        angle = float(pdfium.FPDFText_GetCharAngle(self._page.raw, index))
        return angle > 0 and abs((angle + quarter / 2) % quarter - quarter / 2) > _ASKEW

    def _texts(self, grid: Grid) -> dict[int, str]:
        cells = self._cells.get(self._tables.index(grid), {})
        return {number: _decoded([ord(character) for character in cell.text]) for number, cell in cells.items()}

    def _close(self) -> None:
        """End a line."""
        if self._first >= 0:
            text = _decoded(self._units).rstrip()
            left, bottom, _, top = self._box(self._first)
            _, _, right, _ = self._box(self._last)
            # A line set in pieces may end before it begins.
            line = Line(text, left, max(left, right), (bottom + top) / 2, self._view.height)
            self._parts.append(line)
            self._gaps_of[id(line)] = self._gaps
        self._units, self._gaps, self._first, self._last = [], [], -1, -1

    def _box(self, index: int) -> _Box:
        """Left, bottom, right, top of a character."""
        values = [ctypes.c_double() for _ in range(4)]
        if not pdfium.FPDFText_GetCharBox(self._page.raw, index, *values):
            return 0.0, 0.0, 0.0, 0.0
        left, right, bottom, top = (value.value for value in values)
        return self._view.box(left, bottom, right, top)


def _decoded(units: list[int]) -> str:
    return "".join(map(chr, units)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _rulings(page: pypdfium2.PdfPage, view: _View) -> Iterator[Ruling]:
    """The straight level and upright lines that a page draws."""
    count = pdfium.FPDFPage_CountObjects(page.raw)
    if count > _MAX_OBJECTS:
        return
    objects = (pdfium.FPDFPage_GetObject(page.raw, index) for index in range(count))
    for start, end in _drawn(objects, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0), 0):
        (x1, y1), (x2, y2) = view.point(*start), view.point(*end)
        if abs(y1 - y2) <= _THICKEST / 2 and abs(x1 - x2) >= _SHORTEST:
            yield Ruling(True, (y1 + y2) / 2, min(x1, x2), max(x1, x2))
        elif abs(x1 - x2) <= _THICKEST / 2 and abs(y1 - y2) >= _SHORTEST:
            yield Ruling(False, (x1 + x2) / 2, min(y1, y2), max(y1, y2))


_Point = tuple[float, float]


def _drawn(objects: Iterator[object], outer: _Matrix, depth: int) -> Iterator[tuple[_Point, _Point]]:
    """The straight pieces of every path, those of forms within the page, too."""
    for drawn in objects:
        kind = pdfium.FPDFPageObj_GetType(drawn)
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            yield from _pieces(drawn, _product(_matrix(drawn), outer))
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            count = pdfium.FPDFFormObj_CountObjects(drawn)
            if 0 < count <= _MAX_OBJECTS:
                inner = (pdfium.FPDFFormObj_GetObject(drawn, index) for index in range(count))
                yield from _drawn(inner, _product(_matrix(drawn), outer), depth + 1)


def _pieces(path: object, matrix: _Matrix) -> Iterator[tuple[_Point, _Point]]:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    points: list[_Point] = []
    pieces: list[tuple[_Point, _Point]] = []
    start: _Point = (0.0, 0.0)
    x, y = ctypes.c_float(), ctypes.c_float()
    count = pdfium.FPDFPath_CountSegments(path)
    if not (fill.value or stroke.value) or count > _MAX_OBJECTS:
        return
    for index in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        point = (
            matrix[0] * x.value + matrix[2] * y.value + matrix[4],
            matrix[1] * x.value + matrix[3] * y.value + matrix[5],
        )
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            pieces.append((points[-1], point))
        points.append(point)
        if kind != pdfium.FPDF_SEGMENT_MOVETO and pdfium.FPDFPathSegment_GetClose(segment):
            pieces.append((point, start))
    wide = max(point[0] for point in points) - min(point[0] for point in points) if points else 0.0
    high = max(point[1] for point in points) - min(point[1] for point in points) if points else 0.0
    # A filled area without a border is a background.
    if stroke.value or min(wide, high) <= _THICKEST or count > 6:
        yield from pieces


def _matrix(drawn: object) -> _Matrix:
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(drawn, matrix):
        return (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _product(inner: _Matrix, outer: _Matrix) -> _Matrix:
    """First `inner`, then `outer`."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u
