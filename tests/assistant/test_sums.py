"""Calculations over cited figures."""

from __future__ import annotations

from typing import Literal

import pytest

from assistant import Assistant
from assistant.model import ModelSettings
from assistant.sums import calculate
from tests.assistant.scripted_model import Prompt, ScriptedModel
from tests.conftest import Put
from vectorstore.store import PolicyStore

GRANTS = """海州市研发机构扶持办法

第一条 对新建的研发机构，给予最高500万元建设补助。

第二条 对研发机构，每年给予最高200万元运行补助。

第三条 全市安排研发用地1200亩，其中高新区300亩。
"""


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("合计：最高500万元 + 最高200万元 = ?", "zh", "合计：最高500万元 + 最高200万元 = 最高700万元"),
        ("合计：9000万元+2000万元=？", "zh", "合计：9000万元+2000万元 = 1.1亿元"),
        ("相差：1.2亿元 - 8000万元 = ?", "zh", "相差：1.2亿元 - 8000万元 = 4000万元"),
        ("占比：300亩 ÷ 1200亩 = 30%", "zh", "占比：300亩 ÷ 1200亩 = 25%"),
        ("占比：300亩 / 900亩 = ?", "zh", "占比：300亩 / 900亩 = 约33.33%"),
        ("相差：27.5% - 12.3% = ?", "zh", "相差：27.5% - 12.3% = 15.2个百分点"),
        ("共计：30人＋20人＋5人＝51人", "zh", "共计：30人＋20人＋5人 = 55人"),
        (
            "In total: up to 5 million yuan + up to 2 million yuan = 9 million yuan",
            "en",
            "In total: up to 5 million yuan + up to 2 million yuan = up to 7 million yuan",
        ),
        ("The share: 300 mu / 900 mu = ?", "en", "The share: 300 mu / 900 mu = about 33.33%"),
    ],
)
def test_the_result_is_ours(text: str, language: Literal["zh", "en"], said: str) -> None:
    calculation = calculate(text, language)
    assert calculation is not None
    assert (calculation.said, calculation.problems) == (said, ())
    assert "=" not in calculation.operands


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("合计：最高500万元 + 200万元 = ?", "different limits"),
        ("相差：最高500万元 - 最高200万元 = ?", "only totals"),
        ("合计：500万元 + 200人 = ?", "different units"),
        ("合计：500万元 + 200万美元 = ?", "different units"),
        ("相差：200万元 - 500万元 = ?", "negative"),
        ("占比：5人 ÷ 0人 = ?", "no such share"),
        ("2021年 - 2019年 = ?", "no amount"),
        ("合计：500万元 + 200万元 = 700万元，不含税", "more behind"),
    ],
)
def test_what_cannot_be_calculated_is_said(text: str, problem: str) -> None:
    calculation = calculate(text, "zh")
    assert calculation is not None
    assert any(problem in found for found in calculation.problems)


@pytest.mark.parametrize("text", ["每年最高500万元", "甲=乙", "编号 A=5000"])
def test_other_sentences_are_left_alone(text: str) -> None:
    assert calculate(text, "zh") is None


def handles(prompt: Prompt, *words: str) -> str:
    return "".join(f"[{handle}]" for word in words for handle, said in prompt.evidence.items() if word in said)


@pytest.mark.parametrize(
    ("calculation", "cited", "shown"),
    [
        ("研发机构补助合计：最高500万元 + 最高200万元 = 最高900万元", ("500万元", "200万元"), "= 最高700万元"),
        ("研发机构补助合计：最高500万元 + 最高200万元 = ?", ("500万元",), ""),  # an operand that is not cited
        ("研发机构补助合计：500万元 + 200万元 = ?", ("500万元", "200万元"), ""),  # limits dropped
        ("研发机构补助合计：最高500万元 + 最高500万元 = ?", ("500万元",), ""),  # counted twice
    ],
)
def test_only_what_is_cited_is_added_up(
    store: PolicyStore, put: Put, model: ScriptedModel, calculation: str, cited: tuple[str, ...], shown: str
) -> None:
    put("grants.txt", GRANTS)
    model.reply = lambda prompt: f"{calculation}。{handles(prompt, *cited)}\n"
    with Assistant(store, model=ModelSettings("openai:scripted", base_url=model.url)) as assistant:
        answer = assistant.ask("新建研发机构的建设补助和运行补助合计最高多少万元？")
    claims = [claim for claim in answer.claims if claim.checks.numbers == "computed"]
    assert bool(claims) is bool(shown)
    assert "900万元" not in answer.text
    if shown:
        assert shown in claims[0].text
        assert "由程序" in claims[0].text
        assert len(claims[0].citations) == 2
