"""`/wechat`: an official account (公众号), in plaintext or safe mode."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response

from channels.wechat.crypto import Envelope, NotAuthentic, check_fresh, check_signature, ciphertext
from channels.wechat.dispatcher import Dispatcher
from channels.wechat.door import asked, body_of, dropped, guarded, plain, xml
from channels.wechat.messages import from_xml, require_parser, text_reply
from channels.wechat.settings import OfficialAccount


def official_router(account: OfficialAccount, dispatcher: Dispatcher) -> APIRouter:
    """The address's check (GET) and the messages (POST); with an AES key, nothing that is not encrypted is taken."""
    require_parser()
    router = APIRouter()
    envelope = Envelope(account.token, account.aes_key, account.app_id) if account.aes_key else None

    @router.get("/wechat", include_in_schema=False)
    @guarded
    async def check(request: Request) -> Response:
        signature, timestamp, nonce, echo = asked(request, "signature", "timestamp", "nonce", "echostr")
        check_signature(signature, account.token, timestamp, nonce)
        return plain(echo)

    @router.post("/wechat", include_in_schema=False)
    @guarded
    async def receive(request: Request) -> Response:
        text = await opened(request)
        message = from_xml(text)
        nonce = request.query_params["nonce"]

        def seal(words: str) -> str:
            reply = text_reply(message, words)
            return envelope.seal(reply, nonce).xml() if envelope else reply

        body = await dispatcher.reply(message, seal, request.is_disconnected)
        return xml(body) if body is not None else await dropped(request, 2 * dispatcher.waits.dropped)

    async def opened(request: Request) -> str:
        """The message of a request that is authentic, as far as the account's mode lets one tell."""
        timestamp, nonce = asked(request, "timestamp", "nonce")
        check_fresh(timestamp, time.time())
        if envelope is None:
            (signature,) = asked(request, "signature")
            check_signature(signature, account.token, timestamp, nonce)
            return (await body_of(request)).decode(errors="replace")
        if request.query_params.get("encrypt_type") != "aes":
            raise NotAuthentic("plaintext, though an AES key is set")
        (signature,) = asked(request, "msg_signature")
        return envelope.open(ciphertext(await body_of(request)), signature, timestamp, nonce)

    return router
