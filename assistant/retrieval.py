"""Query -> Evidence: hybrid search, then a learned ranker over the scores, the best passages first."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant import transliteration
from assistant.learned import distant_ranker, near_ranker
from assistant.lexicon import AskingWords
from assistant.pinyin import pinyin
from assistant.question import Query, Term, without_asking
from assistant.ranking import distant_features, near_features
from assistant.reranker import Reranker
from vectorstore.fulltext import PARTS_WORTH, RAREST, Facet
from vectorstore.passage import Hit
from vectorstore.segmentation import normalise, terms
from vectorstore.store import PolicyStore

# A wording other than the one asked is a little weaker evidence; words of earlier questions steer, no more.
WORDING_WEIGHT = 0.8
ROLE_WEIGHTS = {"topic": 1.0, "name": 1.3, "place": 0.6, "light": 0.35, "history": 0.15}
HISTORY_SHARE = 0.2
# What a word weighs in the search; of Chinese questions every pair of characters is looked for with the same weight, but
# for those of earlier questions.
SEARCH_WEIGHTS = {"light": 0.35, "history": 0.15}
SINGLE_CHARACTER = 0.6  # a character stands in many words that do not mean it
KEPT = 20  # the passages whose sentences are looked through for the answer
# So many for each that is kept are taken from each of the two lists that a search joins, to be ranked together.
CANDIDATES = 2
# The best of them are read closely to rank them; that takes 3 ms, and the right one is rarely further down.
READ_CLOSELY = 10
# Of those that a cross-encoder has judged, so many are looked through for the answer.
RERANKED = 8
_NUMBERED = re.compile(r"^\d|\d$")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage, how well it suits the question by what the search tells, and by that and by reading it closely."""

    hit: Hit
    distant: float
    score: float


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term of a query tells, in the store at hand: idf times its role's weight; 0 if not listed."""

    of: Mapping[str, float]

    @property
    def total(self) -> float:
        """The weight of all terms."""
        return sum(self.of.values())


def retrieve(
    store: PolicyStore,
    query: Query,
    *,
    documents: Collection[str] | None = None,
    limit: int = KEPT,
    reranker: Reranker | None = None,
) -> tuple[Evidence, ...]:
    """The passages of a store, or of some of its documents (ids), that may hold the answer, best first, at most `limit`.

    With a reranker, the best KEPT are put in its order and only RERANKED of them are kept.
    """
    scorer = store.scorer(facets(query))
    matches = store.search(query.search_text, scorer, limit=CANDIDATES * max(KEPT, limit), documents=documents)
    places = store.places()
    scored = [(distant_ranker().score(distant_features(query, match, places)), match) for match in matches]
    scored.sort(key=lambda pair: (-pair[0], pair[1].passage_id))
    hits = store.read([match for _, match in scored[:limit]])
    evidence = [Evidence(hit, score, score) for (score, _), hit in zip(scored[:limit], hits, strict=True)]
    near = near_features(query, scorer, hits[:READ_CLOSELY], store.encoder)
    for place, found in enumerate(near):
        evidence[place] = replace(evidence[place], score=evidence[place].score + near_ranker().score(found))
    # What is read closely only gains by it, so the order of the rest stands.
    evidence[:READ_CLOSELY] = sorted(evidence[:READ_CLOSELY], key=lambda item: (-item.score, item.hit.passage_id))
    return _reranked(reranker, query, evidence[:KEPT])[:limit] if reranker else tuple(evidence)


def _reranked(reranker: Reranker, query: Query, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    scores = reranker.scores(query.standalone, [item.hit.text for item in evidence])
    order = sorted(range(len(evidence)), key=lambda place: -scores[place])
    return tuple(replace(evidence[place], score=scores[place]) for place in order[:RERANKED])


def facets(query: Query) -> list[Facet]:
    """What to look up in the full text: the question's own words pair by pair, other wordings beside them, years."""
    found: dict[str, Facet] = {}
    if query.language == "zh":
        told = terms(without_asking(query.question)) or terms(query.question)
        found = {pair: Facet(((pair, 1.0),)) for pair in told}
        for term in query.terms:  # those of earlier questions
            for pair in terms(term.text):
                found.setdefault(pair, Facet(((pair, 1.0),), SEARCH_WEIGHTS.get(term.role, 1.0)))
    for term in query.terms:
        facet = _facet(term, query.language)
        if facet is not None and (len(facet.alternatives) > 1 or query.language == "en"):
            found[facet.alternatives[0][0]] = facet
    for year in query.years:
        found.setdefault(year, Facet(((year, 1.0),)))
    return list(found.values())


def _facet(term: Term, language: str) -> Facet | None:
    """A term with its other wordings; an English one is hardly ever said by itself, but names are."""
    other = WORDING_WEIGHT if language == "zh" else 1.0
    worths = term.worths or (1.0,) * len(term.wordings)
    runs = {" ".join(terms(term.text)): 1.0}
    for wording, worth in zip(term.wordings, worths, strict=True):
        worth *= other * (SINGLE_CHARACTER if len(wording) == 1 else 1.0)
        run = " ".join(terms(wording))
        runs[run] = max(worth, runs.get(run, 0.0))
    runs.pop("", None)
    if not runs:
        return None
    parts = tuple(facet for part in term.parts if (facet := _facet(part, language)) is not None)
    weight = SEARCH_WEIGHTS.get(term.role, 1.0) if language == "en" or term.role == "history" else 1.0
    return Facet(tuple(runs.items()), weight, parts)


def weigh(store: PolicyStore, query: Query) -> Weights:
    """Term weights from the store's document frequencies; a term of several words counts by its rarest pair."""
    pairs = {term.text: terms(term.text) or [normalise(term.text)] for term in query.terms}
    wordings = {
        term.text: [
            (terms(wording), worth)
            for wording, worth in zip(term.wordings, term.worths or (1.0,) * len(term.wordings), strict=True)
        ]
        for term in query.terms
    }
    every = {pair for found in pairs.values() for pair in found}
    every |= {pair for found in wordings.values() for wording, _ in found for pair in wording}
    count, frequencies = store.document_frequencies(sorted(every))

    def frequency(found: Sequence[str]) -> int:
        return min((frequencies.get(pair, 0) for pair in found), default=0)

    highest = RAREST * math.log(2 + count)
    weights: dict[str, float] = {}
    for term in query.terms:
        said_by = (worth * frequency(wording) for wording, worth in wordings[term.text])
        known = max([float(frequency(pairs[term.text])), *said_by])
        if known == 0 and term.role == "light":
            continue
        weights[term.text] = ROLE_WEIGHTS[term.role] * min(highest, math.log(1 + (count + 1) / (1 + known)))
    return Weights(_steered(query, weights))


def _steered(query: Query, weights: Mapping[str, float]) -> dict[str, float]:
    """The weights, those of earlier questions' words together at most HISTORY_SHARE of the question's own."""
    earlier = {term.text for term in query.terms if term.role == "history"}
    own = sum(weight for text, weight in weights.items() if text not in earlier)
    history = sum(weight for text, weight in weights.items() if text in earlier)
    scale = min(1.0, HISTORY_SHARE * own / history) if history else 1.0
    return {text: weight * (scale if text in earlier else 1.0) for text, weight in weights.items()}


def term_match(term: Term, folded: str) -> float:
    """How well a text (normalised) says a term: 1 as asked, WORDING_WEIGHT in another wording, 0 not at all.

    A compound that is not there as a whole counts by the share of its character pairs that are.
    """
    if term.counts:
        return max((_counts(wording, term.counts, folded) for wording in (term.text, *term.wordings)), default=0.0)
    if _says(folded, term.text):
        return 1.0
    worths = term.worths or (1.0 if term.text.isascii() else WORDING_WEIGHT,) * len(term.wordings)
    best = max(
        (worth for wording, worth in zip(term.wordings, worths, strict=True) if _says(folded, wording)), default=0.0
    )
    if term.parts:
        best = max(best, PARTS_WORTH * sum(term_match(part, folded) for part in term.parts) / len(term.parts))
    if best:
        return best
    if term.sounds:
        return 1.0 if term.text in pinyin(folded) else transliteration.said(term.text, folded)
    pairs = terms(term.text)
    if len(pairs) >= 2 and term.role != "name":
        return 0.7 * sum(pair in folded for pair in pairs) / len(pairs)
    return 0.0


class Matches:
    """How well texts say the terms of one question, as `term_match` has it; a text that comes again is known."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = terms
        self._known: dict[str, tuple[float, ...]] = {}

    def of(self, folded: str) -> tuple[float, ...]:
        """The match of each term, in the terms' order."""
        found = self._known.get(folded)
        if found is None:
            found = self._known[folded] = tuple(term_match(term, folded) for term in self._terms)
        return found


def _says(folded: str, wording: str) -> bool:
    if wording not in folded or (_NUMBERED.search(wording) and not _whole(wording).search(folded)):
        return False
    longer = AskingWords.load().longer.get(wording)
    return longer is None or wording in folded.replace(longer, "")


@lru_cache(maxsize=1024)
def _whole(wording: str) -> re.Pattern[str]:
    """Words that begin or end with a number, where that is the whole number: 2号 is not in 12号."""
    before = r"(?<!\d)(?<!\d\.)" if wording[0].isdigit() else ""
    behind = r"(?!\d)(?!\.\d)" if wording[-1].isdigit() else ""
    return re.compile(f"{before}{re.escape(wording)}{behind}")


def _counts(number: str, words: Sequence[str], folded: str) -> float:
    place = folded.find(number)
    while place >= 0:
        behind = folded[place + len(number) : place + len(number) + 10]
        if any(word in behind for word in words):
            return 1.0
        place = folded.find(number, place + 1)
    return 0.0
