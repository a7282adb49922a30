"""The door that every callback comes through: what is too large, too slow, forged or damaged is refused and not explained."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from channels.wechat.crypto import Malformed, Refused

logger = logging.getLogger(__name__)

LARGEST_BODY: Final = 2**20
BODY_SECONDS: Final = 5.0  # longer than the platforms wait themselves

Handler = Callable[[Request], Awaitable[Response]]


class TooLarge(Refused):
    """More was sent than any message has."""

    status = 413


class TooSlow(Refused):
    """It did not arrive in time."""

    status = 408


def guarded(handler: Handler) -> Handler:
    """The handler, with what it refuses turned into an empty answer; of the request nothing is logged but the kind."""

    @functools.wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refused:
            logger.warning("a callback to %s was refused: %s", request.url.path, refused.kind)
            return Response(status_code=refused.status)

    return answered


async def body_of(request: Request) -> bytes:
    """The body of a callback.

    Raises:
        TooLarge, TooSlow, Malformed: it is not read any further.
    """
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:12]) > LARGEST_BODY:
        raise TooLarge("a body over 1 MiB")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST_BODY:
                    raise TooLarge("a body over 1 MiB")
    except TimeoutError:
        raise TooSlow("a body that did not arrive") from None
    except ClientDisconnect:
        raise Malformed("a body that broke off") from None
    return bytes(body)


def asked(request: Request, *names: str) -> tuple[str, ...]:
    """Values of the query.

    Raises:
        Malformed: one is missing.
    """
    values = tuple(request.query_params.get(name, "") for name in names)
    if not all(values):
        raise Malformed("a query without " + " or ".join(names))
    return values


def plain(text: str) -> Response:
    """A text as it is."""
    return Response(text, media_type="text/plain")


def xml(body: str) -> Response:
    """The reply to an XML message."""
    return Response(body, media_type="application/xml" if body.startswith("<") else "text/plain")


async def dropped(request: Request, seconds: float) -> Response:
    """Hold a connection until the platform drops it, which makes it send the message again; at most `seconds`."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up and not await request.is_disconnected():
        await asyncio.sleep(min(0.1, seconds / 20))
    # Nobody listens any more; if somebody does, this is the one answer that is not taken for one.
    return Response(status_code=503)
