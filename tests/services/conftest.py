"""Servers that the tests here start: asked for by `make test-services`, and skipped by `make test`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.chroma_server import ChromaServer, chroma_server
from tests.services.postgres_server import Server, postgres_server, programs
from vectorstore.place import Place

WANTED = "ZHICE_SERVICES"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.services)
            if not os.environ.get(WANTED):
                item.add_marker(pytest.mark.skip(reason="needs servers of its own: `make test-services` starts them"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; where none is installed, CI fails and others skip."""
    if programs() is None:
        _missing("PostgreSQL", "postgresql")
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def nginx() -> str:
    """The program."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    return found or _missing("nginx", "nginx")


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """A Chroma server for all tests that only need one to be there."""
    with chroma_server(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def place(tmp_path: Path, postgres: Server, chroma: ChromaServer) -> Place:
    """A knowledge base with its catalog on PostgreSQL and its index on a Chroma server."""
    return Place(tmp_path / "kb", database=postgres.database(), chroma=chroma.url)


def _missing(program: str, package: str) -> str:
    message = f"{program} is not installed: apt-get install {package}"
    if os.environ.get("CI"):
        sys.stderr.write(f"{message}\n")
        pytest.fail(message)
    pytest.skip(message)
