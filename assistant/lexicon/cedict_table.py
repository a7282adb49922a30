"""English words and phrases to the Chinese words that official documents use for them, from CC-CEDICT."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Final, Self

TABLE: Final = "english.tsv.gz"

# Words that a phrase is found without: dictionaries say "half a year", people "half-year".
SKIPPED: Final = frozenset({"a", "an", "the", "to", "be"})
# More words of other senses find more wrong passages than right ones.
MOST_WORDS: Final = 6
WORD: Final = re.compile(r"[a-z]+")

# Endings and what may stand in their place, in the order of trying.
ENDINGS: Final = (
    ("ies", ("y", "ie")),
    ("es", ("e", "")),
    ("s", ("",)),
    ("ied", ("y",)),
    ("ed", ("e", "")),
    ("ing", ("e", "")),
)
VOWELS: Final = frozenset("aeiou")


class EnglishTable:
    """Translates words and phrases of two or three words, one at a time and without their context."""

    def __init__(self, table: Mapping[str, str]) -> None:
        """Take the table: English key in normal form -> Chinese words separated by blanks, the best first."""
        self._table = table

    @classmethod
    def load(cls) -> Self:
        """Read the table that is installed with the package (about 20 ms)."""
        data = (resources.files("assistant.lexicon.cedict") / TABLE).read_bytes()
        lines = gzip.decompress(data).decode().splitlines()
        return cls({key: words for key, _, words in (line.partition("\t") for line in lines)})

    def __len__(self) -> int:
        return len(self._table)

    def lookup(self, phrase: str) -> tuple[str, ...]:
        """Return the Chinese words for an English word or phrase, the most usual first; () if there are none.

        Upper case, hyphens and articles make no difference. Words of the form as it stands come first, then those of
        the last word without its plural, -ed or -ing (applied: 应用, then what apply has: 申请).
        """
        found: dict[str, None] = {}
        for form in forms(normal_form(phrase)):
            found |= dict.fromkeys(self._table.get(form, "").split())
        return tuple(found)[:MOST_WORDS]


def normal_form(phrase: str) -> str:
    """Lower-case words separated by single blanks, without hyphens, marks, articles and the infinitive's "to"."""
    words = WORD.findall(phrase.lower().replace("'s", ""))
    return " ".join([word for word in words if word not in SKIPPED] or words)


def forms(phrase: str) -> Iterator[str]:
    """Yield a phrase in normal form, then with the endings of its last word taken off."""
    yield phrase
    head, blank, word = phrase.rpartition(" ")
    for ending, replacements in ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 2 or word.endswith("ss"):
            continue
        for replacement in replacements:
            yield head + blank + stem + replacement
        if ending in ("ed", "ing") and len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in VOWELS:
            yield head + blank + stem[:-1]
