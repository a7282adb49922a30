"""English numbers in Chinese notation."""

from __future__ import annotations

import pytest

from assistant.lexicon.numerals import chinese, read_numeral


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("5 million yuan", 2, {"5000000", "5,000,000", "500万"}),
        ("1.5 billion", 2, {"15亿"}),
        ("twelve parks", 1, {"12", "十二"}),
        ("forty firms", 1, {"40", "四十"}),
        ("five hundred firms", 2, {"500", "五百"}),
        ("19th century", 2, {"19世纪", "十九世纪"}),
        ("third century", 2, {"3世纪", "三世纪"}),
        ("5th plan", 1, {"第5", "第五"}),
        ("March", 1, {"3月", "三月"}),
        ("2.75 points", 1, {"2.75"}),
    ],
)
def test_notations(text: str, length: int, expected: set[str]) -> None:
    found = read_numeral(text.split(), 0)
    assert found is not None
    assert found.words == length
    assert expected <= {wording for wording, _ in found.wordings}


@pytest.mark.parametrize("text", ["park", "one", "march", "first place", "century"])
def test_words_that_are_no_numbers(text: str) -> None:
    assert read_numeral(text.split(), 0) is None


@pytest.mark.parametrize(
    ("value", "written"), [(7, "七"), (10, "十"), (21, "二十一"), (300, "三百"), (4000, "四千"), (357, "")]
)
def test_round_numbers_in_characters(value: int, written: str) -> None:
    assert chinese(value) == written
