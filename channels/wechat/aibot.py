"""`/wecom/bot`: a bot of WeCom (企业微信智能机器人), whose answers grow in one message that WeCom asks after.

Protocol: https://developer.work.weixin.qq.com/document/path/100719 (messages) and /101031 (streamed replies).
"""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response

from channels.wechat.crypto import Envelope, check_fresh
from channels.wechat.customer_service import LateAnswers
from channels.wechat.dispatcher import Dispatcher
from channels.wechat.door import asked, body_of, guarded, plain
from channels.wechat.messages import Message, bot_text, envelope_fields, from_json, sealed_json, stream_reply
from channels.wechat.phrases import command, greeting, language_of, say
from channels.wechat.settings import WeComBot
from vectorstore.mailbox import Entry, Mailbox


def aibot_router(bot: WeComBot, conversation: BotConversation) -> APIRouter:
    """The address's check (GET) and the messages (POST), both encrypted; the bot's receive id is empty."""
    router = APIRouter()
    envelope = Envelope(bot.token, bot.aes_key, "")

    @router.get("/wecom/bot", include_in_schema=False)
    @guarded
    async def check(request: Request) -> Response:
        signature, timestamp, nonce, echo = asked(request, "msg_signature", "timestamp", "nonce", "echostr")
        return plain(envelope.open(echo, signature, timestamp, nonce))

    @router.post("/wecom/bot", include_in_schema=False)
    @guarded
    async def receive(request: Request) -> Response:
        signature, timestamp, nonce = asked(request, "msg_signature", "timestamp", "nonce")
        check_fresh(timestamp, time.time())
        encrypt = envelope_fields(await body_of(request))
        message = from_json(envelope.open(encrypt, signature, timestamp, nonce))
        reply = await conversation.reply(message)
        if not reply:
            return plain("")
        sealed = envelope.seal(reply, nonce)
        body = sealed_json(sealed.encrypt, sealed.signature, sealed.timestamp, sealed.nonce)
        return Response(body, media_type="application/json")

    return router


class BotConversation:
    """Replies to a bot's messages: the id of a streamed reply is that of the message, so any process can go on with it."""

    def __init__(self, dispatcher: Dispatcher, late: LateAnswers, examples: tuple[str, ...] = ()) -> None:
        self._dispatcher = dispatcher
        self._mailbox: Mailbox = dispatcher.mailbox
        self._late = late
        self._examples = examples

    async def reply(self, message: Message) -> str:
        """The reply to a message, as JSON; empty where there is none."""
        if message.kind == "greeted":
            return bot_text(greeting(self._examples))
        if message.kind in ("unheard", "unsupported"):
            return stream_reply(message.key, say("zh", message.kind), finish=True)
        if message.kind == "stream":
            return await self._progress(message.key)
        if message.kind == "said":
            return await self._said(message)
        return ""

    async def _said(self, message: Message) -> str:
        user, key, language = message.user, message.key, language_of(message.text)
        at_desk = self._dispatcher.at_desk
        wanted = command(message.text)
        if wanted == "afresh":
            await at_desk(self._mailbox.start_afresh, user)
            return stream_reply(key, say(language, "afresh"), finish=True)
        if wanted == "more":
            asked_for = await at_desk(self._mailbox.outstanding, user)
            if asked_for is None:
                return stream_reply(key, say(language, "nothing"), finish=True)
            body = await at_desk(
                self._mailbox.deliver,
                user,
                asked_for,
                key,
                lambda part: part.text if part else say(language, "nothing"),
            )
            return stream_reply(key, body or say(language, "coming"), finish=True)
        arrival = await at_desk(self._mailbox.arrive, user, key, message.text)
        if arrival.wait:
            return stream_reply(key, say(language, "too_fast", seconds=int(arrival.wait) + 1), finish=True)
        if arrival.new:

            async def send_late() -> None:
                await self._send_late(message)

            await self._dispatcher.begin(user, key, message.text, send_late)
        return await self._progress(key)

    async def _progress(self, key: str) -> str:
        """How far an answer is: what is written so far, all of it, or the word that it comes later."""
        at_desk = self._dispatcher.at_desk
        entry = await at_desk(self._mailbox.find, key)
        if entry is not None and entry.state == "asked" and not entry.vouched:
            await at_desk(self._mailbox.give_up)
            entry = await at_desk(self._mailbox.find, key)
        if entry is None:
            return stream_reply(key, say("zh", "lost"), finish=True)
        language, late = language_of(entry.question), self._late_by_now(entry)
        if entry.state == "asked" and not late:
            return stream_reply(key, entry.draft or say(language, "working"), finish=False)
        claimed = await at_desk(self._mailbox.claim, entry.user, key)
        # Claimed before, it was shown here already, or is on its way by itself.
        if claimed is None and late:
            return stream_reply(key, say(language, "late"), finish=True)
        return stream_reply(key, entry.parts[0] if claimed is None else claimed.text, finish=True)

    async def _send_late(self, message: Message) -> None:
        """Send an answer that the message takes no more."""
        at_desk = self._dispatcher.at_desk
        entry = await at_desk(self._mailbox.find, message.key, message.user)
        if entry is None or not message.respond_at or not self._late_by_now(entry):
            return
        part = await at_desk(self._mailbox.claim, message.user, message.key)
        if part is not None and not await self._late.answer(message.respond_at, part.text):
            await at_desk(self._mailbox.put_back, message.user, message.key, part)

    def _late_by_now(self, entry: Entry) -> bool:
        return time.time() >= entry.arrived + self._dispatcher.waits.stream
