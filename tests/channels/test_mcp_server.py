"""The tools of the Model Context Protocol, called over HTTP by the protocol's own client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from assistant.assembly import Assistant
from assistant.model import ModelSettings
from channels.access import QUESTIONS_A_MINUTE
from tests.assistant.scripted_model import ScriptedModel
from tests.channels.conftest import whole_app
from tests.channels.test_rest import WRITTEN, eventually, two_sentences
from tests.conftest import PARK, Put
from vectorstore.store import PolicyStore

# Gradio counts its queue with options that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

QUESTION = "园区管理机构每年最高能拿到多少奖补？"
T = TypeVar("T")


@pytest.fixture(scope="module")
def address(shelf: Any, serving: Callable[[Any], str]) -> str:
    return serving(whole_app(shelf.assistant))


@pytest.fixture(scope="module")
def keyed(shelf: Any, serving: Callable[[Any], str]) -> str:
    return serving(
        whole_app(shelf.assistant, keyed=True, admin_password="password", public_url="https://zhice.example.com")
    )


def using(
    address: str, do: Callable[[Client], Awaitable[T]], *, key: str = "", mode: str = "auto", **headers: str
) -> T:
    """What a client comes to that is connected to a server's tools."""

    async def run() -> T:
        bearing = {"authorization": f"Bearer {key}"} if key else {}
        async with (
            httpx2.AsyncClient(headers={**bearing, **headers}, timeout=20) as http,
            Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
        ):
            return await do(client)

    return asyncio.run(run())


def failure(call: Callable[[], Any]) -> str:
    """The message of the protocol error that a call ends in."""
    with pytest.raises((MCPError, BaseExceptionGroup)) as raised:
        call()
    error: BaseException = raised.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, MCPError)
    return str(error)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_both_tools_are_there_and_say_what_they_take(address: str, mode: str) -> None:
    tools = {tool.name: tool for tool in using(address, lambda client: client.list_tools(), mode=mode).tools}
    assert set(tools) == {"ask_policy", "find_passages"}
    asks = tools["ask_policy"].input_schema
    assert asks["required"] == ["question"]
    assert set(asks["properties"]) == {"question", "history", "as_of"}
    assert set(tools["find_passages"].input_schema["properties"]) == {"question", "limit"}
    assert all(tool.description for tool in tools.values())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_question_is_answered_with_quotes(address: str, shelf: Any, new_key: Callable[..., str], mode: str) -> None:
    asked = using(
        address, lambda client: client.call_tool("ask_policy", {"question": QUESTION}), mode=mode, key=new_key()
    )
    own = shelf.assistant.ask(QUESTION)
    assert not asked.is_error
    assert asked.structured_content["text"] == own.text
    assert asked.structured_content["citations"][0]["quote"] == own.citations[0].quote
    assert own.text in asked.content[0].text
    assert f"“{own.citations[0].quote}”" in asked.content[0].text


def test_history_and_day_reach_the_assistant(address: str, new_key: Callable[..., str]) -> None:
    arguments = {"question": "那考核指标有哪些？", "history": ["园区管理机构有什么奖补？"], "as_of": "2020-01-31"}
    asked = using(address, lambda client: client.call_tool("ask_policy", arguments), key=new_key())
    assert "主营业务收入" in asked.structured_content["text"]
    assert asked.structured_content["as_of"] == "2020-01-31"


def test_passages_are_found_at_their_places(address: str, shelf: Any, new_key: Callable[..., str]) -> None:
    arguments = {"question": "专业展览补贴", "limit": 2}
    found = using(address, lambda client: client.call_tool("find_passages", arguments), key=new_key())
    passages = found.structured_content["passages"]
    assert len(passages) == 2
    assert passages[0]["document_id"] == shelf.fairs
    for passage in passages:
        text = shelf.assistant.document_text(passage["document_id"], passage["version"])
        assert text[passage["start"] : passage["end"]] == passage["text"]
        assert passage["link"] is None


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("ask_policy", {}, "question"),
        ("ask_policy", {"question": " "}, "empty"),
        ("ask_policy", {"question": 5}, "question"),
        ("ask_policy", {"question": "问" * 2001}, "question"),
        ("ask_policy", {"question": QUESTION, "as_of": "soon"}, "as_of"),
        ("ask_policy", {"question": QUESTION, "history": "x"}, "history"),
        ("find_passages", {"question": QUESTION, "limit": 0}, "limit"),
        ("find_passages", {"question": QUESTION, "limit": 21}, "limit"),
        ("find_passages", {"question": ""}, "empty"),
        ("remove_everything", {}, "ask_policy"),
    ],
)
def test_a_call_that_cannot_be_taken_tells_the_model_why(
    address: str, new_key: Callable[..., str], tool: str, arguments: dict[str, Any], said: str
) -> None:
    answered = using(address, lambda client: client.call_tool(tool, arguments), key=new_key())
    assert answered.is_error
    assert said in answered.content[0].text


def test_where_asking_takes_a_key_there_are_no_tools_without_one(keyed: str, new_key: Callable[..., str]) -> None:
    for key in ("", "zk_wrong"):
        assert "valid key" in failure(lambda key=key: using(keyed, lambda client: client.list_tools(), key=key))  # type: ignore[misc]
    asked = using(keyed, lambda client: client.call_tool("ask_policy", {"question": QUESTION}), key=new_key())
    assert asked.structured_content["citations"][0]["link"].startswith("https://zhice.example.com/s/")


def test_other_names_for_this_machine_are_refused(address: str, new_key: Callable[..., str]) -> None:
    said = failure(lambda: using(address, lambda client: client.list_tools(), key=new_key(), host="evil.example"))
    assert "own names" in said


def test_a_model_that_asks_too_fast_is_told_to_wait(address: str, new_key: Callable[..., str]) -> None:
    async def ask_often(client: Client) -> list[Any]:
        return [await client.call_tool("find_passages", {"question": "奖补"}) for _ in range(QUESTIONS_A_MINUTE + 1)]

    *answered, last = using(address, ask_often, key=new_key())
    assert not any(each.is_error for each in answered)
    assert last.is_error
    assert "Too many questions" in last.content[0].text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_call_that_is_left_leaves_nothing_running(
    store: PolicyStore, put: Put, model: ScriptedModel, serving: Callable[[Any], str], mode: str
) -> None:
    put("park.txt", PARK)
    model.reply, model.delay = two_sentences, 20
    settings = ModelSettings("openai:scripted", base_url=model.url, api_key="sk", first_token=30)

    async def leave(client: Client) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.call_tool("ask_policy", {"question": WRITTEN}), 1.5)

    with Assistant(store, model=settings) as writing:
        address = serving(whole_app(writing))
        started = time.monotonic()
        using(address, leave, mode=mode)
        assert len(model.prompts) == 1
        assert eventually(lambda: model.open_streams == 0)
        assert time.monotonic() - started < 10
