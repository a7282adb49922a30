"""A model that is wrong in every way we know, asked the questions over the sample policies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import Assistant
from assistant.model import ModelSettings
from evaluation import load_questions
from evaluation.scoreboard.misbehaving import WRONGS, right
from ingest.pipeline import ingest_samples
from tests.assistant.scripted_model import ScriptedModel
from tests.assistant.trials import Trial, trials
from vectorstore.store import PolicyStore

QUESTIONS = load_questions(Path(__file__).parents[1] / "data" / "samples.jsonl")


@pytest.fixture(scope="module")
def assistant(endpoint: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    store = PolicyStore(tmp_path_factory.mktemp("kb"))
    ingest_samples(store)
    with Assistant(store, model=ModelSettings("openai:scripted", base_url=endpoint.url)) as opened:
        yield opened


def test_what_is_right_is_kept(assistant: Assistant, model: ScriptedModel) -> None:
    made = list(trials(assistant, model, QUESTIONS, right))
    assert len(made) >= 25
    assert sum(trial.shown for trial in made) >= 0.95 * len(made)
    assert all(trial.sound for trial in made)


@pytest.mark.parametrize("wrong", WRONGS)
def test_what_is_wrong_is_not_shown(assistant: Assistant, model: ScriptedModel, wrong: str) -> None:
    made: list[Trial] = list(trials(assistant, model, QUESTIONS, WRONGS[wrong]))
    assert made
    assert [trial.said for trial in made if trial.shown] == []
    assert all(trial.sound for trial in made)
