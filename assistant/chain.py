"""The stages as a LangChain chain: understand | retrieve | read | answer.

`invoke`, `batch` and their async forms give the Answer; `stream` and `astream` give it as it grows, claim by claim,
each snapshot replacing the one before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda

from assistant.answer import Answer
from assistant.stages import Request, Stages, State

Asked = str | Mapping[str, Any]


def chain(stages: Stages, request_of: Callable[[Asked], Request]) -> Runnable[Asked, Answer]:
    """The stages in order; `request_of` makes a request of what the chain is given: a question, or a mapping of what is asked."""

    def answer(states: Iterator[State]) -> Iterator[Answer]:
        for state in states:
            yield from stages.answer(state)

    async def answer_async(states: AsyncIterator[State]) -> AsyncIterator[Answer]:
        async for state in states:
            snapshots = stages.answer(state)
            while (snapshot := await asyncio.to_thread(next, snapshots, None)) is not None:
                yield snapshot

    return (
        RunnableLambda(request_of)
        | RunnableLambda(stages.understand)
        | RunnableLambda(stages.retrieve)
        | RunnableLambda(stages.read)
        | RunnableGenerator(answer, answer_async)
    )
