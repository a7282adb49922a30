"""Evidence -> Draft without a language model: whether there is an answer, and which words say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from assistant.figures import find_figures
from assistant.question import Query
from assistant.reading.candidates import Candidate, Candidates, calibration
from assistant.reading.listed_rows import listed_rows
from assistant.retrieval import Evidence
from vectorstore.segmentation import normalise

# A document that is not in force, or that only reports on a policy, answers where no other does nearly as surely.
GIVES_WAY = 0.5
SECOND = 0.8  # share of the best chance that a second claim has to reach
EQUAL = 0.9  # and from which another document's figure may be meant as well


@dataclass(frozen=True, slots=True)
class Draft:
    """What the reader would say: the chosen candidates, or none; `closest` are the likeliest whatever their chance.

    `rivals` are the titles of policies that answer a vague question equally well, with different figures. `confidence`
    is the chance that the best candidate answers, whether or not that was enough.
    """

    chosen: tuple[Candidate, ...]
    closest: tuple[Candidate, ...]
    confidence: float
    rivals: tuple[str, ...] = ()


class Reader:
    """Chooses among the candidates of the evidence."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates

    def read(
        self,
        query: Query,
        evidence: Sequence[Evidence],
        *,
        stale: frozenset[str] = frozenset(),
        reports: frozenset[str] = frozenset(),
    ) -> Draft:
        """The draft for a query over its evidence.

        On the same matter, `stale` documents give way to those in force, and `reports` to the policies themselves.
        """
        candidates = _distinct(self._candidates.of(query, evidence))
        closest = tuple(candidates[:3])
        together = listed_rows(query, candidates, self._candidates.text_of)
        candidates = [together, *candidates] if together else candidates
        confidence = max((found.confidence for found in candidates if found.agrees), default=0.0)
        # One that answers nearly as surely as the best stands beside it, also from just below the threshold.
        least = min(calibration().threshold, SECOND * confidence)
        answering = [found for found in candidates if found.agrees and found.confidence >= least]
        if confidence < calibration().threshold or query.small_talk:
            return Draft((), closest, 0.0 if query.small_talk else confidence)
        if query.former and not query.several:
            answering.sort(key=lambda found: found.hit.document_id not in stale)
        if not query.several:
            answering = _giving_way(answering, reports)
        if not (query.several or query.former):
            answering = _giving_way(answering, stale)
        rivals = _rivals(query, answering)
        if rivals:
            return Draft((), closest, confidence, rivals)
        if answering[0].rows:
            return Draft((answering[0],), closest, confidence)
        return Draft(
            tuple(_named_rows(query, answering[0], candidates) or _chosen(query, answering)), closest, confidence
        )


def _chosen(query: Query, answering: Sequence[Candidate]) -> list[Candidate]:
    """The best, and a second that answers nearly as surely; of several documents asked for, one of each."""
    best = answering[0]
    for other in answering[1:]:
        elsewhere = other.hit.document_id != best.hit.document_id
        if other.confidence >= SECOND * best.confidence or (query.several and elsewhere):
            return [other, best] if query.of_money and not _of_money(best) and _of_money(other) else [best, other]
    return [best]


def _named_rows(query: Query, best: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The rows of the best one's table that the question names, in its order; nothing where it does not name several."""
    if best.hit.passage.kind != "row":
        return []
    table = (best.hit.document_id, best.hit.passage.context)
    rows = [each for each in candidates if (each.hit.document_id, each.hit.passage.context) == table and each.agrees]
    named = [
        {cell for cell in map(str.strip, each.hit.text.split("|")) if len(cell) > 1 and cell in query.standalone}
        for each in rows
    ]
    times = Counter(chain.from_iterable(named))
    places = {
        query.standalone.find(cell): row
        for own, row in zip(named, rows, strict=True)
        for cell in own
        if times[cell] == 1  # 桥东街道 heads many rows
    }
    ordered = {places[place].hit.passage_id: places[place] for place in sorted(places)}
    return list(ordered.values()) if len(ordered) > 1 and best.hit.passage_id in ordered else []


def _of_money(candidate: Candidate) -> bool:
    return any(figure.kind == "money" for figure in candidate.figures)


def _rivals(query: Query, answering: Sequence[Candidate]) -> tuple[str, ...]:
    """The policies that a question of one topic, without a name, place, year or past, may mean equally well."""
    topics = [term for term in query.terms if term.role != "light"]
    best = answering[0]
    if len(topics) > 1 or query.years or not best.headline:
        return ()
    titles = {best.hit.document_id: best.hit.metadata.title or best.hit.source}
    for other in answering[1:]:
        equal = other.headline and other.confidence >= EQUAL * best.confidence and other.headline != best.headline
        if equal:
            titles.setdefault(other.hit.document_id, other.hit.metadata.title or other.hit.source)
    return tuple(titles.values())[:3] if len(titles) > 1 else ()


def _giving_way(answering: Sequence[Candidate], lesser: frozenset[str]) -> list[Candidate]:
    """The candidates of lesser documents behind the others, if one of those answers nearly as surely as the best of all.

    Where that one answers with a figure, other figures are left out: they are what no longer holds.
    """
    best = answering[0]
    others = [found for found in answering if found.hit.document_id not in lesser]
    if best.hit.document_id in lesser and (not others or others[0].confidence < GIVES_WAY * best.confidence):
        return list(answering)
    behind = [found for found in answering if found.hit.document_id in lesser]
    return [*others, *(found for found in behind if not (others[0].headline and found.headline))]


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without sentences that repeat a better one, as newspapers do in boxes; other figures make another sentence."""
    kept: list[Candidate] = []
    seen: list[tuple[set[str], list[object]]] = []
    for found in candidates:
        start = found.hit.passage.start
        words = normalise(found.hit.text[found.window[0] - start : found.window[1] - start])
        pairs = {words[index : index + 2] for index in range(len(words) - 1)}
        keys: list[object] = [figure.key for figure in find_figures(words)]
        if any(keys == figures and len(pairs & other) >= 0.8 * min(len(pairs), len(other)) for other, figures in seen):
            continue
        kept.append(found)
        seen.append((pairs, keys))
    return kept
