"""Uploaded files: kept under their digest, so that a document can be read again; in the data folder, or in a database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from vectorstore.errors import StoreError
from vectorstore.sql import Connection

KEY: Final = "upload:"
"""What the key of an uploaded document begins with."""

UPLOADS: Final = "files"
"""The folder in the data folder; a file's name is the SHA-256 of its bytes."""

UPLOADING: Final = "uploads"
"""What a transaction does alone that keeps a file or looks for those that nobody needs."""

_DIGEST: Final = re.compile("[0-9a-f]{64}")


class Uploads(Protocol):
    """Files by the SHA-256 of their bytes."""

    def keep(self, sha256: str, data: bytes) -> None:
        """Raises: StoreError, if it cannot be written."""
        ...

    def read(self, sha256: str) -> bytes | None:
        """The bytes of a file; None if it is gone or is not what it was."""
        ...

    def digests(self) -> list[str]:
        """What is kept, in order."""
        ...

    def remove(self, sha256: str) -> None: ...


class FolderUploads:
    """In the data folder."""

    def __init__(self, data: Path) -> None:
        self.folder = data / UPLOADS

    def keep(self, sha256: str, data: bytes) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            (self.folder / sha256).write_bytes(data)
        except OSError as error:
            raise StoreError(
                f"The file could not be kept in {self.folder}: {error.strerror}. Free disk space and add it again."
            ) from error

    def read(self, sha256: str) -> bytes | None:
        try:
            data = (self.folder / sha256).read_bytes()
        except OSError:
            return None
        return whole(sha256, data)

    def digests(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*") if _DIGEST.fullmatch(path.name))

    def remove(self, sha256: str) -> None:
        (self.folder / sha256).unlink(missing_ok=True)


def whole(sha256: str, data: bytes) -> bytes | None:
    """The bytes, if they are those of the digest."""
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


def kept_uploads(connection: Connection) -> dict[str, list[str]]:
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


def needed_uploads(connection: Connection) -> set[str]:
    """The digests of the files that uploaded documents were read from, and of those that wait to be read."""
    waiting = {row[0] for row in connection.execute("SELECT sha256 FROM jobs WHERE state = 'waiting'")}
    return waiting | kept_uploads(connection).keys()


def lost_uploads(uploads: Uploads, kept: Mapping[str, Sequence[str]]) -> list[str]:
    """The sources of the uploads whose file is gone, or is not the one that was read."""
    lost = [source for digest, sources in kept.items() if uploads.read(digest) is None for source in sources]
    return sorted(set(lost))
