"""The OpenAI-compatible endpoint, for chat programs that ask a model: POST /v1/chat/completions, GET /v1/models.

Stateless: the last user message is the question, the user messages before it are its history. System prompts, tools and
parameters are accepted and change nothing: what is said comes from the documents and is verified.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from assistant.answer import Answer
from assistant.assembly import LONGEST_QUESTION, Assistant
from channels.access import Access
from channels.asking import Asked, EventStream, Questions, Text, first, while_connected
from channels.content import Content, as_text
from channels.problems import body, refusal_of
from channels.rest import KEY
from vectorstore.links import Links

MODEL: Final = "zhice"
COMPLETIONS: Final = "/v1/chat/completions"
MODELS: Final = "/v1/models"
DONE: Final = "data: [DONE]\n\n"


class Part(BaseModel):
    """A piece of a message; only text is read."""

    type: str | None = None
    text: Text | None = None


class Message(BaseModel):
    """One message of the conversation; only those of the role user are read."""

    role: str
    content: Text | list[Part] | None = None

    @property
    def text(self) -> str:
        """The message's text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool | None = None


class OpenAIProblem(BaseModel):
    """Why a request was not answered, as OpenAI says it."""

    message: str
    type: str
    param: str | None
    code: str


class OpenAIProblems(BaseModel):
    """Every answer but the good ones."""

    error: OpenAIProblem


class Completion(BaseModel):
    """A request as OpenAI's chat completions have it; all other parameters are ignored."""

    messages: list[Message] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    def asked(self) -> Asked:
        """The question in it; a message longer than a question is no question, so its beginning stands for it."""
        said = [message.text for message in self.messages if message.role == "user"]
        return Asked(said[-1] if said else "", tuple(text[:LONGEST_QUESTION] for text in said[:-1]))


def router(assistant: Assistant, access: Access, *, public_url: str | None = None) -> APIRouter:
    """The routes; each asks `access` for itself. `public_url` is what links begin with."""
    questions = Questions(assistant)
    content = Content(Links(assistant.store.catalog), public_url, keyed=access.keyed)
    routes = APIRouter(
        tags=["OpenAI-compatible"],
        dependencies=[Security(KEY)],
        responses={"4XX": {"model": OpenAIProblems}},
        lifespan=questions.running,
    )

    @routes.post(COMPLETIONS, summary="Ask in a chat")
    async def complete(request: Request, wanted: Completion, asker: str = Depends(access.asks)) -> Response:
        access.count(asker)
        asked = wanted.asked()
        if not wanted.stream:
            answer = await while_connected(request.receive, questions.answer(asked))
            return JSONResponse(await questions.run(lambda: _completion(answer, content, wanted.messages)))
        snapshots = questions.snapshots(asked)
        begun = await while_connected(request.receive, first(snapshots))
        return EventStream(_events(begun, snapshots, questions, content, wanted))

    @routes.get(MODELS, summary="List the models", dependencies=[Depends(access.asks)])
    def models() -> Response:
        return JSONResponse({"object": "list", "data": [_model()]})

    @routes.get(f"{MODELS}/{MODEL}", summary="Describe the model", dependencies=[Depends(access.asks)])
    def model() -> Response:
        return JSONResponse(_model())

    return routes


def _completion(answer: Answer, content: Content, messages: Sequence[Message]) -> dict[str, Any]:
    text = content.text(answer)
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _usage(messages, text),
        "citations": content.citations(answer),
    }


async def _events(
    snapshot: Answer, later: AsyncGenerator[Answer, None], questions: Questions, content: Content, wanted: Completion
) -> AsyncGenerator[str, None]:
    """The chunks of an answer from its first snapshot on; the text grows by whole verified claims."""
    counted = bool(wanted.stream_options and wanted.stream_options.include_usage)
    head = {
        "id": f"chatcmpl-{snapshot.id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": MODEL,
        **({"usage": None} if counted else {}),
    }

    def chunk(delta: dict[str, str], finish: str | None = None, **more: Any) -> str:
        return _data(
            {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], **more}
        )

    async with aclosing(later):
        yield chunk({"role": "assistant", "content": ""})
        sent = ""
        try:
            while True:
                said = as_text(snapshot.text)
                if snapshot.claims and len(said) > len(sent):
                    yield chunk({"content": said[len(sent) :]})
                    sent = said
                following = await anext(later, None)
                if following is None:
                    break
                snapshot = following
            text = await questions.run(lambda: content.text(snapshot))
            citations = await questions.run(lambda: content.citations(snapshot))
        except Exception as error:
            yield _data(body(COMPLETIONS, refusal_of(error)))
            yield DONE
            return
        yield chunk({"content": text[len(sent) :]})
        yield chunk({}, "stop", citations=citations)
        if counted:
            yield _data({**head, "choices": [], "usage": _usage(wanted.messages, text)})
        yield DONE


def _usage(messages: Sequence[Message], text: str) -> dict[str, int]:
    """Characters, in place of the tokens of a model that may not have been asked; never 0, which clients take for a failure."""
    prompt, completion = max(1, sum(len(message.text) for message in messages)), max(1, len(text))
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}


def _data(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
