"""The measures, against figures worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.bench import scoring
from training.bench.scoring import Decision, RiskPoint

DECISIONS = [
    Decision(0.8, right=False, answerable=True),
    Decision(0.9, right=True, answerable=True),
    Decision(0.1, right=True, answerable=False),
    Decision(0.8, right=True, answerable=True),
]


def test_a_tied_wrong_text_stands_before_the_right_one() -> None:
    found = [(2.0, (0,)), (2.0, ()), (1.0, ())]
    assert scoring.order(found) == [(2.0, ()), (2.0, (0,)), (1.0, ())]
    assert (scoring.hit(found, 1), scoring.hit(found, 2)) == (0.0, 1.0)
    assert (scoring.recall(found, 1, 1), scoring.recall(found, 1, 2)) == (0.0, 1.0)


def test_recall_counts_every_wanted_text_once() -> None:
    found = [(4.0, (0,)), (3.0, (0,)), (2.0, ()), (1.0, (1, 2))]
    assert [scoring.recall(found, 4, depth) for depth in (1, 2, 3, 4, 10)] == [0.25, 0.25, 0.25, 0.75, 0.75]


def test_nothing_found_is_no_hit() -> None:
    assert (scoring.hit([], 10), scoring.recall([], 2, 10)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([3, 2], [1, 0], 1.0),
        ([0], [1, 2], 0.0),
        ([1, 1], [1, 1, 1], 0.5),
        ([3, 2], [2, 1], 0.875),  # three pairs won, one tied
        ([math.inf, 0], [0], 0.75),
    ],
)
def test_auc_counts_a_tie_one_half(positive: list[float], negative: list[float], expected: float) -> None:
    assert scoring.auc(positive, negative) == pytest.approx(expected)


def test_an_auc_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        scoring.auc([1.0], [])


@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_auc_of_the_other_side_is_the_complement(one: list[int], other: list[int]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a in one for b in other]
    assert scoring.auc(one, other) == pytest.approx(sum(pairs) / len(pairs))
    assert scoring.auc(one, other) + scoring.auc(other, one) == pytest.approx(1)


def test_risk_grows_with_coverage_and_ties_are_answered_together() -> None:
    points = scoring.risk_coverage(DECISIONS)
    assert points == [RiskPoint(0.9, 0.25, 0.0), RiskPoint(0.8, 0.75, 1 / 3), RiskPoint(0.1, 1.0, 0.5)]
    assert scoring.risk_area(points) == pytest.approx(0.25 * 0 + 0.5 / 3 + 0.25 * 0.5)


def test_all_right_has_no_risk_and_all_tied_has_the_mean() -> None:
    right = [Decision(score, right=True, answerable=True) for score in (0.1, 0.2)]
    assert scoring.risk_area(scoring.risk_coverage(right)) == 0
    tied = [Decision(0.5, right=right, answerable=True) for right in (True, True, False)]
    assert scoring.risk_area(scoring.risk_coverage(tied)) == pytest.approx(1 / 3)
    assert scoring.risk_coverage([]) == []


@pytest.mark.parametrize(("threshold", "cost"), [(0.0, 10 / 4), (0.8, 6 / 4), (0.9, 3 / 4), (math.inf, 1.0)])
def test_a_wrong_answer_costs_five_refusals(threshold: float, cost: float) -> None:
    assert scoring.expected_cost(DECISIONS, threshold) == pytest.approx(cost)


def test_the_best_threshold_may_be_to_refuse_everything() -> None:
    assert scoring.best_threshold(DECISIONS) == (0.9, 0.75)
    assert scoring.best_threshold(DECISIONS[:1]) == (math.inf, 1.0)


@pytest.mark.parametrize(("share", "expected"), [(0.25, 10), (0.5, 20), (0.51, 30), (0.95, 40), (1.0, 40)])
def test_percentiles_are_measured_values(share: float, expected: float) -> None:
    assert scoring.percentile([40, 10, 30, 20], share) == expected
