"""Rows of tables as answers: the column asked for, several rows, all rows of a kind."""

from __future__ import annotations

import pytest

from assistant.assembly import Assistant
from tests.conftest import Put
from tests.word_reader import PointingReader
from vectorstore.store import PolicyStore

RATES = """# 枫桥市技改奖补标准

| 行业 | 2026年比例 | 2026年上限 | 2027年比例 | 2027年上限 |
| --- | --- | --- | --- | --- |
| 家具 | 10% | 350万元 | 7% | 260万元 |
| 纺织 | 12% | 400万元 | 9% | 300万元 |
| 食品 | 15% | 500万元 | 11% | 380万元 |
"""
STATIONS = """# 枫桥市站点补助标准

| 类型 | 城区 | 乡镇 |
| --- | --- | --- |
| 一级站 | 90万元 | 70万元 |
| 二级站 | 60万元 | 45万元 |
| 三级站 | 30万元 | 25万元 |
"""
SHOPS = "# 枫桥市老字号名录\n\n| 序号 | 名称 | 所在区 |\n| --- | --- | --- |\n" + "".join(
    f"| {number} | 枫桥{number}酱园 | {'东湖区' if number % 3 == 0 else '南浦区'} |\n" for number in range(1, 40)
)


@pytest.mark.parametrize(
    ("question", "points_at", "text"),
    [
        ("家具行业2027年的奖补比例是多少？", "350万元", "7%：家具：2027年比例 7%"),
        ("家具行业2026年的上限是多少？", "7%", "350万元：家具：2026年上限 350万元"),
        ("纺织2027年上限多少？", "12%", "300万元：纺织：2027年上限 300万元"),
        ("家具能补多少？", "10%", "10%：家具：2026年比例 10%"),
    ],
)
def test_the_column_that_the_question_names_answers(
    store: PolicyStore, put: Put, question: str, points_at: str, text: str
) -> None:
    put("rates.md", RATES)
    answer = Assistant(store, reader=PointingReader(points_at)).ask(question)
    assert answer.claims[0].text == text
    assert answer.citations[0].quote.count(" | ") == 4  # the whole row


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("一级站和二级站的乡镇补助分别是多少？", ["70万元：一级站", "45万元：二级站"]),
        ("三级站和一级站在城区补助多少？", ["30万元：三级站", "90万元：一级站"]),
        ("乡镇的二级站、三级站各补助多少？", ["45万元：二级站", "25万元：三级站"]),
    ],
)
def test_each_row_that_the_question_names_answers(store: PolicyStore, put: Put, question: str, said: list[str]) -> None:
    put("stations.md", STATIONS)
    answer = Assistant(store, reader=PointingReader("万元")).ask(question)
    assert [claim.text.split("：乡镇")[0].split("：城区")[0] for claim in answer.claims] == said
    assert len({citation.quote for citation in answer.citations}) == len(answer.citations) == 3  # the header once


def test_rows_may_be_named_by_any_cell_that_tells_them_apart(store: PolicyStore, put: Put) -> None:
    rows = "".join(
        f"| 桥东街道 | {name} | {places} |\n" for name, places in (("二中", 82), ("华侨中学", 46), ("三中", 30))
    )
    put("schools.md", f"# 惠城区学位计划\n\n| 街道 | 学校 | 计划数 |\n| --- | --- | --- |\n{rows}")
    answer = Assistant(store, reader=PointingReader("桥东街道")).ask("桥东街道的二中和华侨中学计划数分别是多少？")
    assert [claim.text for claim in answer.claims] == [
        "82：桥东街道：学校 二中；计划数 82",
        "46：桥东街道：学校 华侨中学；计划数 46",
    ]


@pytest.mark.parametrize(
    ("question", "quote", "left_out"),
    [
        ("花了60万能补多少？", "50万元以上不足150万元", "20%"),
        ("投入30万元能补多少？", "20万元以上不足50万元", "25%"),
        ("投了两百万能补多少？", "150万元以上", "30%"),
    ],
)
def test_a_row_of_another_range_is_no_answer(
    store: PolicyStore, put: Put, question: str, quote: str, left_out: str
) -> None:
    put(
        "tiers.md",
        "# 霁州市改造补助\n\n| 实际投入 | 补助比例 |\n| --- | --- |\n| 20万元以上不足50万元 | 30% |\n"
        "| 50万元以上不足150万元 | 25% |\n| 150万元以上 | 20% |\n",
    )
    answer = Assistant(store, reader=PointingReader("0%", "5%")).ask(question)
    assert quote in answer.citations[0].quote
    assert left_out not in answer.text


@pytest.mark.parametrize(
    ("question", "count", "shown"),
    [
        ("东湖区的老字号有哪些？", 13, 10),
        ("南浦区有多少家老字号？", 26, 10),
        ("东湖区一共有几家老字号？", 13, 10),
    ],
)
def test_all_rows_of_a_kind_are_counted_and_the_first_ten_named(
    store: PolicyStore, put: Put, question: str, count: int, shown: int
) -> None:
    put("shops.md", SHOPS)
    answer = Assistant(store, reader=PointingReader("酱园")).ask(question)
    (claim,) = answer.claims
    assert str(count) in claim.text
    assert claim.checks.numbers == "computed"
    assert claim.text.count("酱园") == shown
    assert len(answer.citations) == shown + 1
    district = "南浦区" if "南浦区" in question else "东湖区"
    assert all(citation.quote.strip("| ").endswith(district) for citation in answer.citations[1:])


@pytest.mark.parametrize(
    ("body", "points_at", "said"),
    [
        ("需要哪些材料？\n需要身份证和租赁合同。", "需要哪些材料", "需要身份证和租赁合同"),
        ("需要身份证。\n二、额度有上限吗\n每年最高提取18000元。", "额度有上限吗", "每年最高提取18000元"),
        ("问：多久能到账？\n答：审核通过后三个工作日到账。", "多久能到账？", "审核通过后三个工作日到账"),
    ],
)
def test_a_question_in_a_document_is_no_answer(
    store: PolicyStore, put: Put, body: str, points_at: str, said: str
) -> None:
    put("faq.txt", f"枫桥市租房提取问答\n\n{body}")
    answer = Assistant(store, reader=PointingReader(points_at)).ask("租房提取怎么办？")
    assert said in answer.text
    assert points_at not in answer.text
