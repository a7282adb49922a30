"""BM25 over any words, in memory: for hard negatives in training and as the benchmark's baseline."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

# The usual choice (Lucene, SQLite); no set here was used to tune it.
K1: Final = 1.2
B: Final = 0.75


class Bm25:
    """BM25 with Lucene's idf, ln(1 + (N - n + 0.5) / (n + 0.5)); a word counts once a question."""

    def __init__(self, texts: Sequence[str], words: Callable[[str], Iterable[str]]) -> None:
        self._count = len(texts)
        self._words = words
        self._postings: dict[str, tuple[array[int], array[int]]] = {}
        lengths = np.zeros(len(texts))
        for number, text in enumerate(texts):
            counts = Counter(words(text))
            lengths[number] = counts.total()
            for word, count in counts.items():
                numbers, frequencies = self._postings.setdefault(word, (array("I"), array("I")))
                numbers.append(number)
                frequencies.append(count)
        self._norm = K1 * (1 - B + B * lengths / (lengths.mean() or 1.0))

    def scores(self, question: str) -> NDArray[np.float64]:
        """The score of every text."""
        scores = np.zeros(self._count)
        for word in dict.fromkeys(self._words(question)):
            if word in self._postings:
                numbers, frequencies = map(np.asarray, self._postings[word])
                idf = math.log(1 + (self._count - len(numbers) + 0.5) / (len(numbers) + 0.5))
                scores[numbers] += idf * frequencies * (K1 + 1) / (frequencies + self._norm[numbers])
        return scores
