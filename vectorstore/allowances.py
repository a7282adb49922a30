"""How often someone may do something: so many times within so many seconds, over all processes that share a database.

A folder is served by one process, which counts in its memory: a transaction for every question would wait for whoever
writes documents. A database's processes count in it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from vectorstore.catalog import Catalog
from vectorstore.errors import StoreError

logger = logging.getLogger(__name__)

REMEMBERED: Final = 10_000


class Allowance:
    """`times` in any span of `seconds`, for each name; safe to use from several threads.

    Args:
        times: how often.
        seconds: within which span.
        catalog: where it is counted if its database is shared; in memory otherwise.
        what: what the allowance is for, which sets it apart from others in the same database.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        times: int,
        seconds: float,
        *,
        catalog: Catalog | None = None,
        what: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._times = times
        self._seconds = seconds
        self._catalog = catalog if catalog is not None and catalog.engine.shared else None
        self._what = what
        self._clock = clock
        self._guard = threading.Lock()
        self._spent: dict[str, deque[float]] = {}

    def wait(self, name: str) -> float:
        """0 and one time less, or the seconds until there is another."""
        return self._wait_here(name) if self._catalog is None else self._wait_in(self._catalog, f"{self._what} {name}")

    def _wait_here(self, name: str) -> float:
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

    def _wait_in(self, catalog: Catalog, name: str) -> float:
        now = self._clock()
        try:
            with catalog.transaction(searched=False, alone=f"spent {name}") as connection:
                connection.execute("DELETE FROM spent WHERE name = ? AND at <= ?", (name, now - self._seconds))
                count, first = connection.execute(
                    "SELECT count(*), min(at) FROM spent WHERE name = ?", (name,)
                ).fetchone()
                if count < self._times:
                    connection.execute("INSERT INTO spent VALUES (?, ?)", (name, now))
                    return 0.0
                return float(first) + self._seconds - now
        except StoreError:
            logger.exception("what was asked could not be counted; the question is taken")
            return 0.0
