"""Query -> Evidence: hybrid search, scores fused, the best passages first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.lexicon import AskingWords
from assistant.pinyin import pinyin
from assistant.question import Query, Term
from vectorstore.passage import Hit
from vectorstore.segmentation import normalise, terms
from vectorstore.store import PolicyStore

# Wording and meaning weigh 7 to 3. Fused scores beat fused ranks on all question sets at hand (CMRC, XQuAD, seeds).
LEXICAL_WEIGHT = 0.7
# A wording other than the one asked is a little weaker evidence; words of earlier questions steer, no more.
WORDING_WEIGHT = 0.8
ROLE_WEIGHTS = {"topic": 1.0, "name": 1.3, "place": 0.6, "light": 0.35, "history": 0.15}
# A word that no document uses says what the question is about, but not three times as much as one that some use:
# with the full idf, paraphrases were refused (59 of 83 hard questions right against 60 with 0.75).
RAREST = 0.75
CANDIDATES = 60
KEPT = 30


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage and its fused score in [0, 1]."""

    hit: Hit
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
    store: PolicyStore, query: Query, *, filters: Mapping[str, str] | None = None, limit: int = KEPT
) -> tuple[Evidence, ...]:
    """The passages of a store that may hold the answer, best first, at most `limit`."""
    wanted = max(CANDIDATES, limit) * (10 if filters else 1)
    hits = [hit for hit in store.search(query.search_text, search_terms(query), limit=wanted) if _passes(hit, filters)]
    highest = max((hit.lexical for hit in hits), default=0.0) or 1.0
    fused = [
        Evidence(hit, LEXICAL_WEIGHT * hit.lexical / highest + (1 - LEXICAL_WEIGHT) * max(0.0, hit.cosine))
        for hit in hits
    ]
    fused.sort(key=lambda evidence: (-evidence.score, evidence.hit.passage_id))
    return tuple(fused[:limit])


def _passes(hit: Hit, filters: Mapping[str, str] | None) -> bool:
    for name, wanted in (filters or {}).items():
        if name == "document_id":
            if hit.document_id != wanted:
                return False
        elif wanted not in (getattr(hit.metadata, name) or ""):
            return False
    return True


def search_terms(query: Query) -> list[str]:
    """All terms to look up, other wordings, years and places included."""
    texts: list[str] = [query.standalone] if query.language == "zh" else []
    for term in query.terms:
        texts += [term.text, *term.wordings]
    texts += [f"{year}年" for year in query.years]
    found: dict[str, None] = {}
    for text in texts:
        found.update(dict.fromkeys(terms(text)))
    return list(found)


def weigh(store: PolicyStore, query: Query) -> Weights:
    """Term weights from the store's document frequencies; a term of several words counts by its rarest pair."""
    pairs = {term.text: terms(term.text) or [normalise(term.text)] for term in query.terms}
    wordings = {term.text: [terms(wording) for wording in term.wordings] for term in query.terms}
    every = {pair for found in pairs.values() for pair in found}
    every |= {pair for found in wordings.values() for wording in found for pair in wording}
    count, frequencies = store.document_frequencies(sorted(every))

    def frequency(found: Sequence[str]) -> int:
        return min((frequencies.get(pair, 0) for pair in found), default=0)

    highest = RAREST * math.log(2 + count)
    weights: dict[str, float] = {}
    for term in query.terms:
        known = max([frequency(pairs[term.text]), *(frequency(found) for found in wordings[term.text])])
        if known == 0 and term.role == "light":
            continue
        weights[term.text] = ROLE_WEIGHTS[term.role] * min(highest, math.log(1 + (count + 1) / (1 + known)))
    return Weights(weights)


def term_match(term: Term, folded: str) -> float:
    """How well a text (normalised) says a term: 1 as asked, WORDING_WEIGHT in another wording, 0 not at all.

    A compound that is not there as a whole counts by the share of its character pairs that are.
    """
    if term.counts:
        return max((_counts(wording, term.counts, folded) for wording in (term.text, *term.wordings)), default=0.0)
    if _says(folded, term.text):
        return 1.0
    if any(_says(folded, wording) for wording in term.wordings):
        return 1.0 if term.text.isascii() else WORDING_WEIGHT
    if term.sounds:
        return 1.0 if term.text in pinyin(folded) else 0.0
    pairs = terms(term.text)
    if len(pairs) >= 2 and term.role != "name":
        return 0.7 * sum(pair in folded for pair in pairs) / len(pairs)
    return 0.0


def _says(folded: str, wording: str) -> bool:
    longer = AskingWords.load().longer.get(wording)
    return wording in (folded if longer is None else folded.replace(longer, ""))


def _counts(number: str, words: Sequence[str], folded: str) -> float:
    place = folded.find(number)
    while place >= 0:
        behind = folded[place + len(number) : place + len(number) + 10]
        if any(word in behind for word in words):
            return 1.0
        place = folded.find(number, place + 1)
    return 0.0
