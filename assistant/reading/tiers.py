"""Which tier a quantity in a question belongs to: 92岁 to 90—94岁, 3万平方米 to 达到二万平方米的."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, cast

from assistant.figures import Figure, find_figures
from vectorstore.passage import Span

_PIECE: Final = re.compile(r"[^；;。\n]+")
_CLAUSE: Final = re.compile(r"[^，,；;。\n|]+")
_UNITS: Final = {
    "周岁": "岁", "平米": "平方米", "㎡": "平方米", "平": "平方米", "天": "日", "户": "家", "名": "人", "公": "公里",
    "years": "年", "year": "年", "people": "人", "employees": "人", "days": "日", "months": "月", "个月": "月",
}  # fmt: skip
_UNIT: Final = re.compile(
    r"\s*(?:多|余|来|几)?\s*(周?岁|平方米|平方公里|平米|平|㎡|公顷|公里|千?米|个?工作日|天|日|小时|分钟|个月|年|人|名|户|家|亩|吨|度|件|项|次|门|辆|台|床|套|分)"
)
_OLD: Final = re.compile(r"[\s-]*years?[\s-]+(?:old|of age)", re.IGNORECASE)
_AT_LEAST: Final = re.compile(r"(?:达到?|年?满|不低于|不少于|不小于|至少|≥)(?:或者?超过)?\s*$")
_ABOVE: Final = re.compile(r"(?:(?<!不)超过|(?<!不)高于|(?<!不)大于|(?<!不)多于|[>＞])\s*$")
_BELOW: Final = re.compile(r"(?:不足|未满|不满|(?<!不)低于|(?<!不)少于|(?<!不)小于|未达到?|[<＜])\s*$")
_AT_MOST: Final = re.compile(r"(?:不超过|不高于|不大于|不多于|≤)\s*$")
_OR_MORE: Final = re.compile(r"\s*[(（]?(?:含[)）]?)?\s*(?:及以上|以上|起)")
_OR_LESS: Final = re.compile(r"\s*[(（]?(?:含[)）]?)?\s*(?:及以下|以下|以内|之内)")
_TO: Final = re.compile(r"\s*(?:周?岁|平方米|元|万元|%|天|日|年|人|亩|分)?\s*(?:[-—–~～]+|至|到)\s*")
# A figure that is what is given rather than what it is given for.
_GIVEN: Final = re.compile(
    r"(?:奖励?|补助|补贴|贴|给予|发放|资助|支持|罚款?|处以?|缴纳?|按照?|收费|最高|最多)[^，,]{0,6}$"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A range of a quantity that a text names at `start` to `end`; a side that is None is open."""

    unit: str
    low: Decimal | None
    high: Decimal | None
    holds_low: bool
    holds_high: bool
    start: int
    end: int

    def holds(self, value: Decimal) -> bool:
        """Whether a value lies in the range."""
        above = self.low is None or value > self.low or (self.holds_low and value == self.low)
        below = self.high is None or value < self.high or (self.holds_high and value == self.high)
        return above and below


@dataclass(frozen=True, slots=True)
class Tier:
    """The part of a passage (`piece`) that holds for a quantity asked about, in words of question and passage.

    `alone` tells that the passage names no other range, `ranges` are the places of all of them.
    """

    asked: str
    condition: str
    piece: Span
    alone: bool
    ranges: tuple[Span, ...]


def tier(question: str, text: str, span: Span) -> Tier | None:
    """The tier of `text[span]` for a quantity that a question names; None where it names none that a range there holds."""
    for figure, value, pieces in _ranged(question, text, span):
        holding = [(piece, ranges) for piece, ranges in pieces if all(each.holds(value) for each in ranges)]
        if holding:
            piece, ranges = max(holding, key=lambda found: _tightness(found[1]))
            places = tuple((each.start, each.end) for _, its in pieces for each in its)
            asked = question[figure.start : max(figure.end, _end(question, figure))]
            condition = text[ranges[0].start : ranges[-1].end].strip()
            return Tier(asked, condition, piece, len(pieces) == 1, places)
    return None


def applies(question: str, text: str, span: Span) -> bool:
    """Whether `text[span]` names a range, whichever it is, of a quantity that a question names."""
    return any(True for _ in _ranged(question, text, span))


def _ranged(
    question: str, text: str, span: Span
) -> Iterator[tuple[Figure, Decimal, list[tuple[Span, list[Condition]]]]]:
    """The quantities of a question with the pieces of `text[span]` that name ranges of them."""
    for figure in find_figures(question):
        unit = _unit(question, figure)
        if unit and isinstance(figure.value, Decimal):
            pieces = [
                (piece.span(), ranges)
                for piece in _PIECE.finditer(text, *span)
                if (ranges := _conditions(text, piece.span(), unit))
            ]
            if pieces:
                yield figure, figure.value, pieces


def _tightness(ranges: Sequence[Condition]) -> tuple[Decimal, Decimal]:
    """Of ranges that all hold, the one with the highest beginning, then the lowest end, is meant."""
    low = max((each.low for each in ranges if each.low is not None), default=Decimal(-1))
    high = min((each.high for each in ranges if each.high is not None), default=Decimal("Infinity"))
    return low, -high


def _conditions(text: str, piece: Span, unit: str) -> list[Condition]:
    """The ranges of a unit in the first clause of a piece that has any."""
    for clause in _CLAUSE.finditer(text, *piece):
        words, begin = clause.group(), clause.start()
        found: list[Condition] = []
        figures = [figure for figure in find_figures(words) if isinstance(figure.value, Decimal)]
        for number, figure in enumerate(figures):
            after = figures[number + 1] if number + 1 < len(figures) else None
            if after is not None and _TO.fullmatch(words, figure.end, after.start) and _unit(words, after) == unit:
                end = _end(words, after)
                found.append(
                    _condition(unit, figure.value, after.value, (True, True), (begin + figure.start, begin + end))
                )
            elif _unit(words, figure) == unit and not _GIVEN.search(words[: figure.start]):
                made = _open_range(words, figure, unit, begin)
                found += [made] if made else []
        if found:
            return found
    return []


def _open_range(words: str, figure: Figure, unit: str, begin: int) -> Condition | None:
    value, end = figure.value, _end(words, figure)
    before, place = words[: figure.start], (begin + figure.start, begin + end)
    if lead := (_BELOW.search(before) or _AT_MOST.search(before)):
        closed = _AT_MOST.search(before) is not None
        return _condition(unit, None, value, (False, closed), (begin + lead.start(), place[1]))
    if lead := (_AT_LEAST.search(before) or _ABOVE.search(before)):
        closed = _ABOVE.search(before) is None
        return _condition(unit, value, None, (closed, False), (begin + lead.start(), place[1]))
    if tail := _OR_MORE.match(words, end):
        return _condition(unit, value, None, (True, False), (place[0], begin + tail.end()))
    if tail := _OR_LESS.match(words, end):
        return _condition(unit, None, value, (False, True), (place[0], begin + tail.end()))
    return None


def _condition(
    unit: str, low: Decimal | str | None, high: Decimal | str | None, holds: tuple[bool, bool], place: Span
) -> Condition:
    # Only dates have words for a value.
    return Condition(unit, cast("Decimal | None", low), cast("Decimal | None", high), *holds, *place)


def _unit(text: str, figure: Figure) -> str:
    """What a figure counts, by one name: 元, %, or the word behind it."""
    if figure.kind in ("money", "percent"):
        return {"money": "元", "percent": "%"}[figure.kind]
    if figure.kind != "number":
        return ""
    if _OLD.match(text, figure.end):
        return "岁"
    found = _UNIT.match(text, figure.end)
    if not found and text[figure.end - 1] in "万亿":
        return "元"  # 花了60万
    unit = found[1] if found else figure.unit.lower()
    return _UNITS.get(unit, unit)


def _end(text: str, figure: Figure) -> int:
    """Where a figure ends with its unit."""
    found = _UNIT.match(text, figure.end) if figure.kind == "number" else None
    return found.end() if found else figure.end
