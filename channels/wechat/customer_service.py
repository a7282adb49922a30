"""Messages to users outside of a reply: customer service of certified accounts, WeCom's app messages, a bot's late answers.

The client's own logging writes whole addresses, and tokens stand in these; so httpx's transport is used without the client.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from channels.wechat.settings import OfficialAccount, WeComApp

logger = logging.getLogger(__name__)

TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
TOKEN_MARGIN: Final = 300  # seconds before its end in which a token is not used any more
# The token is not valid (any more): another is fetched, once.
STALE: Final = frozenset((40001, 40014, 42001))
BUSY: Final = -1
BUSY_PAUSE: Final = 0.5
# What to do about the codes that only the account's owner can do something about.
ADVICE: Final[Mapping[int, str]] = {
    40013: "the app id is wrong; compare ZHICE_WECHAT_APP_ID or ZHICE_WECOM_CORP_ID with the platform's page",
    40125: "the secret is wrong; compare ZHICE_WECHAT_SECRET with the platform's page, or reset it there",
    40164: "this server's address is not on the account's IP allow-list; add it on the platform's page for developers",
    45009: "the account's calls for today or this minute are used up; wait, or have them reset on the platform's page",
    45015: "the user wrote more than 48 hours ago; an answer can be sent after the next message",
    45047: "too many messages since the user last wrote; the rest can be fetched after the next message",
    48001: "the account may not send customer-service messages; only certified ones may: set ZHICE_WECHAT_CERTIFIED to 0",
    60020: "this server's address is not trusted by WeCom; add it to the app's trusted addresses (企业可信IP)",
    81013: "the user is not among those who may see the app; add them on the app's page",
}
NOT_ALLOWED: Final = 48001


class Unsent(Exception):
    """A message was not taken; `code` is the platform's."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Platform:
    """One platform's API."""

    def __init__(self, api: str) -> None:
        self._api = api
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=20), retries=1)

    async def close(self) -> None:
        await self._transport.aclose()

    async def call(self, method: str, path: str, query: Mapping[str, str], body: object = None) -> dict[str, Any]:
        """What the platform answers to one request.

        Raises:
            httpx.HTTPError, ValueError: nothing, or nothing that can be read.
        """
        content = json.dumps(body, ensure_ascii=False).encode() if body is not None else None
        request = httpx.Request(
            method,
            f"{self._api}{path}" + (f"?{urlencode(query)}" if query else ""),
            content=content,
            headers={"content-type": "application/json"} if content is not None else None,
            extensions={"timeout": TIMEOUT.as_dict()},
        )
        response = await self._transport.handle_async_request(request)
        try:
            replied = json.loads(await response.aread())
        finally:
            await response.aclose()
        if not isinstance(replied, dict):
            raise ValueError("no JSON object")
        return replied


class Courier(Platform, ABC):
    """Sends texts to users; `usable` until the platform says that the account may not."""

    def __init__(self, api: str) -> None:
        super().__init__(api)
        self.usable = True
        self._token = ""
        self._token_until = 0.0
        self._fetching = asyncio.Lock()

    async def send(self, user: str, text: str) -> bool:
        """Send a text of at most 2048 bytes; whether it was taken. Why not is logged, with what to do."""
        try:
            await self._send(self._message(user, text))
        except Unsent as error:
            if error.code == NOT_ALLOWED:
                self.usable = False
            logger.error(
                "a message was not sent, code %d: %s", error.code, ADVICE.get(error.code, "see the platform's list")
            )
        except (httpx.HTTPError, ValueError) as error:
            logger.error("a message was not sent: the platform did not answer as it should (%s)", type(error).__name__)
        else:
            return True
        return False

    async def _send(self, message: Mapping[str, Any]) -> None:
        for last in (False, True):
            token = await self._valid_token()
            replied = await self.call("POST", self._path(), {"access_token": token}, message)
            code = _code(replied)
            if code == 0:
                return
            if last or code not in (*STALE, BUSY):
                raise Unsent(code)
            if code == BUSY:
                await asyncio.sleep(BUSY_PAUSE)
            elif token == self._token:
                self._token = ""

    async def _valid_token(self) -> str:
        async with self._fetching:
            if not self._token or time.monotonic() >= self._token_until:
                replied = await self._fetch_token()
                if _code(replied) or not isinstance(replied.get("access_token"), str):
                    raise Unsent(_code(replied) or BUSY)
                self._token = replied["access_token"]
                self._token_until = time.monotonic() + float(replied.get("expires_in", 7200)) - TOKEN_MARGIN
            return self._token

    @abstractmethod
    def _path(self) -> str:
        """Where messages are posted to."""

    @abstractmethod
    def _message(self, user: str, text: str) -> Mapping[str, Any]:
        """A text for a user, as the platform takes it."""

    @abstractmethod
    async def _fetch_token(self) -> dict[str, Any]:
        """The platform's reply to who asks for a token."""


class CustomerService(Courier):
    """Customer-service messages of a certified official account."""

    def __init__(self, account: OfficialAccount) -> None:
        super().__init__(account.api)
        self._account = account

    def _path(self) -> str:
        return "/cgi-bin/message/custom/send"

    def _message(self, user: str, text: str) -> Mapping[str, Any]:
        return {"touser": user, "msgtype": "text", "text": {"content": text}}

    async def _fetch_token(self) -> dict[str, Any]:
        asked = {"grant_type": "client_credential", "appid": self._account.app_id, "secret": self._account.secret}
        return await self.call("POST", "/cgi-bin/stable_token", {}, asked)


class AppMessages(Courier):
    """Messages of a WeCom app."""

    def __init__(self, app: WeComApp) -> None:
        super().__init__(app.api)
        self._app = app

    def _path(self) -> str:
        return "/cgi-bin/message/send"

    def _message(self, user: str, text: str) -> Mapping[str, Any]:
        return {"touser": user, "agentid": int(self._app.agent_id), "msgtype": "text", "text": {"content": text}}

    async def _fetch_token(self) -> dict[str, Any]:
        return await self.call(
            "GET", "/cgi-bin/gettoken", {"corpid": self._app.corp_id, "corpsecret": self._app.secret}
        )


class LateAnswers(Platform):
    """A bot's answers that are ready after its message takes no more pieces; sent to the address that came with it."""

    async def answer(self, respond_at: str, markdown: str) -> bool:
        """Whether it was taken; an address that is not under the platform's own is not called."""
        if not respond_at.startswith(f"{self._api}/"):
            return False
        try:
            body = {"msgtype": "markdown", "markdown": {"content": markdown}}
            code = _code(await self.call("POST", respond_at.removeprefix(self._api), {}, body))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            logger.error("a late answer was not sent (%s)", type(error).__name__)
            return False
        if code:
            logger.error("a late answer was not sent, code %d", code)
        return code == 0


def _code(replied: Mapping[str, Any]) -> int:
    code = replied.get("errcode", 0)
    return code if isinstance(code, int) else BUSY
