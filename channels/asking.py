"""Questions of programs: answered in threads, as they grow, until the client has gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from assistant.answer import Answer
from assistant.assembly import Assistant
from assistant.errors import Busy
from channels.problems import Refused

AT_ONCE: Final = 32  # threads; most of them wait for a language model
WAITING: Final = 2 * AT_ONCE  # questions begun or waiting for a thread; who comes later is told to try again
PATIENCE: Final = 3.0
"""Seconds that a question waits for a thread, and then to be searched for: at seven tenths of what two cores can answer
nobody waits so long, and beyond that the others are told soon to come again."""
ANSWER_SECONDS: Final = 300
"""How long an answer may take in any case; a model's own limits end it after a minute or two."""

T = TypeVar("T")


def _whole(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("half a character; send valid Unicode")
    return text


Text = Annotated[str, AfterValidator(_whole)]
"""Text in a request: JSON can hold halves of characters, which nothing can store or search."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as `Assistant.ask` takes it."""

    question: str
    history: tuple[str, ...] = ()
    as_of: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)


class Questions:
    """Puts questions to one assistant without holding up the event loop."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._threads = _threads()
        self._open: set[threading.Event] = set()

    @asynccontextmanager
    async def running(self, _: object = None) -> AsyncIterator[None]:
        """As long as the server runs; at its end no thread reads from a catalog that is about to be closed."""
        try:
            yield
        finally:
            ending, self._threads = self._threads, _threads()
            for stopped in self._open:
                stopped.set()
            await run_in_threadpool(ending.shutdown, cancel_futures=True)

    async def snapshots(self, asked: Asked) -> AsyncGenerator[Answer, None]:
        """The answer as it grows; closing this ends the question, and what a language model is still writing for it.

        Raises:
            AssistantError: the question cannot be taken.
            Busy: too many are waiting, or it has waited too long itself.
            Refused: its answer takes too long.
        """
        if len(self._open) >= WAITING:
            raise Busy
        loop = asyncio.get_running_loop()
        begun = asyncio.Event()
        found: asyncio.Queue[Answer | Exception | None] = asyncio.Queue()
        stopped = threading.Event()

        def begin() -> None:
            loop.call_soon_threadsafe(begun.set)

        def hand_over(item: Answer | Exception | None) -> None:
            if not stopped.is_set():
                loop.call_soon_threadsafe(found.put_nowait, item)

        self._open.add(stopped)
        running = self._threads.submit(self._answer, asked, stopped, begin, hand_over)
        try:
            await _within(PATIENCE, begun.wait(), Busy())
            give_up = loop.time() + ANSWER_SECONDS
            while (item := await _within(give_up - loop.time(), found.get(), Refused(504))) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self._open.discard(stopped)
            stopped.set()
            running.cancel()

    async def answer(self, asked: Asked) -> Answer:
        """The whole answer; see `snapshots`."""
        answer: Answer | None = None
        async with aclosing(self.snapshots(asked)) as snapshots:
            async for snapshot in snapshots:
                answer = snapshot
        if answer is None:
            raise Refused(500)
        return answer

    async def run(self, work: Callable[[], T]) -> T:
        """What comes of something short that reads or writes the catalog, done in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _answer(
        self,
        asked: Asked,
        stopped: threading.Event,
        begin: Callable[[], None],
        hand_over: Callable[[Answer | Exception | None], None],
    ) -> None:
        if stopped.is_set():
            return
        begin()
        try:
            stream = self._assistant.stream(
                asked.question,
                history=asked.history,
                as_of=asked.as_of,
                filters=asked.filters,
                stopped=stopped,
                patience=PATIENCE,
            )
            for answer in stream:
                if stopped.is_set():
                    return
                hand_over(answer)
            hand_over(None)
        except Exception as error:
            hand_over(error)


async def _within(seconds: float, work: Awaitable[T], otherwise: Exception) -> T:
    """What comes of it in time.

    Raises:
        Exception: nothing did; it is `otherwise`.
    """
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError:
        raise otherwise from None


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="asking")


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to; it is cancelled once the client has gone.

    Raises:
        Refused: the client has gone, so nobody will hear of it.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Refused(499)
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] == "http.request":
        pass


class EventStream(Response):
    """Server-sent events, sent as they come while the client is there."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        try:
            await while_connected(receive, self._send(send))
        except Refused:
            return

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._events) as events:
            async for event in events:
                await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def first(snapshots: AsyncIterator[Answer]) -> Answer:
    """The first snapshot: a question that cannot be taken fails here, before the response has begun."""
    return await anext(snapshots)
