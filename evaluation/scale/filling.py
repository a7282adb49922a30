"""Filling a store with made policies, building its index, and the room that both take."""

from __future__ import annotations

import gc
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from evaluation.scale.corpus import Corpus, Made, shape
from evaluation.scale.watching import Clock, Peak, Watched, mebibytes, own_memory, own_peak, watched_servers
from ingest.preparing import prepare
from vectorstore import making
from vectorstore.errors import StoreError, ZhiceError
from vectorstore.packing import fulltext_fields
from vectorstore.passage import Document, Passage
from vectorstore.place import Place
from vectorstore.room import size_of
from vectorstore.segmentation import terms
from vectorstore.store import PolicyStore

_READ: Final = 30
"""Documents that are read from files, too, to see what that takes."""

_SHAPED: Final = 140_000
"""Passages of which the terms are counted; the laws that they are compared with are as many."""

# The tables of PostgreSQL, and what SQLite calls those of the full text, by what they are for.
_PARTS: Final = {
    "full text": ("passages_text", "vocabulary"),
    "passages and vectors": ("passages",),
    "texts": ("versions", "documents"),
}


class NotEmpty(ZhiceError):
    """A database that is to be filled holds documents already."""


def fill(place: Place, size: int) -> dict[str, Any]:
    """Make so many passages and store them; stages, rates, room and memory.

    Raises:
        NotEmpty: the store holds documents that were not made here.
    """
    servers = watched_servers(place)
    clock = Clock(servers)
    corpus = Corpus()
    store = PolicyStore(place)
    try:
        if store.catalog.revision():
            raise NotEmpty(
                f"{store.catalog.engine.name} holds documents; name an empty database, or delete the folder."
            )
        with Peak(servers) as peak, clock("whole", servers=True):
            documents, tenths = _store(store, corpus, size, clock, servers)
        spent = clock.plain()
        gc.collect()
        return {
            "documents": documents,
            "stages": spent,
            "cpu of each tenth": tenths,
            "reading": _reading(corpus, size),
            "room_mib": room(store),
            "memory_mib": {"at rest": mebibytes(own_memory()), "peak": mebibytes(own_peak())},
            "server_peak_mib": {name: mebibytes(most) for name, most in peak.bytes.items()},
        }
    finally:
        store.close()


def _store(
    store: PolicyStore, corpus: Corpus, size: int, clock: Clock, servers: Mapping[str, Watched]
) -> tuple[int, list[float]]:
    """How many documents they were, and the processor seconds, the servers' too, that each tenth of the passages took."""

    def cpu() -> float:
        return time.process_time() + sum(each.cpu() for each in servers.values())

    number = stored = 0
    reached = [cpu()]
    # One lock around all, as an ingest of many files has it.
    with store.writing():
        while stored < size:
            with clock("making up"):
                made = corpus.made(number, size - stored)
            document, passages = made.document, made.passages
            with clock("segmentation"):
                fields = tuple(fulltext_fields(document.text, passage, "")[:2] for passage in passages)
            with clock("encoding"):
                title = document.metadata.title or document.source
                texts = [making.encoded_text(title, document.text, passage) for passage in passages]
                vectors = store.encoder.encode(texts).astype("float16")
            with clock("writing"):
                store.put(
                    document,
                    passages,
                    key=document.source,
                    sha256=hashlib.sha256(document.text.encode()).hexdigest(),
                    made=making.Made(vectors, fields),
                )
            number, stored = number + 1, stored + len(passages)
            if 10 * stored // size >= len(reached):
                reached += [cpu()] * (10 * stored // size + 1 - len(reached))
    return number, [round(later - earlier, 2) for earlier, later in pairwise(reached)]


def _reading(corpus: Corpus, size: int) -> dict[str, float]:
    """What it takes to read some of the same documents from text files: clean, describe and split them."""
    clock, passages, left = Clock(), 0, size
    for number in range(_READ):
        made = corpus.made(number)
        with clock("reading"):
            _, found = prepare(made.document.text.encode(), made.document.source)
        passages += len(found)
        left -= len(made.passages)
        if left <= 0:
            break
    return {**clock.plain()["reading"], "passages": passages}


def build(place: Place) -> dict[str, Any]:
    """Build the index in this process: what it takes, and the most memory it takes."""
    servers = watched_servers(place)
    clock = Clock(servers)
    store = PolicyStore(place)
    try:
        before = own_memory()
        with Peak(servers) as peak, clock("build", servers=True):
            store.refresh_index(force=True)
        with store.catalog.snapshot() as connection:
            row = connection.execute("SELECT strays FROM generations ORDER BY generation DESC").fetchone()
        return {
            **clock.plain()["build"],
            "strays": len(json.loads(row["strays"])),
            "memory_mib": {"before": mebibytes(before), "peak": mebibytes(own_peak())},
            "server_peak_mib": {name: mebibytes(most) for name, most in peak.bytes.items()},
            "room_mib": mebibytes(size_of(_index_folder(place, servers.get("chroma")))),
        }
    finally:
        store.close()


def _index_folder(place: Place, server: Watched | None) -> Path:
    """Where the index is kept; a server on this machine was started with `--path FOLDER`."""
    if place.chroma is None:
        return place.folder / "index"
    words = server.process.cmdline() if server else []
    return Path(words[words.index("--path") + 1]) if "--path" in words else Path("nowhere")


def room(store: PolicyStore) -> dict[str, float]:
    """The room that the catalog takes, and its parts, in MiB."""
    connection = store.catalog.connection()
    if store.catalog.engine.shared:
        sizes = {
            name: int(size)
            for name, size in connection.execute(
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
            )
        }
        (gin,) = connection.execute("SELECT pg_relation_size('passages_by_term')").fetchall()[0]
        (whole,) = connection.execute("SELECT pg_database_size(current_database())").fetchall()[0]
        parts = {part: sum(sizes.get(name, 0) for name in names) for part, names in _PARTS.items()}
        found = {"whole": int(whole), **parts, "of the full text its index": int(gin)}
    else:
        with suppress(StoreError):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = size_of(store.catalog.path)
        sizes = {
            name: int(size)
            for name, size in connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE")
        }
        parts = {
            "full text": sum(size for name, size in sizes.items() if name.startswith("passages_text")),
            "passages and vectors": sum(
                size for name, size in sizes.items() if name == "passages" or name.startswith("passages_by")
            ),
            "texts": sum(size for name, size in sizes.items() if name.startswith(("versions", "documents"))),
        }
        found = {"whole": whole, **parts}
    return {name: mebibytes(size) for name, size in found.items()}


def shaped(size: int) -> dict[str, Any]:
    """The shape of the made corpus at a size, at most as many passages as the laws have."""

    def bodies() -> Iterator[tuple[int, list[str]]]:
        for document, passage in passages_of(Corpus(), min(size, _SHAPED)):
            text = document.text[passage.start : passage.end]
            yield len(text), terms(text)

    return asdict(shape(bodies()))


def passages_of(corpus: Corpus, size: int) -> Iterator[tuple[Document, Passage]]:
    """The first so many passages."""
    number = given = 0
    while given < size:
        made: Made = corpus.made(number, size - given)
        yield from ((made.document, passage) for passage in made.passages)
        number, given = number + 1, given + len(made.passages)
