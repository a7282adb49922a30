"""The source viewer: one version of a document as plain HTML, with the quote marked; it needs no JavaScript."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from assistant.answer import Citation
from assistant.assembly import Assistant
from assistant.validity import source_warnings
from channels.layout import lay_out
from channels.templating import language_of, render
from channels.texts import LANGUAGE_COOKIE, Language, preferred, say
from prompts import load_wording
from vectorstore.catalog import Record
from vectorstore.errors import UnknownDocument
from vectorstore.passage import Document, Metadata, Span


def viewer(assistant: Assistant) -> APIRouter:
    """`/d/{document_id}?version=&start=&end=`: the current version unless one is named; wrong offsets mark nothing."""
    router = APIRouter()

    @router.get("/d/{document_id}", response_class=HTMLResponse)
    def show(request: Request, document_id: str, version: str = "", start: str = "", end: str = "") -> HTMLResponse:
        language = language_for(request)
        catalog = assistant.store.catalog
        try:
            record = catalog.record(document_id)
            document = catalog.document(document_id, _number(version) if version else record.version)
        except UnknownDocument:
            return notice(language, "not_found_title", "not_found_text", status=404)
        shown = _number(version) if version else record.version
        parts = lay_out(document, _span(start, end, len(document.text)))
        return HTMLResponse(
            render(
                "viewer.html",
                language,
                heading=document.metadata.title or document.source,
                facts=_facts(document, record, shown, language),
                notices=_notices(assistant, document, record, shown, language),
                parts=parts,
                quoted=any(part.marked for part in parts),
                language_of_text=language_of(document.text[:2000]),
            )
        )

    return router


def notice(language: Language, heading: str, text: str, *, status: int) -> HTMLResponse:
    """A plain page that says what happened; `heading` and `text` name phrases."""
    page = render("notice.html", language, heading=say(language, heading), text=say(language, text))
    return HTMLResponse(page, status_code=status)


def language_for(request: Request) -> Language:
    """The interface's language for a request."""
    return preferred(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))


def _number(value: str) -> int:
    """A version or an offset; -1, which is neither, for anything but a plain number."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else -1


def _span(start: str, end: str, length: int) -> Span | None:
    span = _number(start), _number(end)
    return span if 0 <= span[0] < span[1] <= length else None


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
    assistant: Assistant, document: Document, record: Record, version: int, language: Language
) -> list[dict[str, str]]:
    standing = assistant.standing()
    found = []
    if version != record.version:
        link = f"/d/{record.document_id}"
        found.append({"code": "older", "message": say(language, "viewer_newer"), "link": link})
    if record.state == "removed":
        found.append({"code": "removed", "message": say(language, "viewer_removed"), "link": ""})
    if record.collection == "samples":
        found.append({"code": "sample", "message": say(language, "viewer_samples"), "link": ""})
    warnings = source_warnings(
        [_whole(document.metadata, document.source, record.document_id, version)],
        as_of=date.today().isoformat(),
        superseded_by=standing.superseded_by,
        samples=(),
        wording=load_wording(language),
    )
    return [*found, *({"code": warning.code, "message": warning.message, "link": ""} for warning in warnings)]


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
    )
