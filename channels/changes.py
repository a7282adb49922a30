"""What changed between two versions of a document: a page of the viewer, sentence by sentence; it needs no JavaScript."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from assistant.assembly import Assistant
from assistant.comparing import Change, compare
from channels.templating import render
from channels.texts import Language, say
from channels.viewer import language_for, notice, plain_number
from vectorstore.errors import UnknownDocument
from vectorstore.passage import Document, Span

# Characters of both versions: 0.3 s for two texts of 1,000 sentences (80,000 characters) without a sentence in common.
LONGEST: Final = 200_000
# More are not read on a page; the command lists them all.
MOST_SHOWN: Final = 400
KEPT_COMPARISONS: Final = 16

Piece = tuple[str, bool]
"""Some words of a sentence, and whether they are a number that changed."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of one version, and where the viewer shows it."""

    pieces: tuple[Piece, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A change as it is shown: under which heading, the old sentence and the new one, where there are such."""

    kind: str
    heading: str
    old: Sentence | None
    new: Sentence | None


def changes(assistant: Assistant, *, opens: Callable[[Request], bool] = lambda _: True) -> APIRouter:
    """`/d/{document_id}/changes?from=&to=` compares two versions, by default the current one with the one before it.

    Args:
        opens: whether a request may open any document.
    """
    router = APIRouter()
    catalog = assistant.store.catalog
    # Texts of versions never change. One comparison at a time, so that many requests cannot take all the time there is.
    one_at_a_time = threading.Lock()

    @lru_cache(maxsize=KEPT_COMPARISONS)
    def compared(document_id: str, old: int, new: int) -> list[Change]:
        return compare(catalog.document(document_id, old), catalog.document(document_id, new))

    @router.get("/d/{document_id}/changes", response_class=HTMLResponse)
    def show(request: Request, document_id: str) -> Response:
        language, asked = language_for(request), request.query_params
        if not opens(request):
            return notice(language, "refused_title", "keyed_text", status=403)
        try:
            versions = catalog.versions(document_id)
            new = plain_number(asked["to"]) if asked.get("to") else versions[-1][0]
            old = plain_number(asked["from"]) if asked.get("from") else _before(versions, new)
            before, after = catalog.document(document_id, old), catalog.document(document_id, new)
        except UnknownDocument:
            return notice(language, "not_found_title", "not_found_text", status=404)
        long = len(before.text) + len(after.text) > LONGEST
        found: list[Change] = []
        if not long and before.text != after.text:
            with one_at_a_time:
                found = compared(document_id, old, new)
        page = render(
            "changes.html",
            language,
            document_id=document_id,
            heading=after.metadata.title or after.source,
            versions=[(number, ingested[:10]) for number, ingested in versions],
            old=old,
            new=new,
            message=_message(language, len(versions), len(found), long=long),
            differences=[_difference(document_id, change, before, old, after, new) for change in found[:MOST_SHOWN]],
            more=max(0, len(found) - MOST_SHOWN),
        )
        return HTMLResponse(page)

    return router


def _before(versions: list[tuple[int, str]], new: int) -> int:
    """The version before one; the version itself where it is the first."""
    return max((number for number, _ in versions if number < new), default=new)


def _message(language: Language, versions: int, count: int, *, long: bool) -> str:
    if versions == 1:
        return say(language, "changes_single")
    if long:
        return say(language, "changes_long")
    return say(language, "changes_count", count=count) if count else say(language, "changes_none")


def _difference(document_id: str, change: Change, before: Document, old: int, after: Document, new: int) -> Difference:
    def sentence(document: Document, version: int, span: Span | None, numbers: Iterable[Span]) -> Sentence | None:
        if span is None:
            return None
        link = f"/d/{document_id}?version={version}&start={span[0]}&end={span[1]}#quote"
        return Sentence(_pieces(document.text, span, numbers), link)

    place = _heading(after, change.new) if change.new else _heading(before, change.old or (0, 0))
    return Difference(
        change.kind,
        place,
        sentence(before, old, change.old, change.old_numbers),
        sentence(after, new, change.new, change.new_numbers),
    )


def _pieces(text: str, span: Span, numbers: Iterable[Span]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    position, end = span
    for start, stop in numbers:
        pieces += [(text[position:start], False), (text[start:stop], True)]
        position = stop
    pieces.append((text[position:end], False))
    return tuple(piece for piece in pieces if piece[0])


def _heading(document: Document, span: Span) -> str:
    """The heading that a sentence stands under; empty where the file declares none."""
    index = bisect_right([heading.start for heading in document.headings], span[0]) - 1
    if index < 0:
        return ""
    heading = document.headings[index]
    return document.text[heading.start : heading.end].lstrip("# ").strip()
