"""Who changed what and when: what administrators and programs did to documents, keys and the folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vectorstore.catalog import Catalog
from vectorstore.errors import StoreError

# A busy office does some dozens of such things a day; this is some years of them, 10 MB.
KEPT = 50_000

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done: when (UTC), by whom, what, to what, and what came of it."""

    at: str
    actor: str
    action: str
    target: str
    outcome: str


class Audit:
    """The record in the catalog; it holds names and ids, never what stands in a document or a secret."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def record(self, actor: str, action: str, target: str = "", outcome: str = "done") -> None:
        """Keep that something was done; where that cannot be written, the log says it."""
        entry = (datetime.now(UTC).isoformat(timespec="seconds"), actor, action, target[:200], outcome[:200])
        try:
            with self._catalog.transaction(searched=False) as connection:
                connection.execute(
                    "INSERT INTO audit (at, actor, action, target, outcome) VALUES (?, ?, ?, ?, ?)", entry
                )
                connection.execute("DELETE FROM audit WHERE audit_id <= (SELECT max(audit_id) FROM audit) - ?", (KEPT,))
        except StoreError:
            _LOGGER.exception("not recorded: %s did %s to %s: %s", actor, action, target, outcome)

    def entries(self, limit: int = 100) -> Sequence[Entry]:
        """The last entries, newest first."""
        rows = self._catalog.connection().execute(
            "SELECT at, actor, action, target, outcome FROM audit ORDER BY audit_id DESC LIMIT ?", (limit,)
        )
        return [Entry(*row) for row in rows]
