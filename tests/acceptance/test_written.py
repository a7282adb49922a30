"""The seed questions with a model that is right, and wrong in every way we know; run by `make accept`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant import Assistant, open_assistant
from assistant.model import ModelSettings
from assistant.settings import Settings
from evaluation import load_questions
from ingest import ingest_paths
from tests.acceptance.seeds import QUESTIONS, SHARED, needs_seeds
from tests.assistant.misbehaving import WRONGS, right
from tests.assistant.scripted_model import ScriptedModel
from tests.assistant.trials import trials

pytestmark = needs_seeds


@pytest.fixture(scope="module")
def assistant(endpoint: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    data = tmp_path_factory.mktemp("kb")
    ingest_paths([SHARED / "seeds"], data_dir=data)
    settings = Settings(data, model=ModelSettings("openai:scripted", base_url=endpoint.url))
    with open_assistant(settings=settings) as opened:
        yield opened


def test_right_answers_are_kept(assistant: Assistant, model: ScriptedModel) -> None:
    made = list(trials(assistant, model, load_questions(QUESTIONS), right))
    assert len(made) >= 26
    assert sum(trial.shown for trial in made) >= 0.95 * len(made)
    assert all(trial.sound for trial in made)


@pytest.mark.parametrize("wrong", WRONGS)
def test_no_wrong_figure_and_no_invented_handle_is_shown(
    assistant: Assistant, model: ScriptedModel, wrong: str
) -> None:
    made = list(trials(assistant, model, load_questions(QUESTIONS), WRONGS[wrong]))
    assert made
    assert [trial.said for trial in made if trial.shown] == []
    assert all(trial.sound for trial in made)
