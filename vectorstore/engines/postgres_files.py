"""Uploaded files in the database, where every machine finds them."""

from __future__ import annotations

from vectorstore.sql import Connection
from vectorstore.uploads import whole


class DatabaseUploads:
    """The table `files`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, sha256: str, data: bytes) -> None:
        self._connection.execute(
            "INSERT INTO files VALUES (?, ?) ON CONFLICT (sha256) DO UPDATE SET data = excluded.data", (sha256, data)
        )

    def read(self, sha256: str) -> bytes | None:
        row = self._connection.execute("SELECT data FROM files WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else whole(sha256, row[0])

    def digests(self) -> list[str]:
        return [row[0] for row in self._connection.execute("SELECT sha256 FROM files ORDER BY sha256")]

    def remove(self, sha256: str) -> None:
        self._connection.execute("DELETE FROM files WHERE sha256 = ?", (sha256,))
