from __future__ import annotations

import random

import pytest

from training.fitting import Example, chance, cheapest, choice, intercepts, with_intercepts

FREE = (None, None)


def question(right: float, *wrong: float) -> list[Example]:
    """Candidates by the value of the one feature that tells; the other is noise."""
    return [({"tells": right, "noise": 0.5}, True), *(({"tells": value, "noise": 0.5}, False) for value in wrong)]


def test_choice_finds_the_feature_that_tells() -> None:
    weights = choice([question(0.9, 0.1, 0.2), question(0.8, 0.3)], {"tells": FREE, "noise": FREE})
    assert weights["tells"] > 1
    assert abs(weights["noise"]) < 0.1


def test_choice_keeps_to_its_bounds() -> None:
    assert choice([question(0.1, 0.9)], {"tells": (0.0, None), "noise": FREE})["tells"] == 0


def test_nothing_to_learn_is_said() -> None:
    with pytest.raises(ValueError, match="nothing can be learned"):
        choice([[({"tells": 1.0}, True)], []], {"tells": FREE})


def test_chance_is_calibrated() -> None:
    dice = random.Random(1)
    examples: list[Example] = []
    for _ in range(4000):
        value = dice.random()
        examples.append(({"tells": value}, dice.random() < value))
    weights, bias = chance(examples, {"tells": FREE})
    assert pytest.approx(weights["tells"] * 0.5 + bias, abs=0.2) == 0
    assert weights["tells"] > 3


def test_the_level_of_a_set_is_learned_apart() -> None:
    easy: list[Example] = [({"tells": 0.0}, True)] * 80 + [({"tells": 0.0}, False)] * 20
    hard: list[Example] = [({"tells": 0.0}, True)] * 20 + [({"tells": 0.0}, False)] * 80
    sets = {"home": easy, "hard": hard}
    weights, bias = chance(with_intercepts(sets, "home"), {"tells": FREE, **intercepts(sets, "home")})
    assert bias == pytest.approx(1.386, abs=0.05)  # the log odds of 80 to 20
    assert weights["in hard"] == pytest.approx(-2.77, abs=0.1)


@pytest.mark.parametrize(
    ("decisions", "threshold"),
    [
        ([(0.2, False), (0.6, True), (0.9, True)], 0.4),
        ([(0.2, True), (0.6, False), (0.9, True)], 0.75),  # refusing one right answer costs less than one wrong
        ([(0.3, True)], 0.15),
        ([(0.3, False)], 0.65),
        ([], 0.5),
    ],
)
def test_the_cheapest_threshold(decisions: list[tuple[float, bool]], threshold: float) -> None:
    assert cheapest(decisions) == pytest.approx(threshold)
