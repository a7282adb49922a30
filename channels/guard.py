"""What stands before every request: who may call, what may be called, how much may be sent; and headers on the way out.

Gradio brings some forty routes; the page needs the few named here, and all others are closed.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channels.access import Access, bearer
from channels.admin import ADMIN_COOKIE, Gate
from channels.ending import TRY_AGAIN_SECONDS, Ending
from channels.problems import Refused, for_programs, problem
from channels.shell import framed
from channels.texts import LANGUAGE_COOKIE, Language, preferred, say
from channels.viewer import notice
from vectorstore.errors import StoreUnavailable

logger = logging.getLogger(__name__)

LARGEST_BODY: Final = 2**20
LARGEST_FILE: Final = 50 * 2**20
LARGEST_UPLOAD: Final = 10 * LARGEST_FILE
BODY_SECONDS: Final = 30
UPLOAD: Final = "/gradio_api/upload"
JOIN: Final = "/gradio_api/queue/join"
PROGRAMS_UPLOAD: Final = "/api/documents"
LOCAL_NAMES: Final = ("127.0.0.1", "localhost", "::1")

_OPEN: Final = re.compile(
    r"/|/d/[^/]+(?:/qr\.svg|/changes)?|/s/[^/]+(?:/source|/qr\.svg)?|/wechat|/wecom(?:/bot)?|/zhice/[^/]+|"
    r"/admin/sign-(?:in|out)|/favicon\.ico|/(?:gradio_api/)?theme\.css|/config|/assets/.+|"
    r"/static/(?:js|img|fonts)/.+|/gradio_api/(?:info|startup-events|queue/join|queue/data|cancel|reset|"
    r"upload|upload_progress|heartbeat/[^/]+)/?"
)
# What programs may call, and how; each of these asks for itself who calls.
_FOR_PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "/api/ask": ("POST",),
    PROGRAMS_UPLOAD: ("GET", "POST"),
    "/v1/chat/completions": ("POST",),
    "/v1/models": ("GET",),
    "/v1/models/zhice": ("GET",),
    "/mcp": ("POST",),
    "/openapi.json": ("GET",),
    "/docs": ("GET",),
    "/docs/swagger-ui.css": ("GET",),
    "/docs/swagger-ui-bundle.js": ("GET",),
    "/healthz": ("GET",),
    "/readyz": ("GET",),
    "/metrics": ("GET",),
}
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
# A refusal's heading and text on a page, by its code.
_NOTICES: Final[Mapping[str, tuple[str, str]]] = {
    "not_found": ("not_found_title", "not_found_text"),
    "too_large": ("refused_title", "too_big_text"),
    "wrong_host": ("refused_title", "host_text"),
    "not_signed_in": ("refused_title", "not_signed_in"),
    "internal_error": ("error_title", "error_text"),
    "unavailable": ("busy_title", "busy_text"),
}
# Swagger UI runs one script of its own and one of ours, and brings its pictures in its style sheet.
_DOCS: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
        ending: counts what is being answered, and says when nothing new is begun.
        access: says which programs may upload; without it there is nothing here for programs.
    """

    def __init__(self, app: ASGIApp, gate: Gate, ending: Ending, access: Access | None = None) -> None:
        self._app = app
        self._ending = ending
        self._gate = gate
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        with self._ending.request(scope["path"]):
            await self._answered(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        cookies = _cookies(headers.get("cookie", ""))
        language = preferred(cookies.get(LANGUAGE_COOKIE), headers.get("accept-language"))
        nonce = secrets.token_urlsafe(16)
        if scope["path"] == JOIN:
            send = _Worded(send, language).send
        reply = _Reply(send, _policy(scope["path"], nonce))
        try:
            refused = await self._refusal(scope, headers, cookies)
            if refused is None:
                if scope["path"] not in (UPLOAD, PROGRAMS_UPLOAD):
                    receive = await _whole_body(receive)
                framing = _Framing(reply.send, lambda page: framed(page, nonce, language))
                await self._app(scope, receive, framing.send if scope["path"] == "/" else reply.send)
                return
        except _TooLarge:
            refused = Refused(413)
        except _TooSlow:
            refused = Refused(408)
        except StoreUnavailable as error:
            logger.warning("a request could not be answered: %s", error)
            refused = Refused(503)
        except Exception:
            logger.exception("a request failed")
            refused = Refused(500)
        if not reply.begun:
            said = _said(scope["path"], refused, language)
            if refused.status == 408:
                said.headers["Connection"] = "close"  # the rest of the body is not waited for
            await said(scope, receive, reply.send)

    async def _refusal(self, scope: Scope, headers: Headers, cookies: dict[str, str]) -> Refused | None:
        """The refusal, if the request is refused before its body is read."""
        path, method = scope["path"], scope["method"]
        if self._ending.refuses(method, path):
            return Refused(503, wait=TRY_AGAIN_SECONDS)
        if not self._gate.locked and _name(headers.get("host", "")) not in LOCAL_NAMES:
            return Refused(421)
        methods = _FOR_PROGRAMS.get(path) if self._access is not None else None
        if methods is None and not _OPEN.fullmatch(path):
            return Refused(404)
        if methods is not None and method not in methods:
            return Refused(405, allow=methods)
        if method in ("GET", "HEAD"):
            return None
        # No other site can make a browser send a key that it does not have, nor any header without asking first.
        keyed = methods is not None and bearer(Request(scope))
        if not keyed and _from_elsewhere(headers):
            return Refused(403)
        if path == UPLOAD and not await run_in_threadpool(self._gate.admits, cookies.get(ADMIN_COOKIE)):
            return Refused(403, "not_signed_in")
        if path == PROGRAMS_UPLOAD and self._access is not None:
            try:
                await run_in_threadpool(self._access.manages, Request(scope))
            except Refused as refused:
                return refused
        return _too_long(headers, uploads=path in (UPLOAD, PROGRAMS_UPLOAD))


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
            if message["status"] in (429, 503):
                headers.setdefault("Retry-After", str(TRY_AGAIN_SECONDS))
        await self._send(message)


class _Worded:
    """Says in the reader's words that there are too many questions; the page has words of its own for a 503."""

    def __init__(self, send: Send, language: Language) -> None:
        self._send = send
        self._language = language
        self._said = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 503:
            self._said = True
            busy = JSONResponse({"detail": say(self._language, "busy")})
            headers = MutableHeaders(raw=message["headers"])
            headers["content-length"], headers["content-type"] = str(len(busy.body)), "application/json"
            await self._send({**message, "status": 429, "headers": headers.raw})
            await self._send({"type": "http.response.body", "body": busy.body})
        elif not self._said:
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
    if path == "/":
        return _PAGE.format(nonce=nonce)
    return _DOCS if path == "/docs" else _STRICT


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another site has sent this."""
    origin = headers.get("origin")
    return headers.get("sec-fetch-site") == "cross-site" or (
        bool(origin) and str(origin).partition("://")[2] != headers.get("host", "")
    )


def _too_long(headers: Headers, *, uploads: bool) -> Refused | None:
    """The refusal, if the body says that it is larger than is taken; one with files has to say."""
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return Refused(411) if uploads else None
    return Refused(413) if int(length) > (LARGEST_UPLOAD if uploads else LARGEST_BODY) else None


def _said(path: str, refused: Refused, language: Language) -> Response:
    """The refusal as JSON for programs, else as a page."""
    if for_programs(path):
        return problem(path, refused)
    heading, text = _NOTICES.get(refused.code, ("refused_title", "refused_text"))
    return notice(language, heading, text, status=refused.status)


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
