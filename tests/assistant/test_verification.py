from __future__ import annotations

import pytest

from assistant.verification import is_verbatim, unsupported

QUOTE = "对年度考核优秀的园区运营机构给予最高3000万元奖励,2024年不少于5家,占比40%"


@pytest.mark.parametrize(
    "claim",
    [
        QUOTE,
        f"最高3000万元：{QUOTE}",
        "最高3000万元",
        "up to 30 million yuan",
        "最高三千万元",
        "最高３０００万元",
        "占比百分之四十",
        "in 2024",
    ],
)
def test_what_the_quote_says_passes(claim: str) -> None:
    assert unsupported(claim, [QUOTE]) == []


@pytest.mark.parametrize(
    ("claim", "problem"),
    [
        ("最高3500万元", "stands in no quote"),
        ("最高3亿元", "stands in no quote"),
        ("up to 300 million yuan", "stands in no quote"),
        ("3000万元", "bound"),
        ("不少于3000万元", "bound"),
        ("占比60%", "stands in no quote"),
        ("2025年", "stands in no quote"),
        ("见海政发〔2024〕9号", "stands in no quote"),
        ("依据《园区奖励办法》", "title"),
        ("不得给予奖励", "denies"),
    ],
)
def test_what_the_quote_does_not_say_is_found(claim: str, problem: str) -> None:
    assert any(problem in found for found in unsupported(claim, [QUOTE]))


def test_a_dropped_negation_is_found() -> None:
    assert unsupported("工业用地可以改变用途", ["工业用地不得改变用途"])
    assert not unsupported("工业用地不得改变用途", ["工业用地不得改变用途"])


def test_titles_are_compared_without_white_space_and_width() -> None:
    assert unsupported("依据《园区奖励办法（试行）》", ["按照《园区 奖励办法(试行)》执行"]) == []


@pytest.mark.parametrize(
    ("start", "end", "verbatim"), [(2, 4, True), (1, 3, False), (2, 2, False), (-1, 4, False), (2, 99, False)]
)
def test_quotes_are_the_very_characters(start: int, end: int, verbatim: bool) -> None:
    assert is_verbatim("奖励", "园区奖励办法", start, end) is verbatim
