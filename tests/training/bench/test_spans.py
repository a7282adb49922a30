"""The official measures of spans, and that long paragraphs are read to their end."""

from __future__ import annotations

import pytest

from assistant.reading.passage_reader import AnswerSpan, PassageReading, PassageText
from training.bench.spans import best_span, f1


@pytest.mark.parametrize(
    ("said", "answer", "score"),
    [
        ("1963年", "1963年。", 1.0),
        ("1963年", "1964年", 6 / 10),
        ("甲乙", "丙丁", 0.0),
        ("", "甲", 0.0),
        ("在1963年", "1963年", 10 / 11),
    ],
)
def test_f1_is_of_the_longest_common_run(said: str, answer: str, score: float) -> None:
    assert f1(said, answer) == pytest.approx(score)


class Finds:
    """Sees one word."""

    def read(self, question: str, passages: list[PassageText]) -> list[PassageReading]:
        places = [passage.text.find("答案") for passage in passages]
        return [
            PassageReading(0.9, (AnswerSpan(at, at + 2, 0.9),)) if at >= 0 else PassageReading(0.1) for at in places
        ]


@pytest.mark.parametrize("before", [0, 100, 358, 700, 1500])
def test_an_answer_is_found_wherever_it_stands(before: int) -> None:
    assert best_span(Finds(), "？", "字" * before + "答案" + "字" * 50) == "答案"
