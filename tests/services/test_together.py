"""Two web processes behind nginx: one product, whichever of them is asked."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant import open_assistant
from assistant.settings import Settings
from tests.assistant.scripted_model import ScriptedModel
from tests.channels.wechat.simulator import AES_KEY, APP_ID, SAFE, TOKEN, WeChat, text_message
from tests.conftest import PARK
from tests.services.chroma_server import ChromaServer
from tests.services.postgres_server import Server
from tests.services.together import PASSWORD, Together, together
from vectorstore.keys import Keys
from vectorstore.place import Place
from vectorstore.store import PolicyStore

QUESTIONS = (
    "园区管理机构每年最高能拿到多少奖补？", "What subsidy does a park manager get?", "今天天气怎么样？", "考核指标有哪些？",
)  # fmt: skip
WECHAT = {"ZHICE_WECHAT_TOKEN": TOKEN, "ZHICE_WECHAT_APP_ID": APP_ID, "ZHICE_WECHAT_AES_KEY": AES_KEY}
PUBLIC = {"ZHICE_PUBLIC_URL": "https://zhice.example"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, postgres: Server, chroma: ChromaServer) -> Place:
    return Place(tmp_path_factory.mktemp("shared"), database=postgres.database(), chroma=chroma.url)


@pytest.fixture(scope="module")
def running(
    nginx: str, shared: Place, tmp_path_factory: pytest.TempPathFactory, endpoint: ScriptedModel
) -> Iterator[Together]:
    model = {"ZHICE_MODEL": "openai:scripted", "ZHICE_BASE_URL": endpoint.url, "ZHICE_API_KEY": "sk-x"}
    with together(nginx, shared, tmp_path_factory.mktemp("web"), **WECHAT, **PUBLIC, **model) as both:
        yield both


@pytest.fixture(scope="module")
def key(running: Together, shared: Place) -> Iterator[str]:
    """A key of the scope admin."""
    store = PolicyStore(shared)
    yield Keys(store.catalog).new("tests", ["admin"])[1]
    store.close()


@pytest.fixture(autouse=True)
def fresh(endpoint: ScriptedModel) -> None:
    endpoint.reset()


def same(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer less what differs every time."""
    return {name: value for name, value in answer.items() if name not in ("id", "elapsed_ms", "usage")}


def test_answers_are_those_of_a_folder(running: Together, key: str, tmp_path: Path) -> None:
    embedded = Settings(data_dir=tmp_path / "kb")
    with open_assistant(settings=embedded) as assistant:
        expected = [same(assistant.ask(question).to_dict()) for question in QUESTIONS]
    headers = {"Authorization": f"Bearer {key}"}
    for url in (running.url, *(process.url for process in running.processes)):
        with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
            replies = [client.post("/api/ask", json={"question": question}) for question in QUESTIONS]
        assert [reply.status_code for reply in replies] == [200] * len(QUESTIONS)
        found = [same(reply.json()) for reply in replies]
        for one, other in zip(found, expected, strict=True):
            # The scripted model says nothing of use, so the source is quoted, as without a model.
            one["warnings"] = [each for each in one["warnings"] if each["code"] != "degraded"]
            assert {**one, "generator": ""} == {**other, "generator": ""}


def test_what_is_uploaded_at_one_is_found_at_the_other(running: Together, key: str) -> None:
    one, other = (process.url for process in running.processes)
    headers = {"Authorization": f"Bearer {key}"}
    text = PARK.replace("海州", "云岭").replace("3000", "4321")
    with httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
        reply = client.post(f"{one}/api/documents", files={"file": ("云岭.txt", text.encode())})
        assert reply.status_code == 200, reply.text
        assert (reply.status_code, reply.json()["files"][0]["outcome"]) == (200, "added"), reply.text
        answer = client.post(f"{other}/api/ask", json={"question": "云岭园区运营机构考核优秀最高奖励多少？"}).json()
    assert "4321万元" in answer["text"]


def test_wechats_repetitions_at_the_other_process_are_answered_once(running: Together, endpoint: ScriptedModel) -> None:
    """A model takes 7 s; WeChat drops the first connection after 5 s and asks the other process."""
    endpoint.delay = 7.0
    wechat = WeChat(httpx.AsyncClient(trust_env=False), SAFE, 1.0)

    async def ask() -> list[str | None]:
        shown: list[str | None] = []
        xml = text_message("li", "云岭园区运营机构考核优秀最高奖励多少？")
        async with wechat.client as client:
            for attempt in range(3):
                url = running.processes[attempt % 2].url
                try:
                    async with asyncio.timeout(5):
                        reply = await client.post(f"{url}/wechat", timeout=30, **wechat.request(xml))
                except TimeoutError:
                    continue
                assert reply.status_code == 200
                shown.append(wechat.opened("li", reply.text) if reply.text not in ("", "success") else None)
                break
            again = await client.post(f"{running.processes[0].url}/wechat", timeout=30, **wechat.request(xml))
            shown.append(wechat.opened("li", again.text))
            rest = await client.post(f"{running.url}/wechat", timeout=30, **wechat.request(text_message("li", "继续")))
            shown.append(wechat.opened("li", rest.text))
        return shown

    first, again, rest = asyncio.run(ask())
    assert first is not None
    assert "万元" in first
    assert again == first
    assert rest is not None
    assert "万元" not in rest


def test_limits_are_counted_over_both(running: Together) -> None:
    with httpx.Client(timeout=60, trust_env=False) as client:
        statuses = [
            client.post(f"{running.processes[number % 2].url}/admin/sign-in", data={"password": "no"}).status_code
            for number in range(8)
        ]
    assert statuses.count(401) <= 4
    assert 429 in statuses[3:]
    assert PASSWORD not in "".join(process.log.read_text("utf-8", "replace") for process in running.processes)


def test_a_page_keeps_to_one_process_and_its_conversation_outlives_that(running: Together, key: str) -> None:
    """Gradio's protocol by hand: two questions in one conversation, the second at the other process."""
    first = ask_on_page(running.processes[0].url, "tab-of-a-reader", "云岭园区运营机构考核优秀最高奖励多少？")
    assert "4321万元" in first
    second = ask_on_page(running.processes[1].url, "tab-of-a-reader", "那要提交哪些材料？")
    assert "4321万元" in second, "the conversation is still shown"
    assert "营业执照" in second
    assert "4321万元" not in ask_on_page(running.processes[1].url, "another", "今天天气怎么样？")


def test_nginx_gives_a_seat_and_words_of_its_own(running: Together) -> None:
    with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert re.fullmatch(r"zhice_seat=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax", page.headers["set-cookie"])
        assert "set-cookie" not in client.get("/").headers
        assert client.get("/metrics").status_code == 404


def ask_on_page(url: str, session: str, question: str) -> str:
    """What the page shows of a conversation after a question."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        config = client.get("/config").json()
        asked = next(
            each for each in config["dependencies"] if each["js"] and each["targets"][0][1] in ("submit", "click")
        )
        body = {
            "data": [question, None, None, {}], "fn_index": asked["id"], "session_hash": session, "event_data": None,
            "trigger_id": asked["targets"][0][0],
        }  # fmt: skip
        joined = client.post("/gradio_api/queue/join", json=body)
        assert joined.status_code == 200, joined.text
        shown = ""
        give_up = time.monotonic() + 60
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
            for line in stream.iter_lines():
                assert time.monotonic() < give_up
                event = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if event.get("msg") in ("process_generating", "process_completed"):
                    shown += json.dumps(event.get("output", {}).get("data", []), ensure_ascii=False)
                if event.get("msg") == "process_completed":
                    break
    return shown
