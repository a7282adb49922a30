"""What a question may be narrowed to on the page: the choices there are, and what was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from assistant.filters import VALIDITIES
from channels.texts import Language, say

NAMES: Final = ("region", "issuer", "kind", "year", "validity")
"""The filters that the page offers, in their order."""

AS_OF: Final = "as_of"
# Nobody means a longer one; what comes with an event is shown again, and kept as long as the conversation.
_LONGEST: Final = 200
_WORDED: Final[Mapping[str, str]] = {"in_force": "filter_in_force", "expired": "filter_expired"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters of a question by name, and the day to answer for (ISO 8601), empty for today."""

    filters: Mapping[str, str] = field(default_factory=dict)
    as_of: str = ""

    @property
    def dated(self) -> bool:
        """Whether the day to answer for is one, or is not named."""
        return not self.as_of or _is_day(self.as_of)


def chosen_from(given: object) -> Chosen:
    """What came with an event; whether the filters are such, the assistant checks."""
    if not isinstance(given, dict):
        return Chosen()
    texts = {
        str(name)[:_LONGEST]: value.strip()[:_LONGEST]
        for name, value in given.items()
        if isinstance(value, str) and value.strip()
    }
    return Chosen({name: value for name, value in texts.items() if name != AS_OF}, texts.get(AS_OF, ""))


def choices(rows: Sequence[Mapping[str, Any]], today: str, language: Language) -> dict[str, list[tuple[str, str]]]:
    """By filter the values that some document meets, each with how it reads; the most common first, years latest first."""
    return {
        **{name: _values(name, rows) for name in ("region", "issuer", "kind")},
        "year": [(year, year) for year in sorted({year for row in rows for year in _years(row, today)}, reverse=True)],
        "validity": [(state, _said(state, language)) for state in VALIDITIES],
    }


def described(chosen: Chosen, language: Language) -> list[str]:
    """What was chosen, in words, in the order of the fields."""
    names = [*(name for name in NAMES if name in chosen.filters), *(set(chosen.filters) - set(NAMES))]
    values = [(name, chosen.filters[name]) for name in names]
    found = [_said(value, language) if name == "validity" else value for name, value in values]
    return [*found, say(language, "as_of_day", day=chosen.as_of)] if chosen.as_of else found


def _values(name: str, rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    # Several issuers of one document stand apart by a space; each of them can be asked for.
    counted = Counter(
        value for row in rows for value in ((row[name] or "").split() if name == "issuer" else [row[name]]) if value
    )
    return [(value, value) for value, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]


def _years(row: Mapping[str, Any], today: str) -> Iterable[str]:
    """The years that a document belongs to: when it came out, and those up to now in which it runs."""
    out = (row["published"] or row["valid_from"] or "")[:4]
    if out:
        yield out
    if row["valid_from"] and row["valid_until"]:
        first, last = int(row["valid_from"][:4]), min(int(row["valid_until"][:4]), int(today[:4]))
        yield from map(str, range(first, last + 1))


def _said(state: str, language: Language) -> str:
    return say(language, _WORDED.get(state, state)) if state in VALIDITIES else state


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
