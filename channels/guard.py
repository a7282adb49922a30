"""What stands before every request: who may call, what may be called, how much may be sent; and headers on the way out.

Gradio brings some forty routes; the page needs the few named here, and all others are closed.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channels.admin import ADMIN_COOKIE, Gate
from channels.shell import framed
from channels.texts import LANGUAGE_COOKIE, preferred
from channels.viewer import notice

logger = logging.getLogger(__name__)

LARGEST_BODY: Final = 2**20
LARGEST_FILE: Final = 50 * 2**20
LARGEST_UPLOAD: Final = 10 * LARGEST_FILE
BODY_SECONDS: Final = 30
UPLOAD: Final = "/gradio_api/upload"
LOCAL_NAMES: Final = ("127.0.0.1", "localhost", "::1")

_OPEN: Final = re.compile(
    r"/|/d/[^/]+|/zhice/[^/]+|/admin/sign-(?:in|out)|/favicon\.ico|/(?:gradio_api/)?theme\.css|/config|/assets/.+|"
    r"/static/(?:js|img|fonts)/.+|/gradio_api/(?:info|startup-events|queue/join|queue/data|cancel|reset|"
    r"upload|upload_progress|heartbeat/[^/]+)/?"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
_STRICT: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Gradio writes style attributes, and its HTML component compiles its template with `Function`; so styles may be
# inline and scripts may evaluate. No script runs from markup: inline ones need the nonce of this very response.
_PAGE: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class _TooLarge(Exception):
    """More was sent than is taken."""


class _TooSlow(Exception):
    """The body took too long to arrive."""


class Guard:
    """ASGI middleware around the whole app.

    Args:
        app: what it guards.
        gate: says who may upload. While it is open to all, only this machine's own names are answered, so that a
            page elsewhere cannot reach the server by pointing a name of its own at 127.0.0.1.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        cookies = _cookies(headers.get("cookie", ""))
        language = preferred(cookies.get(LANGUAGE_COOKIE), headers.get("accept-language"))
        nonce = secrets.token_urlsafe(16)
        reply = _Reply(send, _policy(scope["path"], nonce))
        refused = self._refusal(scope, headers, cookies)
        if refused is None:
            try:
                if scope["path"] != UPLOAD:
                    receive = await _whole_body(receive)
                framing = _Framing(reply.send, lambda page: framed(page, nonce, language))
                await self._app(scope, receive, framing.send if scope["path"] == "/" else reply.send)
                return
            except _TooLarge:
                refused = (413, "refused_title", "too_big_text")
            except _TooSlow:
                refused = (408, "refused_title", "refused_text")
            except Exception:
                logger.exception("a request failed")
                refused = (500, "error_title", "error_text")
        if not reply.begun:
            status, heading, text = refused
            await notice(language, heading, text, status=status)(scope, receive, reply.send)

    def _refusal(self, scope: Scope, headers: Headers, cookies: dict[str, str]) -> tuple[int, str, str] | None:
        """Status, heading and text of the refusal, if the request is refused before its body is read."""
        host = headers.get("host", "")
        if not self._gate.locked and urlsplit(f"//{host}").hostname not in LOCAL_NAMES:
            return 421, "refused_title", "host_text"
        if not _OPEN.fullmatch(scope["path"]):
            return 404, "not_found_title", "not_found_text"
        if scope["method"] in ("GET", "HEAD"):
            return None
        origin = headers.get("origin")
        if headers.get("sec-fetch-site") == "cross-site" or (origin and urlsplit(origin).netloc != host):
            return 403, "refused_title", "refused_text"
        length = headers.get("content-length", "")
        if scope["path"] == UPLOAD:
            if not self._gate.admits(cookies.get(ADMIN_COOKIE)):
                return 403, "refused_title", "not_signed_in"
            if not length.isdecimal():
                return 411, "refused_title", "refused_text"
            if int(length) > LARGEST_UPLOAD:
                return 413, "refused_title", "too_big_text"
        elif length.isdecimal() and int(length) > LARGEST_BODY:
            return 413, "refused_title", "too_big_text"
        return None


class _Reply:
    """What is sent, with the security headers on it; `begun` once some of it is out."""

    def __init__(self, send: Send, policy: str) -> None:
        self.begun = False
        self._send = send
        self._policy = policy

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers["Content-Security-Policy"] = self._policy
        await self._send(message)


class _Framing:
    """Holds an HTML response back until it is whole, and sends it framed."""

    def __init__(self, send: Send, frame: Callable[[str], str]) -> None:
        self._send = send
        self._frame = frame
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                self._start = None
                await self._send(message)
            else:
                self._start = message
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            body = self._frame(self._body.decode()).encode()
            headers = MutableHeaders(raw=self._start["headers"])
            headers["content-length"] = str(len(body))
            headers["cache-control"] = "no-store"
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": body})


def _policy(path: str, nonce: str) -> str:
    return _PAGE.format(nonce=nonce) if path == "/" else _STRICT


async def _whole_body(receive: Receive) -> Receive:
    """The body read to its end within the limits of size and time, to be received again in one message.

    Raises:
        _TooLarge: it is larger than LARGEST_BODY.
        _TooSlow: it took longer than BODY_SECONDS.
    """
    body, more = b"", True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return receive
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > LARGEST_BODY:
                    raise _TooLarge
    except TimeoutError as error:
        raise _TooSlow from error
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
