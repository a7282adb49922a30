"""Documents to passages, along their structure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.clauses import clause_starts
from ingest.structure import Block, blocks
from ingest.tables import Tables
from vectorstore.passage import Document, Passage, Span

# A paragraph of this size is read and embedded as one; most paragraphs of policies are shorter.
PARAGRAPH_CHARACTERS = 350
# A piece of a longer paragraph is at least this long where its sentences allow it.
PIECE_CHARACTERS = 120
# Sentences stay whole up to this size; beyond, it is a list without full stops.
SENTENCE_CHARACTERS = 600
# Fragments below the first size are merged with their neighbours up to the second.
_FRAGMENT_CHARACTERS = 60
MERGED_CHARACTERS = 200

# What pieces become: a heading alone is text, and so is what stands in a cell that is read by itself.
_KINDS = {"heading": "text", "cell": "text"}

_CLOSERS = "”’」』）)】》〉\"'"
_SENTENCE = re.compile(
    rf"(?:[。！？；]|[!?;](?=[\s\u2e80-\u9fff{_CLOSERS}])|(?<=[A-Za-z)\]])\.(?=\s+[A-Z\"“(]))+[{_CLOSERS}]*|\n+"
)
_CLAUSE = re.compile(r"[，、,：:|]|\s")


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    segment: int
    page: int | None
    section: tuple[str, ...]
    kind: str
    context: tuple[Span, ...] = ()

    @property
    def length(self) -> int:
        return self.end - self.start


def split(document: Document) -> tuple[Passage, ...]:
    """The passages of a document, in order, disjoint, none touching its boilerplate.

    Every other character but white space, and the bars between the cells of a long row, lies in exactly one passage, and
    a passage begins and ends with one that is no white space. A heading opens the passage below it; alone (above a table, at the end) it is one of its own.
    """
    merged: list[_Piece] = []
    found = blocks(document)
    for piece in _pieces(document, found):
        if merged and _belongs(merged[-1], piece):
            merged[-1] = _joined(merged[-1], piece)
        else:
            merged.append(piece)
    clauses = clause_starts(document.text, found)
    return tuple(
        Passage(
            position,
            piece.start,
            piece.end,
            piece.section,
            piece.page,
            _KINDS.get(piece.kind, piece.kind),
            piece.context,
            _within(clauses, piece),
        )
        for position, piece in enumerate(merged)
    )


def sentence_spans(text: str, start: int, end: int) -> list[Span]:
    """The sentences of `text[start:end]`, without gaps; a sentence ends after 。！？； and closing quotes, or a line."""
    spans, position = [], start
    for match in _SENTENCE.finditer(text, start, end):
        spans.append((position, match.end()))
        position = match.end()
    if position < end:
        spans.append((position, end))
    return spans


def _within(clauses: Sequence[tuple[int, str]], piece: _Piece) -> tuple[tuple[int, str], ...]:
    """The clauses that a piece lies in, from the one that holds at its start on; none where none is numbered."""
    if piece.kind in ("row", "cell") or not clauses:
        return ()
    first = max(0, bisect_right(clauses, (piece.start, "\U0010ffff")) - 1)
    last = bisect_right(clauses, (piece.end, ""))
    found = tuple((max(start, piece.start), label) for start, label in clauses[first:last] if start < piece.end)
    return found if any(label for _, label in found) else ()


def _pieces(document: Document, found: Sequence[Block]) -> Iterator[_Piece]:
    text, tables = document.text, Tables(document)
    for block in found:
        for start, end, kind, context in _parts(text, block, tables):
            page = bisect_right(document.pages, start) or None
            yield _Piece(start, end, block.segment, page, block.section, kind, context)


def _parts(text: str, block: Block, tables: Tables) -> Iterator[tuple[int, int, str, tuple[Span, ...]]]:
    """A block whole, or in runs of sentences where it is long; a long row cell by cell."""
    if block.kind != "row":
        spans = (
            [(block.start, block.end)] if block.length <= PARAGRAPH_CHARACTERS else _cut(text, block.start, block.end)
        )
        yield from ((start, end, block.kind, ()) for start, end in spans)
    elif block.length <= SENTENCE_CHARACTERS:
        yield block.start, block.end, "row", tables.context(block.start)
    else:
        for cell, context in tables.cells((block.start, block.end)):
            for start, end in _cut(text, *cell):
                yield start, end, "cell", context


def _cut(text: str, start: int, end: int) -> list[Span]:
    """A long paragraph as runs of whole sentences."""
    sentences: list[Span] = []
    for span in sentence_spans(text, start, end):
        sentences += [span] if span[1] - span[0] <= SENTENCE_CHARACTERS else _clauses(text, *span)
    runs: list[list[Span]] = [[]]
    for sentence in sentences:
        if runs[-1] and sentence[1] - runs[-1][0][0] > PARAGRAPH_CHARACTERS:
            runs.append([])
        runs[-1].append(sentence)
    if len(runs) > 1:
        _balance(runs[-2], runs[-1])
    stripped = [_stripped(text, run[0][0], run[-1][1]) for run in runs if run]
    return [span for span in stripped if span[0] < span[1]]


def _balance(previous: list[Span], last: list[Span]) -> None:
    """Move sentences from the last run but one into a last run that is too short to stand alone."""
    while len(previous) > 1 and last[-1][1] - last[0][0] < PIECE_CHARACTERS:
        moved = previous[-1]
        if moved[0] - previous[0][0] < PIECE_CHARACTERS or last[-1][1] - moved[0] > PARAGRAPH_CHARACTERS:
            return
        last.insert(0, previous.pop())


def _clauses(text: str, start: int, end: int) -> list[Span]:
    """A sentence beyond all measure, cut after commas and spaces, or where there are none, at the limit."""
    spans, position = [], start
    while end - position > PARAGRAPH_CHARACTERS:
        limit = position + PARAGRAPH_CHARACTERS
        cuts = [match.end() for match in _CLAUSE.finditer(text, position + PIECE_CHARACTERS, limit)]
        cut = cuts[-1] if cuts else limit
        spans.append((position, cut))
        position = cut
    spans.append((position, end))
    return spans


def _stripped(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return left, max(left, start + len(piece.rstrip()))


def _belongs(before: _Piece, piece: _Piece) -> bool:
    """Whether a piece continues the passage before it: under its heading, or as a fragment of the same section."""
    if before.segment != piece.segment or before.page != piece.page:
        return False
    if not {"row", "cell"}.isdisjoint((before.kind, piece.kind)):
        return False
    length = piece.end - before.start
    if before.kind == "heading":
        return length <= PARAGRAPH_CHARACTERS + _FRAGMENT_CHARACTERS
    if piece.kind == "heading" or before.section != piece.section:
        return False
    return length <= MERGED_CHARACTERS and min(before.length, piece.length) <= _FRAGMENT_CHARACTERS


def _joined(before: _Piece, piece: _Piece) -> _Piece:
    kind = piece.kind if before.kind in ("heading", piece.kind) else "text"
    return replace(before, end=piece.end, section=piece.section, kind=kind)
