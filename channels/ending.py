"""How a server ends: what is being answered is finished, and nothing new is begun."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

GRACE_SECONDS: Final = 30
"""How long answers may take that are being given when the server is told to end; models take some seconds."""
TRY_AGAIN_SECONDS: Final = 5
"""After which another process has taken over."""

_READY: Final = "/readyz"
# Open for as long as a browser shows the page, and answers nothing.
_HEARTBEAT: Final = "/gradio_api/heartbeat/"


class Ending:
    """Counts the requests being answered; used on one event loop."""

    def __init__(self) -> None:
        self.begun = False
        self._open = 0

    @contextmanager
    def request(self, path: str) -> Iterator[None]:
        """As long as a request is being answered."""
        counted = not path.startswith(_HEARTBEAT)
        self._open += counted
        try:
            yield
        finally:
            self._open -= counted

    def refuses(self, method: str, path: str) -> bool:
        """Whether a request comes too late: one that begins something, or asks whether more can begin."""
        return self.begun and (method not in ("GET", "HEAD") or path == _READY)

    async def finish(self, hurry: Callable[[], bool]) -> None:
        """Refuse what is new, and wait for what is being answered: GRACE_SECONDS at most, or until `hurry` says so."""
        self.begun = True
        give_up = time.monotonic() + GRACE_SECONDS
        while self._open and not hurry() and time.monotonic() < give_up:
            await asyncio.sleep(0.05)
