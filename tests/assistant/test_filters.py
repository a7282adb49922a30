"""Which documents an answer may stand on: as asked for, as the question says, and as the day has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Assistant
from assistant.errors import AssistantError
from assistant.filters import admitted, checked, said_in
from ingest.preparing import prepare
from vectorstore.store import PolicyStore

POLICIES = {
    "park-2020.txt": "海州市园区奖励办法（2020年）\n\n海州市工业和信息化局\n2020年1月2日\n\n第一条 优秀园区每年给予最高100万元奖励。\n\n"
    "第二条 本办法自2020年2月1日起施行，有效期至2022年12月31日。\n",
    "park-2024.txt": "海州市园区奖励办法（2024年）\n\n海州市工业和信息化局\n2024年1月2日\n\n第一条 优秀园区每年给予最高300万元奖励。\n\n"
    "第二条 本办法自2024年2月1日起施行，有效期至2099年12月31日。\n",
    "park-yunchuan.txt": "云川市园区奖励办法\n\n云川市财政局\n2024年5月6日\n\n第一条 优秀园区每年给予最高500万元奖励。\n",
    "news.txt": "海州日报记者 王某\n\n海州：优秀园区有了新奖励\n\n来源：海州日报  发布时间：2024-02-03\n\n"
    "优秀园区每年给予最高900万元奖励，园区负责人说。\n",
}


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    opened = Assistant(PolicyStore(tmp_path / "kb"))
    for name, text in POLICIES.items():
        document, passages = prepare(text.encode(), name)
        opened.store.put(document, passages, key=name, sha256=name)
    return opened


QUESTION = "优秀园区每年最高能拿到多少奖励？"


@pytest.mark.parametrize(
    ("filters", "figure"),
    [
        ({"region": "云川"}, "500万元"),
        ({"issuer": "财政局"}, "500万元"),
        ({"kind": "新闻"}, "900万元"),
        ({"region": "海州", "validity": "in_force"}, "300万元"),
        ({"region": "海州", "validity": "expired"}, "100万元"),
        ({"region": "海州", "year": "2021"}, "100万元"),
        ({"region": "海州", "year": "2025"}, "300万元"),
    ],
)
def test_only_what_passes_the_filters_answers(assistant: Assistant, filters: dict[str, str], figure: str) -> None:
    answer = assistant.ask(QUESTION, filters=filters, as_of="2026-06-01")
    assert figure in answer.text
    assert len({citation.document_id for citation in answer.citations}) == 1
    assistant.close()


def test_nothing_passes_so_nothing_is_found(assistant: Assistant) -> None:
    assert assistant.ask(QUESTION, filters={"region": "青石市"}).status == "not_found"
    assistant.close()


@pytest.mark.parametrize(
    ("question", "figure"),
    [
        ("云川市财政局发布的办法里，优秀园区每年最高奖励多少？", "500万元"),
        ("海州市已经失效的办法里，优秀园区每年最高奖励多少？", "100万元"),
        ("海州市现行有效的办法里，优秀园区每年最高奖励多少？", "300万元"),
        pytest.param(
            "2021年海州的优秀园区每年最高奖励多少？",
            "100万元",
            marks=pytest.mark.xfail(reason="the reader does not know when a policy is in force", strict=True),
        ),
    ],
)
def test_filters_are_read_from_the_question(assistant: Assistant, question: str, figure: str) -> None:
    assert figure in assistant.ask(question, as_of="2026-06-01").text
    assistant.close()


def test_what_the_question_says_gives_way_where_no_document_is_so(assistant: Assistant) -> None:
    assert assistant.ask("云川市人民政府发布的办法里，优秀园区每年最高奖励多少？", as_of="2026-06-01").found
    assistant.close()


def test_a_policy_goes_before_the_news_of_it_and_what_is_in_force_before_what_was(assistant: Assistant) -> None:
    answer = assistant.ask("海州市优秀园区每年最高能拿到多少奖励？", as_of="2026-06-01")
    assert "300万元" in answer.text
    assert "900万元" not in answer.text
    assert "100万元" not in answer.text
    assert answer.warnings == ()
    assistant.close()


def test_on_an_earlier_day_the_earlier_policy_answers(assistant: Assistant) -> None:
    answer = assistant.ask("海州市优秀园区每年最高能拿到多少奖励？", as_of="2021-06-01")
    assert "100万元" in answer.text
    assert "expired" not in [warning.code for warning in answer.warnings]
    assistant.close()


def test_news_alone_answer_and_are_called_so(assistant: Assistant) -> None:
    answer = assistant.ask(QUESTION, filters={"kind": "新闻"})
    assert [warning.code for warning in answer.warnings] == ["news"]
    assert {citation.kind for citation in answer.citations} == {"新闻"}
    assistant.close()


@pytest.mark.parametrize("filters", [{"year": "23"}, {"validity": "maybe"}, {"place": "海州"}])
def test_a_filter_that_cannot_be_is_refused(filters: dict[str, str]) -> None:
    with pytest.raises(AssistantError, match=next(iter(filters))):
        checked(filters)


def test_empty_filters_filter_nothing(assistant: Assistant) -> None:
    assert checked({"region": " ", "year": ""}) == {}
    assert admitted(assistant.standing(), {}, "2026-01-01") is None
    assert said_in("园区奖励多少？") == ("园区奖励多少？", {})
    assistant.close()
