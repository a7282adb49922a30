"""Words that translate each other, from what stands together."""

from __future__ import annotations

from training.alignment import Pair, both_ways, learn

PAIRS = [
    Pair(("red", "house"), ("红", "房子")),
    Pair(("red", "car"), ("红", "汽车")),
    Pair(("old", "house"), ("旧", "房子")),
    Pair(("old", "car"), ("旧", "汽车")),
]


def test_what_stands_together_belongs_together() -> None:
    table = learn(PAIRS)
    assert {word: max(row, key=row.__getitem__) for word, row in table.items() if word} == {
        "red": "红",
        "house": "房子",
        "car": "汽车",
        "old": "旧",
    }


def test_both_directions_must_agree() -> None:
    table = both_ways([*PAIRS, Pair(("the",), ("红",), weight=0.01)], least=0.5)
    assert "the" not in table
    assert set(table["house"]) == {"房子"}
