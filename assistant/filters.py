"""Filters: which documents an answer may stand on, as asked for or as the question itself says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from assistant.errors import AssistantError
from assistant.validity import Standing
from vectorstore.catalog import Record

FILTERS: Final = ("document_id", "region", "issuer", "kind", "level", "year", "validity")
VALIDITIES: Final = ("in_force", "expired", "not_yet", "superseded", "undated")
"""What a document may be on the day that the answer speaks for."""

_YEAR = re.compile(r"(?:19|20)\d{2}")
_IN_FORCE = re.compile(r"现行(?:有效)?的?|(?:目前|现在|仍然?|还)有效的?|\b(?:currently in force|still valid)\b", re.I)
_ENDED = re.compile(r"(?:已经?|过去)?(?:失效|废止|过期|到期)(?:了)?的|\b(?:expired|repealed)\b", re.I)
_ISSUED_BY = re.compile(
    r"(?P<issuer>(?P<place>[\u4e00-\u9fff]{2,8}?[省市区县州])?[\u4e00-\u9fff]{2,14}?(?:政府办公厅|政府办公室|政府|委员会|管委会|[局厅委部]))"
    r"(?:所)?(?:发布|印发|出台|下发|制定|颁布)的"
)
# 现行有效的办法里: what stands around such words is no more about the matter than they are.
_AROUND = r"(?:办法|政策|文件|规定|条例|通知|规则)?(?:里面?|中)?[，,]?"


def checked(filters: Mapping[str, str]) -> dict[str, str]:
    """The filters, those without a value left out.

    Raises:
        AssistantError: there is no such filter, or a value that it cannot have.
    """
    unknown = sorted(set(filters) - set(FILTERS))
    if unknown:
        raise AssistantError(f"There is no filter {', '.join(unknown)}; there are {', '.join(FILTERS)}.")
    kept = {name: str(value).strip() for name, value in filters.items() if str(value).strip()}
    if "year" in kept and not _YEAR.fullmatch(kept["year"]):
        raise AssistantError(f"The filter year is {kept['year']!r}; give a year such as 2026.")
    if "validity" in kept and kept["validity"] not in VALIDITIES:
        raise AssistantError(f"The filter validity is {kept['validity']!r}; give one of {', '.join(VALIDITIES)}.")
    return kept


def said_in(question: str) -> tuple[str, dict[str, str]]:
    """The filters that a question words itself (现行有效的, 市财政局发布的), and the question without those words.

    Places and years stay in the question, where they are understood with all else.
    """
    found: dict[str, str] = {}
    rest = question
    for value, pattern in (("expired", _ENDED), ("in_force", _IN_FORCE)):
        if pattern.search(question) and not found:
            found["validity"] = value
            rest = re.sub(f"(?:{pattern.pattern}){_AROUND}", "", rest, flags=re.IGNORECASE)
    issued = _ISSUED_BY.search(rest)
    if issued:
        found["issuer"] = issued["issuer"]
        rest = re.sub(f"(?:{_ISSUED_BY.pattern}){_AROUND}", lambda match: match["place"] or "", rest)
    return (rest, found) if found and rest.strip() else (question, {})


def admitted(standing: Standing, filters: Mapping[str, str], day: str) -> frozenset[str] | None:
    """The ids of the documents that pass all filters on a day (ISO 8601); None where nothing is filtered."""
    if not filters:
        return None
    return frozenset(
        record.document_id
        for record in standing.records
        if all(_passes(standing, record, name, value, day) for name, value in filters.items())
    )


def _passes(standing: Standing, record: Record, name: str, wanted: str, day: str) -> bool:
    metadata = record.metadata
    if name == "document_id":
        return record.document_id == wanted
    if name == "year":
        first, last = metadata.valid_from, metadata.valid_until
        running = bool(first and last) and (first or "")[:4] <= wanted <= (last or "")[:4]
        return running or (metadata.published or first or "").startswith(wanted) or wanted in (metadata.title or "")
    if name == "validity":
        state = standing.state(record.document_id, metadata.valid_from, metadata.valid_until, day)
        # A document that says nothing of its validity may well be in force, and one that was repealed has ended.
        return state in {"in_force": ("in_force", "undated"), "expired": ("expired", "superseded")}.get(
            wanted, (wanted,)
        )
    return wanted in (getattr(metadata, name) or "")
