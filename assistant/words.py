"""Words of questions and sentences, cut and compared with the bundled encoder's own vocabulary.

The vocabulary cuts Chinese by longest match, so a name it does not know falls into single characters; those are
joined again. Comparing words by their vectors lets 宿舍 find 公寓 without an entry in any list.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vectorstore.encoder import StaticEncoder
from vectorstore.segmentation import is_chinese, normalise


class Words:
    """Cuts text into words and compares words; keeps the vectors of words it has seen."""

    def __init__(self, encoder: StaticEncoder, *, kept: int = 20000) -> None:
        self._encoder = encoder
        self._kept = kept
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def split(self, text: str, breaks: frozenset[str] = frozenset()) -> list[str]:
        """The words of a text in order, without punctuation; unknown names stay whole.

        `breaks` are single characters that are words of their own and never part of a name.
        """
        folded = normalise(text)
        words: list[str] = []
        previous_end, growing = -1, False
        for start, end in self._encoder.tokens(folded):
            word = folded[start:end]
            joins = len(word) == 1 and is_chinese(word) and word not in breaks
            latin = word.isascii() and previous_end == start and words and words[-1].isascii() and word.isalpha()
            if (joins and growing and previous_end == start) or (latin and words[-1].isalpha()):
                words[-1] += word
            else:
                words.append(word)
            growing, previous_end = joins, end
        return words

    def similarities(self, left: Sequence[str], right: Sequence[str]) -> NDArray[np.float32]:
        """Cosines of words, shape (len(left), len(right))."""
        return np.asarray(self._encode(left) @ self._encode(right).T, dtype=np.float32)

    def _encode(self, words: Sequence[str]) -> NDArray[np.float32]:
        new = [word for word in dict.fromkeys(words) if word not in self._vectors]
        if new:
            if len(self._vectors) + len(new) > self._kept:
                self._vectors.clear()
                new = list(dict.fromkeys(words))
            self._vectors.update(zip(new, self._encoder.encode(new), strict=True))
        if not words:
            return np.zeros((0, self._encoder.dimension), dtype=np.float32)
        return np.stack([self._vectors[word] for word in words])
