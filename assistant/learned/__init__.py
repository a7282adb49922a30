"""The numbers of the linear models, and how they are applied; `README.md` says how they came about."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum of named features; features without a weight count nothing.

    `threshold` is the probability from which a decision is yes.
    """

    weights: Mapping[str, float]
    bias: float = 0.0
    threshold: float = 0.5

    def score(self, features: Mapping[str, float]) -> float:
        """The sum."""
        return self.bias + sum(weight * features[name] for name, weight in self.weights.items())

    def probability(self, features: Mapping[str, float]) -> float:
        """The sum as a chance between 0 and 1."""
        return 1 / (1 + math.exp(-self.score(features)))


@cache
def distant_ranker() -> Linear:
    """Ranks the passages that a search found; features are `assistant.ranking.distant_features`."""
    return _load("distant.json")


@cache
def near_ranker() -> Linear:
    """What reading closely adds to a passage's score; features are `assistant.ranking.near_features`."""
    return _load("near.json")


@cache
def sentence_ranker() -> Linear:
    """Ranks the sentences of the passages found; features are `assistant.sentences.Candidate.features`."""
    return _load("sentences.json")


@cache
def answer_decision() -> Linear:
    """The chance that a sentence answers; features are `assistant.sentences.Candidate.features`."""
    return _load("decision.json")


def forget() -> None:
    """Read the numbers anew when they are next asked for."""
    for load in (distant_ranker, near_ranker, sentence_ranker, answer_decision):
        load.cache_clear()


def _load(name: str) -> Linear:
    numbers = json.loads(files("assistant.learned").joinpath(name).read_text(encoding="utf-8"))
    return Linear(**numbers)
