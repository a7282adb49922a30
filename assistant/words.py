"""Words of questions, cut with the bundled encoder's own vocabulary.

The vocabulary lists words from the most to the least frequent, so a run is cut into the likeliest words rather than
the longest: 土地上建 is 土地/上/建 although 上建 is listed. A name it does not know falls into single characters;
those are joined again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence

from vectorstore.encoder import BUNDLED_ENCODER
from vectorstore.segmentation import is_chinese, normalise

_RUN = re.compile(r"[㐀-䶿一-鿿]+|[a-z]+(?:[-'&][a-z]+)*|\d+(?:\.\d+)?%?")
_LONGEST = 8  # characters of the longest word in the vocabulary
# Costs on the scale of log(rank): a single character as much as the 400th word, one that is a word of its own less.
_CHARACTER_COST = 6.0
_BREAK_COST = 4.0
_TERM_COST = 7.0
_SUFFIXES = frozenset("率额")  # 配套 + 率 is one word, listed or not


def vocabulary() -> list[str]:
    """The pieces of the bundled encoder's tokenizer, the likeliest first."""
    pieces = json.loads((BUNDLED_ENCODER / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    pieces.sort(key=lambda piece: -piece[1])
    return list(dict.fromkeys(piece.lstrip("▁") for piece, _ in pieces))


class Words:
    """Cuts text into words.

    `vocabulary` has the most frequent words first; `breaks` are single characters that are words of their own and never
    part of a name, `verbs` others that are not joined to one; `terms` are words to prefer.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        breaks: frozenset[str],
        *,
        verbs: frozenset[str] = frozenset(),
        terms: Iterable[str] = (),
    ) -> None:
        self._costs = {word: math.log(rank + 100) for rank, word in enumerate(vocabulary) if len(word) > 1}
        self._costs.update((term, _TERM_COST) for term in terms if 1 < len(term) <= _LONGEST)
        self._breaks = breaks
        self._apart = breaks | verbs

    def split(self, text: str) -> list[str]:
        """The words of a text in order, without punctuation; unknown names stay whole."""
        words: list[str] = []
        for run in _RUN.findall(normalise(text)):
            words += self._cut(run) if is_chinese(run[0]) else [run]
        return words

    def _cut(self, run: str) -> list[str]:
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(run) + 1):
            best.append(
                min(
                    (best[start][0] + self._cost(run[start:end]), start) for start in range(max(0, end - _LONGEST), end)
                )
            )
        cuts, end = [], len(run)
        while end:
            cuts.append(run[best[end][1] : end])
            end = best[end][1]
        words: list[str] = []
        growing = False
        for word in reversed(cuts):
            joins = len(word) == 1 and word not in self._apart
            if (joins and growing) or (words and word in _SUFFIXES):
                words[-1] += word
            else:
                words.append(word)
            growing = joins
        return words

    def _cost(self, word: str) -> float:
        if len(word) == 1:
            return _BREAK_COST if word in self._breaks else _CHARACTER_COST
        return self._costs.get(word, math.inf)
