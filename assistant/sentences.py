"""The sentences of the evidence: what each says of the question, and how well it answers.

A sentence is scored by how much of the question it and its surroundings say (terms weighted by idf), by whether it holds
an answer of the kind that is wanted, and by its vector. Of the same features a second model makes the chance that it is
right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assistant.figures import Figure
from assistant.fit import fitting_figures, in_best_column
from assistant.learned import answer_decision, sentence_ranker
from assistant.lexicon import Regions
from assistant.question import Query
from assistant.quoting import LONGEST_QUOTE, bounded_figure, choose_window, clause_spans, trim
from assistant.retrieval import Evidence, Matches, Weights
from assistant.table_rows import Column, column_names, columns, row_clauses
from vectorstore.encoder import Encoder
from vectorstore.packing import context_texts
from vectorstore.passage import Hit, Span
from vectorstore.segmentation import normalise, sentence_spans

CONTEXT = {
    "subject": 0.9,
    "section": 0.75,
    "title": 0.75,
    "passage": 0.55,
    "before": 0.45,
}  # what a term is worth that stands near the sentence only
MISFIT = 0.5  # what does not answer is kept for the passages that are shown with a refusal
LEAST_TOPICAL = 0.4  # the right place alone, or the right year, is no answer
SHORT_SENTENCE = 60  # characters up to which a sentence is quoted whole
SHORTEST_QUOTE = 15  # characters; a shorter one says too little on its own
OPENING = 4000  # characters in which a document says what place it is about
_YEAR = re.compile(r"((?:19|20)\d{2})\s*年")
YEAR_REACH = 1500  # characters before a sentence in which a year still holds for it
OTHER_YEAR_NEAR = 0.92
_ARTICLE = re.compile(r"第[一二三四五六七八九十百零〇\d]+条")
# An article may begin with its subject, as a sentence that says nothing: 第五条 贷款贴息。
_CAPTION = re.compile(
    r"(?:第[一二三四五六七八九十百零〇\d]+条|[（(][一二三四五六七八九十]+[）)])\s*[^，。；：,;:自由应不为可须\d]{2,10}。\s*"
)
OPENING_OF_ROW = 30  # characters of a row in which it may name its place
BEFORE = 200  # characters before a sentence in which its subject may have been named


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of the evidence, the words of it to quote (offsets into the document), and how well it answers.

    `features` are what the sentence ranker makes `score` of; `timely` (0 to 1) says how sure it is that the sentence
    speaks of the time asked about; `fits` is false where place, subject or kind of answer rule it out.
    """

    hit: Hit
    sentence: Span
    window: Span
    features: Mapping[str, float]
    timely: float
    fits: bool
    figures: tuple[Figure, ...]
    headline: str = ""
    score: float = 0.0

    @property
    def confidence(self) -> float:
        """The chance that this sentence answers the question (calibrated on training questions)."""
        return answer_decision().probability(self.features)


class Sentences:
    """Takes evidence apart into sentences; `text_of` gives a document's text by id and version."""

    def __init__(self, encoder: Encoder, regions: Regions, text_of: Callable[[str, int], str]) -> None:
        self._encoder = encoder
        self._regions = regions
        self._text_of = text_of
        self._homes: dict[tuple[str, int], str] = {}

    def candidates(self, query: Query, evidence: Sequence[Evidence], weights: Weights) -> list[Candidate]:
        """Every sentence of the evidence with its features and its score, in no particular order."""
        matches = Matches(query.terms)
        found = [candidate for item in evidence for candidate in self._candidates(query, item, weights, matches)]
        ranker = sentence_ranker()
        return [
            replace(
                candidate, score=ranker.score(candidate.features) * (candidate.timely if candidate.fits else MISFIT)
            )
            for candidate in self._with_meaning(query, found)
        ]

    def _candidates(self, query: Query, item: Evidence, weights: Weights, matches: Matches) -> list[Candidate]:
        hit = item.hit
        text = self._text_of(hit.document_id, hit.version)
        start, end = hit.passage.start, hit.passage.end
        surroundings = {
            "passage": normalise(hit.text),
            "section": normalise(" ".join(hit.passage.section)),
            "title": normalise(hit.metadata.title or hit.source),
            "subject": _unspoken_subject(hit, text),
        }
        headings = {_plain(hit.metadata.title or ""), *map(_plain, hit.passage.section)}
        found: list[Candidate] = []
        row = hit.passage.kind == "row"  # its cells are read together, whatever sentences stand in them
        for span in [(start, end)] if row else sentence_spans(text, start, end):
            captions = span[1] < end and _CAPTION.fullmatch(text, *span)
            if span[1] - span[0] < 4 or captions or _plain(text[slice(*span)]) in headings:
                continue
            places = surroundings | {"before": normalise(text[max(0, span[0] - BEFORE) : span[0]])}
            found.append(self._candidate(query, hit, text, span, places, weights, matches, item.distant))
        return found

    def _candidate(
        self,
        query: Query,
        hit: Hit,
        text: str,
        span: Span,
        surroundings: Mapping[str, str],
        weights: Weights,
        matches: Matches,
        passage_score: float,
    ) -> Candidate:
        total = weights.total or 1.0
        missing = 0.0
        counted = columns(text, hit.passage) if hit.passage.kind == "row" else {}
        sentence = normalise(
            " ".join(
                (
                    text[span[0] : span[1]],
                    *(f"{text[slice(*cell)]}{told.unit}{told.name}" for cell, told in counted.items()),
                )
            )
        )
        said = shown = topical = subject = 0.0
        around = [(share, matches.of(surroundings[place])) for place, share in CONTEXT.items()]
        unspoken = matches.of(surroundings["subject"])
        for number, (term, match) in enumerate(zip(query.terms, matches.of(sentence), strict=True)):
            weight = weights.of.get(term.text, 0.0)
            match = max(match, CONTEXT["subject"] * unspoken[number])
            if term.role == "place" and term.text in self._home(hit, text):
                match = 1.0
            near = max(share * said_there[number] for share, said_there in around)
            shown += weight * match
            said += weight * max(match, near)
            if term.role in ("topic", "name"):
                missing = max(missing, weight * (1 - max(match, near)))
                topical += weight * max(match, near)
                subject += weight
        clauses = row_clauses(text, hit.passage) if hit.passage.kind == "row" else clause_spans(text, *span) or [span]
        window, figures, kind = self._window(query, text, span, clauses, counted, weights, matches)
        inside = normalise(text[window[0] : window[1]]) + surroundings["subject"]
        close = sum(
            weights.of.get(term.text, 0.0) * match for term, match in zip(query.terms, matches.of(inside), strict=True)
        )
        timely = self._right_time(query, text, span, hit)
        fits = timely > 0 and self._right_place(query, text, hit, surroundings)
        fits = fits and topical >= LEAST_TOPICAL * subject
        limit = query.kind == "money" and any(figure.bound == "max" for figure in figures)
        features = {
            "said": said / total,
            "shown": shown / total,
            "close": close / total,
            "kind": kind,
            "said_in_kind": kind * said / total,
            "shown_in_kind": kind * shown / total,
            "close_in_kind": kind * close / total,
            "limit": float(limit),
            "missing": missing / total,
            "passage": passage_score,
        }
        headline = ""
        if hit.passage.kind == "row":
            figures = in_best_column(query, text, span, column_names(text, hit.passage), figures)
        if figures and len({figure.key for figure in figures}) == 1:
            headline = bounded_figure(text, figures[0], window)
            unit = next((told.unit for cell, told in counted.items() if cell[0] <= figures[0].start < cell[1]), "")
            headline += f"（{unit}）" if unit else ""
        return Candidate(hit, span, window, features, timely, fits and kind > 0, tuple(figures), headline)

    def _window(
        self,
        query: Query,
        text: str,
        span: Span,
        clauses: Sequence[Span],
        counted: Mapping[Span, Column],
        weights: Weights,
        matches: Matches,
    ) -> tuple[Span, list[Figure], float]:
        """The words to quote, the figures of the wanted kind in them, and how well the sentence fits the kind."""
        gains = [
            {
                term.text: weights.of.get(term.text, 0.0) / (weights.total or 1.0) * match
                for term, match in zip(query.terms, matches.of(folded), strict=True)
                if match > 0
            }
            for folded in (normalise(text[start:end]) for start, end in clauses)
        ]
        fitting = [
            fitting_figures(query, text, clause, counted[clause].unit if clause in counted else "")
            for clause in clauses
        ]
        first, last = choose_window(clauses, gains, [0.5 * worth for _, worth in fitting])
        if query.kind in ("list", "open", "yesno"):
            while last + 1 < len(clauses) and clauses[last + 1][1] - clauses[first][0] <= LONGEST_QUOTE:
                last += 1
        while last + 1 < len(clauses) and clauses[last][1] - clauses[first][0] < SHORTEST_QUOTE:
            last += 1
        if span[1] - span[0] <= SHORT_SENTENCE:
            first, last = 0, len(clauses) - 1
        window = trim(text, clauses[first][0], clauses[last][1])
        figures = [figure for found, _ in fitting[first : last + 1] for figure in found]
        return window, figures, max(worth for _, worth in fitting)

    def _right_time(self, query: Query, text: str, span: Span, hit: Hit) -> float:
        """How sure it is that a sentence speaks of the years asked about: 1, OTHER_YEAR_NEAR, or 0."""
        sure = 1.0
        for year in query.years:
            sentence = text[span[0] : span[1]]
            if year in sentence:
                continue
            if _YEAR.search(sentence):
                return 0.0
            known = (hit.metadata.published or "", *hit.passage.section, hit.metadata.title or "")
            named = _YEAR.findall(text, max(0, span[0] - YEAR_REACH), span[0])
            if named[-1:] == [year] or any(year in place for place in known):
                continue
            if (hit.metadata.valid_from or "9999") <= f"{year}-12-31" and (hit.metadata.valid_until or "") >= year:
                continue
            if year not in text:
                return 0.0
            sure = OTHER_YEAR_NEAR
        return sure

    def _right_place(self, query: Query, text: str, hit: Hit, surroundings: Mapping[str, str]) -> bool:
        if hit.passage.context and query.regions:
            # What heads a row, or its first cells, says which place it is for.
            row = text[hit.passage.start : hit.passage.end][:OPENING_OF_ROW]
            own = self._regions.named_in(" ".join((*context_texts(text, hit.passage.context), row)))
            if own and not any(region in own for region in query.regions):
                return False
        for region in query.regions:
            near = text[hit.passage.start : hit.passage.end] + " ".join(surroundings.values())
            if region in near or region in (hit.metadata.region or "") or region in (hit.metadata.issuer or ""):
                continue
            if region in self._home(hit, text):
                continue
            return False
        return True

    def _home(self, hit: Hit, text: str) -> str:
        """The place a document is about: the one it names most often."""
        version = (hit.document_id, hit.version)
        if version not in self._homes:
            names = self._regions.named_in(text[:OPENING])
            self._homes[version] = max(names, key=text.count, default="")
        return self._homes[version]

    def _with_meaning(self, query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
        if not candidates:
            return []
        texts = [self._text_of(found.hit.document_id, found.hit.version) for found in candidates]
        sentences = [text[slice(*found.sentence)] for text, found in zip(texts, candidates, strict=True)]
        # With a subject of its own, a follow-up does not mean the earlier question.
        own = any(term.role == "history" for term in query.terms)
        vectors = self._encoder.encode([query.question if own else query.search_text, *sentences])
        cosines = np.clip(vectors[1:] @ vectors[0], 0.0, 1.0)
        return [
            replace(found, features={**found.features, "cosine": float(cosine)})
            for found, cosine in zip(candidates, cosines, strict=True)
        ]


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _unspoken_subject(hit: Hit, text: str) -> str:
    """What a table's row or a numbered article is about without saying it: caption and header, the policy's title."""
    if hit.passage.context:
        return normalise(" ".join(context_texts(text, hit.passage.context)))
    if any(_ARTICLE.match(heading) for heading in hit.passage.section):
        return normalise((hit.metadata.title or "") + hit.passage.section[0])
    return ""
