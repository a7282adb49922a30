"""Which words to quote: clauses, the items of a list, figures with their bounds."""

from __future__ import annotations

import re

from assistant.figures import Figure
from vectorstore.passage import Span

LONGEST_QUOTE = 200  # characters; more is no quote any more but a page

_BREAK = re.compile(r"(?<!\d)\s*[，,;；]\s*|\s*[，,；;]\s*(?!\d)")
_PAIRS = {"《": "》", "“": "”", "（": "）", "(": ")", "「": "」", "【": "】"}
_EDGE = " \t\r\n　，,；;。.!！?？、：:|"
# What introduces a clause without being part of what it says.
_NUMBERING = re.compile(
    r"^(?:#{1,6}\s*)?(?:第[一二三四五六七八九十百零〇\d]+条(?:之[一二三四五六七八九十]+)?|[（(][一二三四五六七八九十\d]{1,3}[）)]|[一二三四五六七八九十]{1,3}、|"
    r"\d{1,2}[.．、](?!\d)|[①-⑳]|[-*•·●])\s*"
)
_LEADING = re.compile(
    r"^(?:据介绍|据悉|据了解|为此|同时|此外|另外|其中|具体来说|也就是说|因此|但是?|而且|并且|以及)\s*[，,]\s*"
)
_BOUND_BEFORE = re.compile(
    r"(?:最高(?:不超过|给予|可达|可获|可得|奖励|补助|补贴|资助)?|最多(?:不超过)?|不超过|不得超过|不高于|上限为?|最长(?:不超过)?|最迟|最短|最低|至少|不少于|不低于|不少于|超过|突破|约|近|达到|累计)\s*(?:为|达|给予)?\s*$"
)
_BOUND_AFTER = re.compile(r"^\s*(?:以上|以下|以内|左右|余|封顶|多)")
_ITEM = re.compile(
    r"\s*(?:[（(][一二三四五六七八九十\d]+[）)]|[一二三四五六七八九十]+、|\d{1,2}\s*[.、．)）]|[①-⑳]|[-*•·●])\s*\S"
)


def clause_spans(text: str, start: int, end: int) -> list[Span]:
    """The clauses of `text[start:end]`, cut at commas and semicolons outside brackets, quotes and numbers."""
    spans: list[Span] = []
    begin = start
    for mark in _BREAK.finditer(text, start, end):
        if _open_pair(text, begin, mark.start()):
            continue
        spans.append((begin, mark.start()))
        begin = mark.end()
    spans.append((begin, end))
    return [span for span in spans if text[span[0] : span[1]].strip(_EDGE)]


def _open_pair(text: str, start: int, end: int) -> bool:
    inside = text[start:end]
    return any(inside.count(opener) > inside.count(closer) for opener, closer in _PAIRS.items())


def trim(text: str, start: int, end: int, *, longest: int = LONGEST_QUOTE, numbered: bool = False) -> Span:
    """A span without introducing words and punctuation at its edges, cut to the longest quote; without its numbering, too,
    unless it is to stay `numbered`, as a list is.
    """
    for opening in () if numbered else (_NUMBERING, _LEADING):
        lead = opening.match(text[start:end])
        if lead and lead.end() < end - start:
            start += lead.end()
    while start < end and text[start] in _EDGE:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    if end - start > longest:
        end = start + longest
        cut = max(text.rfind(mark, start + longest // 2, end) for mark in "，,；;、。")
        end = cut if cut > start else end
    return start, end


def bounded_figure(text: str, figure: Figure, window: Span) -> str:
    """A figure as it stands, with the bound before it and the unit and bound behind it."""
    start, end = figure.start, figure.end
    before = _BOUND_BEFORE.search(text[window[0] : start])
    if before:
        start = window[0] + before.start()
    if figure.kind == "number" and figure.unit:
        found = text.find(figure.unit, end, end + len(figure.unit) + 2)
        if found >= 0:
            end = found + len(figure.unit)
    after = _BOUND_AFTER.match(text[end : window[1]])
    if after:
        end += after.end()
    return " ".join(text[start:end].split())


def list_items(text: str, end: int, *, most: int = 12) -> list[Span]:
    """The items listed in the lines behind a sentence that ends in a colon, at most `most` of them."""
    items: list[Span] = []
    position = end
    while position < len(text) and len(items) < most:
        line_start = position + (len(text[position:]) - len(text[position:].lstrip()))
        line_end = text.find("\n", line_start)
        line_end = len(text) if line_end < 0 else line_end
        if not _ITEM.match(text[line_start:line_end]):
            break
        items.append((line_start, line_end))
        position = line_end
    return items
