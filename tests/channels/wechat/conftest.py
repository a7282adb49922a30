"""Servers with the router in them, each over a catalog of its own; and the platforms' stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from channels.wechat import router
from tests.channels.wechat.simulator import SAFE, TENTH, Platform, StubAssistant

Serve = Callable[..., tuple[str, StubAssistant]]


@pytest.fixture(scope="module")
def serve_stub(serving: Callable[[FastAPI], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serves the router over an assistant that takes its time; gives the address and the assistant."""
    made: list[StubAssistant] = []

    def serve(**options: Any) -> tuple[str, StubAssistant]:
        scale = options.pop("scale", 0.1)
        stub = StubAssistant.over(options.pop("folder", None) or tmp_path_factory.mktemp("kb"), scale)
        made.append(stub)
        if not {"official", "wecom", "bot"} & set(options):
            options["official"] = SAFE
        app = FastAPI()
        app.include_router(router(stub, public_url="https://zhice.example", **{"waits": TENTH, **options}))  # type: ignore[arg-type]
        return serving(app), stub

    yield serve
    for stub in made:
        stub.store.catalog.close()


@pytest.fixture(scope="module")
def platform(serving: Callable[[FastAPI], str]) -> Platform:
    made = Platform()
    made.url = serving(made.app())
    return made
