from __future__ import annotations

import pytest

from assistant.figures import find_figures
from assistant.quoting import LONGEST_QUOTE, bounded_figure, clause_spans, list_items, trim


def clauses(text: str) -> list[str]:
    return [text[start:end] for start, end in clause_spans(text, 0, len(text))]


def test_clauses_end_at_commas_outside_pairs_and_numbers() -> None:
    text = "对园区,按照《甲,乙办法》给予3,000元（含税,不含费）奖励，每年一次"
    assert clauses(text) == ["对园区", "按照《甲,乙办法》给予3,000元（含税,不含费）奖励", "每年一次"]


def test_quotes_lose_introductions_and_punctuation_at_their_edges() -> None:
    text = "据介绍,每年给予最高20万元。"
    start, end = trim(text, 0, len(text))
    assert text[start:end] == "每年给予最高20万元"


def test_no_quote_is_longer_than_the_longest() -> None:
    text = "甲乙丙丁," * 100
    start, end = trim(text, 0, len(text))
    assert 0 < end - start <= LONGEST_QUOTE
    assert text[end - 1] == "丁"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("给予最高20万元奖励", "最高20万元"),
        ("不超过20万元", "不超过20万元"),
        ("培育企业500家以上", "500家以上"),
        ("期限为3个月", "3个月"),
        ("比重为27.48%", "27.48%"),
        ("在20个工作日内办结", "20个工作日"),
    ],
)
def test_a_figure_is_shown_with_its_bound_and_unit(text: str, shown: str) -> None:
    assert bounded_figure(text, find_figures(text)[0], (0, len(text))) == shown


def test_list_items_end_with_the_list() -> None:
    text = "提交下列材料：\n（一）申请表；\n（二）营业执照；\n\n（三）审计报告。\n材料不全的，一次告知。"
    items = [text[start:end] for start, end in list_items(text, text.index("：") + 1)]
    assert items == ["（一）申请表；", "（二）营业执照；", "（三）审计报告。"]
