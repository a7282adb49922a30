"""The layout of PDF pages: which lines run on every page, and which belong to one paragraph."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from unicodedata import east_asian_width

from ingest.numbering import marker_of

# Running heads and feet stand in the outer tenth of a page; page numbers of official documents (GB/T 9704) up to
# 35 mm above its edge.
_RUNNING_ZONE = 0.1
_NUMBER_ZONE = 0.15
# A line that stands in the margin of three pages is a running line; anywhere else it must stand on most of them.
_RUNNING_PAGES = 3
_WATERMARK_SHARE = 0.6
_PAGE_NUMBER = re.compile(
    r"[\s—–―\-－·•_~|]*(?:第\s*)?(?:\d{1,4}|[ivxlcIVXLC]{1,7})\s*页?(?:\s*[,，/／]?\s*(?:共|of)?\s*\d{1,4}\s*页?)?"
    r"[\s—–―\-－·•_~|]*|.{0,4}第\s*\d+\s*页.{0,40}|Page\s+\d+(?:\s+of\s+\d+)?"
)
_SENTENCE_END = "。！？；：:;!?…"
# How far, in character widths, a full line may stay short of the right margin (a closing quote, an unbreakable word).
_RAGGED = 2.2
_INDENT = 1.2
_LINE_SPACING = 2.8


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page; edges and middle in points, the origin at the lower left of a page `height` points high."""

    text: str
    left: float
    right: float
    middle: float
    height: float

    @property
    def width(self) -> float:
        """The width of one Chinese character of this line in points, blanks taken in."""
        columns = sum(2 if east_asian_width(character) in "WF" else 1 for character in self.text.strip())
        return max(1.0, 2 * (self.right - self.left) / max(1, columns))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of one page that read on. `opened` and `open` say whether the page before and after may continue it."""

    lines: tuple[Line, ...]
    opened: bool
    open: bool

    @property
    def text(self) -> str:
        """The lines joined: without a space between Chinese characters, with one between words."""
        text = self.lines[0].text.strip()
        for line in self.lines[1:]:
            text = join(text, line.text.strip())
        return text


def join(before: str, after: str) -> str:
    """Two lines of one paragraph as one."""
    if not before or not after:
        return before + after
    words = before[-1].isascii() and after[0].isascii() and before[-1] not in "-/([" and after[0] not in ")],.;:%"
    digits = before[-1].isdigit() and after[0].isdigit()
    return f"{before} {after}" if words and not digits else before + after


def _key(line: Line) -> tuple[str, int]:
    return re.sub(r"\d+", "0", "".join(line.text.split())), round(line.middle / 4)


def running_lines(pages: list[list[Line]]) -> set[int]:
    """The ids (`id(line)`) of running heads and feet, page numbers and watermarks."""
    pages_with: Counter[tuple[str, int]] = Counter()
    for lines in pages:
        pages_with.update({_key(line) for line in lines})
    running: set[int] = set()
    for lines in pages:
        for line in lines:
            edge = min(line.middle, line.height - line.middle) / line.height
            text, row = _key(line)
            repeats = sum(pages_with[(text, other)] for other in (row - 1, row, row + 1))
            if (edge <= _NUMBER_ZONE and _PAGE_NUMBER.fullmatch(line.text.strip())) or (edge <= _RUNNING_ZONE and repeats >= _RUNNING_PAGES) or (len(pages) >= _RUNNING_PAGES and repeats > max(2, len(pages) * _WATERMARK_SHARE) and len(text) <= 40):
                running.add(id(line))
    return running


def page_paragraphs(lines: list[Line]) -> list[Paragraph]:
    """The lines of one page, in order, grouped into paragraphs."""
    margins = [_margins(lines, index) for index in range(len(lines))]
    groups: list[list[int]] = []
    for index, line in enumerate(lines):
        if groups and _continues(lines[index - 1], line, margins[index - 1], margins[index]):
            groups[-1].append(index)
        else:
            groups.append([index])
    return [
        Paragraph(
            tuple(lines[index] for index in group),
            opened=not _is_indented(lines[group[0]], margins[group[0]]) and marker_of(lines[group[0]].text) is None,
            open=_is_full(lines[group[-1]], margins[group[-1]]) and lines[group[-1]].text.strip()[-1] not in "。！？；：",
        )
        for group in groups
    ]


def _margins(lines: list[Line], index: int) -> tuple[float, float]:
    """Left and right margin of the column that a line stands in, by the lines around it that begin near it."""
    line = lines[index]
    near = [
        other
        for other in lines[max(0, index - 20) : index + 21]
        if abs(other.left - line.left) <= 3.5 * line.width and other.right > line.left
    ]
    return min(other.left for other in near), max(other.right for other in near)


def _is_full(line: Line, margins: tuple[float, float]) -> bool:
    return line.right >= margins[1] - _RAGGED * line.width and line.right - line.left >= 8 * line.width


def _is_indented(line: Line, margins: tuple[float, float]) -> bool:
    return line.left - margins[0] >= _INDENT * line.width or line.text.startswith("\u3000")


def _continues(before: Line, line: Line, margins: tuple[float, float], own: tuple[float, float]) -> bool:
    drop = before.middle - line.middle
    if not 0 < drop <= _LINE_SPACING * before.width or not _is_full(before, margins) or _is_indented(line, own):
        return False
    if re.search(r"(?:[.·…]{3,}|…)\s*\d*\s*$", before.text):
        return False
    if len(line.text) >= 6 and not 0.75 <= line.width / before.width <= 1.33:
        return False
    return not (marker_of(line.text) is not None and before.text.strip()[-1] in _SENTENCE_END)
