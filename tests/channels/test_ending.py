"""A server that is told to end finishes its answers and begins nothing new."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from channels import ending
from channels.ending import Ending
from evaluation.scoreboard.served import serving
from tests.assistant.scripted_model import ScriptedModel

QUESTION = "园区管理机构每年最高能拿到多少奖补？"


def test_an_answer_being_written_is_finished(tmp_path: Path, model: ScriptedModel) -> None:
    model.delay = 3.0
    model.reply = lambda prompt: next(f"{said}[{handle}]" for handle, said in prompt.evidence.items())
    settings = {"ZHICE_MODEL": "openai:scripted", "ZHICE_BASE_URL": model.url, "ZHICE_API_KEY": "sk"}
    replies: list[Any] = []
    with serving(tmp_path / "kb", **settings) as server:
        httpx.get(f"{server.address}/readyz")

        def ask() -> None:
            replies.append(httpx.post(f"{server.address}/api/ask", json={"question": QUESTION}, timeout=30))

        asking = threading.Thread(target=ask)
        asking.start()
        give_up = time.monotonic() + 20
        while not model.prompts and time.monotonic() < give_up:
            time.sleep(0.05)
        told = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.address}/healthz")
        asking.join()
        assert server.process.wait(20) == 0
        assert time.monotonic() - told < ending.GRACE_SECONDS
    assert replies[0].status_code == 200
    assert replies[0].json()["generator"] == "openai:scripted"


def test_only_what_begins_something_is_refused() -> None:
    end = Ending()
    assert not end.refuses("POST", "/api/ask")
    assert not end.refuses("GET", "/readyz")
    end.begun = True
    assert end.refuses("POST", "/api/ask")
    assert end.refuses("GET", "/readyz")
    assert not end.refuses("GET", "/gradio_api/queue/data")  # what has begun is fetched to its end


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
@pytest.mark.parametrize(("language", "said"), [("zh-CN", "请稍后再问"), ("en-GB", "try again")])
def test_the_page_is_told_so_in_the_readers_words(shelf: Any, language: str, said: str) -> None:
    app = shelf.app()
    with TestClient(app, base_url="http://127.0.0.1") as client:
        app.state.ending.begun = True
        reply = client.post("/gradio_api/queue/join", json={}, headers={"accept-language": language})
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "5")
        assert said in reply.json()["detail"]
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert client.get("/").status_code == 200
