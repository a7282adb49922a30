"""The layout of PDF pages: which lines run on every page, and which belong to one paragraph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
# The date below a signature, which often stands as far right as a full line.
_DATE = re.compile(
    r"[\d〇○一二三四五六七八九十]{2,4}\s*年\s*[\d一二三四五六七八九十]{1,3}\s*月\s*[\d一二三四五六七八九十]{1,3}\s*日"
)
_SENTENCE_END = "。！？；：:;.!?…"
# How far, in character widths, a full line may stay short of the right margin (a closing quote, an unbreakable word).
_RAGGED = 2.2
# In character widths: shorter lines are headings and cells, unless other lines of the column end with them.
_SHORTEST_MEASURE = 8
_LATIN_WORD = 8  # letters of a long word, as far as it is not known which
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


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table of a page: its rows, one cell a column, and its edges; `top` is above `bottom`."""

    rows: tuple[tuple[str, ...], ...]
    left: float
    right: float
    top: float
    bottom: float


def join(before: str, after: str) -> str:
    """Two lines of one paragraph as one."""
    if not before or not after:
        return before + after
    words = before[-1].isascii() and after[0].isascii() and before[-1] not in "-/([" and after[0] not in ")],.;:%"
    digits = before[-1].isdigit() and after[0].isdigit()
    return f"{before} {after}" if words and not digits else before + after


def _key(line: Line) -> tuple[str, int]:
    return re.sub(r"\d+", "0", "".join(line.text.split())), round(line.middle / 4)


def lines_of(parts: Sequence[Line | Table]) -> list[Line]:
    """The lines of a page without its tables."""
    return [part for part in parts if isinstance(part, Line)]


def running_lines(parts: Sequence[Sequence[Line | Table]]) -> set[int]:
    """The ids (`id(line)`) of running heads and feet, page numbers and watermarks."""
    pages = [lines_of(page) for page in parts]
    pages_with: Counter[tuple[str, int]] = Counter()
    for lines in pages:
        pages_with.update({_key(line) for line in lines})
    running: set[int] = set()
    for lines in pages:
        for line in lines:
            edge = min(line.middle, line.height - line.middle) / line.height
            text, row = _key(line)
            repeats = sum(pages_with[(text, other)] for other in (row - 1, row, row + 1))
            if (
                (edge <= _NUMBER_ZONE and _PAGE_NUMBER.fullmatch(line.text.strip()))
                or (edge <= _RUNNING_ZONE and repeats >= _RUNNING_PAGES)
                or (
                    len(pages) >= _RUNNING_PAGES and repeats > max(2, len(pages) * _WATERMARK_SHARE) and len(text) <= 40
                )
            ):
                running.add(id(line))
    return running


def page_blocks(parts: Sequence[Line | Table]) -> list[Paragraph | Table]:
    """The parts of one page, in order, its lines grouped into paragraphs."""
    blocks: list[Paragraph | Table] = []
    lines: list[Line] = []
    for part in parts:
        if isinstance(part, Table):
            blocks += page_paragraphs(lines)
            blocks.append(part)
            lines = []
        else:
            lines.append(part)
    return blocks + page_paragraphs(lines)


def page_paragraphs(lines: list[Line]) -> list[Paragraph]:
    """The lines of one page, in order, grouped into paragraphs."""
    columns = [_column(lines, index) for index in range(len(lines))]
    groups: list[list[int]] = []
    for index, line in enumerate(lines):
        if groups and _continues(lines[index - 1], line, columns[index - 1], columns[index]):
            groups[-1].append(index)
        else:
            groups.append([index])
    return [
        Paragraph(
            tuple(lines[index] for index in group),
            opened=not _is_indented(lines[group[0]], columns[group[0]]) and marker_of(lines[group[0]].text) is None,
            open=_is_full(lines[group[-1]], columns[group[-1]], None)
            and lines[group[-1]].text.strip()[-1] not in _SENTENCE_END,
        )
        for group in groups
    ]


def split_watermarks(pages: list[list[Line | Table]]) -> list[list[Line | Table]]:
    """The pages with a watermark's letters, which stand on most pages by themselves, taken off other lines' ends."""
    counts = Counter("".join(line.text.split()) for parts in pages for line in lines_of(parts))
    shared = sorted((text for text, count in counts.items() if count > len(pages) * _WATERMARK_SHARE), key=len)
    marks = [text for text in shared if 3 <= len(text) <= 20 and not _PAGE_NUMBER.fullmatch(text)]
    if len(pages) < _RUNNING_PAGES or not marks:
        return pages
    tail = re.compile(
        r"^(?P<text>.*\S)\s+(?P<mark>" + "|".join(r"\s*".join(map(re.escape, mark)) for mark in marks) + ")$"
    )
    standing = {"".join(line.text.split()): line for parts in pages for line in lines_of(parts)}
    separated: list[list[Line | Table]] = []
    for parts in pages:
        separated.append([])
        for part in parts:
            match = tail.match(part.text) if isinstance(part, Line) else None
            if match and isinstance(part, Line):
                separated[-1] += [replace(part, text=match["text"]), replace(standing["".join(match["mark"].split())])]
            else:
                separated[-1].append(part)
    return separated


@dataclass(frozen=True, slots=True)
class _Column:
    """The margins of the column a line stands in, and how many lines reach its right one."""

    left: float
    right: float
    full: int


def _column(lines: list[Line], index: int) -> _Column:
    """The column of a line, by the lines around it that begin near it."""
    line = lines[index]
    near = [
        other
        for other in lines[max(0, index - 20) : index + 21]
        if other is line or (abs(other.left - line.left) <= 3.5 * line.width and other.right > line.left)
    ]
    right = max(other.right for other in near)
    return _Column(
        min(other.left for other in near), right, sum(other.right > right - 3 * line.width for other in near)
    )


def _is_full(line: Line, column: _Column, after: Line | None) -> bool:
    """Whether a line ends at the right margin: the next word, of the line `after` where it is known, did not fit."""
    measure = line.right - line.left
    if measure < _SHORTEST_MEASURE * line.width or (column.full < 2 and measure < 2.5 * _SHORTEST_MEASURE * line.width):
        return False
    latin = len(re.findall(r"^[!-~]*", after.text.strip())[0]) if after else 0
    if after is None and line.text.strip()[-1].isascii() and line.text.strip()[-1].isalpha():
        latin = _LATIN_WORD
    return line.right >= column.right - _RAGGED * line.width - latin * line.width / 2


def _is_indented(line: Line, column: _Column) -> bool:
    return line.left - column.left >= _INDENT * line.width or line.text.startswith("\u3000")


def _continues(before: Line, line: Line, column: _Column, own: _Column) -> bool:
    drop = before.middle - line.middle
    if not 0 < drop <= _LINE_SPACING * before.width or not _is_full(before, column, line) or _is_indented(line, own):
        return False
    if re.search(r"(?:[.·…]{3,}|…)\s*\d*\s*$", before.text):
        return False
    if not 0.5 <= line.width / before.width <= 2 or _DATE.fullmatch(line.text.strip()):
        return False
    if len(line.text) >= 6 and not 0.75 <= line.width / before.width <= 1.33:
        return False
    return not (marker_of(line.text) is not None and before.text.strip()[-1] in _SENTENCE_END)
