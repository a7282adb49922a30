"""What is said that no document answers: greetings, thanks, questions about the assistant and its documents."""

from __future__ import annotations

import pytest

from assistant.assembly import Assistant
from assistant.lexicon.small_talk import small_talk
from channels.render import plain
from tests.conftest import PARK, TALENT, Put
from tests.word_reader import WordReader
from vectorstore.store import PolicyStore


@pytest.fixture
def assistant(store: PolicyStore, put: Put) -> Assistant:
    put("park.txt", PARK)
    put("talent.txt", TALENT)
    return Assistant(store, reader=WordReader())


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("你好", "greeting"), ("您好！", "greeting"), ("在吗", "greeting"), ("Hello!", "greeting"),
        ("谢谢！", "thanks"), ("多谢您", "thanks"), ("Thanks a lot", "thanks"),
        ("你是谁？", "identity"), ("你能做什么", "identity"), ("帮助", "identity"), ("What can you do?", "identity"),
        ("你们有哪些文件？", "documents"), ("收录了多少份政策文件", "documents"), ("What documents do you have?", "documents"),
        ("有没有关于养犬的规定？", "topic"), ("有关于人才的政策吗", "topic"), ("Is there a policy about parking?", "topic"),
        ("不对", "complaint"), ("你答错了！", "complaint"), ("That's wrong.", "complaint"),
        ("今天天气怎么样？", "other"),
        ("你好，园区最高能拿多少奖励？", ""), ("申请要哪些文件？", ""), ("哪些文件废止了", ""), ("有没有对博士的补贴", ""),
        ("材料不对怎么办", ""), ("这个办法的配套有哪些文件？", ""), ("谢谢，申请截止到哪天", ""),
    ],
)  # fmt: skip
def test_talk_is_told_from_questions(question: str, kind: str) -> None:
    assert small_talk(question)[0] == kind


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("你好", "附原文出处"),
        ("谢谢！", "不客气"),
        ("你是谁？", "知策"),
        ("不对", "缺了什么"),
        ("Hello!", "exact words"),
        ("What can you do?", "Zhice"),
        ("That's wrong.", "what is missing"),
    ],
)
def test_talk_is_met_with_a_sentence_and_no_claim(assistant: Assistant, question: str, said: str) -> None:
    answer = assistant.ask(question)
    assert (answer.status, answer.claims, answer.nearest, answer.found) == ("info", (), (), False)
    assert said in answer.text


@pytest.mark.parametrize("question", ["你们有哪些文件？", "What documents do you have?"])
def test_the_documents_on_file_are_counted_and_linked(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert answer.status == "info"
    assert "2" in answer.text
    assert {each.title for each in answer.nearest} == {"海州市产业园区运营机构奖励办法", "海州市青年人才安居办法"}
    assert all(each.link.startswith("/d/") for each in answer.nearest)
    assert "自行核对" not in plain(answer)


def test_only_documents_that_a_filter_admits_are_listed(assistant: Assistant, put: Put) -> None:
    (one, _) = assistant.ask("你们有哪些文件？").nearest
    answer = assistant.ask("你们有哪些文件？", filters={"document_id": one.document_id})
    assert [each.document_id for each in answer.nearest] == [one.document_id]


@pytest.mark.parametrize("question", ["有没有关于人才安居的政策？", "有涉及安家补贴的办法吗"])
def test_the_documents_on_a_topic_are_named(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert answer.status == "info"
    assert [each.title for each in answer.nearest] == ["海州市青年人才安居办法"]


def test_a_topic_of_no_document_is_said_to_be_none(assistant: Assistant) -> None:
    answer = assistant.ask("有没有关于养犬登记的规定？")
    assert (answer.status, answer.nearest) == ("info", ())
    assert "没有与此有关" in answer.text


def test_where_nothing_is_on_file_that_is_said(store: PolicyStore) -> None:
    answer = Assistant(store, reader=WordReader()).ask("你们有哪些文件？")
    assert (answer.status, answer.nearest) == ("info", ())
    assert "还没有" in answer.text
