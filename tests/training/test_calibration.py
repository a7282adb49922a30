"""What is fitted: an order in which right passages come first, a chance that follows what is right, and a threshold."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from training.calibration import fit, fit_order, invented_questions, threshold_of


def told(count: int) -> list[dict[str, Any]]:
    """Questions of which the reader's relevance tells all, and the search nothing."""
    order = random.Random(1)
    questions = []
    for number in range(count):
        answerable = number % 4 > 0
        items = []
        for place in range(4):
            right = answerable and place == number % 3
            relevance = order.gauss(3 if right else -3, 1)
            features = {"relevance": relevance, "kept": order.gauss(0, 1)}
            items.append(
                {
                    "search": [order.random(), order.random(), 0.0],
                    "score": order.gauss(0, 1),
                    "features": features,
                    "holds": right,
                    "agrees": True,
                    "right": right,
                }
            )
        items.sort(key=lambda item: -item["features"]["relevance"])
        questions.append({"language": "zh", "kind": "number", "answerable": answerable, "items": items})
    return questions


def test_the_chance_follows_what_tells(capsys: pytest.CaptureFixture[str]) -> None:
    fitted = fit(told(200))
    assert fitted["weights"]["relevance"] > 5 * abs(fitted["weights"]["kept"])
    assert 0.05 <= fitted["threshold"] <= 0.95
    printed = capsys.readouterr().out
    assert "MEANING, WORDING, ELSEWHERE" in printed
    assert float(printed.partition("AUC ")[2].split()[0]) > 0.98


def test_what_puts_the_right_passage_first_weighs_most() -> None:
    order = np.random.default_rng(1)
    examples = []
    for _ in range(80):
        passages = order.normal(size=(5, 2))
        passages[2, 0] += 3
        examples.append((passages, 2))
    first, second = fit_order(examples, (1.0, 1.0))
    assert first > 5 * abs(second)


def test_at_the_threshold_few_answers_are_wrong() -> None:
    chances, answerable = np.linspace(0.9, 0.1, 20), np.ones(20, dtype=bool)
    right = np.ones(20, dtype=bool)
    assert threshold_of(chances, right, answerable) == 0.05
    right[5:] = False
    threshold = threshold_of(chances, right, answerable)
    assert (~right & (chances >= threshold)).sum() == 2
    assert (~right & (chances >= threshold - 0.011)).sum() == 3 or threshold == 0.05


def test_invented_documents_hold_the_quotes_of_their_questions() -> None:
    asked, documents = invented_questions()
    assert len(asked) > 200
    for question in asked:
        assert "".join(question.quote.split()) in "".join(documents[question.title].split())
