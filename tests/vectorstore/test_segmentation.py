from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.segmentation import sentence_spans, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("奖补资金", ["奖补", "补资", "资金"]),
        ("ＧＤＰ占比27.48%", ["gdp", "占比", "27.48"]),
        ("第3条", ["第", "3", "条"]),
        ("Park managers", ["park", "managers"]),
        ("，。！", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("一是奖励；二是补助。三是贷款", ["一是奖励；", "二是补助。", "三是贷款"]),
        ("他说：“可以申请。”随后离开。", ["他说：“可以申请。”", "随后离开。"]),
        ("标题\n正文。", ["标题", "正文。"]),
        ("Apply by May. Pay later.", ["Apply by May.", "Pay later."]),
        ("增长1.1个百分点", ["增长1.1个百分点"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


@given(st.text(max_size=300))
def test_sentences_cover_all_that_is_not_white_space_once(text: str) -> None:
    spans = sentence_spans(text)
    covered = "".join(text[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
