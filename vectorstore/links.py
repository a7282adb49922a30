"""Short links: a code for a place in one version of a document, kept in the catalog."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass

from vectorstore.catalog import Catalog

ALPHABET = string.ascii_letters + string.digits
LENGTH = 11  # characters of a code: 65 random bits, so that none can be guessed
DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Link:
    """Where a code leads: characters `start` to `end` of one version of a document."""

    code: str
    document_id: str
    version: int
    start: int
    end: int


class Links:
    """The links of one catalog; safe to use from several threads and processes."""

    def __init__(self, catalog: Catalog, *, clock: Callable[[], float] = time.time) -> None:
        self._catalog = catalog
        self._clock = clock

    def code(self, document_id: str, version: int, start: int, end: int, *, days: float | None = None) -> str:
        """The code of a place; with `days`, one that leads there for at least half as long and at most so long."""
        now = self._clock()
        place = (document_id, version, start, end)
        with self._catalog.transaction(searched=False, alone="links") as connection:
            row = connection.execute(
                'SELECT code FROM links WHERE document_id = ? AND version = ? AND start = ? AND "end" = ? '
                "AND revoked = 0 AND (expires IS NULL) = ? AND (expires IS NULL OR expires > ?)",
                (*place, days is None, now + (days or 0) * DAY / 2),
            ).fetchone()
            if row is not None:
                return str(row["code"])
            code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            connection.execute(
                "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, 0)",
                (code, *place, None if days is None else now + days * DAY),
            )
        return code

    def find(self, code: str) -> Link | None:
        """Where a code leads; None if there is no such code, or it has expired or been revoked."""
        row = (
            self._catalog.connection()
            .execute(
                'SELECT code, document_id, version, start, "end" FROM links '
                "WHERE code = ? AND revoked = 0 AND (expires IS NULL OR expires > ?)",
                (code, self._clock()),
            )
            .fetchone()
        )
        return None if row is None else Link(*row)

    def revoke(self, code: str) -> bool:
        """End a link; whether there was one."""
        with self._catalog.transaction(searched=False) as connection:
            return bool(connection.execute("UPDATE links SET revoked = 1 WHERE code = ?", (code,)).rowcount)
