"""Draft -> Answer: what a claim says must stand in its own quotes.

A claim's figures, dates, 文号 and 《titles》 are looked for in its quotes after normalisation; the bound of a figure
(最高, 以上, 不超过) and a negation must be the same on both sides. Quotes must be the source's own characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from assistant.figures import Figure, find_figures
from vectorstore.segmentation import normalise

_TITLE = re.compile(r"《([^《》]+)》")
NEGATION = re.compile(
    r"不得|不予|不能|不可|不再|不属于|不适用|不享受|禁止|严禁|无需|无须|不需|不必|没有|未|不(?!断|仅|但|同|少|超|低|高|足|动|锈)|\bnot\b|\bno\b|n't\b|\bnever\b"
)


def unsupported(text: str, quotes: Sequence[str]) -> list[str]:
    """What a claim says that its quotes do not bear out, in words for a log; empty if all is borne out."""
    problems: list[str] = []
    joined = "\n".join(quotes)
    known = find_figures(joined)
    for figure in find_figures(text):
        same = [other for other in known if same_figure(figure, other)]
        if not same:
            problems.append(f"the figure {text[figure.start : figure.end]!r} stands in no quote")
        elif figure.kind != "date" and not any(figure.bound == other.bound for other in same):
            problems.append(f"the bound of {text[figure.start : figure.end]!r} differs from the quote")
    folded = _plain(joined)
    problems += [
        f"the title 《{title}》 stands in no quote" for title in _TITLE.findall(text) if _plain(title) not in folded
    ]
    said = _without(text, quotes)
    if bool(NEGATION.search(said)) and not NEGATION.search(joined):
        problems.append("the claim denies what its quote says")
    if _plain(text) != _plain(said) or not said.strip():
        return problems
    if NEGATION.search(joined) and not NEGATION.search(said):
        problems.append("the claim drops the negation of its quote")
    return problems


def is_verbatim(quote: str, text: str, start: int, end: int) -> bool:
    """Invariant 1: a quote is exactly the characters it claims to be."""
    return 0 <= start < end <= len(text) and text[start:end] == quote


def same_figure(left: Figure, right: Figure) -> bool:
    """Whether two figures say the same, across notations: "50 million" beside 5000万元, "2021" beside 2021年."""
    if left.key == right.key:
        return True
    kinds = {left.kind, right.kind}
    if kinds == {"money", "number"}:  # "50 million" beside 5000万元; a count never equals an amount of its own unit
        bare = left if left.kind == "number" else right
        return left.value == right.value and not bare.unit.strip()
    if kinds <= {"year", "date", "number"} and "number" in kinds:  # "2021" beside 2021年
        bare, dated = (left, right) if left.kind == "number" else (right, left)
        return bare.value == Decimal(str(dated.value)[:4]) if str(dated.value)[0] != "-" else False
    if kinds == {"year", "date"}:
        year, date = (left, right) if left.kind == "year" else (right, left)
        return str(date.value).startswith(str(year.value))
    return False


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", normalise(text))


def _without(text: str, quotes: Sequence[str]) -> str:
    for quote in quotes:
        text = text.replace(quote, "")
    return text
