"""Filters of the page: which choices there are, what is made of what was chosen, and how a turn shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from channels import conversation, markup
from channels.filtering import Chosen, choices, chosen_from, described
from tests.channels.test_server import HERE, PASSWORD, call
from vectorstore.passage import Metadata

# Gradio counts its queue with options that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

QUESTION = "专业展览每场最高补贴多少？"
ROWS: list[dict[str, Any]] = [
    {"region": "云川市", "issuer": "市财政局 市商务局", "kind": "办法", "published": "2023-05-01", "valid_from": "2023-06-01", "valid_until": "2025-05-31"},
    {"region": "云川市", "issuer": "市财政局", "kind": None, "published": None, "valid_from": "2020-01-01", "valid_until": None},
    {"region": None, "issuer": None, "kind": "新闻", "published": None, "valid_from": None, "valid_until": None},
]  # fmt: skip


def values(name: str, today: str = "2024-03-01") -> list[str]:
    return [value for value, _ in choices(ROWS, today, "zh")[name]]


def test_the_choices_are_what_the_documents_have_the_most_common_first() -> None:
    assert values("region") == ["云川市"]
    assert values("issuer") == ["市财政局", "市商务局"]
    assert values("kind") == ["办法", "新闻"]


def test_a_document_belongs_to_the_year_it_came_out_and_to_those_it_runs_in_until_now() -> None:
    assert values("year") == ["2024", "2023", "2020"]
    assert values("year", "2031-01-01") == ["2025", "2024", "2023", "2020"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_validity_is_said_in_words(language: Any) -> None:
    said = choices(ROWS, "2024-03-01", language)["validity"]
    assert [value for value, _ in said] == ["in_force", "expired", "not_yet", "superseded", "undated"]
    assert not any("_" in words for _, words in said)


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({"region": " 云川市 ", "kind": "", "as_of": "2026-01-31"}, Chosen({"region": "云川市"}, "2026-01-31")),
        ({"region": 5, "year": None, "kind": ["办法"]}, Chosen()),
        ({"region": "长" * 500}, Chosen({"region": "长" * 200})),
        (None, Chosen()),
        ("region=云川市", Chosen()),
        ([["region", "云川市"]], Chosen()),
        ("<div>the component's own value</div>", Chosen()),
    ],
)
def test_what_comes_with_an_event_is_read_with_care(given: object, chosen: Chosen) -> None:
    assert chosen_from(given) == chosen


@pytest.mark.parametrize(
    ("day", "dated"), [("", True), ("2026-01-31", True), ("2026-02-30", False), ("20260131", False), ("?", False)]
)
def test_a_day_is_a_whole_date_or_not_named(day: str, dated: bool) -> None:
    assert Chosen({}, day).dated == dated


def test_a_question_is_answered_within_what_was_chosen(shelf: Any) -> None:
    def asked(**given: str) -> Any:
        *_, turns = conversation.ask(shelf.assistant, (), QUESTION, "zh", chosen=chosen_from(given))
        return turns[-1]

    assert asked().answer.status == "answered"
    assert [warning.code for warning in asked().answer.warnings] == ["expired"]
    within = asked(as_of="2018-05-01")
    assert within.answer.as_of == "2018-05-01"
    assert within.answer.warnings == ()
    assert asked(validity="in_force").answer.status == "not_found"
    assert asked(validity="expired").answer.status == "answered"


@pytest.mark.parametrize("given", [{"validity": "nonsense"}, {"year": "last"}, {"colour": "red"}])
def test_a_filter_that_there_is_not_is_the_turns_problem(shelf: Any, given: dict[str, str]) -> None:
    *_, turns = conversation.ask(shelf.assistant, (), QUESTION, "zh", chosen=chosen_from(given))
    assert turns[-1].state == "failed"
    assert turns[-1].question == QUESTION
    assert next(iter(given)) in turns[-1].problem


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", ["云川市", "现行有效（含未注明期限）", "按2026-01-31作答"]), ("en", ["云川市", "In force, or no period stated", "as of 2026-01-31"])],
)  # fmt: skip
def test_a_turn_shows_what_it_was_narrowed_to_in_either_language(shelf: Any, language: Any, words: list[str]) -> None:
    chosen = Chosen({"validity": "in_force", "region": "云川市"}, "2026-01-31")
    assert described(chosen, language) == words
    shown = markup.conversation((conversation.Turn("问？", "done", chosen=chosen),), language)
    assert re.findall(r'<span class="chip"[^>]*>(.*?)</span>', shown) == words
    assert 'class="narrowed"' not in markup.conversation((conversation.Turn("问？", "done"),), language)


def test_what_was_chosen_never_becomes_markup() -> None:
    chosen = Chosen({"region": "<img src=x onerror=window.hacked=1>", "<b>": "<script>"}, "<i>")
    shown = markup.conversation((conversation.Turn("问？", "done", chosen=chosen),), "zh")
    assert all(tag not in shown for tag in ("<img", "<script", "<b>", "<i>"))


# over the wire


@pytest.fixture(scope="module")
def client(shelf: Any) -> Iterator[TestClient]:
    with TestClient(shelf.app(), base_url=HERE, raise_server_exceptions=False) as opened:
        yield opened


def asked_with(client: TestClient, given: object, session: str) -> str:
    return call(client, "example_select", ["", None, None, given], {"question": QUESTION}, session)


def test_filters_come_with_the_question(client: TestClient) -> None:
    assert "现已届满" in asked_with(client, {}, "plain")
    within = asked_with(client, {"as_of": "2018-05-01"}, "dated")
    assert "现已届满" not in within
    assert "按2018-05-01作答" in within


def test_a_bad_day_is_said_and_no_turn_is_made(client: TestClient) -> None:
    said = asked_with(client, {"as_of": "2026-13-01"}, "bad day")
    assert "不是一个完整的日期" in said
    assert 'class=\\"turn\\"' not in said


def test_where_asking_is_keyed_the_choices_are_for_who_has_signed_in(shelf: Any) -> None:
    shelf.holdings.put("secret.txt", "内部内容。", Metadata(title="内部", issuer="云川市机要局"))
    with TestClient(shelf.app(PASSWORD, keyed=True), base_url=HERE) as client:
        assert "机要局" not in call(client, "apply", [None])
        assert "机要局" not in call(client, "load", [None])
        assert client.post("/admin/sign-in", data={"password": PASSWORD}).status_code == 204
        assert "data-filter" in call(client, "apply", [None])
        assert "机要局" in call(client, "apply", [None])


def test_where_asking_is_open_everybody_has_the_choices(shelf: Any) -> None:
    with TestClient(shelf.app(PASSWORD), base_url=HERE) as client:
        said = call(client, "apply", [None])
        assert "data-filter" in said
        assert "fairs.txt" not in said
