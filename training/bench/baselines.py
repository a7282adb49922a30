"""What Zhice is compared with, on the same texts: BM25 over words, and the bundled encoder alone."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.bm25 import Bm25
from vectorstore.encoder import Encoder

Found = tuple[str, float]
"""A text and its score."""


class System(Protocol):
    """Something that finds passages."""

    def search(self, question: str, depth: int) -> list[Found]:
        """The best texts, best first: at least `depth` where there are so many, all that tie with the last one."""


class WordBm25:
    """BM25 over words, as `words` cuts them."""

    def __init__(self, texts: Sequence[str], words: Callable[[str], Iterable[str]]) -> None:
        self._texts = texts
        self._bm25 = Bm25(texts, words)

    def search(self, question: str, depth: int) -> list[Found]:
        """The texts that share a word with the question."""
        return best(self._texts, self._bm25.scores(question), depth, above=0.0)


class EncoderAlone:
    """The cosine between question and text, all texts compared exactly."""

    def __init__(self, texts: Sequence[str], encoder: Encoder) -> None:
        self._texts = texts
        self._encoder = encoder
        self._vectors = encoder.encode(texts)

    def search(self, question: str, depth: int) -> list[Found]:
        """The texts of the highest cosine."""
        return best(self._texts, self._vectors @ self._encoder.encode_query(question), depth)


def best(texts: Sequence[str], scores: NDArray[np.floating], depth: int, *, above: float = -math.inf) -> list[Found]:
    """The `depth` texts of the highest scores, and those that tie with the last of them."""
    kept = np.flatnonzero(scores > above)
    if len(kept) > depth:
        kept = kept[scores[kept] >= np.partition(scores[kept], -depth)[-depth]]
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    return [(texts[number], float(scores[number])) for number in kept.tolist()]


def jieba_words(text: str) -> list[str]:
    """The words of a text by jieba's exact mode, lower case, without punctuation."""
    import jieba

    jieba.setLogLevel(logging.WARNING)

    return [word for word in jieba.lcut(text.lower()) if any(map(str.isalnum, word))]
