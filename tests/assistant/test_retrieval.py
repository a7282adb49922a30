"""How well texts say the terms of a question."""

from __future__ import annotations

import pytest

from assistant import Assistant
from assistant.question import Term
from assistant.retrieval import term_match
from tests.conftest import Put
from vectorstore.store import PolicyStore


@pytest.mark.parametrize(
    ("term", "text", "says"),
    [
        ("2号", "海州市第2号项目", True),
        ("2号", "海州市第12号项目", False),
        ("12号", "海州市第12号项目，不是第2号", True),
        ("2号", "第12号和第2号", True),
        ("第3", "第30条", False),
        ("5倍", "1.5倍", False),
        ("1.5倍", "最高1.5倍", True),
        ("项目", "第12号项目", True),
    ],
)
def test_a_number_is_said_as_a_whole(term: str, text: str, says: bool) -> None:
    assert (term_match(Term(term), text) == 1.0) is says


def test_policies_that_differ_in_a_number_are_not_mixed_up(store: PolicyStore, put: Put) -> None:
    for number in (2, 12, 22):
        put(
            f"{number}.txt",
            f"海州市第{number}号项目办法\n\n第1条 对海州市第{number}号项目给予最高{number}01万元奖励。\n",
        )
    with Assistant(store) as assistant:
        for number in (2, 12, 22):
            answer = assistant.ask(f"海州市第{number}号项目最高奖励多少？")
            assert [f"最高{number}01万元" in claim.text for claim in answer.claims] == [True]
