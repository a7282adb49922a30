"""The seed questions with a model that is right, and wrong in every way we know; run by `make accept`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant import Assistant, open_assistant
from assistant.model import ModelSettings
from assistant.settings import Settings
from evaluation import load_questions
from evaluation.scoreboard.misbehaving import WRONGS, Prompt, right
from ingest import ingest_paths
from tests.acceptance.seeds import QUESTIONS, SHARED, needs_seeds
from tests.assistant.scripted_model import ScriptedModel
from tests.assistant.trials import guessed, sound, trials

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
def test_nothing_wrong_is_shown_where_nothing_answers(assistant: Assistant, model: ScriptedModel, wrong: str) -> None:
    said: list[str] = []

    def reply(prompt: Prompt) -> str:
        told = [line for known in guessed(prompt) if (line := WRONGS[wrong](known))]
        said.extend(line.partition("[")[0].rstrip("。. ") for line in told)
        return "\n".join(told) + "\n" if told else "NO_BASIS\n"

    model.reply = reply
    unanswerable = [gold for gold in load_questions(QUESTIONS) if not gold.answerable]
    answers = [assistant.ask(gold.question, history=gold.history) for gold in unanswerable]
    assert len(answers) == 6
    assert model.prompts  # some of these questions come near enough for a model to be asked
    assert all(sound(assistant, answer) for answer in answers)
    assert not {claim.text for answer in answers for claim in answer.claims} & set(said)


@pytest.mark.parametrize("wrong", WRONGS)
def test_no_wrong_figure_and_no_invented_handle_is_shown(
    assistant: Assistant, model: ScriptedModel, wrong: str
) -> None:
    made = list(trials(assistant, model, load_questions(QUESTIONS), WRONGS[wrong]))
    assert made or wrong == "wrong_month"  # none of the answers is a date
    assert [trial.said for trial in made if trial.shown] == []
    assert all(trial.sound for trial in made)
