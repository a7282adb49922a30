"""How well a passage reader reads: CMRC's spans by the official script's measures, and our own documents kept from it.

`python -m training.bench.spans FOLDER` prints the second.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assistant.reading.passage_reader import OnnxPassageReader, PassageReader, PassageText
from training import corpora, rows
from training.bench.scoring import auc

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


def held_out(reader: PassageReader) -> dict[str, float]:
    """How a reader tells passages of invented documents kept from it apart, as shares of pairs, and how often its span is right.

    `other`: a passage that answers is more relevant than another of its document to the same question; `near_miss`: than that of
    any question which its passage does not answer; `span`: the likeliest one overlaps half of the answer or more.
    """
    right, others, near, spans = list[float](), list[float](), list[float](), list[bool]()
    for row in rows.invented_rows():
        if not rows.for_calibration(row.title):
            continue
        passages = [PassageText(each.heading, each.text) for each in (row.passage, *row.others[:2])]
        own, *rest = reader.read(row.question, passages)
        if not row.answered:
            near.append(own.relevance)
            continue
        right.append(own.relevance)
        others += [reading.relevance for reading in rest]
        start, end = row.answers[0]
        said = own.spans[0] if own.spans else None
        spans.append(said is not None and 2 * (min(said.end, end) - max(said.start, start)) >= end - start)
    return {"other": auc(right, others), "near_miss": auc(right, near), "span": sum(spans) / len(spans)}


def main() -> None:
    """Print what `held_out` tells of a reader."""
    parser = argparse.ArgumentParser(prog="python -m training.bench.spans")
    parser.add_argument("folder", type=Path, help="folder of a reader that training.export wrote")
    print(held_out(OnnxPassageReader(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
