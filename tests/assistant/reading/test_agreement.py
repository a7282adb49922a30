"""The places and years that a question names are those of what it is answered from."""

from __future__ import annotations

import pytest

from assistant.assembly import Assistant
from assistant.lexicon import Siblings
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
