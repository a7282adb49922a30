"""The seed questions at two web processes behind nginx, over PostgreSQL and a Chroma server: answered as from a folder."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant import open_assistant
from evaluation import load_questions
from ingest import ingest_paths
from tests.acceptance.seeds import QUESTIONS, SHARED, needs_seeds
from tests.services.chroma_server import ChromaServer
from tests.services.postgres_server import Server
from tests.services.together import Together, together
from vectorstore.keys import Keys
from vectorstore.place import Place
from vectorstore.store import PolicyStore

pytestmark = needs_seeds

KEYS = 4  # each may ask twenty questions a minute


@pytest.fixture(scope="module")
def running(
    nginx: str, postgres: Server, chroma: ChromaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Together, list[str]]]:
    folder = tmp_path_factory.mktemp("shared")
    place = Place(folder / "own", database=postgres.database(), chroma=chroma.url)
    report = ingest_paths([SHARED / "seeds"], data_dir=place)
    assert (report.added, report.failed) == (5, [])
    store = PolicyStore(place)
    keys = [Keys(store.catalog).new(f"reader {number}", ["ask"])[1] for number in range(KEYS)]
    store.close()
    with together(nginx, place, folder) as both:
        yield both, keys


def test_every_question_is_answered_as_from_a_folder(running: tuple[Together, list[str]], tmp_path: Path) -> None:
    both, keys = running
    ingest_paths([SHARED / "seeds"], data_dir=tmp_path / "kb")
    asked, key = load_questions(QUESTIONS), cycle(keys)
    with open_assistant(data_dir=tmp_path / "kb") as assistant, httpx.Client(timeout=60, trust_env=False) as client:
        for number, question in enumerate(asked):
            expected = assistant.ask(question.question, history=question.history).to_dict()
            url = (both.url, *(process.url for process in both.processes))[number % 3]
            reply = client.post(
                f"{url}/api/ask",
                json={"question": question.question, "history": list(question.history)},
                headers={"Authorization": f"Bearer {next(key)}"},
            )
            assert reply.status_code == 200, reply.text
            assert less(reply.json()) == less(expected), question.question
    print(f"\n{len(asked)} of {len(asked)} answers are the same")


def less(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer less what differs every time."""
    return {name: value for name, value in answer.items() if name not in ("id", "elapsed_ms")}
