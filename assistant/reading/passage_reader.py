"""The passage reader: a small cross-encoder that reads question and passage together.

It says how relevant a passage is, which words of it answer, and which of its words are evidence. `training/reader.py` made
it; `model/README.md` is its card.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from assistant.errors import SettingError
from vectorstore.models.session import open_session, open_tokenizer, run
from vectorstore.passage import Span

BUNDLED_READER: Final = Path(__file__).parent / "model"

LONGEST: Final = 448  # tokens of question and passage together; what is longer is cut, the longer of both first
LONGEST_QUESTION: Final = 600  # characters of a question that are read
LONGEST_ANSWER: Final = 160  # tokens; whole lists are answers, too
KEPT_READINGS: Final = 4_000  # of the questions asked last, 20 or fewer each
SPANS: Final = 3  # answers looked for in a passage
LEAST_CHANCE: Final = 1e-6  # what a chance is cut to before its logarithm is taken
LEAST_KEPT: Final = 0.5  # the chance from which a word is evidence


@dataclass(frozen=True, slots=True)
class PassageText:
    """What is read: the heading (title｜heading path, and for a table's row what heads it) and the passage's own text."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """Words that may answer: offsets into `PassageText.text`, and the chance that just they do if the passage answers."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What a reader makes of a passage.

    `relevance` is the chance (0 to 1) that the passage answers, `spans` the likeliest answers, best first, `evidence` the
    runs of text that an answer stands on; offsets into `PassageText.text`.
    """

    relevance: float
    spans: tuple[AnswerSpan, ...] = ()
    evidence: tuple[Span, ...] = ()


class PassageReader(Protocol):
    """Reads passages for a question."""

    def read(self, question: str, passages: Sequence[PassageText]) -> list[PassageReading]:
        """One reading a passage, in their order."""


class OnnxPassageReader:
    """The bundled reader, or another in the same format; one question at a time, which takes all cores."""

    def __init__(self, folder: Path = BUNDLED_READER) -> None:
        """Open the model of a folder.

        Raises:
            SettingError: the folder holds no such model.
        """
        try:
            self._session = open_session(folder / "model.onnx")
            self._tokenizer = open_tokenizer(folder / "tokenizer.json", LONGEST)
        except Exception as error:  # onnxruntime and tokenizers raise bare Exceptions
            raise SettingError(f"{folder} holds no readable passage reader ({error}). Reinstall Zhice.") from error
        self._turn = threading.Lock()
        self._kept: OrderedDict[tuple[str, PassageText], PassageReading] = OrderedDict()

    def read(self, question: str, passages: Sequence[PassageText]) -> list[PassageReading]:
        """One reading a passage, in their order; what was read for the same question lately is not read again."""
        asked = _clean(question[:LONGEST_QUESTION])
        with self._turn:
            new = [each for each in dict.fromkeys(passages) if (asked, each) not in self._kept]
            for passage, reading in zip(new, self._read(asked, new), strict=True):
                self._kept[asked, passage] = reading
            readings = [self._kept[asked, passage] for passage in passages]
            while len(self._kept) > KEPT_READINGS:
                self._kept.popitem(last=False)
        return readings

    def _read(self, asked: str, passages: Sequence[PassageText]) -> list[PassageReading]:
        encodings = self._tokenizer.encode_batch(
            [(asked, _clean(f"{passage.heading}｜{passage.text}")) for passage in passages]
        )
        readings: list[PassageReading] = [PassageReading(0.0)] * len(passages)
        for places, (relevance, start, end, keep) in run(self._session, encodings):
            for row, place in enumerate(places):
                readings[place] = _reading(
                    passages[place], encodings[place], float(relevance[row]), start[row], end[row], keep[row]
                )
        return readings


def _reading(
    passage: PassageText,
    encoding: Encoding,
    relevance: float,
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    keep: NDArray[np.float32],
) -> PassageReading:
    """The logits of a passage's tokens as chances and offsets."""
    shift = len(passage.heading) + 1
    tokens = [
        number
        for number, (part, offsets) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True))
        if part == 1 and offsets[0] >= shift and offsets[1] > offsets[0]
    ]
    if not tokens:
        return PassageReading(_chance(relevance))
    places = [(encoding.offsets[token][0] - shift, encoding.offsets[token][1] - shift) for token in tokens]
    spans = tuple(
        AnswerSpan(places[first][0], places[last][1], score) for first, last, score in _best(start[tokens], end[tokens])
    )
    return PassageReading(_chance(relevance), spans, tuple(_runs(places, keep[tokens])))


def _best(start: NDArray[np.float32], end: NDArray[np.float32]) -> list[tuple[int, int, float]]:
    """The likeliest answers that do not overlap, best first: first and last token, and the chance."""
    begins, ends = _softmax(start), _softmax(end)
    chances = np.triu(begins[:, None] * ends[None, :])
    chances -= np.triu(chances, LONGEST_ANSWER)
    found: list[tuple[int, int, float]] = []
    while len(found) < SPANS:
        first, last = np.unravel_index(int(chances.argmax()), chances.shape)
        chance = float(chances[first, last])
        if chance <= 0:
            break
        found.append((int(first), int(last), chance))
        chances[: last + 1, first:] = 0  # whatever would overlap it
    return found


def _runs(places: Sequence[Span], keep: NDArray[np.float32]) -> list[Span]:
    """The runs of tokens that are evidence."""
    kept = [_chance(float(logit)) >= LEAST_KEPT for logit in keep]
    runs = [list(group) for wanted, group in groupby(range(len(kept)), key=kept.__getitem__) if wanted]
    return [(places[run[0]][0], places[run[-1]][1]) for run in runs]


def log_odds(chance: float) -> float:
    """The logarithm of a chance's odds, the chance kept from 0 and 1."""
    inside = min(max(chance, LEAST_CHANCE), 1 - LEAST_CHANCE)
    return math.log(inside / (1 - inside))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    raised = np.exp(logits.astype(np.float64) - logits.max())
    chances: NDArray[np.float64] = raised / raised.sum()
    return chances


def _chance(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
