"""Corrections: fields of a document that a person set right, at the desk or in a file beside the document.

They are kept apart from what was read, so they survive reading the document again, and can be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final, Literal

from vectorstore.errors import InvalidCorrection
from vectorstore.passage import Metadata

Origin = Literal["desk", "sidecar"]

DATES: Final = ("signed", "published", "valid_from", "valid_until")
FIELDS: Final = ("title", "issuer", "doc_no", *DATES, "region", "level", "kind")
"""What can be corrected. `repeals` follows from the text."""

_LONGEST: Final = 300  # characters; the longest titles of policies have some 120


def check(fields: Mapping[str, object]) -> dict[str, str | None]:
    """The corrections in order, `None` where a field is to be empty.

    Raises:
        InvalidCorrection: a field that there is not, a date that is none, or a text too long.
    """
    checked: dict[str, str | None] = {}
    for name, given in fields.items():
        if name not in FIELDS:
            raise InvalidCorrection(f"There is no field {name!r}; there are {', '.join(FIELDS)}.")
        value = given.isoformat()[:10] if isinstance(given, date) else given
        if value is None or value == "":
            checked[name] = None
            continue
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise InvalidCorrection(f"The field {name} holds {given!r}; give a text or a date.")
        text = " ".join(str(value).split())
        if len(text) > _LONGEST:
            raise InvalidCorrection(f"The field {name} has {len(text)} characters; at most {_LONGEST} are kept.")
        if name in DATES and not _is_date(text):
            raise InvalidCorrection(f"The field {name} is {text!r}; give a date such as 2026-01-31.")
        checked[name] = text
    start, end = checked.get("valid_from"), checked.get("valid_until")
    if start and end and end < start:
        raise InvalidCorrection(f"The period ends on {end}, before it begins on {start}; set the dates right.")
    return checked


def corrected(read: Metadata, corrections: Mapping[str, str | None]) -> Metadata:
    """What was read with the corrections in place of it; a corrected field stands nowhere in the text."""
    if not corrections:
        return read
    spans = {name: span for name, span in read.spans.items() if name not in corrections}
    return replace(read, **dict(corrections), spans=spans)  # type: ignore[arg-type]  # FIELDS are texts or None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
