"""Numbering of Chinese official documents: which marker a line begins with, and how deep it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMERAL = "[一二三四五六七八九十百千零〇两0-9０-９]"

# Outermost first, as GB/T 9704 and the drafting rules for statutes order them.
ANNEX, PART, CHAPTER, DIVISION, ARTICLE, FIRST, SECOND, THIRD, FOURTH, FIFTH = range(10)

# What may follow "第三条" at the start of a line when the line only refers to an article.
_REFERENCE = "(?![第、，,和或及与至的之所规中])"

_MARKERS: tuple[tuple[int, re.Pattern[str]], ...] = (
    (ANNEX, re.compile(rf"附(?:件|录|表|则)\s*+{NUMERAL}{{0,3}}(?=$|[\s:：.、（(])")),
    (PART, re.compile(rf"第\s*+{NUMERAL}+\s*+(?:编|篇|分编|部分)(?=$|[\s　:：])|(?:Part|PART)\s+[\dIVXLC]+\b")),
    (CHAPTER, re.compile(rf"第\s*+{NUMERAL}+\s*+章(?!第)|(?:Chapter|CHAPTER)\s+[\dIVXLC]+\b")),
    (DIVISION, re.compile(rf"第\s*+{NUMERAL}+\s*+节(?!第)|(?:Section|SECTION)\s+[\dIVXLC]+\b")),
    (ARTICLE, re.compile(rf"第\s*+{NUMERAL}+\s*+条(?:之{NUMERAL}+)?{_REFERENCE}|(?:Article|ARTICLE)\s+\d+\b")),
    (FIRST, re.compile(r"[一二三四五六七八九十]{1,3}\s*+[、．.]")),
    (SECOND, re.compile(r"[（(]\s*+[一二三四五六七八九十]{1,3}\s*+[)）]、?")),
    (THIRD, re.compile(r"[0-9０-９]{1,3}\s*+(?:[、．]|\.(?![0-9]))")),
    (FOURTH, re.compile(r"[（(]\s*+[0-9０-９]{1,3}\s*+[)）]|[0-9０-９]{1,3}\s*+[)）]")),
    (FIFTH, re.compile(r"[①-⑳⑴-⒇]")),
)
_BULLET = re.compile(r"(?:[•·●■◆○▪▶►※◇□☆★➢✓]|[-*+–—](?=\s))\s*+")
_ORNAMENT = re.compile(r"[\s　>*_`#]*")


@dataclass(frozen=True, slots=True)
class Marker:
    """A line's numbering: how deep (`ANNEX` ... `FIFTH`) and the label as it stands, `第十二条` or `（一）`."""

    depth: int
    label: str
    end: int


def marker_of(line: str) -> Marker | None:
    """The numbering that a line begins with, if any; `end` is where the label ends in the line."""
    begin = _ORNAMENT.match(line)
    start = begin.end() if begin else 0
    for depth, pattern in _MARKERS:
        match = pattern.match(line, start)
        if match:
            return Marker(
                depth, "".join(match.group().split()) if depth != ANNEX else match.group().strip(), match.end()
            )
    return None


def is_bullet(line: str) -> bool:
    """Whether a line begins with the bullet of a list."""
    return _BULLET.match(line) is not None
