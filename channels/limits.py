"""How often someone may do something: so many times within so many seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

REMEMBERED: Final = 10_000


class Allowance:
    """`times` in any span of `seconds`, for each name; safe to use from several threads."""

    def __init__(self, times: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._times = times
        self._seconds = seconds
        self._clock = clock
        self._guard = threading.Lock()
        self._spent: dict[str, deque[float]] = {}

    def wait(self, name: str) -> float:
        """0 and one time less, or the seconds until there is another."""
        with self._guard:
            now = self._clock()
            spent = self._spent.pop(name, deque())
            while spent and spent[0] <= now - self._seconds:
                spent.popleft()
            while len(self._spent) >= REMEMBERED:
                self._spent.pop(next(iter(self._spent)))
            self._spent[name] = spent
            if len(spent) < self._times:
                spent.append(now)
                return 0.0
            return spent[0] + self._seconds - now
