"""Passage readers for tests that are not about meaning: by the words that question and passage share, or by given ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.figures import find_figures
from assistant.question import without_asking
from assistant.reading.passage_reader import AnswerSpan, PassageReading, PassageText
from vectorstore.segmentation import sentence_spans, terms

_ASKS_FOR_A_FIGURE = re.compile(r"多少|几|哪天|how (?:much|many|long)|what \S+ does", re.IGNORECASE)
ENOUGH = 0.5  # the share of a question's terms from which a passage answers it


class WordReader:
    """Answers with the sentence that shares most with the question; with its first figure where one is asked for."""

    def read(self, question: str, passages: Sequence[PassageText]) -> list[PassageReading]:
        asked = set(terms(without_asking(question)))
        return [self._reading(question, asked, passage) for passage in passages]

    def _reading(self, question: str, asked: set[str], passage: PassageText) -> PassageReading:
        spans = sentence_spans(passage.text)
        if not spans or not asked or passage.text.strip() in passage.heading:  # a title answers nothing
            return PassageReading(0.0)
        around = set(terms(passage.heading))

        def share(words: str) -> float:
            return len(asked & (around | set(terms(words)))) / len(asked)

        start, end = max(spans, key=lambda span: share(passage.text[slice(*span)]))
        figures = find_figures(passage.text[start:end])
        answer = (start, end)
        if _ASKS_FOR_A_FIGURE.search(question) and figures:
            answer = (start + figures[0].start, start + figures[0].end)
        said, own = share(passage.text[start:end]), len(asked & set(terms(passage.text[start:end]))) / len(asked)
        relevance = 0.99 + 0.009 * own if said >= ENOUGH else 0.001 * said
        return PassageReading(relevance, (AnswerSpan(*answer, 0.9),), ((start, end),))


class PointingReader:
    """Takes certain words for the answer, wherever they stand."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def read(self, question: str, passages: Sequence[PassageText]) -> list[PassageReading]:
        return [self._pointed(passage.text) for passage in passages]

    def _pointed(self, text: str) -> PassageReading:
        places = [(start, start + len(words)) for words in self._words if (start := text.find(words)) >= 0]
        if not places:
            return PassageReading(0.001)
        return PassageReading(0.999, tuple(AnswerSpan(*place, 0.99) for place in places), tuple(places))
