"""The source viewer: one version of a document as plain HTML, with the quote marked; it needs no JavaScript."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from assistant.answer import Citation
from assistant.assembly import Assistant
from assistant.validity import source_warnings
from channels.layout import lay_out
from channels.templating import language_of, render
from channels.texts import LANGUAGE_COOKIE, Language, preferred, say
from prompts import load_wording
from vectorstore.catalog import Record
from vectorstore.errors import UnknownDocument
from vectorstore.links import Links
from vectorstore.passage import Document, Metadata


def viewer(
    assistant: Assistant, *, public_url: str | None = None, opens: Callable[[Request], bool] = lambda _: True
) -> APIRouter:
    """The source viewer and the short links that lead into it.

    `/d/{document_id}?version=&start=&end=` shows the current version unless one is named; wrong offsets mark nothing.
    `/s/{code}` leads to the place that a short link was made for, in the version that was cited. Under both, `qr.svg` is the
    place's QR code, where `public_url` tells what the outside calls this server.

    Args:
        opens: whether a request may open any document; a short link opens its own without it.
    """
    router = APIRouter()
    shelf = _Shelf(assistant, public_url)
    _add_documents(router, shelf, opens)
    _add_links(router, shelf, Links(assistant.store.catalog), opens)
    return router


def _add_documents(router: APIRouter, shelf: _Shelf, opens: Callable[[Request], bool]) -> None:
    @router.get("/d/{document_id}", response_class=HTMLResponse)
    def show(request: Request, document_id: str, version: str = "", start: str = "", end: str = "") -> Response:
        language = language_for(request)
        if not opens(request):
            return notice(language, "refused_title", "keyed_text", status=403)
        place = Place(document_id, plain_number(version) if version else None, plain_number(start), plain_number(end))
        return shelf.page(place, language, newest=f"/d/{document_id}", qr=f"/d/{document_id}/qr.svg?{place.query}")

    @router.get("/d/{document_id}/qr.svg")
    def show_qr(request: Request, document_id: str, version: str = "", start: str = "", end: str = "") -> Response:
        if not opens(request):
            return notice(language_for(request), "refused_title", "keyed_text", status=403)
        place = Place(document_id, plain_number(version) if version else None, plain_number(start), plain_number(end))
        return shelf.qr(f"/d/{document_id}?{place.query}#quote", language_for(request))


def _add_links(router: APIRouter, shelf: _Shelf, links: Links, opens: Callable[[Request], bool]) -> None:
    @router.get("/s/{code}")
    def follow(request: Request, code: str) -> Response:
        if links.find(code) is None:
            return notice(language_for(request), "not_found_title", "link_gone_text", status=404)
        return RedirectResponse(f"/s/{code}/source#quote", 302)

    @router.get("/s/{code}/source", response_class=HTMLResponse)
    def show_linked(request: Request, code: str) -> Response:
        language, link = language_for(request), links.find(code)
        if link is None:
            return notice(language, "not_found_title", "link_gone_text", status=404)
        place = Place(link.document_id, link.version, link.start, link.end)
        newest = f"/d/{link.document_id}" if opens(request) else ""
        return shelf.page(place, language, newest=newest, qr=f"/s/{code}/qr.svg")

    @router.get("/s/{code}/qr.svg")
    def show_linked_qr(request: Request, code: str) -> Response:
        if links.find(code) is None:
            return notice(language_for(request), "not_found_title", "link_gone_text", status=404)
        return shelf.qr(f"/s/{code}", language_for(request))


@dataclass(frozen=True, slots=True)
class Place:
    """Characters `start` to `end` of a version of a document; the current one without a version."""

    document_id: str
    version: int | None
    start: int
    end: int

    @property
    def query(self) -> str:
        """The place as a viewer's address has it."""
        version = "" if self.version is None else f"version={self.version}&"
        return f"{version}start={self.start}&end={self.end}"


class _Shelf:
    """Renders documents and QR codes."""

    def __init__(self, assistant: Assistant, public_url: str | None) -> None:
        self._assistant = assistant
        self._public_url = public_url

    def page(self, place: Place, language: Language, *, newest: str, qr: str) -> Response:
        """The document with the place marked; `newest` leads to its current version, `qr` to the place's QR code."""
        catalog = self._assistant.store.catalog
        try:
            record = catalog.record(place.document_id)
            shown = record.version if place.version is None else place.version
            document = catalog.document(place.document_id, shown)
        except UnknownDocument:
            return notice(language, "not_found_title", "not_found_text", status=404)
        span = place.start, place.end
        parts = lay_out(document, span if 0 <= span[0] < span[1] <= len(document.text) else None)
        quoted = any(part.marked for part in parts)
        return HTMLResponse(
            render(
                "viewer.html",
                language,
                heading=document.metadata.title or document.source,
                facts=_facts(document, record, shown, language),
                notices=_notices(self._assistant, document, record, shown, language, newest),
                parts=parts,
                quoted=quoted,
                qr=qr if quoted and self._public_url else "",
                language_of_text=language_of(document.text[:2000]),
            )
        )

    def qr(self, path: str, language: Language) -> Response:
        """The QR code of a path of this server as the outside calls it."""
        if self._public_url is None:
            return notice(language, "not_found_title", "not_found_text", status=404)
        drawn = io.BytesIO()
        segno.make(self._public_url + path, error="m", micro=False).save(drawn, kind="svg", scale=4, border=4)
        return Response(drawn.getvalue(), media_type="image/svg+xml")


def notice(language: Language, heading: str, text: str, *, status: int) -> HTMLResponse:
    """A plain page that says what happened; `heading` and `text` name phrases."""
    page = render("notice.html", language, heading=say(language, heading), text=say(language, text))
    return HTMLResponse(page, status_code=status)


def language_for(request: Request) -> Language:
    """The interface's language for a request."""
    return preferred(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))


def plain_number(value: str) -> int:
    """What stands in an address: a version or an offset; -1, which is neither, for anything but a plain number."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else -1


def _facts(document: Document, record: Record, version: int, language: Language) -> list[tuple[str, str]]:
    metadata = document.metadata
    period = []
    if metadata.valid_from:
        period.append(say(language, "valid_from", date=metadata.valid_from))
    if metadata.valid_until:
        period.append(say(language, "valid_until", date=metadata.valid_until))
    facts = [
        ("issuer", metadata.issuer),
        ("doc_no", metadata.doc_no),
        ("published", metadata.published),
        ("valid", " ".join(period)),
        ("viewer_file", document.source if metadata.title else None),
        ("version", say(language, "viewer_version", version=version) if record.version > 1 else None),
    ]
    return [(name, value) for name, value in facts if value]


def _notices(
    assistant: Assistant, document: Document, record: Record, version: int, language: Language, newest: str
) -> list[dict[str, Any]]:
    standing = assistant.standing()
    found: list[dict[str, Any]] = []
    if version != record.version:
        found.append(
            {
                "code": "older",
                "message": say(language, "viewer_newer"),
                "links": _onward(record, version, newest, language),
            }
        )
    if record.state == "removed":
        found.append({"code": "removed", "message": say(language, "viewer_removed"), "links": []})
    if record.collection == "samples":
        found.append({"code": "sample", "message": say(language, "viewer_samples"), "links": []})
    found += [{"code": "note", "message": say(language, "viewer_note") + note, "links": []} for note in document.notes]
    warnings = source_warnings(
        [_whole(document.metadata, document.source, record.document_id, version)],
        as_of=date.today().isoformat(),
        standing=standing,
        wording=load_wording(language),
    )
    said = [warning for warning in warnings if warning.code != "sample"]  # said above in the viewer's own words
    return [*found, *({"code": warning.code, "message": warning.message, "links": []} for warning in said)]


def _onward(record: Record, version: int, newest: str, language: Language) -> list[tuple[str, str]]:
    """Where an old version leads to, for who may open the others."""
    if not newest:
        return []
    changed = f"/d/{record.document_id}/changes?from={version}&to={record.version}"
    return [(newest, say(language, "viewer_newest")), (changed, say(language, "viewer_changes"))]


def _whole(metadata: Metadata, source: str, document_id: str, version: int) -> Citation:
    """A citation of the document as such, for the rules about validity."""
    return Citation(
        number=1,
        document_id=document_id,
        version=version,
        title=metadata.title or source,
        issuer=metadata.issuer,
        doc_no=metadata.doc_no,
        published=metadata.published,
        valid_from=metadata.valid_from,
        valid_until=metadata.valid_until,
        section=(),
        page=None,
        start=0,
        end=0,
        quote="",
        link="",
        kind=metadata.kind,
    )
