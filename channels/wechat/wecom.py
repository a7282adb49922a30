"""`/wecom`: a self-built app of WeCom (企业微信自建应用), whose answers are sent as messages of their own."""

from __future__ import annotations

import re
import time

from fastapi import APIRouter, Request, Response

from channels.wechat.crypto import Envelope, NotAuthentic, check_fresh, ciphertext
from channels.wechat.dispatcher import Dispatcher
from channels.wechat.door import asked, body_of, dropped, guarded, plain, xml
from channels.wechat.messages import from_xml, require_parser, text_reply
from channels.wechat.settings import WeComApp

_AGENT = re.compile(r"<AgentID>(?:<!\[CDATA\[)?([0-9]+)")


def wecom_router(app: WeComApp, dispatcher: Dispatcher) -> APIRouter:
    """The address's check (GET) and the messages (POST), both encrypted."""
    require_parser()
    router = APIRouter()
    envelope = Envelope(app.token, app.aes_key, app.corp_id)

    @router.get("/wecom", include_in_schema=False)
    @guarded
    async def check(request: Request) -> Response:
        signature, timestamp, nonce, echo = asked(request, "msg_signature", "timestamp", "nonce", "echostr")
        return plain(envelope.open(echo, signature, timestamp, nonce))

    @router.post("/wecom", include_in_schema=False)
    @guarded
    async def receive(request: Request) -> Response:
        signature, timestamp, nonce = asked(request, "msg_signature", "timestamp", "nonce")
        check_fresh(timestamp, time.time())
        text = envelope.open(ciphertext(await body_of(request)), signature, timestamp, nonce)
        agent = _AGENT.search(text)
        if agent is not None and agent[1] != app.agent_id:
            raise NotAuthentic("another app's message")
        message = from_xml(text)
        body = await dispatcher.reply(
            message, lambda words: envelope.seal(text_reply(message, words), nonce).xml(), request.is_disconnected
        )
        return xml(body) if body is not None else await dropped(request, 2 * dispatcher.waits.dropped)

    return router
