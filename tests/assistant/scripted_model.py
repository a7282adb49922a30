"""An endpoint on this machine that does what a test tells it to, over real HTTP.

It speaks the OpenAI-compatible protocol (server-sent events) and Ollama's (a line of JSON for each piece).
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from evaluation.scoreboard.misbehaving import Prompt

Reply = Callable[[Prompt], str]


@dataclass
class ScriptedModel:
    """`reply` makes what is said; `fault` names what goes wrong instead.

    `delay` is before the first piece and `pause` between pieces, in seconds.
    """

    reply: Reply = lambda prompt: "NO_BASIS"
    fault: str = ""
    faults_left: int = 10**6
    delay: float = 0.0
    pause: float = 0.0
    url: str = ""
    prompts: list[Prompt] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    spoken: list[tuple[float, str]] = field(default_factory=list)
    open_streams: int = 0

    def reset(self) -> None:
        """Forget what was told and heard."""
        told = ScriptedModel()
        self.reply, self.delay, self.pause = told.reply, told.delay, told.pause
        self.fault, self.faults_left = told.fault, told.faults_left
        self.prompts, self.keys, self.spoken = [], [], []

    def said_at(self, words: str) -> float:
        """When the last piece of some words was sent, in `time.monotonic` seconds."""
        said = ""
        for moment, piece in self.spoken:
            said += piece
            if words in said:
                return moment
        raise AssertionError(f"{words!r} was not said")

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        prompt = Prompt(body["messages"])
        self.prompts.append(prompt)
        self.keys.append(request.headers.get("authorization", ""))
        fault = self.fault if self.faults_left > 0 else ""
        self.faults_left -= 1 if self.fault else 0
        if fault.isdigit():
            headers = {"retry-after": "0.1"} if fault == "429" else {}
            return JSONResponse({"error": {"message": f"told to fail with {fault}"}}, int(fault), headers=headers)
        if fault == "context":
            said = "This model's maximum context length is 4096 tokens, 5000 were sent."
            return JSONResponse({"error": {"message": said}}, 400)
        if fault == "echo":
            return JSONResponse({"error": {"message": f"bad key {self.keys[-1]} for {prompt.question}"}}, 422)
        if fault == "silent":
            await asyncio.sleep(30)
        return StreamingResponse(self._events(prompt, fault), media_type="text/event-stream")

    async def ollama(self, request: Request) -> Response:
        """The same without faults, as Ollama says it."""
        body = await request.json()
        self.prompts.append(Prompt(body["messages"]))

        async def lines() -> AsyncIterator[bytes]:
            for piece in [*re.findall(r".{1,7}", self.reply(self.prompts[-1]), re.DOTALL), ""]:
                done: dict[str, object] = {"done": not piece, **({} if piece else {"done_reason": "stop"})}
                message = {"role": "assistant", "content": piece}
                chunk = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z", "message": message, **done}
                yield json.dumps(chunk).encode() + b"\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    async def _events(self, prompt: Prompt, fault: str) -> AsyncIterator[bytes]:
        self.open_streams += 1
        try:
            if fault == "malformed":
                yield b"data: {not json\n\n"
                return
            if fault == "encoding":
                yield b'data: {"choices":[{"delta":{"content":"\xff\xfe\xfa"}}]}\n\n'
                return
            said = "" if fault == "empty" else self.reply(prompt)
            if fault == "endless":
                said = "一" * 20
            pieces = re.findall(r".{1,7}", said, re.DOTALL)
            await asyncio.sleep(self.delay)
            for number, piece in enumerate(pieces):
                if fault == "dropped" and number == len(pieces) // 2:
                    raise RuntimeError("told to drop the connection")
                self.spoken.append((time.monotonic(), piece))
                yield _event(piece)
                await asyncio.sleep(self.pause)
            if not fault:
                yield _usage(prompt, said)
            while fault == "endless":
                yield _event("一" * 50)
                await asyncio.sleep(0.001)
            while fault == "stalled":
                await asyncio.sleep(0.05)
            yield b"data: [DONE]\n\n"
        finally:
            self.open_streams -= 1


def _usage(prompt: Prompt, said: str) -> bytes:
    """The last event of an endpoint that counts: here, a token is a character."""
    sent = sum(len(message["content"]) for message in prompt.messages)
    counted = {"prompt_tokens": sent, "completion_tokens": len(said), "total_tokens": sent + len(said)}
    chunk = {"id": "scripted", "object": "chat.completion.chunk", "created": 0, "model": "scripted",
             "choices": [], "usage": counted}  # fmt: skip
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _event(piece: str) -> bytes:
    chunk = {
        "id": "scripted", "object": "chat.completion.chunk", "created": 0, "model": "scripted",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}],
    }  # fmt: skip
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


@contextmanager
def scripted_model() -> Iterator[ScriptedModel]:
    """The endpoint, running until the block ends."""
    model = ScriptedModel()
    app = FastAPI()
    app.add_api_route("/v1/chat/completions", model.answer, methods=["POST"], response_model=None)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    app.add_api_route("/api/chat", model.ollama, methods=["POST"], response_model=None)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    model.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    try:
        yield model
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()
