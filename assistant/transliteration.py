"""Whether a text says a foreign name: Johnson is 约翰逊, as dictionaries spell names by their sound."""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from assistant.lexicon.cedict_table import plain_letters

SOUNDS: Final = "sounds.tsv.gz"

LONGEST_CHUNK: Final = 5  # letters that one character stands for: the "tting" of 廷
SHORTEST_NAME: Final = 3
# Costs are kept as whole tenths above this one, so that they are never negative.
COST_OFFSET: Final = 50
SOUND: Final = re.compile(r"([㐀-鿿])(\d+)")

# A letter that stands where it likes costs 2.6 (its entropy in names). That a run of characters spells a name is
# believed when it explains the letters better than this by e to the tenth: there are hundreds of runs in a passage.
LETTER_COST: Final = 2.6
CHANCE: Final = 10.0
# Runs that explain a letter worse than this are no spelling of it, however long the name.
WORST_LETTER: Final = -1.2

Steps = Mapping[str, tuple[tuple[int, int, float], ...]]


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name of `letters` letters: for a character, the pieces [from, to) of the name it may stand for, with log odds."""

    letters: int
    steps: Steps
    runs: re.Pattern[str]


def said(name: str, text: str) -> float:
    """How sure it is, from 0 to 1, that a run of characters in a text spells a name (one word of three letters or more).

    The run must account for all letters. Its log odds are those of its characters standing for their letters, from the
    names in CC-CEDICT, and of the characters standing in names rather than in general text.
    """
    spelling = spell("".join(re.findall("[a-z]", plain_letters(name).lower())))
    if spelling is None:
        return 0.0
    best = max((_best(spelling, run) for run in spelling.runs.findall(text)), default=-math.inf)
    if best < WORST_LETTER * spelling.letters:
        return 0.0
    return 1 / (1 + math.exp(CHANCE - best - LETTER_COST * spelling.letters))


def _best(spelling: Spelling, run: str) -> float:
    """The log odds of the best spelling within a run, which may begin and end anywhere in it."""
    best = -math.inf
    reached: dict[int, float] = {}
    for character in run:
        arrived: dict[int, float] = {}
        for start, end, odds in spelling.steps[character]:
            before = 0.0 if start == 0 else reached.get(start)
            if before is not None and before + odds > arrived.get(end, -math.inf):
                arrived[end] = before + odds
        best = max(best, arrived.get(spelling.letters, -math.inf))
        reached = arrived
    return best


@lru_cache(maxsize=256)
def spell(letters: str) -> Spelling | None:
    """Prepare a name of lower-case letters for `said`; None if it is too short or no character stands for its parts."""
    length = len(letters)
    steps: dict[str, list[tuple[int, int, float]]] = {}
    for start in range(length if length >= SHORTEST_NAME else 0):
        for end in range(start + 1, min(length, start + LONGEST_CHUNK) + 1):
            if end - start == length:
                continue  # a name of one character is no spelling
            for character, cost in SOUND.findall(_sounds().get(letters[start:end], "")):
                steps.setdefault(character, []).append((start, end, (COST_OFFSET - int(cost)) / 10))
    if not steps:
        return None
    runs = re.compile(f"[{''.join(steps)}]{{2,}}")
    return Spelling(length, {character: tuple(found) for character, found in steps.items()}, runs)


@cache
def _sounds() -> Mapping[str, str]:
    packed = (resources.files("assistant.lexicon.cedict") / SOUNDS).read_bytes()
    return {
        chunk: row for chunk, _, row in (line.partition("\t") for line in gzip.decompress(packed).decode().splitlines())
    }
