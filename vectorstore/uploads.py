"""Uploaded files: kept in the data folder under their digest, so that a document can be read again."""

from __future__ import annotations

import sqlite3
from typing import Final

KEY: Final = "upload:"
"""What the key of an uploaded document begins with."""

UPLOADS: Final = "files"
"""The folder in the data folder; a file's name is the SHA-256 of its bytes."""


def kept_uploads(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The digests of the files that uploaded documents were read from, any version, each with the documents' sources."""
    found: dict[str, list[str]] = {}
    rows = connection.execute(
        "SELECT DISTINCT v.sha256, d.source FROM versions v JOIN documents d USING (document_id) "
        "WHERE substr(d.key, 1, ?) = ? ORDER BY d.source",
        (len(KEY), KEY),
    )
    for sha256, source in rows:
        found.setdefault(sha256, []).append(source)
    return found
