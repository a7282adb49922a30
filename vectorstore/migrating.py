"""From a folder to a database: everything in it copied, proven equal, and the folder left as it is."""

from __future__ import annotations

from pathlib import Path

from vectorstore.backup import refuse_used
from vectorstore.catalog import Catalog
from vectorstore.copying import copy, copy_uploads
from vectorstore.errors import StoreError


def migrate(folder: Path, database: str) -> tuple[dict[str, int], list[str]]:
    """Copy a data folder's knowledge base into an empty database.

    Returns:
        How many rows of each table were copied and found equal, and the digests of uploads that were lost before.

    Raises:
        StoreLocked: a process has the folder open.
        StoreError: the folder holds no knowledge base, the database is not empty or does not answer; nothing was kept.
    """
    path = folder / "catalog.sqlite3"
    if not path.exists():
        raise StoreError(f"The folder {folder} holds no knowledge base to copy; name one with --data-dir.")
    refuse_used(folder)
    source = Catalog(path)
    try:
        with source.engine.lock(folder, "writer").held():
            target = Catalog(path, database=database)
            try:
                copied = copy(source, target)
                uploads = target.engine.uploads(folder)
                return copied, copy_uploads(source.engine.uploads(folder), uploads, source.connection())
            finally:
                target.close()
    finally:
        source.close()
