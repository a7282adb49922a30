"""Columns of a text page: lines that PDFium read across the gutter are cut there, and each column is read to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from ingest.readers.pdf_layout import Line, Table

# In character widths: columns stand further apart than words that are set wide.
GUTTER = 1.5
# Text set in columns goes on for some lines, each nearly as wide as its column; the cells of a table without ruling
# lines are short. A column holds at least ten characters in a line.
_LEAST_LINES = 5
_FILLED = 0.75
_NARROWEST = 10


@dataclass(frozen=True, slots=True)
class Gap:
    """White space within a line: how many characters stand before it, and its edges in points."""

    before: int
    left: float
    right: float


def in_columns(parts: Sequence[Line | Table], gaps: Mapping[int, Sequence[Gap]]) -> list[Line | Table]:
    """The parts of a page in reading order; as they come where the page has no two columns of text.

    `gaps` are those of the lines by `id(line)`.
    """
    gutter = _gutter(parts, gaps)
    if gutter is None:
        return list(parts)
    cut: list[Line | Table] = []
    for part in parts:
        cut += [part] if isinstance(part, Table) else _cut(part, gaps.get(id(part), ()), gutter)
    ordered: list[Line | Table] = []
    waiting: tuple[list[Line | Table], list[Line | Table]] = ([], [])
    # What goes across both columns stands between what is above and what is below it.
    for part in sorted(cut, key=lambda part: -_top(part)):
        if part.right <= gutter[1]:
            waiting[0].append(part)
        elif part.left >= gutter[0]:
            waiting[1].append(part)
        else:
            ordered += [*waiting[0], *waiting[1], part]
            waiting = ([], [])
    return [*ordered, *waiting[0], *waiting[1]]


def _gutter(parts: Sequence[Line | Table], gaps: Mapping[int, Sequence[Gap]]) -> tuple[float, float] | None:
    """The strip that stays white between two columns of text, if there are any."""
    lines = [part for part in parts if isinstance(part, Line)]
    crossed = [(line, gap) for line in lines for gap in gaps.get(id(line), ())]
    best: tuple[float, float] | None = None
    most = 0
    for _, gap in crossed:
        strip = gap.left, gap.right
        members = [other for _, other in crossed if other.left < strip[1] and strip[0] < other.right]
        shared = max(member.left for member in members), min(member.right for member in members)
        if len(members) > most and shared[0] < shared[1]:
            best, most = shared, len(members)
    if best is None or most < _LEAST_LINES:
        return None
    rows = [(line, gap) for line, gap in crossed if gap.left <= best[0] and best[1] <= gap.right]
    columns = (
        [(line.left, gap.left, line.width) for line, gap in rows],
        [(gap.right, line.right, line.width) for line, gap in rows],
    )
    return best if all(map(_is_text, columns)) else None


def _is_text(pieces: Sequence[tuple[float, float, float]]) -> bool:
    """Whether the pieces of one column, as left, right and width of a character, fill it as running text does."""
    left, right = min(piece[0] for piece in pieces), max(piece[1] for piece in pieces)
    wide = median(end - start for start, end, _ in pieces)
    return wide >= _FILLED * (right - left) and wide >= _NARROWEST * median(width for _, _, width in pieces)


def _cut(line: Line, gaps: Sequence[Gap], gutter: tuple[float, float]) -> list[Line | Table]:
    inside = [gap for gap in gaps if gap.left <= gutter[0] and gutter[1] <= gap.right]
    ends = [0, *(gap.before for gap in inside), len(line.text)]
    lefts = [line.left, *(gap.right for gap in inside)]
    rights = [*(gap.left for gap in inside), line.right]
    pieces = [
        replace(line, text=line.text[start:end].strip(), left=left, right=right)
        for (start, end), left, right in zip(pairwise(ends), lefts, rights, strict=True)
    ]
    return [piece for piece in pieces if piece.text]


def _top(part: Line | Table) -> float:
    return part.top if isinstance(part, Table) else part.middle
