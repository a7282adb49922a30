"""Readings -> candidates: which words of a passage to quote, what figure to put in front, and the chance that it is right."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from typing import Final

from assistant.figures import Figure, find_figures
from assistant.question import Asks, Query
from assistant.quoting import LONGEST_QUOTE, bounded_figure, clause_spans, list_items, trim
from assistant.reading.agreement import Agreement, Difference
from assistant.reading.passage_reader import BUNDLED_READER, AnswerSpan, log_odds
from assistant.reading.permission import Permission, permission
from assistant.reading.tiers import Tier, applies, tier
from assistant.retrieval import Evidence
from assistant.table_rows import asked_cells, columns, row_clauses
from vectorstore.passage import Hit, Passage, Span
from vectorstore.segmentation import sentence_spans

LONGEST_LIST: Final = 900  # characters of a list that are quoted
# The share of an answer that its figures make up, from which they are put in front.
LEAST_FIGURE: Final = 0.4
SOFTNESS: Final = 2.0  # by what scores are divided before their shares are taken
TIE: Final = 1.0  # log-odds by which two passages differ that answer as surely
ALONE: Final = 5.0  # by how much the only passage that was read stands before others
LEAST_EVIDENCE: Final = 0.5  # the share of a sentence that is evidence, from which it is quoted, too
LIST_REACH: Final = 1500  # characters before an answer in which the lead of its list may stand
_LEAD: Final = re.compile(r"[：:]\s*$")
_LEAD_WITHIN: Final = re.compile(r"[：:]\s*\n")
_LEADING_LINE: Final = re.compile(r"(?<=\n)[^\n]*[：:](?=[ \t]*\n)")
# A question that a document itself asks, as a heading of what answers it.
_QUESTION: Final = re.compile(
    r"[?？]\s*$|^[^。；]{2,40}(?:吗|呢|多少|哪些|什么|怎么办)\s*$|^[^。；，]{0,8}(?:如何|怎[么样])[^。；，]{1,24}$"
)
_NOTHING_DUE: Final = re.compile(r"免费|免收|不收|免[交缴征]|全额|减半|\bfree\b")  # answers how much, without a figure
_TIME: Final = re.compile(r"每[年月季]|[日天年月周时]|小时|years?|months?|days?|weeks?|hours?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListedRows:
    """The rows of a table (offsets into the document) that have the same cell, which the question names."""

    named: str
    rows: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer found in a passage: its sentence, the words to quote (offsets into the document), and how sure it is.

    `confidence` is the calibrated chance that it answers, `difference` what it is another of than the question names,
    `lacks` what the question asks for and its words do not hold, `permission` whether they allow what it asks, `features`
    what the chance is made of.
    `headline` is the figure that answers, with its bound and unit, where a figure does; `tier` is the range that a quantity
    in the question belongs to, `cells` are those of a row that answer,
    `rows` all of a table that do.
    """

    hit: Hit
    sentence: Span
    window: Span
    figures: tuple[Figure, ...]
    headline: str = ""
    confidence: float = 0.0
    difference: Difference | None = None
    lacks: Asks = ""
    permission: Permission = ""
    tier: Tier | None = None
    cells: tuple[Span, ...] = ()
    rows: ListedRows | None = None
    features: Mapping[str, float] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether it is of the place, year, number and kind that the question names."""
        return self.difference is None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes a chance of a candidate's features (logistic); `threshold` is the chance from which it is said."""

    weights: dict[str, float]
    bias: float
    threshold: float

    def confidence(self, features: Mapping[str, float]) -> float:
        """The chance that a candidate answers."""
        total = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-total))


@cache
def calibration() -> Calibration:
    """The bundled reader's, fitted on documents that no model has seen."""
    return Calibration(**json.loads((BUNDLED_READER / "calibration.json").read_text(encoding="utf-8")))


class Candidates:
    """Makes the candidates of evidence; `text_of` gives a document's text by id and version."""

    def __init__(self, agreement: Agreement, text_of: Callable[[str, int], str]) -> None:
        self._agreement = agreement
        self.text_of = text_of

    def of(self, query: Query, evidence: Sequence[Evidence]) -> list[Candidate]:
        """The best answer of each passage that has one, the likeliest first."""
        outside = {item.hit.passage_id for item in evidence if self._is_outside(query, item.hit)}
        rivals = [item for item in evidence if item.hit.passage_id not in outside]
        found = [self._candidate(query, item, rivals) for item in evidence if item.reading.spans]
        found = [replace(each, difference="tier") if each.hit.passage_id in outside else each for each in found]
        return sorted(found, key=lambda candidate: (-candidate.confidence, candidate.hit.passage_id))

    def _is_outside(self, query: Query, hit: Hit) -> bool:
        """Whether a row is of another range than the quantity in the question: it is no answer, and no rival of one."""
        if hit.passage.kind != "row":
            return False
        text, span = self.text_of(hit.document_id, hit.version), (hit.passage.start, hit.passage.end)
        return applies(query.question, text, span) and tier(query.question, text, span) is None

    def _candidate(self, query: Query, item: Evidence, evidence: Sequence[Evidence]) -> Candidate:
        """The answer of the likeliest span that agrees with the question and holds what it asks for, or of the likeliest."""
        told = features(item, evidence)
        first, *others = item.reading.spans
        likeliest = self._of_span(query, item, first, told)
        made = chain([likeliest], (self._of_span(query, item, span, told) for span in others))
        return next((each for each in made if each.agrees and not each.lacks), likeliest)

    def _of_span(self, query: Query, item: Evidence, best: AnswerSpan, told: Mapping[str, float]) -> Candidate:
        hit, text = item.hit, self.text_of(item.hit.document_id, item.hit.version)
        begin = hit.passage.start
        span = (begin + best.start, begin + best.end)
        is_row = hit.passage.kind == "row"
        listed = _list_around(text, span) if query.asks == "list" and not is_row else None
        cells: Sequence[Span] = ()
        if listed:
            sentence, window = listed, trim(text, *listed, longest=LONGEST_LIST, numbered=True)
        elif is_row:
            sentence = (begin, hit.passage.end)
            cells = asked_cells(text, hit.passage, query.wording) or _cells(text, hit, span)
            window = sentence if len(hit.text) <= LONGEST_QUOTE else (cells[0][0], cells[-1][1])
        else:
            evidence = [(begin + start, begin + end) for start, end in item.reading.evidence]
            sentence = _sentence(text, hit, span, evidence)
            window = _window(text, sentence, span)
        applied = None if listed else _tier(query, text, sentence, hit.passage)
        if applied and not is_row:
            span = applied.piece if not applied.alone else span
            window = window if applied.alone else trim(text, *applied.piece)
        figures = _figures_of(text, window, cells or [applied.piece if applied else span], applied)
        answer = cells[0] if len(cells) == 1 else span
        return Candidate(
            hit,
            sentence,
            window,
            figures,
            "" if listed else _headline(text, hit, answer, window, figures, short=not (query.premise or applied)),
            difference=self._agreement.difference(query, hit, sentence),
            permission=permission(query.question, text[slice(*span)], text[slice(*window)]),
            tier=applied,
            cells=tuple(cells),
            lacks="" if _answers(query.asks, text[slice(*window)]) else query.asks,
            features=told,
            confidence=calibration().confidence(told),
        )


def _tier(query: Query, text: str, sentence: Span, passage: Passage) -> Tier | None:
    """The tier of the passage that a quantity in the question belongs to, if what answers is about such tiers at all."""
    if not applies(query.question, text, sentence):
        return None
    return tier(query.question, text, (passage.start, passage.end))


def _figures_of(text: str, window: Span, places: Sequence[Span], applied: Tier | None) -> tuple[Figure, ...]:
    """The figures of a window that stand in certain places, those of the ranges of tiers left out."""
    ranges = applied.ranges if applied else ()
    return tuple(
        figure
        for figure in find_figures_in(text, window)
        if any(figure.start < end and start < figure.end for start, end in places)
        and not any(start <= figure.start < end for start, end in ranges)
    )


def _answers(asks: Asks, words: str) -> bool:
    """Whether words hold what is asked for: a number (or that nothing is due), or a time."""
    figures = find_figures(words)
    if asks == "time":
        return any(figure.kind in ("date", "year") or _TIME.match(figure.unit) for figure in figures)
    return asks != "figure" or bool(figures or _NOTHING_DUE.search(words))


def features(item: Evidence, evidence: Sequence[Evidence]) -> dict[str, float]:
    """What the chance of an answer is made of.

    `relevance` is the log-odds of the reader's chance, `share` the logarithm of the passage's share among all that were
    read, in the order of the evidence, `found_ahead` by how much the search put it before any other.
    """
    others = [other for other in evidence if other.reading.spans and not _as_good(item, other)]
    weights = (math.exp((other.relevance - item.relevance) / SOFTNESS) for other in others)
    return {
        "relevance": log_odds(item.reading.relevance),
        "share": -math.log1p(sum(weights)),
        "found_ahead": item.score - max((other.score for other in others), default=item.score - ALONE),
    }


def _as_good(item: Evidence, other: Evidence) -> bool:
    """Whether a passage is the same, or one of another document that answers as surely: that is no sign that either is wrong."""
    near = abs(log_odds(item.reading.relevance) - log_odds(other.reading.relevance)) < TIE
    return other is item or (near and other.hit.document_id != item.hit.document_id)


def find_figures_in(text: str, span: Span) -> list[Figure]:
    """The figures of a span, with offsets into the whole text."""
    return [
        Figure(found.kind, found.value, found.unit, found.bound, found.start + span[0], found.end + span[0])
        for found in find_figures(text[slice(*span)])
    ]


def _sentence(text: str, hit: Hit, span: Span, evidence: Sequence[Span]) -> Span:
    """The sentences that a span touches, and those beside them that are evidence; of a list, with its lead and all its items."""
    spans = _whole_sentences(text, hit.passage)
    touched = [index for index, (start, end) in enumerate(spans) if start < span[1] and span[0] < end]
    if not touched:
        return span
    while touched[-1] + 1 < len(spans) and _QUESTION.search(text[slice(*spans[touched[-1]])]):
        touched = [touched[-1] + 1]  # what is answered there is said behind it
    first, last = touched[0], touched[-1]
    kept = [_covered(each, evidence) >= LEAST_EVIDENCE for each in spans]
    longest = LONGEST_LIST if any(_LEAD.search(text[slice(*each)]) for each in spans) else LONGEST_QUOTE
    while last + 1 < len(spans) and kept[last + 1] and spans[last + 1][1] - spans[first][0] <= longest:
        last += 1
    while (
        first
        and kept[first - 1]
        and not _QUESTION.search(text[slice(*spans[first - 1])])
        and spans[last][1] - spans[first - 1][0] <= longest
    ):
        first -= 1
    if first and last > first and _LEAD.search(text[slice(*spans[first - 1])]):
        first -= 1
    start, end = spans[first][0], spans[last][1]
    if _LEAD.search(text[slice(*spans[last])]):
        items = list_items(text, spans[last][1])
        end = items[-1][1] if len(items) > 1 else end
    return start, end


def _list_around(text: str, span: Span) -> Span | None:
    """The list that a span is in, with its lead, wherever passages are cut."""
    begin = max(0, span[0] - LIST_REACH)
    for lead in reversed(list(_LEADING_LINE.finditer(text, begin, text.find("\n", span[0]) + 1))):
        items = list_items(text, lead.end())
        if len(items) > 1 and span[0] < items[-1][1]:
            return lead.start(), items[-1][1]
    return None


def _whole_sentences(text: str, passage: Passage) -> list[Span]:
    """The sentences of a passage, those that a semicolon ends joined with the rest of their line: it says of whom they are."""
    joined: list[Span] = []
    for start, end in sentence_spans(text, passage.start, passage.end):
        if joined and text[joined[-1][1] - 1] in "；;" and "\n" not in text[joined[-1][1] : start]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _covered(span: Span, others: Sequence[Span]) -> float:
    """The share of a span that lies in others."""
    return sum(max(0, min(end, span[1]) - max(start, span[0])) for start, end in others) / max(1, span[1] - span[0])


def _window(text: str, sentence: Span, span: Span) -> Span:
    """The words to quote: the sentence, or of a long one the clauses around the answer; a list up to its longest."""
    if _LEAD_WITHIN.search(text[slice(*sentence)]):
        return trim(text, *sentence, longest=LONGEST_LIST, numbered=True)
    if sentence[1] - sentence[0] <= LONGEST_QUOTE:
        return trim(text, *sentence)
    clauses = clause_spans(text, *sentence) or [sentence]
    inside = [index for index, (start, end) in enumerate(clauses) if start < span[1] and span[0] < end] or [0]
    first, last = inside[0], inside[-1]
    longest = LONGEST_LIST if clauses[last][1] - clauses[first][0] > LONGEST_QUOTE else LONGEST_QUOTE
    while True:  # a clause at a time, those before first: they say who and when
        if first and clauses[last][1] - clauses[first - 1][0] <= LONGEST_QUOTE:
            first -= 1
        elif last + 1 < len(clauses) and clauses[last + 1][1] - clauses[first][0] <= LONGEST_QUOTE:
            last += 1
        else:
            return trim(text, clauses[first][0], clauses[last][1], longest=longest)


def _cells(text: str, hit: Hit, span: Span) -> list[Span]:
    """The filled cells of a row that a span touches; all but the first where it touches only that or none."""
    filled = row_clauses(text, hit.passage)
    return [cell for cell in filled[1:] if cell[0] < span[1] and span[0] < cell[1]] or filled[1:] or filled


def _headline(text: str, hit: Hit, answer: Span, window: Span, figures: Sequence[Figure], *, short: bool) -> str:
    """The figure that answers, as it stands with bound and unit; nothing where there are several.

    Where the answer is to be `short`, nothing where most of it is words, too.
    """
    if len({figure.key for figure in figures}) != 1:
        return ""
    shown = bounded_figure(text, figures[0], window)
    if short and len(shown) < LEAST_FIGURE * (answer[1] - answer[0]):
        return ""
    counted = columns(text, hit.passage) if hit.passage.kind == "row" else {}
    unit = next((told.unit for cell, told in counted.items() if cell[0] <= figures[0].start < cell[1]), "")
    return f"{shown}（{unit}）" if unit else shown
