"""What operators see: request ids, a line of log a request, metrics, and whether the server is alive and ready.

Nothing of it holds a question, an answer or a document's words.
"""

from __future__ import annotations

import contextvars
import json
import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.answer import Answer
from assistant.assembly import Assistant
from vectorstore.errors import ZhiceError

logger = logging.getLogger(__name__)

# Seconds; an answer without a model takes some hundredths, one with a model up to a minute.
_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
# A path that no route has could be anything, and so many names would fill the metrics.
_UNKNOWN: Final = "(none)"

_request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="")


class Metrics:
    """The figures of one server, in the text format of Prometheus."""

    def __init__(self, assistant: Assistant) -> None:
        self.registry = CollectorRegistry()
        self._assistant = assistant
        self._requests = Counter(
            "zhice_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "zhice_request_seconds",
            "Time to the end of a response.",
            ("route",),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._answers = Counter("zhice_answers", "Answers given.", ("status", "written"), registry=self.registry)
        self._stages = Histogram(
            "zhice_answer_seconds", "Time of an answer by stage.", ("stage",), registry=self.registry, buckets=_BUCKETS
        )
        self._documents = Gauge("zhice_documents", "Documents that are searched.", registry=self.registry)
        self._index = Gauge("zhice_index_open", "Whether the vector index is open.", registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def answer(self, answer: Answer) -> None:
        """Count one answer."""
        self._answers.labels(answer.status, "source" if answer.generator == "extractive" else "model").inc()
        for stage, spent in answer.elapsed_ms.items():
            self._stages.labels(stage).observe(spent / 1000)

    def text(self) -> bytes:
        """All figures as they are now."""
        self._documents.set(len(self._assistant.documents()))
        self._index.set(int(self._assistant.store.index_state().open))
        return generate_latest(self.registry)


class Observing:
    """ASGI middleware around everything: gives each request an id, logs and counts it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = secrets.token_hex(8)
        token = _request.set(number)
        started, status = time.perf_counter(), 499  # the client has gone, unless something is said

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = number
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", _UNKNOWN)
            self._metrics.request(scope["method"], route, status, seconds)
            logger.info("%s %s %d in %.0f ms", scope["method"], route, status, 1000 * seconds)
            _request.reset(token)


def health(assistant: Assistant, metrics: Metrics, allowed: Callable[[Request], object]) -> APIRouter:
    """`/healthz` says that the server runs, `/readyz` whether it can answer, `/metrics` gives its figures.

    Args:
        assistant: what is asked whether it can answer.
        metrics: the figures.
        allowed: raises `Refused` for who may not see them.
    """
    router = APIRouter(include_in_schema=False)  # operators know them by their names

    @router.get("/healthz")
    async def alive() -> Response:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    def ready() -> Response:
        try:
            assistant.store.catalog.revision()
        except (ZhiceError, OSError):
            logger.exception("the catalog cannot be read")
            return JSONResponse({"status": "unavailable", "catalog": "unreadable"}, 503, {"Retry-After": "5"})
        index = "open" if assistant.store.index_state().open else "not open; searches scan exactly"
        return JSONResponse({"status": "ok", "catalog": "readable", "index": index})

    @router.get("/metrics")
    def figures(request: Request) -> Response:
        allowed(request)
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


class JsonLines(logging.Formatter):
    """A log record as a line of JSON: time (UTC), level, logger, message, and the id of the request it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := _request.get():
            line["request"] = number
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
