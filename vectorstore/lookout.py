"""A thread that looks after what can go away and come back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

LOOK_SECONDS: Final = 60.0
"""From one look to the next while all is well; one at 150,000 vectors takes a Chroma server 0.1 s."""

RETRY_SECONDS: Final = 5.0
"""From a failure to the next look, whoever has met it."""

STOP_SECONDS: Final = 2.0
"""What stopping waits for a look that is under way; one that takes longer ends by itself."""


class Lookout:
    """Calls `look`, which returns whether all is well and raises nothing, until it is stopped."""

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self._well = False
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)
        self._thread.start()

    def wake(self, *, well: bool) -> None:
        """Look at once; if something is not `well`, after a pause."""
        if not well:
            self._well = False
        self._woken.set()

    def stop(self) -> None:
        self._stopped.set()
        self._woken.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            if self._well:
                self._woken.wait(LOOK_SECONDS)
            self._woken.clear()
            if not self._well:
                self._stopped.wait(RETRY_SECONDS)
            if not self._stopped.is_set():
                self._well = self._look()
