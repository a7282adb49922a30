"""Everyday questions over whole laws and policies that no model has seen questions of; `-s` prints every figure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant import Assistant
from tests.acceptance.seeds import SHARED, needs_seeds
from training import lay

pytestmark = needs_seeds


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    data = SHARED / "data" / "train"
    questions = lay.load(data / "lay_questions.jsonl.gz", "dev")
    assert len(questions) == 903
    store = lay.open_store(tmp_path_factory.mktemp("kb"), data, {question.title for question in questions})
    with Assistant(store) as assistant:
        outcomes = lay.ask(assistant, questions)
        for outcome in outcomes:
            for citation in (*outcome.answer.citations, *outcome.answer.nearest):
                text = assistant.document_text(citation.document_id, citation.version)
                assert text[citation.start : citation.end] == citation.quote
    told = lay.figures(outcomes)
    print(json.dumps(told, ensure_ascii=False, indent=2))
    return told


@pytest.mark.parametrize(
    ("name", "least"),
    [("right_zh", 0.60), ("right_en", 0.50), ("none_refused", 0.80), ("first", 0.75), ("in_10", 0.93), ("auc", 0.88)],
)
def test_at_least(figures: dict[str, Any], name: str, least: float) -> None:
    assert figures[name] >= least


@pytest.mark.parametrize(("name", "most"), [("wrong", 0.10), ("calibration_error", 0.06), ("claims", 2), ("text", 160)])
def test_at_most(figures: dict[str, Any], name: str, most: float) -> None:
    assert figures[name] <= most
