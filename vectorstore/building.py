"""Building the next generation of the index from the catalog, and making it the present one."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from datetime import UTC, datetime

from vectorstore.catalog import Catalog
from vectorstore.errors import StoreError
from vectorstore.fulltext import passage_count
from vectorstore.generations import Generations
from vectorstore.rows import Vectors, all_vectors
from vectorstore.sql import Connection
from vectorstore.vectors import IndexUnavailable

logger = logging.getLogger(__name__)


def present_generation(connection: Connection) -> int:
    """The number of the newest generation that was built to the end, 0 before the first.

    For each search: the whole row may hold 130 KB.
    """
    row = connection.execute("SELECT max(generation) FROM generations WHERE built != ''").fetchone()
    return int(row[0] or 0)


def renew(kept: Generations, catalog: Catalog) -> int:
    """Build a generation beside the present one and make it the present one; all others are deleted.

    For the holder of the writer's lock only. Returns the new one's number.

    Raises:
        StoreError: there is too little room, or it could not be built; the present one stays.
    """
    with catalog.snapshot() as connection:
        present, passages = present_generation(connection), passage_count(connection)
    kept.remove(kept.others(present))
    kept.ready(passages)
    with catalog.snapshot() as connection:
        found = all_vectors(connection)
    number = _build(kept, catalog, found)
    with suppress(IndexUnavailable):  # what is left goes before the next is built
        kept.remove(kept.others(number))
    logger.info("index generation %d built with %d passages", number, len(found[0]))
    return number


def _build(kept: Generations, catalog: Catalog, found: Vectors) -> int:
    ids, matrix = found
    with catalog.transaction() as connection:
        row = connection.execute(
            "INSERT INTO generations (highest_passage_id, passages, stored, strays, manifest, built) "
            "VALUES (?, 0, 0, '[]', '', '') RETURNING generation",
            (max(ids, default=0),),
        ).fetchall()[0]
        number = int(row[0])
    try:
        built = kept.build(number, ids, matrix)
        with catalog.transaction() as connection:
            connection.execute(
                "UPDATE generations SET passages = ?, stored = ?, strays = ?, manifest = ?, built = ? WHERE generation = ?",
                (len(ids), built.stored, json.dumps(built.strays), json.dumps(built.manifest),
                 datetime.now(UTC).isoformat(timespec="seconds"), number),
            )  # fmt: skip
            connection.execute("DELETE FROM generations WHERE generation < ?", (number,))
    except StoreError:
        kept.drop(number)
        raise
    except Exception as error:  # Chroma's own, and the disk's
        kept.drop(number)
        raise StoreError(
            f"The index could not be built in {kept.where}: {error}. Nothing is lost: searches go without it. "
            f"{kept.advice}, then run `zhice reindex`."
        ) from error
    return number


def forget(catalog: Catalog, number: int) -> None:
    """Give a damaged generation up, so that its room is free for the next."""
    with catalog.transaction() as connection:
        connection.execute("DELETE FROM generations WHERE generation = ?", (number,))
