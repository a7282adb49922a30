"""Sessions of administrators: kept as digests in the catalog, so that they outlive a process and can be ended from another."""

from __future__ import annotations

from vectorstore.catalog import Catalog


class Sessions:
    """The sessions of one catalog; safe to use from several threads and processes. Times are seconds since 1970."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def begin(self, digest: str, now: float, until: float) -> None:
        """Keep a session; those that are over by now are forgotten."""
        with self._catalog.transaction(searched=False) as connection:
            connection.execute("DELETE FROM sessions WHERE until <= ?", (now,))
            connection.execute("INSERT INTO sessions (digest, until) VALUES (?, ?)", (digest, until))

    def has(self, digest: str, now: float) -> bool:
        """Whether a session has begun and is not over."""
        found = self._catalog.connection().execute(
            "SELECT 1 FROM sessions WHERE digest = ? AND until > ?", (digest, now)
        )
        return found.fetchone() is not None

    def end(self, digest: str) -> None:
        """The session is over from the next request on."""
        with self._catalog.transaction(searched=False) as connection:
            connection.execute("DELETE FROM sessions WHERE digest = ?", (digest,))

    def end_all(self) -> int:
        """Every session is over; how many there were."""
        with self._catalog.transaction(searched=False) as connection:
            return int(connection.execute("DELETE FROM sessions").rowcount)
