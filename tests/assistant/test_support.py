from __future__ import annotations

import pytest

from assistant.lexicon import AskingWords, EnglishTable, Glossary, Regions
from assistant.question import Understanding
from assistant.support import Source, Support, beside_figures
from assistant.words import Words, vocabulary

LAND = Source("园区存量厂房占用地的55%,增量厂房占用地的比重不低于45%", "海州市工业用地规定 海州市自然资源局")
REWARD = Source("对考核合格的园区管理机构,每年给予最高800万元奖补", "海州市园区奖励办法 第二章 奖励对象和标准")

HOMES = Source("海州市智能家电企业不得将补助资金用于偿还债务", "海州市智能家电企业扶持办法")
DEBTS = Source("海州市软件服务企业不得将补助资金用于偿还债务", "海州市企业扶持办法")
GRADES = Source("对考核达到良好以上等次的园区管理机构,每年给予最高800万元奖补", "海州市园区奖励办法")


@pytest.fixture(scope="module")
def support() -> Support:
    asking = AskingWords.load()
    words = Words(
        vocabulary(),
        asking.particles,
        verbs=asking.verbs,
        terms=(*Glossary.load(), *Regions.load()),
    )
    return Support(Understanding(words, asking, Glossary.load(), Regions.load(), EnglishTable.load))


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("存量厂房占用地的55%", LAND),
        ("增量厂房占比不低于45%，存量厂房占比55%", LAND),
        ("存量厂房和增量厂房占用地的比重分别为55%和不低于45%", LAND),
        ("Existing factory buildings use 55% of the land", LAND),
        ("园区管理机构每年最高可获得800万元奖补", REWARD),
        ("园区管委会每年最高可以拿到800万元的奖励", REWARD),
        ("海州市对考核合格的园区管理机构给予最高800万元奖补", REWARD),
        ("Park management bodies can receive up to 8 million yuan a year", REWARD),
        ("园区管理机构考核良好以上的，每年奖补不超过800万元", GRADES),
        ("文件规定“海州市软件服务企业不得将补助资金用于偿还债务”", DEBTS),
        ("文件明确规定，补助资金不能由海州市软件服务企业用来偿还债务", DEBTS),
        ("Under the measures, park management bodies receive up to 8 million yuan a year", REWARD),
    ],
)
def test_a_paraphrase_is_borne_out(support: Support, claim: str, source: Source) -> None:
    assert support.problems(claim, [source]) == []


@pytest.mark.parametrize(
    ("claim", "source", "problem"),
    [
        ("存量厂房占用地的45%", LAND, "bound"),
        ("增量厂房占用地的55%", LAND, "another figure"),
        ("存量厂房和增量厂房的比重分别为不低于45%和55%", LAND, "another figure"),
        ("临潮的存量厂房占用地的55%", LAND, ""),
        ("烟台的存量厂房占用地的55%", LAND, "烟台"),
        ("市财政局规定存量厂房占用地的55%", LAND, "市财政局"),
        ("周末可以去海边散步，比重为55%", LAND, "most of its words"),
        ("企业每年最高可得800万元奖补", REWARD, "企业"),
        ("园区管理机构每年可获800万元奖补", REWARD, "bound"),
        ("园区管理机构每年最高可获8000万元奖补", REWARD, "stands in no quote"),
        ("Park management bodies can receive up to 80 million yuan a year", REWARD, "stands in no quote"),
        ("对考核合格的园区管理机构不给予奖补", REWARD, "denies"),
        ("对考核达到良好以下等次的园区管理机构，每年给予最高800万元奖补", GRADES, "sets a limit"),
        ("云川市智能家电企业不得将补助资金用于偿还债务", HOMES, "云川市"),
        ("海州市会展企业不得将补助资金用于偿还债务", DEBTS, "会展"),
        ("文件规定“海州市软件服务企业不得将“补助”资金用于偿还贷款”", DEBTS, "is no quote"),
        ("“卡尔德公司”每年最高可得800万元奖补", REWARD, "卡尔德公司"),
    ],
)
def test_what_is_not_borne_out_is_found(support: Support, claim: str, source: Source, problem: str) -> None:
    found = support.problems(claim, [source])
    assert found
    assert any(problem in each for each in found)


def test_the_words_beside_a_figure() -> None:
    assert beside_figures("存量占比60%，增量占比40%") == ["存量占比", "增量占比"]
    assert beside_figures("存量、增量的比重分别为60%、40%") == ["存量", "增量的比重"]
    assert beside_figures("奖励：500万元") == ["奖励"]


@pytest.mark.parametrize(
    ("claim", "borne_out"),
    [
        ("海州市软件服务企业可以通过政务服务网提交申请", True),
        ("申请由海州市软件服务企业通过政务服务网提交", True),
        ("海州市会展服务企业可以通过政务服务网提交申请", False),  # 会 and 务 are in the source, 会展 is not
        ("申请由海州市检验检测机构通过政务服务网提交", False),
        ("申请由云川市软件服务企业通过政务服务网提交", False),
    ],
)
def test_a_claim_without_a_figure_is_about_the_kind_of_body_and_the_place_of_its_source(
    support: Support, claim: str, *, borne_out: bool
) -> None:
    source = Source("海州市软件服务企业通过政务服务网提交申请，由园区管委会初审", "海州市软件服务企业扶持办法")
    assert (support.problems(claim, [source]) == []) is borne_out
