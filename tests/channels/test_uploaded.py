"""Files that an event of the page names: only what was uploaded to it is opened, whatever part of its data says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from channels.texts import say
from channels.uploaded import FILE_TYPES, names_elsewhere
from evaluation.scoreboard.surface import call, events
from ingest.readers.detect import SUPPORTED

# Gradio counts its queue with options that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

META = {"_type": "gradio.FileData"}


@pytest.fixture(scope="module")
def client(shelf: Any) -> Iterator[TestClient]:
    with TestClient(shelf.app(), base_url="http://127.0.0.1") as opened:
        yield opened


def added(client: TestClient, file: dict[str, Any]) -> str:
    add = next(event for event in events(client) if event.name == "add")
    return call(client, add, [[file], "zh"])


def test_a_file_of_this_machine_is_not_taken_in(client: TestClient, shelf: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("对金丝雀项目给予99万元奖励。", encoding="utf-8")
    calls = len(shelf.holdings.calls)
    assert "金丝雀" not in added(client, {"path": str(secret), "orig_name": "a.txt", "meta": META})
    assert len(shelf.holdings.calls) == calls
    assert secret.exists()
    assert list(shelf.assistant.store.folder.rglob("secret.txt")) == []


def test_an_address_is_not_fetched(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    reply = added(client, {"path": "http://127.0.0.1:9/a.txt", "orig_name": "a.txt", "meta": META})
    assert '"success":false' in reply
    assert "failed validation" not in caplog.text


def test_a_question_is_no_file_either(client: TestClient, shelf: Any, tmp_path: Path) -> None:
    secret = tmp_path / "other.txt"
    secret.write_text("x", encoding="utf-8")
    for event in events(client):
        if event.values:
            call(client, event, [{"path": str(secret), "meta": META}] * event.values)
    assert list(shelf.assistant.store.folder.rglob("other.txt")) == []


def test_what_was_uploaded_is_taken_in(client: TestClient, shelf: Any) -> None:
    files = {"files": ("uploaded.txt", "对上传项目给予98万元奖励。".encode())}
    (path,) = json.loads(client.post("/gradio_api/upload", files=files).content)
    added(client, {"path": path, "orig_name": "uploaded.txt", "meta": META})
    assert ("add", "uploaded.txt") in shelf.holdings.calls


@pytest.mark.parametrize(
    ("data", "elsewhere"),
    [
        ([{"path": "{here}/a/b.txt"}], False),
        ([{"path": "{here}/link"}], True),
        ([{"path": "{here}/../b.txt"}], True),
        ([{"path": "b.txt"}], True),
        (["x", {"deep": [{"path": "/etc/passwd"}]}], True),
        ([{"path": "http://example.com/{here}"}], True),
        ([{"path": "{here}/a\x00"}], True),
        (["text", None, 1, {"path": None}], False),
    ],
)
def test_files_are_told_apart_by_where_they_lie(tmp_path: Path, data: list[Any], elsewhere: bool) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    there = json.loads(json.dumps(data).replace("{here}", str(tmp_path)))
    assert names_elsewhere(there, tmp_path) is elsewhere


def test_every_format_that_is_read_can_be_chosen_and_is_named() -> None:
    read = set(re.findall(r"\.\w+", SUPPORTED))
    assert len(read) > 10
    assert read <= set(FILE_TYPES)
    named = {{".md": ".markdown"}.get(suffix, suffix).removeprefix(".") for suffix in read}
    for language in ("zh", "en"):
        intro = say(language, "documents_intro").lower()
        assert {word for word in named if word not in intro} == set()
