"""Failed tries by who made them: kept in the catalog, so that every process makes them wait."""

from __future__ import annotations

from typing import Final

from vectorstore.catalog import Catalog

FORGOTTEN_SECONDS: Final = 24 * 3600
"""Seconds without a try after which nothing is known of who failed before; the longest wait is far shorter."""


class Tries:
    """The failures in one catalog; safe to use from several threads and processes. Times are seconds since 1970."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def begin(self, name: str, now: float, checking: float) -> float:
        """Take a try, which keeps others of this name out for `checking` seconds; or the seconds until there is one.

        A try counts from its beginning, so that many at once are no more than many in a row.
        """
        row = self._catalog.connection().execute("SELECT free FROM tries WHERE name = ?", (name,)).fetchone()
        if row is not None and row[0] > now:
            return float(row[0]) - now
        with self._catalog.transaction(searched=False, alone=f"tries {name}") as connection:
            row = connection.execute("SELECT free FROM tries WHERE name = ?", (name,)).fetchone()
            if row is not None and row[0] > now:
                return float(row[0]) - now
            connection.execute(
                "INSERT INTO tries VALUES (?, 0, ?) ON CONFLICT (name) DO UPDATE SET free = excluded.free",
                (name, now + checking),
            )
        return 0.0

    def failed(self, name: str) -> int:
        """Count a failure; how many there have been."""
        with self._catalog.transaction(searched=False, alone=f"tries {name}") as connection:
            row = connection.execute(
                "UPDATE tries SET count = count + 1 WHERE name = ? RETURNING count", (name,)
            ).fetchall()
        return int(row[0][0]) if row else 1

    def wait(self, name: str, now: float, seconds: float) -> None:
        """Let nobody of this name try for so long; what is old is forgotten."""
        with self._catalog.transaction(searched=False, alone="old tries") as connection:
            connection.execute("UPDATE tries SET free = ? WHERE name = ?", (now + seconds, name))
            connection.execute("DELETE FROM tries WHERE free < ?", (now - FORGOTTEN_SECONDS,))

    def succeeded(self, name: str) -> None:
        """Forget the failures of who has found the way in."""
        with self._catalog.transaction(searched=False, alone=f"tries {name}") as connection:
            connection.execute("DELETE FROM tries WHERE name = ?", (name,))
