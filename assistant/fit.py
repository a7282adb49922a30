"""Whether words hold an answer of the kind that a question wants: an amount, a share, a date, a list, a name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.figures import Figure, find_figures
from assistant.question import Query
from assistant.retrieval import term_match
from vectorstore.passage import Span
from vectorstore.segmentation import normalise, terms
from vectorstore.tables import cell_spans

# What a pair of characters tells that a question and the name of a column share, beside the words of both.
NAMED = 0.1
_BOOK = re.compile(r"《[^《》]*》")
_WHICH_DAY = re.compile(r"哪一?天|几号|哪日|几月几[日号]")
_ABOUT_WHEN = re.compile(r"[今明后去]年|年[底内初]|[上下]半年|月[底初]|[上中下]旬|\d{1,2}月|季度|之日")
_DURATION_UNIT = re.compile(r"(?:个?(?:工作日|小时)|个月|分钟|年|天|日|周|days?|months?|years?|weeks?)$")


def fitting_figures(query: Query, text: str, clause: Span, unit: str = "") -> tuple[list[Figure], float]:
    """The figures of a clause that the kind of question asks for, and how well the clause fits (0 to 1).

    `unit` is what the number of a table's cell counts, which stands over its column.
    """
    start, end = clause
    inside = text[start:end] + unit
    figures = [
        Figure(found.kind, found.value, found.unit, found.bound, found.start + start, min(found.end + start, end))
        for found in find_figures(_BOOK.sub(lambda title: " " * len(title.group()), inside))  # a title's are no answer
    ]
    match query.kind:
        case "money":
            money = [found for found in figures if found.kind == "money"]
            shares = [found for found in figures if found.kind == "percent"]  # a subsidy may be a share of the cost
            if money or shares:
                return (money, 1.0) if money else (shares, 0.6)
            return [], 0.35 if any(found.kind == "number" for found in figures) else 0.0
        case "percent":
            shares = [found for found in figures if found.kind == "percent"]
            return (shares, 1.0) if shares else ([], 0.0)
        case "count":
            counts = [found for found in figures if found.kind == "number"]
            right = [found for found in counts if query.unit and found.unit.startswith(query.unit)]
            if right or (counts and not query.unit):
                return right or counts, 1.0
            other = counts or [found for found in figures if found.kind in ("money", "percent")]
            return (other, 0.85 if counts and query.unit == "个" else 0.6) if other else ([], 0.0)
        case "date":
            return _dates(query, inside, [found for found in figures if found.kind in ("date", "year")])
        case "duration":
            spans = [found for found in figures if found.kind == "number" and _DURATION_UNIT.match(found.unit)]
            return (spans, 1.0) if spans else ([], 0.3 if figures else 0.0)
        case "list":
            return [], min(
                1.0, 0.5 + 0.25 * (inside.count("、") + inside.count("；") + inside.rstrip().endswith(("：", ":")))
            )
        case "entity" if query.suffix:
            # A city may be named without 市; a town or an office is not.
            without = 0.5 if query.suffix in "市省区县" else 0.0
            ending = "(?:公司|集团)" if query.suffix == "公司" else query.suffix
            return [], 1.0 if re.search(rf"[㐀-鿿]{{2}}{ending}", inside) else without
        case _:
            return [], 0.8


def _dates(query: Query, inside: str, dates: list[Figure]) -> tuple[list[Figure], float]:
    if _WHICH_DAY.search(query.question) and all(found.kind == "year" for found in dates):
        return dates, 0.3 if dates else 0.0
    return (dates, 1.0) if dates else ([], 0.8 if _ABOUT_WHEN.search(inside) else 0.0)


def in_best_column(query: Query, text: str, row: Span, names: Sequence[str], figures: Sequence[Figure]) -> list[Figure]:
    """Of a table row's figures, those in the column whose name says most of what was asked."""
    cells = cell_spans(text, row)
    asked = set(terms(query.question))
    worth = [
        sum(term_match(term, normalise(name)) for term in query.terms) + NAMED * len(asked.intersection(terms(name)))
        for name in names
    ]
    best = max(worth, default=0.0)
    if best == 0 or len(cells) > len(names) or worth.count(best) > 1 or worth.index(best) >= len(cells):
        return list(figures)
    start, end = cells[worth.index(best)]
    return [figure for figure in figures if start <= figure.start < end] or list(figures)
