"""Text that stands more than once: repeated headlines, captions and sidebars of crawled pages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from ingest.numbering import THIRD, marker_of
from vectorstore.passage import Span

# Where this many lines are numbered, the document has a structure, and a sentence said twice is said of two things.
_STRUCTURED_LINES = 3
# A headline is repeated by a page's template three times or more; twice may be a title and its running head.
_HEADLINE_COPIES = 3
_HEADLINE_CHARACTERS = 10
# Shorter paragraphs repeat by chance (材料同上。).
_COPY_CHARACTERS = 30
# Comparing is quadratic at worst; a page of news has some tens of paragraphs.
_MAX_PARAGRAPHS = 3_000


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a document without white space at its ends: `text == document.text[start:end]`."""

    start: int
    end: int
    text: str
    is_heading: bool = False


def repeated_lines(lines: list[TextLine]) -> list[Span]:
    """The later copies of repeated headlines, and the paragraphs that a longer or an earlier one contains whole."""
    if sum(1 for line in lines if _is_numbered(line.text)) >= _STRUCTURED_LINES:
        return []
    return _headlines(lines) + _copies(lines)


def _is_numbered(line: str) -> bool:
    marker = marker_of(line)
    return marker is not None and marker.depth <= THIRD


def _folded(text: str) -> str:
    """Letters, digits and Chinese characters alone."""
    return "".join(character for character in text if character.isalnum())


def _headlines(lines: list[TextLine]) -> list[Span]:
    if not lines:
        return []
    folded = [_folded(line.text) for line in lines]
    counts = Counter(folded)
    title, seen, copies = folded[0], set[str](), []
    for line, key in zip(lines, folded, strict=True):
        often = counts[key] >= _HEADLINE_COPIES or key == title
        if key in seen and often and len(key) >= _HEADLINE_CHARACTERS and line.text[-1] not in "。；":
            copies.append((line.start, line.end))
        seen.add(key)
    return copies


def _copies(lines: list[TextLine]) -> list[Span]:
    """Paragraphs whose clauses all stand, in order, in one other paragraph; of equals, the first is kept."""
    paragraphs = [line for line in lines if not line.is_heading][:_MAX_PARAGRAPHS]
    clauses = [_clauses(line.text) for line in paragraphs]
    folded = [_folded(line.text) for line in paragraphs]
    holders: dict[str, list[int]] = {}
    for index, parts in enumerate(clauses):
        for part in set(parts):
            holders.setdefault(part, []).append(index)
    dropped: set[int] = set()
    for index in sorted(range(len(paragraphs)), key=lambda index: (-len(folded[index]), index)):
        if len(folded[index]) < _COPY_CHARACTERS:
            break
        candidates = {holder for part in clauses[index] if len(holders[part]) < 50 for holder in holders[part]}
        for holder in candidates - dropped - {index}:
            longer = (-len(folded[holder]), holder) < (-len(folded[index]), index)
            if longer and _holds_in_order(folded[holder], clauses[index]):
                dropped.add(index)
                break
    return [(paragraphs[index].start, paragraphs[index].end) for index in sorted(dropped)]


def _clauses(text: str) -> list[str]:
    return [folded for part in re.split(r"[，,。；;：:！？!?]", text) if (folded := _folded(part))]


def _holds_in_order(text: str, clauses: list[str]) -> bool:
    position = 0
    for clause in clauses:
        found = text.find(clause, position)
        if found < 0:
            return False
        position = found + len(clause)
    return True
