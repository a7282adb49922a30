"""Health, readiness, metrics, request ids and log lines; none of them tells what was asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from channels.observing import JsonLines
from tests.channels.conftest import Shelf, whole_app

QUESTION = "园区运营机构每年最高能拿到多少奖励？"


def test_alive_and_ready(shelf: Shelf) -> None:
    with TestClient(whole_app(shelf.assistant), base_url="http://localhost") as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["catalog"]) == (200, "readable")


def test_not_ready_where_the_catalog_cannot_be_read(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise OSError("gone")

    with TestClient(whole_app(shelf.assistant), base_url="http://localhost") as client:
        monkeypatch.setattr(shelf.assistant.store.catalog, "revision", broken)
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.headers["Retry-After"] == "5"
        assert client.get("/healthz").status_code == 200


def test_what_happened_is_counted_without_its_words(shelf: Shelf) -> None:
    with TestClient(whole_app(shelf.assistant), base_url="http://localhost") as client:
        client.post("/api/ask", json={"question": QUESTION})
        client.get("/nothing/of/the/kind")
        figures = client.get("/metrics").text
    assert 'zhice_requests_total{method="POST",route="/api/ask",status="200"} 1.0' in figures
    assert 'route="(none)",status="404"' in figures
    assert 'zhice_answers_total{status="answered",written="source"} 1.0' in figures
    assert 'zhice_answer_seconds_count{stage="retrieve"} 1.0' in figures
    assert f"zhice_documents {float(len(shelf.assistant.documents()))}" in figures
    assert "园区" not in figures
    assert "nothing" not in figures


def test_with_a_password_figures_need_an_administrators_key(shelf: Shelf, new_key: Callable[..., str]) -> None:
    app = whole_app(shelf.assistant, admin_password="correct horse")
    asking, managing = new_key(), new_key("admin")
    with TestClient(app, base_url="http://zhice.example.com") as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Bearer {asking}"}).status_code == 403
        assert client.get("/metrics", headers={"Authorization": f"Bearer {managing}"}).status_code == 200
        assert client.get("/healthz").status_code == 200


def test_every_response_has_an_id_of_its_own_that_its_log_lines_carry(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Kept()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("channels.observing")
    logger.addHandler(handler)
    try:
        with (
            caplog.at_level(logging.INFO),
            TestClient(whole_app(shelf.assistant), base_url="http://localhost") as client,
        ):
            ids = [client.post("/api/ask", json={"question": QUESTION}).headers["X-Request-Id"] for _ in range(2)]
    finally:
        logger.removeHandler(handler)
    assert len(set(ids)) == 2
    told = [json.loads(line) for line in lines]
    assert [line["request"] for line in told] == ids
    assert all(line["message"].startswith("POST /api/ask 200 in ") for line in told)
    assert all(QUESTION not in json.dumps(line, ensure_ascii=False) for line in told)
