"""Evidence -> Draft without a language model: whether there is an answer, and which sentences say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.figures import find_figures
from assistant.learned import answer_decision
from assistant.question import Query
from assistant.quoting import LONGEST_QUOTE, list_items, trim
from assistant.retrieval import Evidence, Weights, term_match
from assistant.sentences import Candidate, Sentences
from vectorstore.passage import Span
from vectorstore.segmentation import normalise, sentence_spans

# A document that is not in force, or that only reports on a policy, answers where no other does nearly as well.
GIVES_WAY = 0.95
FORMER = 0.7  # what is in force hardly answers a question about the rules before it
EQUAL = 0.98  # share of the best score from which two sentences answer equally well
SECOND = 0.97  # share of the best score that a second claim has to reach
SECOND_ELSEWHERE = 0.85  # and for an open question, which another document may answer as well


@dataclass(frozen=True, slots=True)
class Draft:
    """What the reader would say: the chosen candidates, or none; `closest` are the best whatever their score.

    `rivals` are the titles of policies that answer a vague question equally well, with different figures. `confidence`
    is the chance that the best candidate answers, whether or not that was enough.
    """

    chosen: tuple[Candidate, ...]
    closest: tuple[Candidate, ...]
    confidence: float
    rivals: tuple[str, ...] = ()


class Reader:
    """Chooses among the sentences of the evidence; `text_of` gives a document's text by id and version."""

    def __init__(self, sentences: Sentences, text_of: Callable[[str, int], str]) -> None:
        self._sentences = sentences
        self._text_of = text_of

    def read(
        self,
        query: Query,
        evidence: Sequence[Evidence],
        weights: Weights,
        *,
        stale: frozenset[str] = frozenset(),
        reports: frozenset[str] = frozenset(),
    ) -> Draft:
        """The draft for a query over its evidence.

        On the same matter, `stale` documents give way to those in force, and `reports` to the policies themselves.
        """
        candidates = [
            replace(found, score=FORMER * found.score)
            if query.former and not query.several and found.hit.document_id not in stale
            else found
            for found in self._sentences.candidates(query, evidence, weights)
        ]
        candidates.sort(key=lambda found: (-found.score, found.hit.passage_id, found.sentence))
        candidates = _distinct(candidates)
        closest = tuple(candidates[:3])
        confidence = max((found.confidence for found in candidates), default=0.0)
        answering = [found for found in candidates if found.fits and found.confidence >= answer_decision().threshold]
        if not answering or query.small_talk:
            return Draft((), closest, 0.0 if query.small_talk else confidence)
        if not query.several:
            answering = _giving_way(answering, reports)
        if not (query.several or query.former):
            answering = _giving_way(answering, stale)
        rivals = _rivals(query, answering)
        if rivals:
            return Draft((), closest, confidence, rivals)
        return Draft(tuple(self._choose(query, answering)), closest, confidence)

    def _choose(self, query: Query, answering: Sequence[Candidate]) -> list[Candidate]:
        best = _main_rule(answering)
        if query.kind in ("list", "open", "entity"):
            listed = self._listed(best)
            if len(listed) > 1:
                return listed
        if query.kind == "open":
            best = self._widened(query, best)
        others = [found for found in answering if found is not best]
        if query.several:
            others = sorted(others, key=lambda found: found.hit.document_id == best.hit.document_id)
        for other in others:
            elsewhere = other.hit.document_id != best.hit.document_id
            enough = SECOND_ELSEWHERE if elsewhere and (query.kind == "open" or query.several) else SECOND
            overlaps = not elsewhere and other.window[0] < best.window[1] and best.window[0] < other.window[1]
            if (
                other.score >= enough * best.score
                and not overlaps
                and (other.headline != best.headline or not best.headline)
            ):
                return [best, other]
        return [best]

    def _widened(self, query: Query, best: Candidate) -> Candidate:
        """For an open question: with the neighbouring sentences that speak of the same subject, while it stays short."""
        hit = best.hit
        text = self._text_of(hit.document_id, hit.version)
        subject = [
            term
            for term in query.terms
            if term.role in ("topic", "name") and term_match(term, normalise(text[slice(*best.window)])) == 1
        ]
        if not subject:
            return best
        rarest = max(subject, key=lambda term: len(term.text))
        start, end = best.window
        for span in sentence_spans(text, hit.passage.start, hit.passage.end):
            if span[0] >= end and span[1] - start <= LONGEST_QUOTE and rarest.text in normalise(text[slice(*span)]):
                end = span[1]
        return replace(best, window=trim(text, start, end))

    def _listed(self, best: Candidate) -> list[Candidate]:
        """The lead sentence of a list with all its items."""
        text = self._text_of(best.hit.document_id, best.hit.version)
        if not text[best.sentence[0] : best.sentence[1]].rstrip().endswith(("：", ":")):
            return [best]
        items = list_items(text, best.sentence[1])
        return [best, *(_part(best, trim(text, *item)) for item in items)] if len(items) > 1 else [best]


def _rivals(query: Query, answering: Sequence[Candidate]) -> tuple[str, ...]:
    """The policies that a question of one topic, without a name, place, year or past, may mean equally well."""
    topics = [term for term in query.terms if term.role != "light"]
    if len(topics) > 1 or query.years or query.kind not in ("money", "percent", "count", "duration"):
        return ()
    best = answering[0]
    titles = {best.hit.document_id: best.hit.metadata.title or best.hit.source}
    for other in answering[1:]:
        equal = other.score >= SECOND * best.score and other.headline != best.headline
        if equal and other.hit.document_id not in titles:
            titles[other.hit.document_id] = other.hit.metadata.title or other.hit.source
    return tuple(titles.values())[:3] if len(titles) > 1 else ()


def _main_rule(answering: Sequence[Candidate]) -> Candidate:
    """Of a document's sentences that answer as well as the best, the first: the rule comes before its details."""
    best = answering[0]
    return min(
        (
            found
            for found in answering
            if found.hit.document_id == best.hit.document_id and found.score >= EQUAL * best.score
        ),
        key=lambda found: found.sentence,
    )


def _giving_way(answering: Sequence[Candidate], lesser: frozenset[str]) -> list[Candidate]:
    """The candidates of lesser documents behind the others, if one of those answers nearly as well as the best of all.

    Where that one answers with a figure, other figures are left out: they are what no longer holds.
    """
    best = answering[0]
    others = [found for found in answering if found.hit.document_id not in lesser]
    if best.hit.document_id in lesser and (not others or others[0].score < GIVES_WAY * best.score):
        return list(answering)
    behind = [found for found in answering if found.hit.document_id in lesser]
    return [*others, *(found for found in behind if not (others[0].headline and found.headline))]


def _part(lead: Candidate, span: Span) -> Candidate:
    return replace(lead, sentence=span, window=span, figures=(), headline="")


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without sentences that repeat a better one, as newspapers do in boxes; other figures make another sentence."""
    kept: list[Candidate] = []
    seen: list[tuple[set[str], list[object]]] = []
    for found in candidates[:40]:
        start = found.hit.passage.start
        words = normalise(found.hit.text[found.window[0] - start : found.window[1] - start])
        pairs = {words[index : index + 2] for index in range(len(words) - 1)}
        keys: list[object] = [figure.key for figure in find_figures(words)]
        if any(keys == figures and len(pairs & other) >= 0.8 * min(len(pairs), len(other)) for other, figures in seen):
            continue
        kept.append(found)
        seen.append((pairs, keys))
    return kept
