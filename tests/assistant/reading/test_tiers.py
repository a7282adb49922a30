"""Quantities in questions: which tier they belong to, and what is then said."""

from __future__ import annotations

import pytest

from assistant.assembly import Assistant
from assistant.reading.tiers import applies, tier
from tests.conftest import Put
from tests.word_reader import PointingReader
from vectorstore.store import PolicyStore

SHOWS = "面积达到一万平方米的展会，给予42万元补助；达到二万平方米的，给予88万元补助。"
LEAVE = "职工工作已满1年不满10年的，年休假5天；已满10年不满20年的，年休假10天；已满20年的，年休假15天。"
BIKES = "年满十二周岁的未成年人可以骑行共享单车。未满十二周岁的，不得骑行。"
FINES = "违法经营额不足五千元的，处一万元罚款；五千元以上五万元以下的，处三万元罚款；超过五万元的，处十万元罚款。"


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("3万平方米的展会补助多少？", SHOWS, "88万元"),
        ("1.5万平米的展会补助多少？", SHOWS, "42万元"),
        ("二万平方米的展会补助多少？", SHOWS, "88万元"),
        ("工作了12年休几天？", LEAVE, "休假10天"),
        ("干满10年能休几天？", LEAVE, "休假10天"),
        ("工龄三十年呢？", LEAVE, "15天"),
        ("13岁可以骑吗？", BIKES, "可以骑行"),
        ("我孩子11周岁能骑吗？", BIKES, "不得骑行"),
        ("卖了3000元的货罚多少？", FINES, "一万元罚款"),
        ("卖了五千元的货罚多少？", FINES, "三万元"),
        ("经营额8万元罚多少？", FINES, "十万元罚款"),
        ("奶奶92岁每月领多少？", "90—94岁 | 200元 | 按月发放", "200元"),
        ("奶奶94岁每月领多少？", "90至94周岁 | 200元 | 按月发放", "200元"),
        ("How much does a 92-year-old get?", "90—94岁 | 200元 | 按月发放", "200元"),
        ("I have worked here for 12 years. How many days of leave?", LEAVE, "休假10天"),
    ],
)
def test_the_part_that_holds_for_a_quantity_is_found(question: str, text: str, said: str) -> None:
    found = tier(question, text, (0, len(text)))
    assert found is not None
    assert said in text[slice(*found.piece)]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("5000平方米的展会补助多少？", SHOWS),
        ("干了6个月能休几天？", "工作满12个月的，年休假5天。"),
        ("奶奶96岁每月领多少？", "90—94岁 | 200元"),
    ],
)
def test_a_quantity_may_be_in_no_range(question: str, text: str) -> None:
    assert applies(question, text, (0, len(text)))
    assert tier(question, text, (0, len(text))) is None


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("补助多少钱？", SHOWS),
        ("2027年的展会补助多少？", SHOWS),
        ("3个展位补助多少？", SHOWS),
        ("投资2000万元奖励多少？", "给予最高500万元奖励。"),
    ],
)
def test_what_is_no_condition_makes_no_tier(question: str, text: str) -> None:
    assert not applies(question, text, (0, len(text)))


@pytest.mark.parametrize(
    ("question", "points_at", "headline", "quote", "not_said"),
    [
        (
            "3万平方米的展会补助多少？",
            "42万元",
            "您问的3万平方米 → 达到二万平方米。88万元：",
            "达到二万平方米的",
            "42万元",
        ),
        ("二万平方米的展会补助多少？", "42万元", "88万元：", "达到二万平方米的", "42万元"),
        (
            "1.5万平方米的展会补助多少？",
            "88万元",
            "您问的1.5万平方米 → 达到一万平方米。42万元：",
            "一万平方米",
            "88万元",
        ),
    ],
)
def test_a_tier_is_applied_to_the_quantity_asked_about(
    store: PolicyStore, put: Put, question: str, points_at: str, headline: str, quote: str, not_said: str
) -> None:
    put("shows.txt", f"枫桥市展会补助办法\n\n第一条 {SHOWS}")
    answer = Assistant(store, reader=PointingReader(points_at)).ask(question)
    assert answer.text.startswith(headline)
    assert quote in answer.citations[0].quote
    assert not_said not in answer.text


@pytest.mark.parametrize(
    ("question", "side"), [("13岁可以骑吗？", "可以："), ("十五岁可以骑吗？", "可以："), ("11岁可以骑吗？", "不可以：")]
)
def test_an_age_is_compared_and_not_contradicted(store: PolicyStore, put: Put, question: str, side: str) -> None:
    put("bikes.txt", f"枫桥市共享单车管理办法\n\n第一条 {BIKES}")
    answer = Assistant(store, reader=PointingReader("年满十二周岁的未成年人可以骑行共享单车")).ask(question)
    assert f"。{side}" in answer.text
    assert "不符" not in answer.text
