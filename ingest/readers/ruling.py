"""Tables by their ruling lines: straight lines of a page to grids of cells, and a grid's texts to rows.

Coordinates are in units of the page, the origin at its lower left, whether a PDF draws the lines or a scan shows them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A vertically merged label is repeated in each of its rows, so that a row can be read alone; a longer text is none.
REPEATED_CHARACTERS = 60
# Drawings and maps have thousands of lines; the fullest table of a page seen has some hundred.
_MAX_LINES = 1_500
# A column narrower, or a row lower, than a character is the gap of a double line.
_NARROWEST = 6.0
# A cell that holds most of a table's text, and much of it, is the page that the lines frame.
_FRAMED_CHARACTERS, _FRAMED_SHARE = 300, 0.6


@dataclass(frozen=True, slots=True)
class Ruling:
    """A straight line: at `at` across its direction, from `start` to `end` along it."""

    horizontal: bool
    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table: the edges of its columns from left to right and of its rows from top to bottom.

    `region` gives for each row and column the cell there; merged columns and rows share one.
    """

    columns: tuple[float, ...]
    rows: tuple[float, ...]
    region: tuple[tuple[int, ...], ...]

    @property
    def top(self) -> float:
        return self.rows[0]

    @property
    def bottom(self) -> float:
        return self.rows[-1]

    @property
    def left(self) -> float:
        return self.columns[0]

    @property
    def right(self) -> float:
        return self.columns[-1]

    def at(self, x: float, y: float) -> int | None:
        """The cell at a point."""
        column = bisect_right(self.columns, x) - 1
        row = bisect_right([-edge for edge in self.rows], -y) - 1
        if 0 <= column < len(self.columns) - 1 and 0 <= row < len(self.rows) - 1:
            return self.region[row][column]
        return None

    def filled(self, texts: Mapping[int, str]) -> tuple[tuple[str, ...], ...]:
        """The rows with these texts: a merged cell's stands in its first column, a short one again in each of its rows."""
        seen: set[int] = set()
        rows: list[tuple[str, ...]] = []
        for regions in self.region:
            row: list[str] = []
            new = False
            for column, cell in enumerate(regions):
                text = texts.get(cell, "")
                if column and regions[column - 1] == cell:
                    row.append("")
                elif cell not in seen:
                    row.append(text)
                    new = new or bool(text)
                else:
                    row.append(text if len(text) <= REPEATED_CHARACTERS else "")
            seen.update(regions)
            # A row of repeated labels alone comes from lines that do not quite meet.
            if new:
                rows.append(tuple(row))
        return tuple(rows)


def holds_data(texts: Mapping[int, str], grid: Grid) -> bool:
    """Whether what stands in a grid is a table: texts beside and below one another, and not a page in a frame."""
    filled = {cell: len(text) for cell, text in texts.items() if text.strip()}
    beside = sum(len({cell for cell in regions if cell in filled}) >= 2 for regions in grid.region)
    if len(filled) < 3 or beside < (2 if len(filled) < 4 else 1):
        return False
    longest = max(filled.values())
    return longest < _FRAMED_CHARACTERS or longest < _FRAMED_SHARE * sum(filled.values())


def grids(lines: Sequence[Ruling], tolerance: float) -> list[Grid]:
    """The tables that these lines rule, from top to bottom; lines closer than `tolerance` are one."""
    if len(lines) > _MAX_LINES:
        return []
    level = _merged([line for line in lines if line.horizontal], tolerance)
    upright = _merged([line for line in lines if not line.horizontal], tolerance)
    found = [grid for group in _touching(level, upright, tolerance) if (grid := _grid(*group, tolerance)) is not None]
    return sorted(found, key=lambda grid: -grid.top)


def _merged(lines: list[Ruling], tolerance: float) -> list[Ruling]:
    """Lines that lie on one another, or continue one another, as one."""
    merged: list[Ruling] = []
    for group in _clusters(lines, tolerance):
        at = sum(line.at for line in group) / len(group)
        begin = end = None
        for line in sorted(group, key=lambda line: line.start):
            if end is None or begin is None:
                begin, end = line.start, line.end
            elif line.start <= end + 2 * tolerance:
                end = max(end, line.end)
            else:
                merged.append(Ruling(line.horizontal, at, begin, end))
                begin, end = line.start, line.end
        if begin is not None and end is not None:
            merged.append(Ruling(group[0].horizontal, at, begin, end))
    return merged


def _clusters(lines: list[Ruling], tolerance: float) -> list[list[Ruling]]:
    clusters: list[list[Ruling]] = []
    for line in sorted(lines, key=lambda line: line.at):
        if clusters and line.at - clusters[-1][-1].at <= tolerance:
            clusters[-1].append(line)
        else:
            clusters.append([line])
    return clusters


def _touching(level: list[Ruling], upright: list[Ruling], tolerance: float) -> list[tuple[list[Ruling], list[Ruling]]]:
    """Groups of lines that cross or meet."""
    parents = list(range(len(level) + len(upright)))
    slack = 2 * tolerance
    for first, across in enumerate(level):
        for second, along in enumerate(upright, start=len(level)):
            if (
                across.start - slack <= along.at <= across.end + slack
                and along.start - slack <= across.at <= along.end + slack
            ):
                parents[_root(parents, first)] = _root(parents, second)
    groups: dict[int, tuple[list[Ruling], list[Ruling]]] = defaultdict(lambda: ([], []))
    for index, line in enumerate([*level, *upright]):
        groups[_root(parents, index)][0 if line.horizontal else 1].append(line)
    return [group for group in groups.values() if len(group[0]) >= 2 and group[1]]


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _edges(places: list[float]) -> list[float]:
    edges: list[float] = []
    for place in sorted(places):
        if not edges or place - edges[-1] > _NARROWEST:
            edges.append(place)
    return edges


def _grid(level: list[Ruling], upright: list[Ruling], tolerance: float) -> Grid | None:
    # The outer sides are often left open: there the longest lines end.
    places = [line.at for line in upright]
    outer = [min(line.start for line in level), max(line.end for line in level)]
    columns = _edges([*places, *(side for side in outer if min(abs(side - place) for place in places) > _NARROWEST)])
    rows = _edges([line.at for line in level])[::-1]
    if len(columns) < 3 or len(rows) < 3:
        return None
    across, down = len(columns) - 1, len(rows) - 1
    parents = list(range(across * down))
    for row in range(down):
        middle = (rows[row] + rows[row + 1]) / 2
        for column in range(across):
            own = row * across + column
            if column + 1 < across and not _drawn(upright, columns[column + 1], middle, tolerance):
                parents[_root(parents, own)] = _root(parents, own + 1)
            centre = (columns[column] + columns[column + 1]) / 2
            if row + 1 < down and not _drawn(level, rows[row + 1], centre, tolerance):
                parents[_root(parents, own)] = _root(parents, own + across)
    region = tuple(tuple(_root(parents, row * across + column) for column in range(across)) for row in range(down))
    divided = sum(len(set(cells)) >= 2 for cells in region)
    if divided < 2 or len({cell for cells in region for cell in cells}) < 4:
        return None
    return Grid(tuple(columns), tuple(rows), region)


def _drawn(lines: list[Ruling], at: float, through: float, tolerance: float) -> bool:
    """Whether a line at this place runs past this point."""
    slack = max(tolerance, _NARROWEST)
    return any(
        abs(line.at - at) <= slack and line.start - tolerance <= through <= line.end + tolerance for line in lines
    )
