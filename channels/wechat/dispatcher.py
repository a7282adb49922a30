"""The retry machine: each message to its one answer, through connections that the platform drops and opens again.

WeChat drops a connection after 5 s and sends the message again, three times in all. So an attempt waits a little less for its
answer; the first two then let the connection be dropped, and the third says how to fetch what is not ready yet. Who is
answered, with what and how far, stands in the mailbox; in this process lives only the answer being made.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final, ParamSpec, Protocol, TypeVar

from assistant.assembly import LONGEST_QUESTION
from assistant.errors import AssistantError, QuestionTooLong
from channels.wechat.messages import Message
from channels.wechat.phrases import command, greeting, language_of, say
from channels.wechat.rendering import LARGEST_TEXT, more
from channels.wechat.settings import Waits
from vectorstore.errors import StoreError
from vectorstore.mailbox import Mailbox, Part

logger = logging.getLogger(__name__)

SUCCESS: Final = "success"  # what the platforms take for an answer that is not shown
ATTEMPTS: Final = 3  # how often the platform sends a message that is not answered
MOST_AT_ONCE: Final = 1000  # answers being made or waiting for it; more are asked to come back
PUSHED_PARTS: Final = 5  # what customer service may send for one message of a user

Arguments = ParamSpec("Arguments")
Given = TypeVar("Given")
# Makes the parts of an answer from question and history; it may say what is written so far.
Answering = Callable[[str, Sequence[str], Callable[[str], None]], Sequence[str]]
Seal = Callable[[str], str]
Gone = Callable[[], Awaitable[bool]]
After = Callable[[], Awaitable[None]]


class _TooLate(Exception):
    """The platform has dropped the connection, or is about to."""


class Push(Protocol):
    """A way to send a text to a user outside of a reply; `usable` until the platform says it is not allowed."""

    @property
    def usable(self) -> bool: ...

    async def send(self, user: str, text: str) -> bool:
        """Whether it was sent; why not is logged."""
        ...


class Dispatcher:
    """Answers the messages of one channel; everything but the answering runs on the event loop.

    Args:
        mailbox: the channel's.
        answering: makes an answer, on a thread of `answers`.
        answers: bounds how many answers are made at once.
        desk: where the mailbox is read and written.
        waits: how long to wait for what.
        push: answers are sent by it instead of as replies, while it can be used.
        examples: the questions that a greeting offers.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        answering: Answering,
        *,
        answers: Executor,
        desk: Executor,
        waits: Waits,
        push: Push | None = None,
        examples: Sequence[str] = (),
    ) -> None:
        self.mailbox = mailbox
        self.waits = waits
        self._answering = answering
        self._answers = answers
        self._desk = desk
        self._push = push
        self._examples = examples
        self._making: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._tending: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look after what earlier processes left, if it can be sent to its users; needs a running event loop."""
        if self._push is not None:
            self._tend()

    async def close(self) -> None:
        """Stop; whoever still waits for an answer is told so by the process that comes next."""
        making = list(self._making)
        tasks = [task for task in (*self._making.values(), *self._errands, self._tending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(StoreError):
            await self.at_desk(self.mailbox.disown, *making)

    async def reply(self, message: Message, seal: Seal, gone: Gone) -> str | None:
        """The body of the reply to an authentic message; None to let the platform drop the connection.

        Args:
            message: who said what.
            seal: makes the body from a text.
            gone: whether nobody listens to the reply any more.
        """
        try:
            if message.kind != "said":
                return await self._courtesy(message, seal)
            wanted = command(message.text)
            if wanted == "afresh":
                await self.at_desk(self.mailbox.start_afresh, message.user)
                return await self._keep(message, seal(say(language_of(message.text), "afresh")))
            return await self._answer(message, seal, gone, "" if wanted else message.text)
        except StoreError as error:
            logger.error("a message could not be answered: %s", error)
            return seal(say("zh", "failed"))

    async def at_desk(
        self, work: Callable[Arguments, Given], *values: Arguments.args, **named: Arguments.kwargs
    ) -> Given:
        """What the mailbox does, without holding up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._desk, functools.partial(work, *values, **named))

    async def begin(self, user: str, key: str, question: str, after: After | None = None) -> None:
        """Start to make an answer; `after` follows when it is in the mailbox. Where there is too much to do, say so instead."""
        if len(self._making) >= MOST_AT_ONCE:
            busy = [say(language_of(question), "busy")]
            await self.at_desk(self.mailbox.finish, user, key, busy, answered=False)
            if after is not None:
                await after()
            return
        task = asyncio.get_running_loop().create_task(self._make(user, key, question, after))
        self._making[user, key] = task
        task.add_done_callback(lambda _: self._making.pop((user, key), None))
        self._tend()

    async def _courtesy(self, message: Message, seal: Seal) -> str:
        """The reply to what is no question."""
        if message.kind == "greeted":
            return await self._keep(message, seal(greeting(self._examples)))
        if message.kind in ("unheard", "unsupported"):
            return await self._keep(message, seal(say("zh", message.kind)))
        return SUCCESS

    async def _answer(self, message: Message, seal: Seal, gone: Gone, question: str) -> str | None:
        """The reply to a question, or without one to who asks for the rest of an answer."""
        user, key, language = message.user, message.key, language_of(message.text)
        give_up = time.monotonic() + self.waits.hold
        push = self._push if self._push is not None and self._push.usable else None
        # 1. Take it in, once.
        arrival = await self.at_desk(self.mailbox.arrive, user, key, question)
        if arrival.sent is not None:
            return arrival.sent
        if arrival.wait:
            return await self._keep(message, seal(say(language, "too_fast", seconds=int(arrival.wait) + 1)))
        if question and arrival.new:
            await self.begin(user, key, question, functools.partial(self._send, push, user, key) if push else None)
        if question and push:
            return SUCCESS
        # 2. Deliver the answer that it asks for: its own, or the one that is outstanding.
        asked = key if question else await self.at_desk(self.mailbox.outstanding, user)
        nothing = SUCCESS if question else seal(say(language, "nothing"))
        if asked is None:
            return await self._keep(message, nothing)
        if push is None:
            await self._settled(user, asked, give_up)
        # What is delivered to nobody would be lost: so not over a connection that is gone, or will be by then.
        if await gone():
            return None
        until = give_up + (self.waits.dropped - self.waits.hold) / 2
        body = functools.partial(_body, seal, nothing, until, not question)
        try:
            delivered = await self.at_desk(self.mailbox.deliver, user, asked, key, body)
        except _TooLate:
            return None
        return delivered or await self._unready(message, seal, arrival.attempts, pushing=push is not None)

    async def _unready(self, message: Message, seal: Seal, attempts: int, *, pushing: bool) -> str | None:
        """What is replied while the answer is not ready: how it will come; None if the platform asks again."""
        language = language_of(message.text)
        if pushing:
            return await self._keep(message, seal(say(language, "coming")))
        if attempts >= ATTEMPTS or time.time() - message.sent >= self.waits.last_after:
            return await self._keep(message, seal(say(language, "pending")))
        return None

    async def _keep(self, message: Message, body: str) -> str:
        return await self.at_desk(self.mailbox.keep, message.user, message.key, body)

    async def _send(self, push: Push, user: str, key: str) -> None:
        """Send an answer's parts, as many as may be sent at once; the rest can be fetched."""
        for count in range(1, PUSHED_PARTS + 1):
            part = await self.at_desk(self.mailbox.claim, user, key)
            if part is None:
                return
            if not await push.send(user, _offering(part) if count == PUSHED_PARTS else part.text):
                await self.at_desk(self.mailbox.put_back, user, key, part)
                return

    async def _settled(self, user: str, key: str, give_up: float) -> None:
        """Wait until an answer is made here or in another process, or will never be; at most until `give_up`."""
        while (left := give_up - time.monotonic()) > 0:
            making = self._making.get((user, key))
            if making is not None and not making.done():
                await asyncio.wait([making], timeout=left)
                continue
            entry = await self.at_desk(self.mailbox.find, key, user)
            if entry is None or entry.state != "asked" or not entry.vouched:
                return
            await asyncio.sleep(min(left, self.waits.poll))

    async def _make(self, user: str, key: str, question: str, after: After | None) -> None:
        """An answer, from the question to the mailbox: after the user's earlier ones, in the conversation they made."""
        try:
            while await self.at_desk(self.mailbox.ahead, user, key):
                earlier = [task for (who, other), task in self._making.items() if who == user and other != key]
                if earlier:
                    await asyncio.wait(earlier[:1], timeout=self.waits.poll)
                else:
                    await asyncio.sleep(self.waits.poll)
            history = await self.at_desk(self.mailbox.history, user)
            draft = functools.partial(self.mailbox.draft, user, key)
            made = asyncio.get_running_loop().run_in_executor(
                self._answers, _answered, self._answering, question, history, draft
            )
            parts, answered = await made
            await self.at_desk(self.mailbox.finish, user, key, parts, answered=answered)
            if after is not None:
                await after()
        except Exception:
            logger.exception("an answer could not be kept")
            with suppress(StoreError):
                await self.at_desk(self.mailbox.disown, (user, key))

    def _tend(self) -> None:
        if self._tending is None or self._tending.done():
            self._tending = asyncio.get_running_loop().create_task(self._tended())

    async def _tended(self) -> None:
        """Vouch for what is being made here and, where users can be told, tell them what no process vouches for."""
        while self._making or self._push is not None:
            with suppress(StoreError):
                if self._making:
                    await self.at_desk(self.mailbox.vouch)
                if self._push is not None and self._push.usable:
                    for user, key in await self.at_desk(self.mailbox.give_up):
                        errand = asyncio.get_running_loop().create_task(self._send(self._push, user, key))
                        self._errands.add(errand)
                        errand.add_done_callback(self._errands.discard)
            await asyncio.sleep(self.waits.vouched / 3)


def _answered(
    answering: Answering, question: str, history: Sequence[str], draft: Callable[[str], None]
) -> tuple[Sequence[str], bool]:
    """The parts of an answer, or of an apology; and whether it is an answer."""
    language = language_of(question)
    try:
        return answering(question, history, draft), True
    except QuestionTooLong:
        return [say(language, "too_long", limit=LONGEST_QUESTION)], False
    except AssistantError as error:
        return [str(error)], False
    except Exception:
        logger.exception("a question could not be answered")
        return [say(language, "failed")], False


def _body(seal: Seal, nothing: str, until: float, named: bool, part: Part | None) -> str:
    """The reply that holds a part; `named` tells which question the first one answers, where that fits.

    Raises:
        _TooLate: it is later than `until`.
    """
    if time.monotonic() > until:
        raise _TooLate
    if part is None:
        return nothing
    text = _offering(part)
    if named and part.number == 0:
        text = _fitting(f"「{part.question}」\n{text}", text)
    return seal(text)


def _offering(part: Part) -> str:
    """A part, with the words behind it that offer the rest if there is any."""
    return part.text if part.last else _fitting(part.text + more(language_of(part.question)), part.text)


def _fitting(wanted: str, shorter: str) -> str:
    return wanted if len(wanted.encode()) <= LARGEST_TEXT else shorter
