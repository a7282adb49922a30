"""A document as a row of blocks: headings, paragraphs, list items, table rows, each with its path of headings."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from unicodedata import east_asian_width

from ingest.numbering import ANNEX, ARTICLE, CHAPTER, DIVISION, PART, SECOND, THIRD, Marker, is_bullet, marker_of
from vectorstore.passage import Document, Span

# A heading of an official document fits on one line of 28 characters, rarely on two.
HEADING_CHARACTERS = 45
_BARE_HEADING_CHARACTERS = 30
# The paragraph under a heading without a number must look like one.
_PARAGRAPH_CHARACTERS = 40
# ... or open with one sentence, as newspapers do, and go on with a paragraph.
_OPENING_CHARACTERS = 12
_PATH_CHARACTERS = 60
# "（一）培育龙头企业。支持……": the first sentence is a heading when it is this short.
_LEAD = re.compile(r"[^。；：:！？\n]{2,30}。(?=.{8})")
_SENTENCE_END = re.compile(r"[。！？；：，、,;:!?.…》”）)\]]$")
# A heading may end in a quotation or ask a question; it does not stop or run on.
_RUNS_ON = re.compile(r"[。！；：，、,;:!.…][”’）)】\]]*$")
_NOT_A_HEADING = re.compile(
    r"^[——\-－=■□▲△●◆○★☆（(【\[|<*]|[0-9０-９]{4}年[0-9０-９]{1,2}月|[.…·]{3,}\s*\d*$|^[\d\s.,:/-]+$|"
    r"^(?:文|图|撰文|作者)\s|(?:来源|作者|编辑|记者|审稿|责编|摄影?|电话|联系人|时间|日期|校对|通讯员)\s*[:：/]|\s摄$|记者\s|[，,].*[，,]|https?:|@"
)
# Pages mark up the document's own number or date as a heading; nothing stands under it.
_OWN_NUMBER = re.compile(
    r".{1,16}[〔\[［(（【]\s*(?:19|20)\d{2}\s*[〕\]］)）】].{0,8}号|[\d年月日/.:\s-]+|(?:发布时间|发布日期|来源).*"
)
# Ranks: headings of the markup by their level, then numbering without markup.
_NUMBERED_RANK = 100
_BARE_RANK = _NUMBERED_RANK + SECOND - 0.5
# Columns (a Chinese character takes two) from which a line may have been wrapped by an editor or a mail program.
_WRAPPED_COLUMNS = 56


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading, item or row: `text[start:end]` without white space at its ends.

    `kind` is `heading`, `text`, `item` or `row`; `segment` counts the boilerplate spans before it, so blocks of one
    segment have nothing but white space between them.
    """

    start: int
    end: int
    segment: int
    kind: str = "text"
    section: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Characters."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class _Entry:
    rank: float
    depth: int | None
    text: str


def blocks(document: Document) -> list[Block]:
    """All text of a document outside its boilerplate, in order, as blocks with their heading paths."""
    pieces = list(_pieces(document))
    if document.media_type in ("text/plain", "text/markdown"):
        pieces = _unwrapped(document, pieces)
    return _Outline(document, pieces).run()


def _pieces(document: Document) -> Iterator[Block]:
    """Lines without their boilerplate and without white space at their ends; rows of tables already told."""
    text, table_starts = document.text, [start for start, _ in document.tables]
    free, position = [], 0
    for start, end in document.boilerplate:
        free.append((position, start))
        position = max(position, end)
    free.append((position, len(text)))
    for segment, (start, end) in enumerate(free):
        while start < end:
            stop = text.find("\n", start, end)
            stop = end if stop < 0 else stop
            left, right = _stripped(text, start, stop)
            if left < right:
                table = bisect_right(table_starts, left) - 1
                in_table = table >= 0 and left < document.tables[table][1]
                yield Block(left, right, segment, "row" if in_table else "text")
            start = stop + 1


def _stripped(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return left, max(left, start + len(piece.rstrip()))


def _unwrapped(document: Document, pieces: list[Block]) -> list[Block]:
    """Lines that were wrapped at a fixed width, put back together as paragraphs."""
    text, headings = document.text, [heading.start for heading in document.headings]
    widths = [_columns(text[piece.start : piece.end]) for piece in pieces]
    merged: list[Block] = []
    for index, piece in enumerate(pieces):
        line = text[piece.start : piece.end]
        if (
            merged
            and index + 1 <= len(pieces)
            and piece.kind == pieces[index - 1].kind == "text"
            and piece.segment == merged[-1].segment
            and widths[index - 1] >= _WRAPPED_COLUMNS
            and widths[index] <= widths[index - 1] * 1.15
            and text.count("\n", merged[-1].end, piece.start) == 1
            and not _SENTENCE_END.search(text[max(merged[-1].start, merged[-1].end - 2) : merged[-1].end])
            and text[piece.start - 1] == "\n"
            and marker_of(line) is None
            and not is_bullet(line)
            and not _holds(headings, piece)
            and not _holds(headings, pieces[index - 1])
        ):
            merged[-1] = replace(merged[-1], end=piece.end)
        else:
            merged.append(piece)
    return merged


def _holds(starts: list[int], piece: Block) -> bool:
    index = bisect_left(starts, piece.start)
    return index < len(starts) and starts[index] < piece.end


def _columns(line: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in line)


class _Outline:
    """Tells headings from paragraphs and keeps the stack of headings above the current line."""

    def __init__(self, document: Document, pieces: list[Block]) -> None:
        self._text = document.text
        self._pieces = pieces
        self._headings = document.headings
        self._heading_starts = [heading.start for heading in document.headings]
        self._title = document.metadata.spans.get("title")
        self._title_text = _label(document.metadata.title or "")
        self._markers = [
            marker_of(self._text[piece.start : piece.end]) if piece.kind == "text" else None for piece in pieces
        ]
        self._stack: list[_Entry] = []
        self._item_depth: int | None = None

    def run(self) -> list[Block]:
        """The blocks, classified."""
        return [self._classified(index) for index in range(len(self._pieces))]

    def _classified(self, index: int) -> Block:
        piece = self._pieces[index]
        if self._is_title(piece):
            return self._block(piece, "heading")
        if piece.kind == "row":
            return self._block(piece, "row")
        line, marker = self._text[piece.start : piece.end], self._markers[index]
        heading = bisect_left(self._heading_starts, piece.start)
        if heading < len(self._headings) and self._heading_starts[heading] < piece.end:
            found = self._headings[heading]
            label = _label(self._text[found.start : min(found.end, piece.end)])
            if label and label != self._title_text and not _OWN_NUMBER.fullmatch(label):
                self._push(found.level, marker.depth if marker else None, label)
                self._item_depth = None
            return self._block(piece, "heading")
        if marker:
            return self._numbered(index, line, marker)
        if self._is_bare_heading(index, line):
            self._push(_BARE_RANK, None, _label(line))
            self._item_depth = None
            return self._block(piece, "heading")
        if is_bullet(line):
            return self._block(piece, "item")
        return self._block(piece, "text")

    def _block(self, piece: Block, kind: str) -> Block:
        return replace(piece, kind=kind, section=tuple(entry.text for entry in self._stack))

    def _is_title(self, piece: Block) -> bool:
        return self._title is not None and piece.start <= self._title[0] < piece.end and piece.length < 200

    def _numbered(self, index: int, line: str, marker: Marker) -> Block:
        piece, depth = self._pieces[index], marker.depth
        rest = line[marker.end :].strip(" \u3000\t*_")
        self._pop(_NUMBERED_RANK + depth, depth)
        if depth == ARTICLE:
            self._push(_NUMBERED_RANK + depth, depth, marker.label)
            self._item_depth = None
            return self._block(piece, "text" if rest else "heading")
        short = len(line) <= HEADING_CHARACTERS and not re.search(r"[。；;，,！？…]$|[.·…]{3,}", line)
        if short and (depth in (ANNEX, PART, CHAPTER, DIVISION) or self._opens(index, depth)):
            self._push(_NUMBERED_RANK + depth, depth, _label(line))
            self._item_depth = None
            return self._block(piece, "heading")
        lead = _LEAD.match(line, marker.end)
        if lead and depth <= THIRD and depth not in (PART, CHAPTER, DIVISION):
            self._push(_NUMBERED_RANK + depth, depth, _label(line[: lead.end()]))
        self._item_depth = depth
        return self._block(piece, "item")

    def _opens(self, index: int, depth: int) -> bool:
        """Whether a short numbered line has something under it, rather than being an entry of a list."""
        if index + 1 == len(self._pieces) or self._item_depth == depth:
            return False
        following, marker = self._pieces[index + 1], self._markers[index + 1]
        if marker:
            return marker.depth > depth
        return following.kind == "row" or depth <= SECOND or following.length >= _PARAGRAPH_CHARACTERS

    def _is_bare_heading(self, index: int, line: str) -> bool:
        """Whether a short line without a number stands over a paragraph, or over numbered clauses."""
        if not 4 <= len(line) <= _BARE_HEADING_CHARACTERS or _RUNS_ON.search(line) or _NOT_A_HEADING.search(line):
            return False
        if _OWN_NUMBER.fullmatch(line) or is_bullet(line) or index + 1 == len(self._pieces):
            return False
        if any(entry.depth == ARTICLE for entry in self._stack):
            return False
        following, marker = self._pieces[index + 1], self._markers[index + 1]
        if following.kind == "row":
            return False
        if marker:
            return marker.depth > ANNEX and following.length >= _PARAGRAPH_CHARACTERS
        closing = self._text[following.end - 1]
        if following.length < _OPENING_CHARACTERS or closing not in "。！？；：”）)!?":
            return False
        return following.length >= max(_PARAGRAPH_CHARACTERS, 2 * len(line)) or self._goes_on(index + 2)

    def _goes_on(self, index: int) -> bool:
        """Whether the block after a short opening sentence is a paragraph."""
        return index < len(self._pieces) and self._pieces[index].length >= _PARAGRAPH_CHARACTERS

    def _pop(self, rank: float, depth: int | None) -> None:
        for position, entry in enumerate(self._stack):
            if entry.rank >= rank or (depth is not None and entry.depth == depth):
                del self._stack[position:]
                return

    def _push(self, rank: float, depth: int | None, text: str) -> None:
        self._pop(rank, depth)
        self._stack.append(_Entry(rank, depth, text))


def _label(line: str) -> str:
    """A heading's words for a path: white space folded, markup and closing punctuation dropped, cut when long."""
    folded = re.sub(r"\s+", " ", line).strip(" #*_`>：:。").strip()
    return folded if len(folded) <= _PATH_CHARACTERS else folded[: _PATH_CHARACTERS - 1] + "…"
