"""Dates and versions -> warnings: what a reader must know about a source on the day the answer speaks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from assistant.answer import Citation, Warning
from prompts import Wording


def source_warnings(
    citations: Sequence[Citation],
    *,
    as_of: str,
    superseded_by: Mapping[str, str],
    samples: Iterable[str],
    wording: Wording,
) -> tuple[Warning, ...]:
    """The warnings about the cited documents, one for each document and matter.

    Args:
        citations: the answer's citations.
        as_of: ISO 8601 date the answer speaks for.
        superseded_by: document id -> title of the document that repeals or replaces it.
        samples: ids of the documents that are samples.
        wording: in the answer's language.
    """
    found: dict[tuple[str, str], Warning] = {}
    sampled = frozenset(samples)

    def add(code: str, citation: Citation, message: str) -> None:
        numbers = tuple(other.number for other in citations if other.document_id == citation.document_id)
        found.setdefault((code, citation.document_id), Warning(code, message, numbers))

    for citation in citations:
        title = citation.title
        if citation.valid_until and citation.valid_until < as_of:
            if citation.valid_from:
                message = wording.say(
                    "warning_period", title=title, start=citation.valid_from, end=citation.valid_until
                )
            else:
                message = wording.say("warning_expired", title=title, date=citation.valid_until)
            add("expired", citation, message)
        if citation.valid_from and citation.valid_from > as_of:
            add("not_yet_effective", citation, wording.say("warning_not_yet_effective", title=title, date=citation.valid_from))  # fmt: skip
        successor = superseded_by.get(citation.document_id)
        if successor:
            add("superseded", citation, wording.say("warning_superseded", title=title, by=successor))
    warnings = list(found.values())
    numbers = tuple(citation.number for citation in citations if citation.document_id in sampled)
    if numbers:
        warnings.append(Warning("sample", wording.say("warning_sample"), numbers))
    return tuple(warnings)
