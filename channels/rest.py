"""Zhice's own interface for programs: ask under /api/ask, the documents under /api/documents."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Depends, File, Request, Response, Security, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from assistant.answer import Answer, Citation
from assistant.assembly import LONGEST_QUESTION, Assistant
from assistant.filters import FILTERS
from channels.access import Access
from channels.asking import Asked, EventStream, Questions, Text, first, while_connected
from channels.guard import LARGEST_FILE
from channels.problems import body, refusal_of
from vectorstore.audit import Audit
from vectorstore.errors import ZhiceError
from vectorstore.quarantine import Quarantine
from vectorstore.taken import Taken

logger = logging.getLogger(__name__)

ASK: Final = "/api/ask"
DOCUMENTS: Final = "/api/documents"
KEY: Final = HTTPBearer(auto_error=False, description="A key that `zhice keys new` has made.")
_MOST_EARLIER: Final = 100


class Question(BaseModel):
    """A question; what has a default can be left out or null."""

    question: Text = Field(description=f"At most {LONGEST_QUESTION:,} characters, Chinese or English.")
    history: list[Annotated[Text, Field(max_length=LONGEST_QUESTION)]] | None = Field(
        None, max_length=_MOST_EARLIER, description="The questions asked before it in this conversation, oldest first."
    )
    as_of: Text | None = Field(None, description="The day the answer speaks for, such as 2026-01-31; today by default.")
    filters: dict[Text, Text] | None = Field(
        None, description=f"Only documents whose field contains the value: {', '.join(FILTERS)}."
    )
    stream: bool | None = Field(
        None, description="Server-sent events: `evidence` being read, each verified `claim`, `done` with the answer."
    )


class Problem(BaseModel):
    """Why a request was not answered; `code` is stable, `message` is for people."""

    code: str
    message: str


class Problems(BaseModel):
    """Every answer but the good ones."""

    error: Problem


def router(
    assistant: Assistant, access: Access, add_document: Callable[[str, Path], Sequence[Taken]], quarantine: Quarantine
) -> APIRouter:
    """The routes; each asks `access` for itself.

    Args:
        assistant: answers the questions.
        access: who may ask, and who may add documents.
        add_document: takes what a file is called and where it lies; gives what became of it, or of each in an archive.
        quarantine: where files lie until then.
    """
    questions = Questions(assistant)
    routes = APIRouter(
        tags=["Zhice"],
        dependencies=[Security(KEY)],
        responses={"4XX": {"model": Problems}},
        lifespan=questions.running,
    )
    _add_asking(routes, questions, access)
    audit = Audit(assistant.store.catalog)

    def added(name: str, file: BinaryIO, actor: str) -> list[dict[str, str]]:
        taken = _added(add_document, quarantine, name, file)
        for each in taken:
            audit.record(actor, "add", each["file"], each["outcome"])
        return taken

    _add_documents(routes, assistant, access, added)
    return routes


def _add_asking(routes: APIRouter, questions: Questions, access: Access) -> None:
    @routes.post(ASK, summary="Ask a question", responses={200: {"model": Answer}})
    async def ask(request: Request, asking: Question, asker: str = Depends(access.asks)) -> Response:
        access.count(asker)
        asked = Asked(asking.question, tuple(asking.history or ()), asking.as_of, asking.filters or {})
        if not asking.stream:
            return JSONResponse((await while_connected(request.receive, questions.answer(asked))).to_dict())
        snapshots = questions.snapshots(asked)
        return EventStream(_events(await while_connected(request.receive, first(snapshots)), snapshots))


def _add_documents(
    routes: APIRouter,
    assistant: Assistant,
    access: Access,
    added: Callable[[str, BinaryIO, str], list[dict[str, str]]],
) -> None:
    @routes.get(DOCUMENTS, summary="List the documents", dependencies=[Depends(access.asks)])
    def documents() -> Response:
        return JSONResponse({"documents": assistant.documents()})

    @routes.post(
        DOCUMENTS,
        summary="Add documents (scope admin)",
        description="What became of each file: `outcome` is added, updated, unchanged, waiting (it is safe and will be taken in) or failed, with the `reason`.",
    )
    async def add(
        file: Annotated[list[UploadFile], File(description="One part for each file.")],
        actor: str = Depends(access.manages),
    ) -> Response:
        done = []
        for upload in file:
            name = PurePosixPath((upload.filename or "").replace("\\", "/")).name
            if (upload.size or 0) > LARGEST_FILE:
                reason = f"It is larger than {LARGEST_FILE // 2**20} MB; split it into parts."
                done.append({"file": name, "outcome": "failed", "reason": reason})
            else:
                done += await run_in_threadpool(added, name, upload.file, actor)
        return JSONResponse({"files": done})


def _added(
    add_document: Callable[[str, Path], Sequence[Taken]], quarantine: Quarantine, name: str, file: BinaryIO
) -> list[dict[str, str]]:
    try:
        held = quarantine.hold(file)
        try:
            taken = add_document(name, held)
        finally:
            quarantine.release(held)
    except ZhiceError as error:
        taken = [Taken(name, "failed", reason=str(error))]
    except Exception:
        logger.exception("a document could not be added")
        taken = [Taken(name, "failed", reason="Something went wrong and the server's log says what.")]
    return [{field: value for field, value in asdict(each).items() if value} for each in taken]


async def _events(snapshot: Answer, later: AsyncGenerator[Answer, None]) -> AsyncGenerator[str, None]:
    """The events of an answer from its first snapshot on."""
    async with aclosing(later):
        said = 0
        read: tuple[Citation, ...] = ()
        while True:
            if snapshot.evidence and snapshot.evidence != read:
                read = snapshot.evidence
                yield event("evidence", {"citations": [asdict(citation) for citation in read]})
            for claim in snapshot.claims[said:]:
                yield event("claim", {"claim": asdict(claim), "citations": _cited(snapshot, claim.citations)})
            said = len(snapshot.claims)
            try:
                following = await anext(later, None)
            except Exception as error:
                yield event("error", body(ASK, refusal_of(error)))
                return
            if following is None:
                yield event("done", snapshot.to_dict())
                return
            snapshot = following


def event(name: str, data: Any) -> str:
    """A server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _cited(answer: Answer, numbers: tuple[int, ...]) -> list[dict[str, Any]]:
    return [asdict(citation) for citation in answer.citations if citation.number in numbers]
