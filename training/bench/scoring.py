"""Measures of rankings and of decisions: pure functions. Ties never flatter."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

# What a wrong answer costs when a refusal costs 1; a right answer costs nothing.
WRONG_COST: Final = 5.0

Place = tuple[float, tuple[int, ...]]
"""A text that was found: its score, and which of the wanted texts it is (none: it is a wrong one)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One question put to a system: how sure it was, whether its answer was right, whether there is an answer."""

    confidence: float
    right: bool
    answerable: bool


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """What answering every question of at least this confidence would mean, as shares of all and of the answered."""

    confidence: float
    coverage: float
    risk: float


def order(found: Iterable[Place]) -> list[Place]:
    """Found texts, best first; a wrong one stands before a right one of the same score."""
    return sorted(found, key=lambda place: (-place[0], bool(place[1])))


def hit(found: Iterable[Place], depth: int) -> float:
    """1 if one of the first `depth` is right, else 0."""
    return float(any(wanted for _, wanted in order(found)[:depth]))


def recall(found: Iterable[Place], wanted: int, depth: int) -> float:
    """The share of the wanted texts that are among the first `depth`."""
    return len({number for _, numbers in order(found)[:depth] for number in numbers}) / wanted


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The probability that a positive scores higher than a negative; a tie counts one half (Mann-Whitney U)."""
    if not positive or not negative:
        raise ValueError("An AUC needs scores of both kinds.")
    below = np.sort(np.asarray(negative, dtype=float))
    lower = np.searchsorted(below, positive, side="left")
    not_higher = np.searchsorted(below, positive, side="right")
    return float(np.sum(lower + not_higher) / (2 * len(positive) * len(negative)))


def risk_coverage(decisions: Sequence[Decision]) -> list[RiskPoint]:
    """The share of wrong answers among those given, for every share that can be given; surest first.

    Questions of equal confidence are answered together. An answer where there is none is wrong.
    """
    points: list[RiskPoint] = []
    wrong = 0
    ranked = sorted(decisions, key=lambda decision: -decision.confidence)
    for answered, decision in enumerate(ranked, 1):
        wrong += not (decision.right and decision.answerable)
        if answered == len(ranked) or ranked[answered].confidence != decision.confidence:
            points.append(RiskPoint(decision.confidence, answered / len(ranked), wrong / answered))
    return points


def risk_area(points: Sequence[RiskPoint]) -> float:
    """The area under a risk-coverage curve: the risk, averaged over all shares of questions answered; 0 is best."""
    before = [0.0, *(point.coverage for point in points)]
    return sum((point.coverage - start) * point.risk for start, point in zip(before, points, strict=False))


def expected_cost(decisions: Sequence[Decision], threshold: float, *, wrong: float = WRONG_COST) -> float:
    """The mean cost of a question when those of at least this confidence are answered and the others refused."""
    return statistics.fmean(
        1.0 if decision.confidence < threshold else 0.0 if decision.right and decision.answerable else wrong
        for decision in decisions
    )


def best_threshold(decisions: Sequence[Decision], *, wrong: float = WRONG_COST) -> tuple[float, float]:
    """The threshold of lowest cost on these very decisions, and that cost; infinity where refusing all is cheapest."""
    thresholds = sorted({decision.confidence for decision in decisions} | {float("inf")}, reverse=True)
    costs = [expected_cost(decisions, threshold, wrong=wrong) for threshold in thresholds]
    lowest = min(range(len(costs)), key=costs.__getitem__)
    return thresholds[lowest], costs[lowest]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of the values does not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, int(np.ceil(share * len(ranked))) - 1)]
