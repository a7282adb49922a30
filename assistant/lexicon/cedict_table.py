"""English words and phrases to the Chinese words that say them, each with its worth, from CC-CEDICT and sentence pairs."""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Final, Self

from assistant.lexicon.morphology import SHORTEST_FAMILY, family, lemmas

TABLE: Final = "english.tsv.gz"

# Words that a phrase is found without: dictionaries say "half a year", people "half-year".
SKIPPED: Final = frozenset(
    "a an the to be of sb sth etc or and one oneself in on at for by with from as into esp".split()
)
LONGEST_PHRASE: Final = 4
# In a prototype XQuAD's paragraph came first for .811 of the questions with 12 words, for .824 with 24.
MOST_WORDS: Final = 24
# What a word's lemma and its relatives (colonial: colony) tell, against its own entry.
LEMMA_WORTH: Final = 0.98
FAMILY_WORTH: Final = 0.75
WORD: Final = re.compile(r"[a-z]+")
# 补贴9补助8: a digit d behind a word is a worth of (d + 1) / 10.
WORTHY: Final = re.compile(r"([^0-9]+)([0-9])")


class EnglishTable:
    """Translates words and phrases of up to four words, one at a time and without their context.

    The table is one sorted text that is searched by halving, so that loading it is no more than unpacking it.
    """

    def __init__(self, rows: Mapping[str, str]) -> None:
        """Take the rows: English key in normal form -> Chinese words, each with the digit of its worth."""
        lines = sorted(f"{key}\t{words}\n".encode() for key, words in rows.items())
        self._lines = b"".join(lines)

    @classmethod
    def load(cls) -> Self:
        """Unpack the table that is installed with the package (about 20 ms)."""
        table = cls({})
        table._lines = gzip.decompress((resources.files("assistant.lexicon.cedict") / TABLE).read_bytes())
        return table

    def __len__(self) -> int:
        return self._lines.count(b"\n")

    def lookup(self, phrase: str) -> tuple[tuple[str, float], ...]:
        """Return the Chinese words for an English word or phrase with their worths in (0, 1], the best first.

        Upper case, accents, hyphens and small words make no difference. A phrase is found as it stands or with its last
        word's lemma. A word has, besides its own, the words of its lemma and, at a discount, those of its family.
        """
        key = normal_form(phrase)
        if not key:
            return ()
        head, blank, last = key.rpartition(" ")
        found: dict[str, float] = dict(self._row(key))
        for lemma in lemmas(last):
            row = self._row(head + blank + lemma)
            _add(found, row, LEMMA_WORTH)
            if row:
                break
        if not blank and len(key) > SHORTEST_FAMILY:
            for relative in self._relatives(key):
                _add(found, self._row(relative), FAMILY_WORTH)
        ranked = sorted(found.items(), key=lambda item: -item[1])
        return tuple(ranked[:MOST_WORDS])

    def _row(self, key: str) -> list[tuple[str, float]]:
        start = self._first(key.encode() + b"\t")
        end = self._lines.find(b"\n", start)
        name, _, words = self._lines[start:end].decode().partition("\t")
        return parse_words(words) if name == key else []

    def _relatives(self, word: str) -> Iterator[str]:
        """The other single words of a word's family, which stand near it in the order of the table."""
        stem = family(word)
        position = self._first(stem.encode())
        while self._lines.startswith(stem.encode(), position):
            end = self._lines.find(b"\n", position)
            relative = self._lines[position : self._lines.find(b"\t", position)].decode()
            if relative != word and " " not in relative and family(relative) == stem:
                yield relative
            position = end + 1

    def _first(self, prefix: bytes) -> int:
        """Where the first line that does not stand before a prefix begins."""
        low, high = 0, len(self._lines)
        while low < high:
            middle = (low + high) // 2
            start = self._lines.rfind(b"\n", low, middle) + 1 or low
            end = self._lines.find(b"\n", middle) + 1
            if self._lines[start:end] < prefix:
                low = end
            else:
                high = start
        return low


def _add(found: dict[str, float], row: list[tuple[str, float]], discount: float) -> None:
    for word, worth in row:
        found[word] = max(found.get(word, 0.0), worth * discount)


def parse_words(words: str) -> list[tuple[str, float]]:
    """The Chinese words of a row with their worths."""
    return [(word, (int(digit) + 1) / 10) for word, digit in WORTHY.findall(words)]


@lru_cache(maxsize=4096)
def plain_letters(text: str) -> str:
    """A text without accents: Müller -> Muller."""
    if text.isascii():
        return text
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def normal_form(phrase: str) -> str:
    """Lower-case words separated by single blanks, without accents, hyphens, marks and small words (of, the, sth)."""
    bare = plain_letters(phrase).lower().replace("’", "'").replace("'s", "").replace("'", "")
    words = WORD.findall(bare)
    return " ".join([word for word in words if word not in SKIPPED] or words)
