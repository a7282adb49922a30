"""Lines 6 and 7 in their quick forms, and what they would not let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.scoreboard import load, soak
from evaluation.scoreboard.load import PAGE_P95, PRESSED_P95, good_enough
from evaluation.scoreboard.soak import FEW, GROWTH, Sample, growth
from evaluation.scoreboard.users import Heard, Told

FAST = Heard([Told(0.1)] * 20)


@pytest.mark.parametrize("line", [load, soak])
def test_the_quick_form_passes(line: object, tmp_path: Path) -> None:
    measured = line.run(tmp_path, quick=True)  # type: ignore[attr-defined]
    assert measured.passed, measured.figure


def heard(*others: Told) -> Heard:
    return Heard([*FAST.told, *others])


@pytest.mark.parametrize(
    ("crowds", "good"),
    [
        ((FAST, FAST, FAST), True),
        ((FAST, FAST, heard(Told(0.1, later=2.0))), True),
        ((heard(Told(0.1, later=2.0)), FAST, FAST), False),
        ((FAST, heard(Told(0.1, later=2.0)), FAST), False),
        ((FAST, FAST, heard(Told(0.1, wrong="ReadError"))), False),
        ((FAST, FAST, heard(*[Told(PRESSED_P95 + 0.1)] * 2)), False),
        ((FAST, heard(*[Told(PAGE_P95 + 0.1)] * 2), FAST), False),
        ((FAST, FAST, Heard([Told(0.1, later=2.0)])), False),
    ],
)
def test_errors_slow_answers_and_needless_refusals_fail(crowds: tuple[Heard, Heard, Heard], *, good: bool) -> None:
    assert good_enough(*crowds) is good


@pytest.mark.parametrize(
    ("memory", "handles", "small"),
    [(0.0, 0, True), (0.9 * GROWTH, FEW, True), (1.1 * GROWTH, 0, False), (0.0, FEW + 1, False)],
)
def test_what_grows_fails(memory: float, handles: int, *, small: bool) -> None:
    settling = [Sample(50, 10)] * 10
    samples = [*settling, *[Sample(1000, 100)] * 40, *[Sample(int(1000 * (1 + memory)), 100 + handles)] * 10]
    assert growth(samples).small is small
