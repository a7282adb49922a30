"""What the passage rankers are told: first of every passage that the search found, then of the best ones, read closely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assistant import transliteration
from assistant.question import Query
from vectorstore.encoder import Encoder
from vectorstore.fulltext import Scorer
from vectorstore.passage import Hit, Match
from vectorstore.segmentation import sentence_spans, terms


def distant_features(query: Query, match: Match, places: Mapping[str, int]) -> dict[str, float]:
    """What a search tells of a passage.

    `cosine` and `coverage` are the match's; `elsewhere` (0 to 1) is how sure it is that the passage is for another
    place than the one asked about. `places` counts the store's documents by the place they are for.
    """
    return {"cosine": match.cosine, "coverage": match.coverage, "elsewhere": _elsewhere(query, match, places)}


def _elsewhere(query: Query, match: Match, places: Mapping[str, int]) -> float:
    """A question that names no place comes from any with a chance that is the place's share of the local documents.

    Where all documents are for one city, none is for elsewhere.
    """
    region = match.metadata.region
    if not region:
        return 0.0
    if query.regions:
        return 0.0 if any(place in region or region in place for place in query.regions) else 1.0
    return 1.0 - places.get(region, 0) / max(1, sum(places.values()))


def near_features(query: Query, scorer: Scorer, hits: Sequence[Hit], encoder: Encoder) -> list[dict[str, float]]:
    """What reading tells of some passages: how much of the question is said close together.

    `sentence`, `neighbours` and `whole` are the shares of the facets' weights that one sentence, two in a row and the
    whole passage say at all, however often; `meaning` is the cosine of the sentence nearest to the question.
    """
    sentences = [[hit.text[slice(*span)] for span in sentence_spans(hit.text)] or [hit.text] for hit in hits]
    every = [sentence for some in sentences for sentence in some]
    vectors = encoder.encode([query.search_text, *every])
    cosines = vectors[1:] @ vectors[0]
    said = scorer.shares(every)
    for place, name in _names(query, scorer).items():
        said[:, place] = np.maximum(said[:, place], [transliteration.said(name, sentence) for sentence in every])
    weights = scorer.weights / (scorer.weights.sum() or 1.0)
    found: list[dict[str, float]] = []
    first = 0
    for some in sentences:
        own = said[first : first + len(some)]
        pairs = np.maximum(own[:-1], own[1:]) if len(own) > 1 else own
        found.append(
            {
                "sentence": float((own @ weights).max()),
                "neighbours": float((pairs @ weights).max()),
                "whole": float(own.max(axis=0) @ weights),
                "meaning": max(0.0, float(cosines[first : first + len(some)].max())),
            }
        )
        first += len(some)
    return found


def _names(query: Query, scorer: Scorer) -> dict[int, str]:
    """The names that no table has, by the place of their facets; documents may spell them by their sound."""
    heard = {" ".join(terms(term.text)): term.text for term in query.terms if term.sounds}
    runs = [facet.alternatives[0][0] for facet in scorer.facets]
    return {place: heard[run] for place, run in enumerate(runs) if run in heard}
