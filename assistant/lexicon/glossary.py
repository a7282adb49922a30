"""The policy glossary and the place names: what else a word of a question may be called in a document."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from importlib.resources import files
from typing import Final


class Glossary:
    """Concepts with their Chinese and English wordings."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._wordings: dict[str, list[str]] = {}
        for line in lines:
            if line.strip() and not line.startswith("#"):
                chinese, _, english = line.strip().partition("\t")
                wordings = chinese.lower().split()
                for word in (*wordings, *(phrase.replace("_", " ") for phrase in english.split())):
                    known = self._wordings.setdefault(word, [])
                    known.extend(wording for wording in wordings if wording != word and wording not in known)

    @classmethod
    @cache
    def load(cls) -> Glossary:
        """The glossary that ships with the program."""
        return cls(files("assistant.lexicon").joinpath("glossary.tsv").read_text(encoding="utf-8").splitlines())

    def wordings(self, word: str) -> tuple[str, ...]:
        """Other Chinese wordings of a Chinese or English word (lower case), none if it is not listed."""
        return tuple(self._wordings.get(word, ()))

    def __iter__(self) -> Iterator[str]:
        return iter(self._wordings)


class Siblings:
    """Kinds of one sort, such as degrees, of which a document says different things."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._sorts = [
            [kind.split("=") for kind in line.split()] for line in lines if line.strip() and not line.startswith("#")
        ]

    @classmethod
    @cache
    def load(cls) -> Siblings:
        """Those that ship with the program."""
        return cls(files("assistant.lexicon").joinpath("siblings.txt").read_text(encoding="utf-8").splitlines())

    def differ(self, asked: str, said: str) -> bool:
        """Whether a text speaks of a sibling of what is asked for, and not of that itself."""
        for sort in self._sorts:
            wanted, there = _kinds_in(asked, sort), _kinds_in(said, sort)
            if wanted and there and not wanted & there:
                return True
        return False


def _kinds_in(text: str, sort: list[list[str]]) -> set[int]:
    """Which kinds of a sort a text speaks of, as places in it: 一级至四级 are four, 本科及以上 says nothing of one kind."""
    found = {place for place, kind in enumerate(sort) if any(_stands(word, text) for word in kind)}
    for first in found:
        for last in found:
            if re.search(rf"{sort[first][0]}\s*[至到—~-]\s*{sort[last][0]}", text):
                return set(range(first, last + 1)) | found
    return found


def _stands(word: str, text: str) -> bool:
    above = r"(?:学历|学位|职称|等次|等级)?(?:（含）|及|或者?|（及）)?以[上下]"
    return re.search(rf"(?<!不){re.escape(word)}(?!{above})", text) is not None


class Regions:
    """Names of Chinese provinces, cities and districts in both languages."""

    def __init__(self, lines: Iterable[str]) -> None:
        pairs = [line.rstrip("\n").split("\t") for line in lines]
        self._chinese = {chinese for chinese, _ in pairs}
        self._english: dict[str, str] = {}
        for chinese, english in sorted(pairs, key=lambda pair: len(pair[0])):
            self._english.setdefault(english.lower(), chinese)
        self._beginnings = {name[:2] for name in self._chinese}
        self._longest = max(map(len, self._chinese), default=0)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Any English name; compiling it takes a tenth of a second, which Chinese questions need not wait for."""
        names = "|".join(re.escape(name) for name in sorted(self._english, key=len, reverse=True))
        return re.compile(rf"\b(?:{names})\b")

    @classmethod
    @cache
    def load(cls) -> Regions:
        """The place names that ship with the program."""
        packed = files("assistant.lexicon").joinpath("cedict", "regions.tsv.gz").read_bytes()
        return cls(gzip.decompress(packed).decode().splitlines())

    def __iter__(self) -> Iterator[str]:
        return iter(self._chinese)

    def named_in(self, text: str) -> tuple[str, ...]:
        """The places that a text names in Chinese, in order, without 市 and 省 behind them."""
        found: list[str] = []
        position = 0
        while position < len(text):
            if text[position : position + 2] in self._beginnings:
                for length in range(min(self._longest, len(text) - position), 1, -1):
                    name = text[position : position + length]
                    if name in self._chinese:
                        found.append(name[:-1] if name[-1] in "市省" and len(name) > 2 else name)
                        position += length - 1
                        break
            position += 1
        return tuple(dict.fromkeys(found))

    def named_in_english(self, text: str) -> tuple[str, ...]:
        """The Chinese names of the places that a text names in English, with a capital if it has any.

        The table calls a district as the city of that name, so 区 and 县 are left off unless they are said; a Chinese name
        in brackets behind it says which of several places is meant.
        """
        folded = text.lower()
        found: list[str] = []
        for match in self._pattern.finditer(folded):
            if len(match.group()) < (SHORTEST_NAME if text[match.start()].isupper() else SHORTEST_SMALL):
                continue
            if text[match.start()].islower() and text != folded:
                continue  # hukou is a word there, and no place
            name = self._english[match.group()]
            said = _DISTRICT.search(match.group()) or _DISTRICT.match(folded, match.end())
            shown = _IN_BRACKETS.match(text, match.end())
            name = name[:-1] if name[-1] in "区县" and len(name) > 2 and not said else name
            found.append(re.sub("(?<=..)[市省]$", "", shown[1]) if shown else name)
        return tuple(dict.fromkeys(found))


# Letters of an English name from which it is one, with a capital and without: "old" and "hukou" name places, too.
SHORTEST_NAME: Final = 4
SHORTEST_SMALL: Final = 6
_IN_BRACKETS = re.compile(r"\s*[(（]([\u4e00-\u9fff]{2,8})[)）]")
_DISTRICT = re.compile(r"\s*(?:district|county)")
