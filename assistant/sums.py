"""Arithmetic over cited figures: totals, differences and shares are computed here, whatever a model took them for.

A calculation is written as its operands with the result left open or claimed: `合计：最高5000万元 + 最高800万元 = ?`.
The operands are figures of the sources like any others; the result is ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from assistant.figures import Figure, english_amount, find_figures
from assistant.verification import same_figure

_EQUALS = re.compile(r"\s*[=＝]\s*")
_OPERATOR = re.compile(
    r"(?P<unit>[㐀-鿿㎡]{0,4}|\s?[a-zA-Z]*)\s*(?P<sign>[+＋\-－−–÷/／])\s*"
    r"(?:最高|最多|不超过|至多|至少|不低于|不少于|最低|约|up to|at most|no more than|at least|no less than|about)?\s*",
    re.IGNORECASE,
)
_SIGNS = {sign: operation for operation, signs in {"+": "+＋", "-": "-－−–", "/": "÷/／"}.items() for sign in signs}
# Words that announce a calculation; the sources need not say them.
_ANNOUNCED = re.compile(
    r"(?:[两二三四五六]项|[两二三四五六]者)?(?:合计|共计|总计|总共|总额|之和|相加|相差|差额|之差|占比|比例|比重|所占)(?:为|是)?"
    r"|\b(?:in total|altogether|together|the total|the sum|the difference|the share|total|sum|difference|share)\b",
    re.IGNORECASE,
)
_BOUNDS: Final = {
    "zh": {"max": "最高", "min": "至少", "about": "约", "": ""},
    "en": {"max": "up to ", "min": "at least ", "about": "about ", "": ""},
}
_PLACES = Decimal("0.01")  # to which a share is rounded, in percent


@dataclass(frozen=True, slots=True)
class Calculation:
    """A sentence that calculates: `said` with our result, `operands` as the sources have to bear them out."""

    said: str
    operands: str
    problems: tuple[str, ...] = ()


def calculate(text: str, language: Literal["zh", "en"]) -> Calculation | None:
    """The calculation that a sentence ends with; None if it holds none."""
    equals = _EQUALS.search(text)
    if equals is None:
        return None
    shown = text[: equals.start()]
    figures, signs = _chain(shown)
    if not signs:
        return None
    operands = " ".join(_ANNOUNCED.sub("", shown).split())
    problem = _problem(figures, signs) or ("it says more behind its result" if _left(text[equals.end() :]) else "")
    if problem:
        return Calculation(text, operands, (problem,))
    return Calculation(f"{shown} = {_result(figures, signs, language)}", operands)


def repeated(operands: str, quotes: Sequence[str]) -> list[str]:
    """What calculates with a figure more often than the quotes state it, in words for a log."""
    known, used = [figure for quote in quotes for figure in find_figures(quote)], find_figures(operands)
    often = dict.fromkeys(
        operands[figure.start : figure.end]
        for figure in used
        if sum(same_figure(figure, other) for other in used) > sum(same_figure(figure, other) for other in known)
    )
    return [f"it calculates with {shown!r} more often than its quotes state it" for shown in often]


def _chain(shown: str) -> tuple[list[Figure], list[str]]:
    """The figures at the end of a text that are joined by signs, and the signs."""
    found = find_figures(shown)
    signs: list[str] = []
    figures = found[-1:]
    for before, after in zip(found[-2::-1], found[:0:-1], strict=False):
        between = _OPERATOR.fullmatch(shown, before.end, after.start)
        if between is None:
            break
        signs.insert(0, _SIGNS[between["sign"]])
        figures.insert(0, before)
    return figures, signs


def _problem(figures: Sequence[Figure], signs: Sequence[str]) -> str:
    first = figures[0]
    bounds = {figure.bound for figure in figures}
    if any(figure.kind not in ("money", "number", "percent") for figure in figures):
        return "it calculates with what is no amount"
    if any((figure.kind, _measure(figure)) != (first.kind, _measure(first)) for figure in figures):
        return "it calculates with different units"
    if set(signs) != {"+"} and (len(signs) > 1 or bounds != {""}):
        return "only totals may have limits or more than two operands"
    if len(bounds) > 1:
        return "it adds up different limits"
    values = [Decimal(figure.value) for figure in figures]
    if signs == ["-"] and values[0] < values[1]:
        return "its difference is negative"
    if signs == ["/"] and (not values[1] or first.kind == "percent"):
        return "there is no such share"
    return ""


def _left(result: str) -> str:
    """What stands behind a result, claimed or left open."""
    figures = find_figures(result)
    behind = result[figures[0].end :].removeprefix(figures[0].unit) if figures else result
    return behind.strip(" ?？.。;；")


def _measure(figure: Figure) -> str:
    """The unit, 元 and yuan being one."""
    return "yuan" if figure.kind == "money" and figure.unit.lower()[:1] in ("元", "圆", "y", "r", "") else figure.unit


def _result(figures: Sequence[Figure], signs: Sequence[str], language: Literal["zh", "en"]) -> str:
    first, values = figures[0], [Decimal(figure.value) for figure in figures]
    if signs == ["/"]:
        share = 100 * values[0] / values[1]
        rounded = share.quantize(_PLACES)
        return f"{_BOUNDS[language]['' if rounded == share else 'about']}{rounded.normalize():f}%"
    value = sum(values, Decimal(0)) if signs[0] == "+" else values[0] - values[1]
    if first.kind == "percent":
        amount = f"{value.normalize():f}" + (
            "%" if signs[0] == "+" else {"zh": "个百分点"}.get(language, " percentage points")
        )
    elif language == "en":
        amount = f"{english_amount(value)} {first.unit}".strip()
    else:
        amount = _in_chinese(value) + first.unit
    return _BOUNDS[language][first.bound] + amount


def _in_chinese(value: Decimal) -> str:
    for name, scale in (("亿", 10**8), ("万", 10**4)):
        if value >= scale:
            return f"{(value / scale).normalize():f}{name}"
    return f"{value.normalize():f}"
