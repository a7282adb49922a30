"""Zhice as tools for other programs' models: the Model Context Protocol over streamable HTTP at /mcp.

Nothing is kept between two requests; who may call is decided for each by its key.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.assembly import LONGEST_QUESTION, Assistant
from assistant.retrieval import Evidence
from channels.access import Access
from channels.asking import Asked, Questions, Text
from channels.content import Content
from channels.problems import Refused, problem, refusal_of
from channels.render import plain
from vectorstore.links import Links

MOST_PASSAGES: Final = 20
_INSTRUCTIONS: Final = (
    "Answers questions from the policy documents on file and nothing else. Every sentence of an answer carries numbers of "
    "citations, each a verbatim quote with its place; pass them on. An answer whose status is not_found is final: do not "
    "fill the gap from memory."
)


class AskPolicy(BaseModel):
    """Answer a question from the policy documents; each claim comes with the exact words it stands on."""

    question: Text = Field(max_length=LONGEST_QUESTION, description="The question, in Chinese or English.")
    history: list[Text] = Field([], max_length=100, description="The questions asked before it, oldest first.")
    as_of: Text = Field("", description="The day to answer for, such as 2026-01-31; today by default.")


class FindPassages(BaseModel):
    """Find the passages of the policy documents nearest to a question, whether or not they answer it."""

    question: Text = Field(max_length=LONGEST_QUESTION, description="What to look for, in Chinese or English.")
    limit: int = Field(5, ge=1, le=MOST_PASSAGES, description="How many passages.")


_TOOLS: Final[Mapping[str, type[BaseModel]]] = {"ask_policy": AskPolicy, "find_passages": FindPassages}


class Tools:
    """The service at /mcp: an ASGI app that answers while `running`."""

    path = "/mcp"

    def __init__(self, assistant: Assistant, access: Access, *, public_url: str | None = None) -> None:
        self._assistant = assistant
        self._access = access
        self._questions = Questions(assistant)
        self._content = Content(Links(assistant.store.catalog), public_url, keyed=access.keyed)
        self._server: Server[Any] = Server(
            "zhice",
            title="Zhice 知策",
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        self._running: ASGIApp | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What has to run beside the server."""
        app = self._server.streamable_http_app(
            streamable_http_path=self.path,
            stateless_http=True,
            # Names and origins are the guard's business, which knows what this server is called.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        async with self._questions.running(), app.router.lifespan_context(app):
            self._running = app
            try:
                yield
            finally:
                self._running = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await run_in_threadpool(self._access.asks, Request(scope))
            if self._running is None:
                raise Refused(503)
        except Refused as refused:
            await problem(self.path, refused)(scope, receive, send)
            return
        await self._running(scope, receive, send)

    async def _list_tools(
        self, _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        reading = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
        tools = [
            types.Tool(
                name=name, description=wanted.__doc__, input_schema=wanted.model_json_schema(), annotations=reading
            )
            for name, wanted in _TOOLS.items()
        ]
        return types.ListToolsResult(tools=tools)

    async def _call_tool(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """What the tool says; a call that cannot be taken is told to the model, which can mend it."""
        wanted = _TOOLS.get(params.name)
        if wanted is None:
            return _failed(f"There is no tool {params.name!r}; there are {', '.join(_TOOLS)}.")
        try:
            arguments = wanted.model_validate(params.arguments or {})
        except ValidationError as error:
            return _failed("; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()))
        try:
            if isinstance(context.request, Request):
                asker = await run_in_threadpool(self._access.asks, context.request)
                self._access.count(asker)
            if isinstance(arguments, AskPolicy):
                return await self._ask(arguments)
            return await self._find(FindPassages.model_validate(arguments.model_dump()))
        except Exception as error:
            return _failed(refusal_of(error).message)

    async def _ask(self, wanted: AskPolicy) -> types.CallToolResult:
        history = tuple(earlier[:LONGEST_QUESTION] for earlier in wanted.history)
        answer = await self._questions.answer(Asked(wanted.question, history, wanted.as_of or None))

        def told() -> types.CallToolResult:
            whole = {**answer.to_dict(), "citations": self._content.citations(answer)}
            return types.CallToolResult(content=[types.TextContent(text=plain(answer))], structured_content=whole)

        return await self._questions.run(told)

    async def _find(self, wanted: FindPassages) -> types.CallToolResult:
        def found() -> types.CallToolResult:
            evidence = self._assistant.passages(wanted.question, limit=wanted.limit)
            passages = {"passages": [self._passage(each) for each in evidence]}
            text = json.dumps(passages, ensure_ascii=False, indent=1)
            return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=passages)

        return await self._questions.run(found)

    def _passage(self, evidence: Evidence) -> dict[str, Any]:
        hit = evidence.hit
        place = hit.passage
        return {
            "document_id": hit.document_id,
            "version": hit.version,
            "title": hit.metadata.title or hit.source,
            "doc_no": hit.metadata.doc_no,
            "valid_from": hit.metadata.valid_from,
            "valid_until": hit.metadata.valid_until,
            "section": list(place.section),
            "page": place.page,
            "start": place.start,
            "end": place.end,
            "text": hit.text,
            "link": self._content.link_to(hit.document_id, hit.version, place.start, place.end),
        }


def _failed(message: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=message)], is_error=True)
