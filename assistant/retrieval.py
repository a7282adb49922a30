"""Query -> Evidence: search by wording and by meaning, then the passage reader; the most relevant passages first."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant import transliteration
from assistant.lexicon import AskingWords
from assistant.pinyin import pinyin
from assistant.question import Query, Term, without_asking
from assistant.reading.passage_reader import PassageReader, PassageReading, PassageText, log_odds
from assistant.reranker import Reranker
from vectorstore.fulltext import PARTS_WORTH, Facet
from vectorstore.making import heading
from vectorstore.passage import Hit, Match
from vectorstore.segmentation import terms
from vectorstore.store import PolicyStore

# A wording other than the one asked is a little weaker evidence; words of earlier questions steer, no more.
WORDING_WEIGHT = 0.8
# What a word weighs in the search; of Chinese questions every pair of characters is looked for with the same weight, but
# for those of earlier questions.
SEARCH_WEIGHTS = {"light": 0.35, "history": 0.15}
SINGLE_CHARACTER = 0.6  # a character stands in many words that do not mean it
KEPT = 20  # the passages that are read
FIRST = 10  # of them, those that are read before the others
SURE = 0.9  # the relevance from which the others are not read
# So many for each that is kept are taken from each of the two lists that a search joins, to be ranked together.
CANDIDATES = 2
# What nearness in meaning and in wording count, and the wrong place; fitted by `training.calibration`.
MEANING, WORDING, ELSEWHERE = 30.8, 14.0, 2.1
READING = 1.5  # what the log-odds of the reader's relevance count beside them
_NUMBERED = re.compile(r"^\d|\d$")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage, the score that the search gave it, and what the reader made of it.

    `relevance` orders the evidence: what search and reader say together.
    """

    hit: Hit
    score: float
    reading: PassageReading
    relevance: float


def retrieve(
    store: PolicyStore,
    query: Query,
    reader: PassageReader,
    *,
    documents: Collection[str] | None = None,
    limit: int = KEPT,
    reranker: Reranker | None = None,
) -> tuple[Evidence, ...]:
    """The passages of a store, or of some of its documents (ids), that may hold the answer, best first, at most `limit`.

    The best FIRST of the search are read, and the others where none of those is surely relevant. A reranker's score
    orders them instead of the reader's.
    """
    scorer = store.scorer(facets(query))
    matches = store.search(query.standalone, scorer, limit=CANDIDATES * max(KEPT, limit), documents=documents)
    places = store.places()
    scored = [(search_score(query, match, places), match) for match in matches]
    scored.sort(key=lambda pair: (-pair[0], pair[1].passage_id))
    scored = scored[: max(KEPT, limit)]
    hits = store.read([match for _, match in scored])
    texts = [
        PassageText(
            heading(hit.metadata.title or hit.source, store.text(hit.document_id, hit.version), hit.passage), hit.text
        )
        for hit in hits[:KEPT]
    ]
    readings = _readings(reader, query, texts[:FIRST])
    if len(texts) > FIRST and max(reading.relevance for reading in readings) < SURE:
        readings += _readings(reader, query, texts[FIRST:])
    if reranker is not None:
        orders = reranker.scores(query.standalone, [hit.text for hit in hits[: len(readings)]])
    else:
        orders = [
            score + READING * log_odds(each.relevance) for (score, _), each in zip(scored, readings, strict=False)
        ]
    evidence = [
        Evidence(hit, score, reading, order)
        for hit, (score, _), reading, order in zip(hits, scored, readings, orders, strict=False)
    ]
    evidence.sort(key=lambda item: (-item.relevance, item.hit.passage_id))
    unread = [
        Evidence(hit, score, PassageReading(0.0), -math.inf)
        for hit, (score, _) in zip(hits[len(readings) :], scored[len(readings) :], strict=True)
    ]
    return (*evidence, *unread)[:limit]


def _readings(reader: PassageReader, query: Query, texts: Sequence[PassageText]) -> list[PassageReading]:
    """Each passage read with the question in its own words."""
    asked = [in_words_of(query, text) for text in texts]
    read: dict[tuple[str, PassageText], PassageReading] = {}
    for question in dict.fromkeys(asked):
        own = [text for text, its in zip(texts, asked, strict=True) if its == question]
        read.update({(question, text): each for text, each in zip(own, reader.read(question, own), strict=True)})
    return [read[question, text] for question, text in zip(asked, texts, strict=True)]


def in_words_of(query: Query, text: PassageText) -> str:
    """The question, its terms in the wording that a passage has of them: the reader takes other words for other things."""
    question, words = query.standalone, f"{text.heading}｜{text.text}"
    for term in query.terms:
        if term.text.lower() in words.lower():
            continue
        wording = next((each for each in term.wordings if each in words), None)
        if wording:
            question = re.sub(
                rf"\b{re.escape(term.text)}\b" if term.text.isascii() else re.escape(term.text),
                wording,
                question,
                flags=re.IGNORECASE,
            )
    return question


def search_score(query: Query, match: Match, places: Mapping[str, int]) -> float:
    """What the search tells of a passage: nearness in meaning and in wording, less where it is for another place.

    `places` counts the store's documents by the place they are for.
    """
    return MEANING * match.cosine + WORDING * match.coverage - ELSEWHERE * elsewhere(query, match, places)


def elsewhere(query: Query, match: Match, places: Mapping[str, int]) -> float:
    """How sure it is (0 to 1) that a passage is for another place than the one asked about.

    A question that names no place comes from any with a chance that is the place's share of the local documents.
    """
    region = match.metadata.region
    if not region:
        return 0.0
    if query.regions:
        return 0.0 if any(place in region or region in place for place in query.regions) else 1.0
    return 1.0 - places.get(region, 0) / max(1, sum(places.values()))


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
