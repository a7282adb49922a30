"""English numbers, ordinals, centuries and months in the notations of Chinese text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty".split()
)
ORDINALS: Final = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split()
)
TENS: Final = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
SCALES: Final = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
MYRIADS: Final = ((10**4, "万"), (10**8, "亿"), (10**12, "万亿"))
MONTHS: Final = "january february march april may june july august september october november december".split()
DIGITS: Final = "零一二三四五六七八九"
ORDINAL: Final = re.compile(r"(\d{1,3})(?:st|nd|rd|th)")
NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
# "One" and "two" are words as often as numbers.
LEAST_WORD: Final = 3

# A character for a number stands in other words, too; so does the bare number of "5th".
SPELLED: Final = 0.7
CHARACTER: Final = 0.2
BARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Numeral:
    """What `words` words of a question say in Chinese text, each wording with its worth."""

    words: int
    wordings: tuple[tuple[str, float], ...]


def read_numeral(words: Sequence[str], position: int) -> Numeral | None:
    """The numeral that begins at a word, None if there is none: 5 million -> 500万, 19th century -> 19世纪."""
    word = words[position].lower()
    following = words[position + 1].lower() if position + 1 < len(words) else ""
    written = ORDINAL.fullmatch(word)
    ordinal = int(written[1]) if written else ORDINALS.index(word) if word in ORDINALS[1:] else 0
    if ordinal and following.startswith("centur"):
        return Numeral(2, ((f"{ordinal}世纪", 1.0), (f"{chinese(ordinal)}世纪", 1.0)))
    if written:
        return Numeral(1, ((f"第{ordinal}", 1.0), (f"第{chinese(ordinal)}", 1.0), (str(ordinal), BARE)))
    if word in MONTHS and words[position][0].isupper():
        month = MONTHS.index(word) + 1
        return Numeral(1, ((f"{month}月", 1.0), (f"{chinese(month)}月", 1.0)))
    value = _value(word)
    if value is None:
        return None
    scale = SCALES.get(following, 1)
    return Numeral(1 if scale == 1 else 2, tuple(_notations(value * scale)))


def _value(word: str) -> float | None:
    if NUMBER.fullmatch(word):
        return float(word.replace(",", ""))
    if word in ONES[LEAST_WORD:]:
        return float(ONES.index(word))
    return TENS.get(word)


def _notations(value: float) -> list[tuple[str, float]]:
    whole = value == int(value)
    found = [(f"{int(value)}" if whole else f"{value:.12g}", 1.0)]
    if whole and value >= 1000:
        found.append((f"{int(value):,}", 1.0))
    found += [(f"{value / size:.12g}{name}", 1.0) for size, name in MYRIADS if value >= size]
    spelled = chinese(int(value)) if whole and value < 10_000 else ""
    if spelled:
        found.append((spelled, SPELLED if len(spelled) > 1 else CHARACTER))
    return found


def chinese(value: int) -> str:
    """A number below 10,000 in Chinese characters, "" if it is not round enough to be written so (357, 1250)."""
    for size, name in ((1000, "千"), (100, "百")):
        if value >= size:
            return DIGITS[value // size] + name if value % size == 0 and value // size < 10 else ""
    tens, ones = divmod(value, 10)
    if tens == 0:
        return DIGITS[ones]
    return (DIGITS[tens] if tens > 1 else "") + "十" + (DIGITS[ones] if ones else "")
