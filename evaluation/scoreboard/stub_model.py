"""A language model's endpoint that says the first sentence it was sent: `python -m evaluation.scoreboard.stub_model`.

It speaks the OpenAI-compatible protocol on a free port of this machine and says which.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from evaluation.scoreboard.policies import child, lines_of

FIRST_TOKEN: Final = 0.2
"""Seconds before the first piece: what a small model on a machine of its own takes."""
PIECES: Final = 4
BETWEEN: Final = 0.02

_EVIDENCE: Final = re.compile(r"^\[([a-z]{2}\d+)\] (.*?)[。；\s]*$", re.MULTILINE)


async def _say(request: Request) -> StreamingResponse:
    asked = (await request.json())["messages"][-1]["content"]
    found = _EVIDENCE.search(asked)
    return StreamingResponse(_events(f"{found[2]}。[{found[1]}]" if found else ""), media_type="text/event-stream")


async def _events(said: str) -> AsyncIterator[str]:
    await asyncio.sleep(FIRST_TOKEN)
    size = len(said) // PIECES + 1
    for start in range(0, len(said), size):
        await asyncio.sleep(BETWEEN)
        delta = {"role": "assistant", "content": said[start : start + size]}
        chunk = {"id": "stub", "object": "chat.completion.chunk", "created": 0, "model": "stub",
                 "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}  # fmt: skip
        yield f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"


@contextmanager
def stub_model() -> Iterator[dict[str, str]]:
    """The endpoint in a process of its own until the block ends; gives the settings of a server that asks it."""
    with child("from evaluation.scoreboard.stub_model import main; main()") as process:
        address = next(lines_of(process))
        yield {"ZHICE_MODEL": "openai:stub", "ZHICE_BASE_URL": f"{address}/v1", "ZHICE_API_KEY": "stub"}


def main() -> None:
    """Listen until ended."""
    app = Starlette(routes=[Route("/v1/chat/completions", _say, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main()
