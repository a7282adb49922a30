"""An OpenAI-compatible endpoint on this machine that does what a test tells it to, over real HTTP and server-sent events."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

_EVIDENCE = re.compile(r"^\[([a-z]{2}\d+)\] (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Prompt:
    """What the endpoint was sent."""

    messages: list[dict[str, Any]]

    @property
    def evidence(self) -> dict[str, str]:
        """The sentences by handle."""
        return dict(_EVIDENCE.findall(self.messages[-1]["content"]))

    @property
    def question(self) -> str:
        """The last line."""
        return (
            str(self.messages[-1]["content"]).rpartition("\n")[2].partition("：")[2]
            or str(self.messages[-1]["content"]).rpartition("Question: ")[2]
        )


Reply = Callable[[Prompt], str]


@dataclass
class ScriptedModel:
    """`reply` makes what is said; `fault` names what goes wrong instead, `pause` is between pieces, in seconds."""

    reply: Reply = lambda prompt: "NO_BASIS"
    fault: str = ""
    faults_left: int = 10**6
    pause: float = 0.0
    url: str = ""
    prompts: list[Prompt] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    open_streams: int = 0

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
        if fault == "silent":
            await asyncio.sleep(30)
        return StreamingResponse(self._events(prompt, fault), media_type="text/event-stream")

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
            for number, piece in enumerate(pieces):
                if fault == "dropped" and number == len(pieces) // 2:
                    raise RuntimeError("told to drop the connection")
                yield _event(piece)
                await asyncio.sleep(self.pause)
            while fault == "endless":
                yield _event("一" * 50)
                await asyncio.sleep(0.001)
            while fault == "stalled":
                await asyncio.sleep(0.05)
            yield b"data: [DONE]\n\n"
        finally:
            self.open_streams -= 1


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
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    model.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    try:
        yield model
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()
