"""Readings to candidates: which words are quoted, which figure stands in front, what a chance is made of."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from assistant.assembly import Assistant
from assistant.quoting import LONGEST_QUOTE
from assistant.reading.candidates import LONGEST_LIST, SOFTNESS, calibration, features, log_odds
from assistant.reading.passage_reader import AnswerSpan, PassageReading, PassageText
from assistant.retrieval import Evidence, retrieve
from tests.conftest import PARK, TALENT, Put
from tests.word_reader import PointingReader
from vectorstore.passage import Hit, Metadata, Passage
from vectorstore.store import PolicyStore

LIST = """海州市补贴办法

第一条 申请补贴应当提交下列材料：
（一）申请表；
（二）身份证；
（三）户口簿。
第二条 其他事项另行规定。
"""


def said(store: PolicyStore, words: str, question: str = "补贴怎么申请？") -> list[str]:
    answer = Assistant(store, reader=PointingReader(words)).ask(question)
    for citation in answer.citations:
        assert store.text(citation.document_id, citation.version)[citation.start : citation.end] == citation.quote
    return [claim.text for claim in answer.claims]


@pytest.mark.parametrize("words", ["申请表", "身份证", "（一）申请表；\n（二）身份证；\n（三）户口簿"])
def test_a_list_is_quoted_from_the_item_or_whole(store: PolicyStore, put: Put, words: str) -> None:
    put("list.txt", LIST)
    (claim,) = said(store, words)
    assert words in claim


def test_a_lead_is_quoted_with_all_its_items(store: PolicyStore, put: Put) -> None:
    put("list.txt", LIST)
    (claim,) = said(store, "应当提交下列材料")
    assert all(item in claim for item in ("申请表", "身份证", "户口簿"))
    assert "另行规定" not in claim


def test_of_a_long_sentence_the_clauses_around_the_answer_are_quoted(store: PolicyStore, put: Put) -> None:
    before, behind = "园区应当遵守甲项规定，" * 20, "并且应当遵守乙项规定，" * 20
    put("long.txt", f"海州市补贴办法\n\n第一条 {before}每年补贴80万元，{behind}以此为准。")
    (claim,) = said(store, "每年补贴80万元")
    assert "每年补贴80万元" in claim
    assert len(claim) <= LONGEST_QUOTE + len("80万元：")


def test_a_very_long_list_is_cut(store: PolicyStore, put: Put) -> None:
    items = "\n".join(
        f"（{number}）第{number}种材料，由申请人自行准备并加盖公章；" for number in "一二三四五六七八九十"
    )
    put("list.txt", f"海州市补贴办法\n\n第一条 申请补贴应当提交下列材料：\n{items}\n")
    assert all(len(claim) <= LONGEST_LIST for claim in said(store, "应当提交下列材料"))


@pytest.mark.parametrize(
    ("words", "headline"),
    [
        ("最高3000万元", "最高3000万元"),
        ("3000万元", "最高3000万元"),
        ("对考核优秀的园区运营机构，每年给予最高3000万元奖励", ""),
    ],
)
def test_a_figure_that_answers_stands_in_front_with_its_bound(
    store: PolicyStore, put: Put, words: str, headline: str
) -> None:
    put("park.txt", PARK)
    (claim,) = said(store, words, "园区有多少奖励？")
    assert claim.startswith(headline)
    assert claim.startswith("最高") is bool(headline)


def evidence(relevance: float) -> Evidence:
    hit = Hit(
        passage_id=1, document_id="d", version=1, passage=Passage(0, 0, 10), metadata=Metadata(), source="a.txt",
        collection="own", lexical=1.0, coverage=0.5, cosine=0.5, text="园区奖励三千万元啊",
    )  # fmt: skip
    return Evidence(hit, 1.0, PassageReading(relevance, (AnswerSpan(0, 4, 0.5),), ((0, 2),)), relevance)


def test_the_features_are_those_that_the_calibration_weighs() -> None:
    best, other = evidence(0.9), evidence(0.2)
    told = features(best, [best, other])
    assert set(told) == set(calibration().weights)
    assert told["share"] == pytest.approx(-math.log(1 + math.exp(-0.7 / SOFTNESS)))
    assert told["found_ahead"] == 0
    assert 0 < calibration().confidence(told) < 1
    assert calibration().confidence(told) > calibration().confidence(features(other, [best, other]))


def test_a_model_that_is_sure_beyond_measure_does_no_harm() -> None:
    assert log_odds(1.0) == pytest.approx(-log_odds(0.0))
    assert calibration().confidence(features(evidence(1.0), [evidence(1.0)])) <= 1


@pytest.mark.parametrize(
    ("question", "quoted", "reason"),
    [
        ("博士的安家补贴多少钱？", "15万元", "可能是答案"),
        ("补贴什么时候发？", "15万元", "没有写明时间"),
        ("受理的部门能给多少钱？", "人力资源", "没有写明数字"),
    ],
)
def test_a_near_passage_says_what_it_lacks(
    store: PolicyStore, put: Put, question: str, quoted: str, reason: str
) -> None:
    class Unsure(PointingReader):
        def read(self, question: str, passages: list[PassageText]) -> list[PassageReading]:
            return [replace(each, relevance=min(each.relevance, 0.05)) for each in super().read(question, passages)]

    put("talent.txt", TALENT)
    answer = Assistant(store, reader=Unsure(quoted)).ask(question)
    assert answer.status == "not_found"
    assert [reason in each.reason for each in answer.nearest if quoted in each.quote] == [True]


def test_of_the_spans_of_a_passage_that_of_the_kind_asked_for_is_taken(store: PolicyStore, put: Put) -> None:
    class Both(PointingReader):
        def read(self, question: str, passages: list[PassageText]) -> list[PassageReading]:
            first, second = super().read(question, passages), PointingReader("每年3月31日前").read(question, passages)
            return [replace(one, spans=one.spans + other.spans) for one, other in zip(first, second, strict=True)]

    put("due.txt", "海州市补贴办法\n\n第一条 逾期不申请的，视为放弃。申请人应当在每年3月31日前申请。")
    answer = Assistant(store, reader=Both("视为放弃")).ask("补贴申请截止到什么时候？")
    assert "3月31日" in answer.text


def test_a_list_over_two_passages_is_quoted_whole_where_one_is_asked_for(store: PolicyStore, put: Put) -> None:
    items = "\n\n".join(f"（{number}）第{number}份材料，{'应当加盖公章，' * 9}不得涂改；" for number in "一二三四五六")
    put("list.txt", f"海州市补贴办法\n\n第一条 申请补贴应当提交下列材料：\n\n{items}\n\n第二条 其他事项另行规定。")
    (claim,) = said(store, "第五份材料", "申请补贴要带什么材料？")
    assert "下列材料" in claim
    assert "第一份材料" in claim
    assert "第六份材料" in claim
    assert "另行规定" not in claim


def test_the_search_finds_what_the_reader_then_orders(store: PolicyStore, put: Put) -> None:
    put("list.txt", LIST)
    put("park.txt", PARK)
    reader = PointingReader("3000万元")
    query = Assistant(store, reader=reader).understanding.understand("补贴怎么申请？")
    assert "3000万元" in retrieve(store, query, reader)[0].hit.text
