"""CMRC 2018: the span that the passage reader finds in a question's own paragraph, by the official script's measures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assistant.reading.passage_reader import PassageReader, PassageText
from training import corpora

WINDOW: Final = 360  # characters of a paragraph that are read at a time; the product's passages are of that size
STRIDE: Final = 240
# What the official script leaves out before it compares.
_IGNORED: Final = re.compile(r"[\s\-:_*^/\\~`+=，。：？！“”；’《》……·、「」（）－～『』]")


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Shares of the questions (`exact`) and the mean overlap (`f1`), from 0 to 1."""

    questions: int
    exact: float
    f1: float


def span_scores(reader: PassageReader, path: Path, most: int | None = None) -> SpanScores:
    """Read every question of a set, or the first so many, with its paragraph."""
    exact = total = 0.0
    count = 0
    for question in list(corpora.questions(path))[:most]:
        said = best_span(reader, question.text, question.paragraph)
        exact += max(_plain(said) == _plain(answer) for answer in question.answers)
        total += max(f1(said, answer) for answer in question.answers)
        count += 1
    return SpanScores(count, exact / max(1, count), total / max(1, count))


def best_span(reader: PassageReader, question: str, paragraph: str) -> str:
    """The likeliest answer in any window of a paragraph."""
    windows = list(_windows(paragraph))
    readings = reader.read(question, [PassageText("", window) for window in windows])
    found = [
        (reading.relevance * reading.spans[0].score, window[reading.spans[0].start : reading.spans[0].end])
        for window, reading in zip(windows, readings, strict=True)
        if reading.spans
    ]
    return max(found, default=(0.0, ""))[1]


def _windows(paragraph: str) -> Iterator[str]:
    for start in range(0, max(1, len(paragraph) - WINDOW + STRIDE), STRIDE):
        yield paragraph[start : start + WINDOW]


def f1(said: str, answer: str) -> float:
    """Twice the longest common run, over the lengths of both, as the official script has it."""
    one, other = _plain(said), _plain(answer)
    common = _longest_common(one, other)
    return 2 * common / (len(one) + len(other)) if common else 0.0


def _longest_common(one: str, other: str) -> int:
    best, before = 0, [0] * (len(other) + 1)
    for letter in one:
        row = [0]
        for place, beside in enumerate(other, 1):
            row.append(before[place - 1] + 1 if letter == beside else 0)
            best = max(best, row[place])
        before = row
    return best


def _plain(text: str) -> str:
    return _IGNORED.sub("", text).lower()
