"""IBM Model 1: which words of sentence pairs translate each other, learned from what stands together.

Brown et al., "The Mathematics of Statistical Machine Translation", 1993, section 4.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

ROUNDS: Final = 5
LEAST: Final = 1e-4  # rarer translations are forgotten after every round
NOTHING: Final = ""  # the word that words without a counterpart come from


@dataclass(frozen=True, slots=True)
class Pair:
    """The words of a text and of its translation; `weight` says how much the pair counts."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    weight: float = 1.0

    @property
    def turned(self) -> Pair:
        """The pair in the other direction."""
        return Pair(self.target, self.source, self.weight)


Translations = dict[str, dict[str, float]]


def learn(pairs: Sequence[Pair]) -> Translations:
    """The probability of every target word, given a source word, by expectation maximisation."""
    table: Translations = {}
    for _ in range(ROUNDS):
        counts: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        for pair in pairs:
            sources = (NOTHING, *pair.source)
            for target in pair.target:
                shares = [table[source].get(target, 1e-12) if table else 1.0 for source in sources]
                scale = pair.weight / sum(shares)
                for source, share in zip(sources, shares, strict=True):
                    counts[source][target] += share * scale
        table = {source: _normalised(row) for source, row in counts.items()}
    return table


def _normalised(row: Mapping[str, float]) -> dict[str, float]:
    total = sum(row.values())
    return {target: count / total for target, count in row.items() if count / total > LEAST}


def symmetric(forward: Translations, backward: Translations, least: float) -> Translations:
    """The geometric means of both directions; pairs below `least` are left out.

    Either direction alone takes words that merely stand beside each other (what comes with every "war" in one
    sentence); both seldom take the same ones.
    """
    table: Translations = {}
    for source, row in forward.items():
        means = {word: math.sqrt(share * backward.get(word, {}).get(source, 0.0)) for word, share in row.items()}
        kept = {word: mean for word, mean in means.items() if mean >= least}
        if kept and source != NOTHING:
            table[source] = kept
    return table


def both_ways(pairs: Iterable[Pair], least: float) -> Translations:
    """Learn both directions and keep what they agree on."""
    listed = list(pairs)
    return symmetric(learn(listed), learn([pair.turned for pair in listed]), least)
