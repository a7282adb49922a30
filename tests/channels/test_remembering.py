"""Conversations beyond one process: what was asked is shown again as it was, and gone on with."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.answer import Answer
from assistant.assembly import Assistant
from channels import conversation, markup
from channels.conversation import Turns
from channels.filtering import Chosen
from channels.remembering import Memory
from vectorstore.conversations import Conversations
from vectorstore.errors import StoreError


@pytest.fixture
def assistant(shelf: Any) -> Assistant:
    return shelf.assistant  # type: ignore[no-any-return]


def asked(assistant: Assistant, *questions: str) -> Turns:
    turns: Turns = ()
    for question in questions:
        *_, turns = conversation.ask(assistant, turns, question, "zh", chosen=Chosen({"year": "2025"}, "2025-06-01"))
    return turns


@pytest.mark.parametrize(
    "question", ["园区管理机构每年最高能拿到多少奖补？", "今天天气怎么样？", "What subsidy does a park manager get?"]
)
def test_an_answer_comes_back_from_its_plain_form(assistant: Assistant, question: str) -> None:
    plain = assistant.ask(question).to_dict()
    assert Answer.from_dict(plain).to_dict() == plain


def test_a_conversation_is_shown_again_as_it_was(assistant: Assistant) -> None:
    turns = asked(assistant, "园区管理机构每年最高能拿到多少奖补？", "那考核指标有哪些？")
    Memory(assistant).keep("tab", turns)
    again = Memory(assistant).turns("tab", ())
    assert len(again) == 2
    assert markup.conversation(again, "zh") == markup.conversation(turns, "zh")
    assert conversation.kept_ids(again) == conversation.kept_ids(turns)
    assert [turn.chosen for turn in again] == [turn.chosen for turn in turns]
    assert Memory(assistant).turns("another", ()) == ()


def test_what_this_process_holds_goes_before_what_was_kept(assistant: Assistant) -> None:
    memory, turns = Memory(assistant), asked(assistant, "园区管理机构每年最高能拿到多少奖补？")
    memory.keep("tab", turns)
    held = (*turns, *turns)
    assert memory.turns("tab", held) is held
    memory.keep("tab", ())
    assert memory.turns("tab", ()) == ()


def test_an_answer_that_is_not_kept_any_more_is_left_out(assistant: Assistant) -> None:
    memory, turns = Memory(assistant), asked(assistant, "园区管理机构每年最高能拿到多少奖补？", "那考核指标有哪些？")
    memory.keep("tab", turns)
    first = turns[0].answer
    assert first is not None
    assistant.store.catalog.connection().execute("DELETE FROM answers WHERE answer_id = ?", (first.id,))
    assert [turn.question for turn in memory.turns("tab", ())] == ["那考核指标有哪些？"]


def test_where_nothing_can_be_kept_the_page_goes_on(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> list[Any]:
        raise StoreError("away")

    monkeypatch.setattr(Conversations, "keep", away)
    monkeypatch.setattr(Conversations, "of", away)
    memory, turns = Memory(assistant), asked(assistant, "园区管理机构每年最高能拿到多少奖补？")
    memory.keep("tab", turns)
    assert memory.turns("tab", turns) == turns
    assert memory.turns("tab", ()) == ()
    assert len(caplog.records) == 2
