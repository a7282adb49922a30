"""WeChat and WeCom as one router that any FastAPI app can include."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI

from assistant.assembly import Assistant
from assistant.errors import SettingError
from channels.wechat.aibot import BotConversation, aibot_router
from channels.wechat.customer_service import AppMessages, Courier, CustomerService, LateAnswers, Platform
from channels.wechat.dispatcher import Answering, Dispatcher
from channels.wechat.official import official_router
from channels.wechat.phrases import say
from channels.wechat.rendering import Rendering
from channels.wechat.settings import OfficialAccount, Waits, WeComApp, WeComBot
from channels.wechat.wecom import wecom_router
from vectorstore.links import Links
from vectorstore.mailbox import Lifetimes, Mailbox

AT_ONCE: Final = 16  # answers made at the same time; the page has as many
DRAFT_SECONDS: Final = 1.0  # WeCom asks after a streamed answer about this often
DEFAULT_WAITS: Final = Waits()


def router(
    assistant: Assistant,
    *,
    public_url: str | None,
    official: OfficialAccount | None = None,
    wecom: WeComApp | None = None,
    bot: WeComBot | None = None,
    waits: Waits = DEFAULT_WAITS,
    examples: Sequence[str] = (),
    link_days: float | None = None,
) -> APIRouter:
    """The callbacks of the accounts: `/wechat`, `/wecom` and `/wecom/bot`. Its lifespan ends what it has begun.

    Args:
        assistant: answers the questions.
        public_url: what the outside calls this server; the links in answers begin with it.
        official: an official account (公众号).
        wecom: a self-built app of WeCom.
        bot: a bot of WeCom.
        waits: how long to wait for what.
        examples: the questions that a greeting offers; those of the sample policies without it.
        link_days: how long the links in answers lead to their sources; for ever without it.

    Raises:
        SettingError: there is no account, `public_url` is missing, or a package is not installed.
    """
    if not public_url:
        raise SettingError(
            "ZHICE_PUBLIC_URL is not set, but links in WeChat have to lead to this server from outside; "
            "give its address, such as https://zhice.example.com."
        )
    if not (official or wecom or bot):
        raise SettingError(
            "No account is set; set ZHICE_WECHAT_TOKEN and ZHICE_WECHAT_APP_ID, the ZHICE_WECOM_* variables, or both."
        )
    rendering = Rendering(Links(assistant.store.catalog), public_url.rstrip("/"), days=link_days)
    staff = _Staff(assistant, waits, tuple(examples))
    routed = APIRouter(lifespan=staff.lifespan)
    if official is not None:
        service = CustomerService(official) if official.secret else None
        dispatcher = staff.dispatcher("wechat", _texts(assistant, rendering), service)
        routed.include_router(official_router(official, dispatcher))
    if wecom is not None:
        dispatcher = staff.dispatcher("wecom", _texts(assistant, rendering), AppMessages(wecom))
        routed.include_router(wecom_router(wecom, dispatcher))
    if bot is not None:
        late = LateAnswers(bot.api)
        staff.platforms.append(late)
        dispatcher = staff.dispatcher("aibot", _markdown(assistant, rendering), None)
        routed.include_router(aibot_router(bot, BotConversation(dispatcher, late, tuple(examples))))
    return routed


class _Staff:
    """The threads, dispatchers and connections behind a router, from its app's start to its end."""

    def __init__(self, assistant: Assistant, waits: Waits, examples: Sequence[str]) -> None:
        self._catalog = assistant.store.catalog
        self._waits = waits
        self._examples = examples
        self._answers = ThreadPoolExecutor(AT_ONCE, "wechat-answer")
        # One thread for the mailbox: SQLite writes one at a time anyway, and so they queue in order.
        self._desk = ThreadPoolExecutor(1, "wechat-desk")
        self._dispatchers: list[Dispatcher] = []
        self.platforms: list[Platform] = []

    def dispatcher(self, channel: str, answering: Answering, push: Courier | None) -> Dispatcher:
        if push is not None:
            self.platforms.append(push)
        lifetimes = Lifetimes(
            message=self._waits.pending,
            sent=self._waits.kept,
            vouched=self._waits.vouched,
            conversation=self._waits.conversation,
            turns=self._waits.turns,
        )
        mailbox = Mailbox(self._catalog, channel, say("zh", "lost"), lifetimes)
        dispatcher = Dispatcher(
            mailbox,
            answering,
            answers=self._answers,
            desk=self._desk,
            waits=self._waits,
            push=push,
            examples=self._examples,
        )
        self._dispatchers.append(dispatcher)
        return dispatcher

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        for dispatcher in self._dispatchers:
            dispatcher.start()
        yield
        for dispatcher in self._dispatchers:
            await dispatcher.close()
        for platform in self.platforms:
            await platform.close()
        self._answers.shutdown(wait=False, cancel_futures=True)
        self._desk.shutdown()


def _texts(assistant: Assistant, rendering: Rendering) -> Answering:
    def answering(question: str, history: Sequence[str], _: Callable[[str], None]) -> Sequence[str]:
        return rendering.parts(assistant.ask(question, history=history))

    return answering


def _markdown(assistant: Assistant, rendering: Rendering) -> Answering:
    def answering(question: str, history: Sequence[str], draft: Callable[[str], None]) -> Sequence[str]:
        drafted, shown = time.monotonic(), ""
        for answer in assistant.stream(question, history=history):
            shown = ""
            if answer.claims and time.monotonic() >= drafted + DRAFT_SECONDS:
                shown = rendering.markdown(answer)
                draft(shown)
                drafted = time.monotonic()
        return [shown or rendering.markdown(answer)]

    return answering
