"""Which candidates are said: the best, and what stands beside it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from assistant.figures import find_figures
from assistant.question import Query
from assistant.reading.candidates import Candidate, calibration
from assistant.reading.reader import SECOND, Reader
from vectorstore.passage import Hit, Metadata, Passage

SHARE, MONEY = "其中不低于20%的部分用于奖励员工", "每年给予最高3000万元奖励"


def candidate(text: str, confidence: float) -> Candidate:
    hit = Hit(
        passage_id=len(text), document_id="d", version=1, passage=Passage(0, 0, len(text)), metadata=Metadata(),
        source="a.txt", collection="own", lexical=1.0, coverage=0.5, cosine=0.5, text=text,
    )  # fmt: skip
    whole = (0, len(text))
    return Candidate(hit, whole, whole, tuple(find_figures(text)), confidence=confidence)


def said(best: float, other: float, *, of_money: bool = False) -> list[str]:
    candidates: Any = SimpleNamespace(
        of=lambda query, evidence: [candidate(SHARE, best), candidate(MONEY, other)], text_of=lambda *_: ""
    )
    query = Query("能拿多少？", "能拿多少？", "zh", (), years=("2026",), of_money=of_money)
    return [found.hit.text for found in Reader(candidates).read(query, []).chosen]


LEAST = calibration().threshold


@pytest.mark.parametrize(
    ("best", "other", "expected"),
    [
        (LEAST - 0.01, LEAST - 0.02, []),
        (LEAST + 0.01, (LEAST + 0.01) * SECOND + 0.01, [SHARE, MONEY]),
        (LEAST + 0.01, (LEAST + 0.01) * SECOND - 0.01, [SHARE]),
        (0.95, LEAST, [SHARE]),
    ],
)
def test_what_answers_nearly_as_surely_stands_beside_the_best(best: float, other: float, expected: list[str]) -> None:
    assert said(best, other) == expected


def test_of_two_the_one_in_money_comes_first_where_money_is_asked_for() -> None:
    assert said(0.6, 0.58, of_money=True) == [MONEY, SHARE]
