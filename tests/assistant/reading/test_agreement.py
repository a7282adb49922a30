"""The places and years that a question names are those of what it is answered from."""

from __future__ import annotations

import pytest

from assistant.assembly import Assistant
from assistant.lexicon import Regions, Siblings
from tests.conftest import Put
from tests.word_reader import WordReader
from vectorstore.store import PolicyStore

POLICY = """海州市人才安居办法

第一条 2024年博士研究生来海州工作的，一次性给予15万元安家补贴。

第二条 硕士研究生每月发放800元租房补贴。
"""


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("博士研究生的安家补贴是多少？", True),
        ("海州市博士研究生的安家补贴是多少？", True),
        ("海州博士研究生的安家补贴是多少？", True),
        ("海州市东浦区博士研究生的安家补贴是多少？", False),
        ("2024年博士研究生的安家补贴是多少？", True),
        ("2027年博士研究生的安家补贴是多少？", False),
        ("龙港市博士研究生的安家补贴是多少？", False),
        ("深圳博士研究生的安家补贴是多少？", False),
        ("2027年硕士研究生每月的租房补贴是多少？", False),
    ],
)
def test_another_place_or_year_is_not_answered_from(
    store: PolicyStore, put: Put, question: str, answered: bool
) -> None:
    put("talent.txt", POLICY)
    answer = Assistant(store, reader=WordReader()).ask(question)
    assert answer.found is answered
    assert answered or answer.nearest


@pytest.mark.parametrize(
    ("asked", "said", "differ"),
    [
        ("硕士能领多少", "博士研究生一次性给予15万元", True),
        ("硕士能领多少", "博士、硕士研究生给予15万元", False),
        ("硕士能领多少", "本科及以上学历的给予15万元", False),
        ("master's degree 硕士", "博士研究生一次性给予15万元", True),
        ("合格的奖多少", "考核不合格的，不予奖励", True),
        ("二级伤残补助多少", "一级至四级伤残的，每月发放", False),
        ("三级伤残补助多少", "一级伤残的，每月发放3000元", True),
        ("园区能领多少", "博士研究生一次性给予15万元", False),
    ],
)
def test_another_kind_of_the_same_sort_is_known(asked: str, said: str, *, differ: bool) -> None:
    assert Siblings.load().differ(asked, said) is differ


@pytest.mark.parametrize(
    ("question", "places"),
    [
        ("What is the rent subsidy in Guangzhou?", ("广州",)),
        ("guangzhou rent subsidy", ("广州",)),
        ("Huicheng district in Huizhou", ("惠城区", "惠州")),
        ("Does she need Guangzhou hukou?", ("广州",)),
        ("Who worked out Hebei's guide to open competitions?", ("河北",)),
        ("How old must a dog owner be?", ()),
        ("How much does Jizhou (霁州) pay?", ("霁州",)),
        ("How much does Jizhou（霁州市）pay?", ("霁州",)),
    ],
)
def test_places_are_told_from_words_in_english(question: str, places: tuple[str, ...]) -> None:
    assert Regions.load().named_in_english(question) == places
