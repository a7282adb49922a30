"""Conversations on the page: what was asked in each, kept in the catalog so that any process can go on with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vectorstore.catalog import Catalog

KEPT_SECONDS: Final = 24 * 3600
"""Seconds after its last question for which a conversation can be gone on with: a page is left open over night."""

_TIDIED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the id of its answer if one was kept, and what it was narrowed to, as the page writes that."""

    question: str
    answer_id: str
    within: str


class Conversations:
    """The conversations of one catalog, each by the name that a browser gives itself."""

    def __init__(self, catalog: Catalog, *, clock: Callable[[], float] = time.time) -> None:
        self._catalog = catalog
        self._clock = clock
        self._guard = threading.Lock()
        self._tidied = 0.0

    def of(self, conversation: str) -> list[Asked]:
        """What was asked, oldest first."""
        rows = self._catalog.connection().execute(
            "SELECT question, answer_id, within FROM page_turns WHERE conversation = ? ORDER BY number", (conversation,)
        )
        return [Asked(*row) for row in rows]

    def keep(self, conversation: str, turns: Sequence[Asked]) -> None:
        """Let this be what was asked in a conversation."""
        now = self._clock()
        with self._catalog.transaction(searched=False, alone=f"page {conversation}") as connection:
            connection.execute("DELETE FROM page_turns WHERE conversation = ?", (conversation,))
            connection.executemany(
                "INSERT INTO page_turns VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (conversation, number, turn.question, turn.answer_id, turn.within, now)
                    for number, turn in enumerate(turns)
                ],
            )
        self._tidy(now)

    def _tidy(self, now: float) -> None:
        """Forget what is too old, once a minute at most."""
        with self._guard:
            if now < self._tidied + _TIDIED_SECONDS:
                return
            self._tidied = now
        with self._catalog.transaction(searched=False, alone="old pages") as connection:
            connection.execute("DELETE FROM page_turns WHERE at < ?", (now - KEPT_SECONDS,))
