"""Numbers of lists that stand in no text: counted and written as a word processor shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.readers.docx_numbering import numeral

BULLET = "• "


@dataclass(frozen=True, slots=True)
class ListLevel:
    """One level of a list: the shape of its numeral, and its text in which %1% stands for the number of level 1."""

    shape: str
    text: str
    start: int = 1


class ListCounts:
    """Counters of all lists of one document; ask for each paragraph once, in order."""

    def __init__(self, levels: Mapping[tuple[str, int], ListLevel]) -> None:
        self._levels = levels
        self._counts: dict[str, dict[int, int]] = {}

    def restart(self, name: str) -> None:
        """The list begins anew."""
        self._counts.pop(name, None)

    def label(self, name: str, depth: int, start: int | None = None) -> str:
        """The number before the next paragraph of a list, with what separates it from the text; empty for none.

        Levels count from 1; `start` sets the number.
        """
        level = self._levels.get((name, depth))
        if level is None:
            return ""
        counts = self._counts.setdefault(name, {})
        counts[depth] = counts.get(depth, level.start - 1) + 1 if start is None else start
        for deeper in [other for other in counts if other > depth]:
            del counts[deeper]

        def shown(match: re.Match[str]) -> str:
            other = self._levels.get((name, int(match[1])), level)
            return numeral(counts.get(int(match[1]), other.start), other.shape)

        label = re.sub(r"%(\d{1,2})%", shown, level.text)
        return label + ("" if not label or label[-1] in "、）)． " else " ")
