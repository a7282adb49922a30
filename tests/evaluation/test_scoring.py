from __future__ import annotations

import pytest

from evaluation.scoring import coverage, says


@pytest.mark.parametrize(
    ("text", "wording", "said"),
    [
        ("最高5000万元[1]", "5000万", True),
        ("最高15000万元", "5000万", False),
        ("共3个", "3个", True),
        ("共13个", "3个", False),
        ("占27.48%", "27.48%", True),
        ("占27.48%", "7.48%", False),
        ("15 parks", "15", True),
        ("150 parks", "15", False),
        ("15.5 parks", "15", False),
        ("在 3 个 月 内", "3个月", True),
        ("15.[1]", "15", True),
    ],
)
def test_a_wording_is_said_with_the_borders_of_its_digits(text: str, wording: str, said: bool) -> None:
    assert says(text, wording) is said


@pytest.mark.parametrize(
    ("quote", "gold", "share"),
    [
        ("每户按月发放最多800元房租", "每户按月发放最多800元房租", 1.0),
        ("前言,每户 按月发放最多800元房租", "每户按月发放最多800元房租", 1.0),
        ("每户按月", "每户按月发放", 4 / 6),
        ("别的", "每户按月发放", 0.0),
    ],
)
def test_coverage_is_the_share_of_the_gold_quote_held_in_one_piece(quote: str, gold: str, share: float) -> None:
    assert coverage(quote, gold) == pytest.approx(share)
