"""Questions of programs where there are too many at once, or one that does not end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.errors import Busy
from channels import asking
from channels.asking import Asked, Questions
from channels.problems import Refused
from tests.channels.conftest import whole_app

QUESTION = "园区管理机构每年最高能拿到多少奖补？"


@pytest.fixture
def held(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Answers of the shelf wait for this before their end."""
    let_go, stream = threading.Event(), shelf.assistant.stream

    def waits(*given: Any, **named: Any) -> Iterator[Any]:
        yield from stream(*given, **named)
        let_go.wait(20)

    monkeypatch.setattr(shelf.assistant, "stream", waits)
    yield let_go
    let_go.set()


def test_a_question_that_no_thread_takes_up_is_refused_soon(
    shelf: Any, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 1)

    async def two() -> None:
        questions = Questions(shelf.assistant)
        async with questions.running():
            first = asyncio.create_task(questions.answer(Asked(QUESTION)))
            await asyncio.sleep(0.05)
            with pytest.raises(Busy):
                await asyncio.wait_for(questions.answer(Asked(QUESTION)), 5)
            held.set()
            assert (await first).status == "answered"

    asyncio.run(two())


def test_an_answer_that_does_not_end_is_given_up(
    shelf: Any, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.5)

    async def one() -> None:
        questions = Questions(shelf.assistant)
        with pytest.raises(Refused) as refused:
            await asyncio.wait_for(questions.answer(Asked(QUESTION)), 5)
        assert refused.value.status == 504

    asyncio.run(one())


def test_a_question_waits_no_longer_than_its_patience(shelf: Any) -> None:
    for turn in (shelf.assistant._stages._searching, shelf.assistant._stages._choosing):
        with turn, pytest.raises(Busy):
            list(shelf.assistant.stream(QUESTION, patience=0.05))
    assert list(shelf.assistant.stream(QUESTION, patience=0.05))[-1].status == "answered"


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_who_is_refused_is_told_when_to_come_back(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> Iterator[Any]:
        raise Busy
        yield

    monkeypatch.setattr(shelf.assistant, "stream", busy)
    with TestClient(whole_app(shelf.assistant), base_url="http://127.0.0.1") as client:
        replies = [
            client.post("/api/ask", json={"question": QUESTION}),
            client.post("/api/ask", json={"question": QUESTION, "stream": True}),
            client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": QUESTION}]}),
        ]
    for reply in replies:
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
        assert "ask again" in reply.json()["error"]["message"]
