"""Files made to do harm, sent to the running server: each is refused with its reason, and it goes on answering."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant import Assistant
from evaluation.scoreboard.hostile_files import hostile
from tests.channels.conftest import whole_app
from tests.conftest import PARK
from vectorstore.keys import Keys
from vectorstore.store import PolicyStore

QUESTION = {"question": "园区运营机构每年最高能拿到多少奖励？"}


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    return Assistant(PolicyStore(tmp_path / "kb"))


def test_the_server_refuses_each_and_goes_on(assistant: Assistant) -> None:
    key = Keys(assistant.store.catalog).new("a test", ["admin"])[1]
    headers = {"Authorization": f"Bearer {key}"}
    bad = hostile()
    with TestClient(whole_app(assistant), base_url="http://localhost") as client:
        good = client.post("/api/documents", headers=headers, files={"file": ("park.txt", PARK.encode())})
        assert good.json()["files"][0]["outcome"] == "added"
        for name, data in bad.items():
            (taken,) = client.post("/api/documents", headers=headers, files={"file": (name, data)}).json()["files"]
            assert (taken["file"], taken["outcome"]) == (name, "failed")
            assert taken["reason"].endswith(".")
            assert "最高3000万元" in client.post("/api/ask", json=QUESTION, headers=headers).json()["text"]
    assert [row["source"] for row in assistant.documents()] == ["park.txt"]
    assistant.close()
