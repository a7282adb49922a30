"""BM25 over the catalog's full-text index: the engine gives candidates, the scores are computed here.

A question is a list of facets, each said by any of its alternatives. The passages worth scoring are those that hold
the rarest terms; FTS5's own ranking visits every passage that has any term, which took a hundred times as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vectorstore.engines.base import FullText
from vectorstore.segmentation import is_chinese, terms
from vectorstore.sql import Connection

# The usual constants of BM25. Headings and titles are shared by neighbouring passages, so they count for less.
SATURATION = 1.2
LENGTH_SHARE = 0.75
SECTION_WEIGHT = 0.5
TITLE_WEIGHT = 0.3

# Of several wordings of one thing: how much of the idf is the thing's, what a phrase is worth that is said word by
# word, and a word of which some pairs of characters stand in a passage (from half of them on).
FACET_SHARE = 0.2
PARTS_WORTH = 0.8
PIECES_WORTH = 0.6
LEAST_PIECES = 0.5

# A word that no passage uses says what a question is about, but not three times as much as one that some use: with the
# whole idf, paraphrases were refused (59 of 83 hard questions right against 60 with 0.75).
RAREST = 0.75

# Occurrences read for one question, rarest terms first: 1 ms. With four times as many the search found no more of the
# statutes asked for. Frequent terms still count where a candidate has them.
MOST_POSTINGS = 10_000
FREQUENT = 300  # passages that have a term which is slow to count: 6,000 terms of 147,288 passages
WIDEST_TABLE = 1_000_000  # ids apart, up to which their sums are kept in a table of 8 MB


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing a question asks about: `alternatives` are runs of index terms separated by blanks, with their worth.

    What an alternative of worth w (0 < w <= 1) scores is multiplied by w, and the best one counts. A facet with
    `parts` may as well be said by all of them. `weight` is the facet's own.
    """

    alternatives: tuple[tuple[str, float], ...]
    weight: float = 1.0
    parts: tuple[Facet, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """The single index terms of all alternatives, those of the parts included."""
        own = [term for run, _ in self.alternatives for term in run.split(" ")]
        return tuple(dict.fromkeys([*own, *(term for part in self.parts for term in part.terms)]))


def word_for_word(text: str) -> list[Facet]:
    """A facet for each of a text's index terms, without other wordings."""
    return [Facet(((term, 1.0),)) for term in dict.fromkeys(terms(text))]


@dataclass(slots=True)
class Statistics:
    """What ranking needs to know of a whole store.

    `mean_length` of passages is in characters, `places` counts documents by the region they are for. `frequencies`
    is filled as terms are asked for; counting a frequent term takes the index longest.
    """

    passages: int
    mean_length: float
    places: Mapping[str, int]
    frequencies: dict[str, int] = field(default_factory=dict)

    def idf(self, frequency: float) -> float:
        """The inverse document frequency of something that `frequency` passages have (never negative)."""
        return math.log(1 + (self.passages - frequency + 0.5) / (frequency + 0.5))


def passage_count(connection: Connection) -> int:
    """How many passages the full-text index holds."""
    return int(connection.execute("SELECT count(*) FROM passages").fetchone()[0])


def statistics(connection: Connection) -> Statistics:
    """The statistics of the store as it is now."""
    count, length = connection.execute('SELECT count(*), avg("end" - start) FROM passages').fetchone()
    places = connection.execute(
        "SELECT v.region, count(*) FROM documents d JOIN versions v USING (document_id, version) "
        "WHERE d.state = 'live' AND v.region IS NOT NULL GROUP BY v.region ORDER BY v.region"
    )
    return Statistics(int(count), float(length or 1.0), {row[0]: row[1] for row in places})


def look_up(index: FullText, connection: Connection, known: Statistics, terms: Iterable[str]) -> dict[str, int]:
    """In how many passages each term stands; terms that stand nowhere are left out."""
    for term in terms:
        if term not in known.frequencies:
            known.frequencies[term] = index.frequency(connection, term)
    return {term: known.frequencies[term] for term in terms if known.frequencies[term]}


def look_up_frequent(index: FullText, connection: Connection, known: Statistics) -> None:
    """Count the frequent terms at once, which takes half a second where one by one each question would take 2 ms."""
    known.frequencies.update(index.frequent(connection, FREQUENT))


def candidates(
    index: FullText, connection: Connection, known: Statistics, facets: Sequence[Facet], limit: int
) -> list[int]:
    """The passages that hold most of the facets' rarest terms, best first."""
    weights: dict[str, float] = {}
    for facet in facets:
        for part in (facet, *facet.parts):
            for run, worth in part.alternatives:
                for term in run.split(" "):
                    weights[term] = max(weights.get(term, 0.0), worth * facet.weight)
    frequencies = look_up(index, connection, known, weights)
    ids: list[NDArray[np.int64]] = []
    gains: list[NDArray[np.float64]] = []
    read = 0
    for term, frequency in sorted(frequencies.items(), key=lambda item: item[1] / weights[item[0]]):
        if ids and read + frequency > MOST_POSTINGS:
            break
        read += frequency
        found = index.having(connection, term)
        if not len(found):  # a damaged index may know how often a term stands and not where
            continue
        ids.append(found)
        gains.append(np.full(len(found), weights[term] * known.idf(frequency)))
    if not ids:
        return []
    return _highest(np.concatenate(ids), np.concatenate(gains), limit)


def _highest(ids: NDArray[np.int64], gains: NDArray[np.float64], limit: int) -> list[int]:
    """The ids whose gains sum up highest, best first."""
    first = int(ids.min())
    if int(ids.max()) - first < WIDEST_TABLE:  # five times as fast as sorting
        sums = np.bincount(ids - first, weights=gains)
        found = np.flatnonzero(sums)
        numbers, sums = found + first, sums[found]
    else:
        numbers, places = np.unique(ids, return_inverse=True)
        sums = np.bincount(places, weights=gains)
    if len(numbers) > limit:
        best = np.argpartition(-sums, limit)[:limit]
        numbers, sums = numbers[best], sums[best]
    return [int(number) for number in numbers[np.lexsort((numbers, -sums))]]


@dataclass(frozen=True, slots=True)
class Indexed:
    """A passage as the index holds it: the terms of each field separated by blanks, and its length in characters."""

    body: str
    section: str
    title: str
    length: int


@dataclass(frozen=True, slots=True)
class Wording:
    """How well a passage says a question: its BM25 score, and that as a share of the highest the facets can give."""

    bm25: float
    coverage: float


class Scorer:
    """Scores passages for one question.

    Of a facet's alternatives the best counts: its worth, times its saturated frequency, times an idf that is mostly its
    own and in part the whole facet's (a rare translation of a frequent word is not as telling as it is rare).
    """

    def __init__(self, known: Statistics, facets: Sequence[Facet]) -> None:
        self._known = known
        every = [part for facet in facets for part in (facet, *facet.parts)]
        self._runs = list(dict.fromkeys(run for facet in every for run, _ in facet.alternatives))
        terms = dict.fromkeys(term for run in self._runs for term in run.split(" "))
        self._terms = {term: place for place, term in enumerate(terms)}
        self._pieces = [np.array([self._terms[term] for term in run.split(" ")]) for run in self._runs]
        places = {run: place for place, run in enumerate(self._runs)}
        self._columns = np.array([places[run] for facet in every for run, _ in facet.alternatives], dtype=np.intp)
        self._starts = np.cumsum([0, *(len(facet.alternatives) for facet in every)])[:-1]
        self._worths = np.array([
            _gain(known, facet, run, worth) for facet in every for run, worth in facet.alternatives
        ])  # fmt: skip
        self.facets = tuple(facets)
        self.weights = np.array([facet.weight * _idf(known, facet) for facet in facets])
        self._highest = float(sum(facet.weight * _most(known, facet) for facet in facets))

    def score(self, passages: Mapping[int, Indexed]) -> dict[int, Wording]:
        """BM25 scores by passage id."""
        if not passages or not self._runs:
            return dict.fromkeys(passages, Wording(0.0, 0.0))
        counts = self._counts([passage.body for passage in passages.values()])
        counts += SECTION_WEIGHT * self._counts([passage.section for passage in passages.values()])
        counts += TITLE_WEIGHT * self._counts([passage.title for passage in passages.values()])
        lengths = np.array([passage.length for passage in passages.values()]) / self._known.mean_length
        slack = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * lengths)
        saturated = counts * (SATURATION + 1) / (counts + slack[:, None])
        best = np.maximum.reduceat(saturated[:, self._columns] * self._worths, self._starts, axis=1)
        totals = self._joined(best)
        highest = (SATURATION + 1) * self._highest or 1.0
        return {
            number: Wording(float(total), float(total) / highest)
            for number, total in zip(passages, totals, strict=True)
        }

    def shares(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """How surely each text says each facet at all; shape (texts, facets), from 0 to 1."""
        if not self._runs:
            return np.zeros((len(texts), len(self.facets)))
        counts = self._counts([" ".join(terms(text)) for text in texts])
        worths = np.array([
            worth for facet in self.facets for part in (facet, *facet.parts) for _, worth in part.alternatives
        ])  # fmt: skip
        best = np.maximum.reduceat(np.minimum(counts, 1.0)[:, self._columns] * worths, self._starts, axis=1)
        said, place = np.zeros((len(texts), len(self.facets))), 0
        for number, facet in enumerate(self.facets):
            last = place + 1 + len(facet.parts)
            said[:, number] = best[:, place]
            if facet.parts:
                parts = best[:, place + 1 : last].mean(axis=1)
                said[:, number] = np.maximum(said[:, number], PARTS_WORTH * parts)
            place = last
        return said

    def _joined(self, best: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over the facets, a phrase taken as a whole or by its parts."""
        totals, place = np.zeros(len(best)), 0
        for facet in self.facets:
            last = place + 1 + len(facet.parts)
            parts = PARTS_WORTH * best[:, place + 1 : last].sum(axis=1)
            totals += facet.weight * np.maximum(best[:, place], parts)
            place = last
        return totals

    def _counts(self, indexed: Sequence[str]) -> NDArray[np.float64]:
        """How often each run stands in each text of index terms; shape (texts, runs)."""
        different = {text: place for place, text in enumerate(dict.fromkeys(indexed))}  # neighbours have one heading
        singles = np.zeros((len(different), len(self._terms)))
        for text, place in different.items():
            for term in filter(self._terms.__contains__, text.split(" ")):
                singles[place, self._terms[term]] += 1
        counts = np.empty((len(different), len(self._runs)))
        for place, (run, pieces) in enumerate(zip(self._runs, self._pieces, strict=True)):
            if len(pieces) > 1:
                counts[:, place] = _run_counts(run, singles[:, pieces], list(different))
            elif len(run) == 1 and is_chinese(run):  # found where it begins a term, which is a pair of characters
                counts[:, place] = [f" {text}".count(f" {run}") for text in different]
            else:
                counts[:, place] = singles[:, pieces[0]]
        return counts[[different[text] for text in indexed]]


def _run_counts(run: str, pieces: NDArray[np.float64], indexed: Sequence[str]) -> NDArray[np.float64]:
    """How often a run of terms stands in each text; where not as a whole, what the share of its terms there is worth."""
    shares = (pieces > 0).mean(axis=1)
    counts = np.where(shares >= LEAST_PIECES, PIECES_WORTH * shares, 0.0)
    pattern = _apart(run)
    for place in np.flatnonzero(shares == 1).tolist():
        counts[place] = _apart(indexed[place]).count(pattern) or counts[place]
    return counts


def _apart(terms: str) -> str:
    """Terms with a blank on either side of each, so that counting a run finds whole terms only, repeats included."""
    return f" {terms.replace(' ', '  ')} "


def _run_frequency(known: Statistics, run: str) -> int:
    """A run is as frequent as its rarest term at most."""
    return min(known.frequencies.get(term, 0) for term in run.split(" "))


def _gain(known: Statistics, facet: Facet, run: str, worth: float) -> float:
    """What an alternative that is said often adds to the score, the saturation aside."""
    own = known.idf(_run_frequency(known, run))
    return worth * float(own ** (1 - FACET_SHARE) * _idf(known, facet) ** FACET_SHARE)


def _most(known: Statistics, facet: Facet) -> float:
    """What the best alternative that stands anywhere adds, or all parts; RAREST of a rare word's if none does."""
    own = (_gain(known, facet, run, worth) for run, worth in facet.alternatives if _run_frequency(known, run))
    parts = PARTS_WORTH * sum(_most(known, part) for part in facet.parts)
    return max(*own, parts, 0.0, 0.0) or RAREST * known.idf(0.0)


def _idf(known: Statistics, facet: Facet) -> float:
    frequency = sum(worth * _run_frequency(known, run) for run, worth in facet.alternatives)
    return known.idf(min(float(known.passages), frequency)) if frequency else RAREST * known.idf(0.0)
