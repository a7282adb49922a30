"""Where each clause of a regulation begins: 第十二条第二款第（三）项第1目, counted as lawyers count.

An article's paragraphs are its 款, and are named only where it has several; numbered lines under a paragraph are its 项,
and those under them 目. Numbered lines outside articles are named as 项 of the heading they stand under.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ingest.numbering import ANNEX, ARTICLE, FIFTH, FIRST, Marker, marker_of
from ingest.structure import Block

_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    article: str = ""
    paragraph: int = 0
    items: tuple[Marker, ...] = ()


def clause_starts(text: str, blocks: Iterable[Block]) -> list[tuple[int, str]]:
    """Offsets with the label that holds from there on, in order; an empty label ends the one before."""
    places: list[_Place] = []
    paragraphs: dict[int, int] = {}
    here, article = _Place(0), 0
    for block in blocks:
        if block.kind == "row":
            continue
        line = text[block.start : block.end]
        marker = marker_of(line)
        if marker and marker.depth == ARTICLE:
            article = block.start
            begun = bool(line[marker.end :].strip(" \u3000\t*_"))
            here = _Place(block.start, marker.label, 1 if begun else 0)
        elif (not here.article and (block.kind == "heading" or _is_in_path(marker, block))) or (
            block.kind == "heading" and not (marker and marker.depth > FIRST)
        ):
            here = _Place(block.start)
        elif marker and FIRST <= marker.depth <= FIFTH:
            above = tuple(item for item in here.items if item.depth < marker.depth)
            here = replace(here, start=block.start, items=(*above, marker))
        elif marker and ANNEX <= marker.depth < ARTICLE:
            here = _Place(block.start)
        elif here.article:
            here = replace(here, start=block.start, paragraph=here.paragraph + 1, items=())
        else:
            here = _Place(block.start)
        if here.article:
            paragraphs[article] = max(paragraphs.get(article, 0), here.paragraph)
            places.append(replace(here, start=block.start))
        else:
            places.append(here)
    return _labelled(places, paragraphs)


def _is_in_path(marker: Marker | None, block: Block) -> bool:
    """Whether a numbered line is a heading of its own, which the path of headings names already."""
    return marker is not None and bool(block.section) and block.section[-1].startswith(marker.label)


def _labelled(places: Iterable[_Place], paragraphs: dict[int, int]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    article = 0
    for place in places:
        if place.article and (place.start in paragraphs):
            article = place.start
        label = place.article
        if place.article and paragraphs.get(article, 0) > 1 and place.paragraph:
            label += f"第{_numeral(place.paragraph)}款"
        for item, rank in zip(place.items, "项目", strict=False):
            label += f"第{item.label.rstrip('、.．')}{rank}"
        if not found or found[-1][1] != label:
            found.append((place.start, label))
    return found


def _numeral(number: int) -> str:
    """1 to 99 in Chinese; an article of more paragraphs is none."""
    tens, ones = divmod(min(number, 99), 10)
    if not tens:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")
