"""The rows of a table that a question asks for together: 东湖区有哪些老字号企业, counted and listed by the program."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Final

from assistant.question import Query
from assistant.reading.candidates import Candidate, ListedRows
from vectorstore.passage import Hit, Span
from vectorstore.tables import cell_spans

_COUNTING: Final = re.compile(r"(?:多少|几)[家个户所名项处种款座]|\bhow many\b", re.IGNORECASE)


def listed_rows(query: Query, candidates: Sequence[Candidate], text_of: Callable[[str, int], str]) -> Candidate | None:
    """All rows of a table with a cell that the question names, as one candidate; None where several rows are not asked for.

    The chance is that of all of them together: each alone is one of many, and so hardly the answer.
    """
    if query.asks != "list" and not _COUNTING.search(query.question):
        return None
    sharing: dict[tuple[str, tuple[Span, ...], int, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        hit = candidate.hit
        if hit.passage.kind == "row" and candidate.agrees:
            cells = _cells(text_of(hit.document_id, hit.version), (hit.passage.start, hit.passage.end))
            for column, cell in enumerate(cells):
                if len(cell) > 1 and cell in query.standalone:
                    sharing[hit.document_id, tuple(hit.passage.context), column, cell].append(candidate)
    if not sharing:
        return None
    (_, _, column, named), found = max(sharing.items(), key=lambda item: _chance(item[1]))
    best = found[0]
    text = text_of(best.hit.document_id, best.hit.version)
    rows = [
        row for row in _lines(text, best.hit) if len(cells := _cells(text, row)) > column and cells[column] == named
    ]
    if len(rows) < 2:
        return None
    return replace(best, rows=ListedRows(named, tuple(rows)), confidence=_chance(found))


def _chance(candidates: Sequence[Candidate]) -> float:
    """The chance that one of them answers at least."""
    return 1 - prod(1 - candidate.confidence for candidate in candidates)


def _cells(text: str, row: Span) -> list[str]:
    return [text[slice(*cell)] for cell in cell_spans(text, row)]


def _lines(text: str, hit: Hit) -> list[Span]:
    """The rows of a hit's table, without the lines that name its columns."""
    first = text.rfind("\n", 0, hit.passage.start) + 1
    while first and "|" in text[(above := text.rfind("\n", 0, first - 1) + 1) : first]:
        first = above
    rows: list[Span] = []
    for line in text[first:].split("\n"):
        last = first + len(line)
        if "|" not in line:
            break
        if all(last <= start or end <= first for start, end in hit.passage.context):
            rows.append((first, last))
        first = last + 1
    return rows
