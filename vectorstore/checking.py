"""What `zhice doctor` looks at in a data folder, and what of it `--fix` repairs without losing anything.

Texts and corrections are the truth and are never repaired; all else can be made from them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vectorstore import mending
from vectorstore.errors import StoreError, StoreLocked
from vectorstore.room import index_bytes
from vectorstore.sql import Connection
from vectorstore.store import PolicyStore
from vectorstore.uploads import UPLOADING, kept_uploads, lost_uploads

_NAMED: Final = 3  # of many that are wrong, how many are named

_BLOCK: Final = 10_000
"""Vectors looked at together; 5 MB of them."""

_OFF_LENGTH: Final = 0.01
"""How far from 1 (or 0) a stored vector's length may be; float16 rounds 256 components to 1.0005 at most."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    good: bool
    detail: str


@dataclass(frozen=True, slots=True)
class _Check:
    """`look` says what is wrong, in a sentence, or nothing; `mend` repairs it and says what it did."""

    subject: str
    look: Callable[[PolicyStore], str]
    sound: str
    mend: Callable[[PolicyStore], str] | None = None
    advice: str = "run `zhice doctor --fix`"


def examine(store: PolicyStore, *, fix: bool = False) -> Iterator[Finding]:
    """Look at everything in a data folder, one finding after the other; with `fix`, repair what can be.

    Raises:
        StoreLocked: something is to be repaired, and another process writes.
    """
    for check in _CHECKS:
        wrong = check.look(store)
        if not wrong:
            yield Finding(check.subject, True, check.sound)
            continue
        if not fix or check.mend is None:
            yield Finding(check.subject, False, f"{wrong} To repair it, {check.advice}.")
            if check.subject == _FILE:
                return  # nothing that is read from it now can be relied on
            continue
        with store.writing():
            done = check.mend(store)
        left = check.look(store)
        yield Finding(check.subject, not left, f"{wrong} {done}{' Still: ' + left if left else ''}")


def _file(store: PolicyStore) -> str:
    wrong = store.catalog.engine.examine()
    return f"The catalog is damaged: {wrong}." if wrong else ""


def _acknowledged(store: PolicyStore) -> str:
    noted, revision = store.catalog.engine.acknowledged(), store.catalog.revision()
    return "" if revision >= noted else f"The catalog is at revision {revision}, and {noted} had been reached."


def _encoder(store: PolicyStore) -> str:
    built_with = store.catalog.meta("encoder")
    if built_with in (None, store.encoder.name):
        return ""
    return f"The vectors were made by {built_with}, the setting ZHICE_ENCODER asks for {store.encoder.name}."


def _texts(store: PolicyStore) -> str:
    rows = _rows(
        store,
        "SELECT d.source FROM documents d LEFT JOIN versions v USING (document_id, version) WHERE v.text IS NULL "
        "UNION ALL SELECT v.document_id FROM versions v LEFT JOIN documents d USING (document_id) "
        "WHERE d.document_id IS NULL",
    )
    return f"{len(rows)} documents have no text, or a text no document: {_named(rows)}." if rows else ""


def _references(store: PolicyStore) -> str:
    with store.catalog.snapshot() as connection:
        broken = mending.stray_rows(connection)
    return f"{broken} rows belong to no document." if broken else ""


def _passages(store: PolicyStore) -> str:
    with store.catalog.snapshot() as connection:
        lost = mending.lost_passages(connection)
        bare = mending.bare_documents(connection)
    told = [f"{len(lost)} passages lie outside the text that is searched."] if lost else []
    if bare:
        told.append(f"{len(bare)} documents have lost passages and are to be read again: {_named(bare)}.")
    return " ".join(told)


def _fulltext(store: PolicyStore) -> str:
    with store.catalog.snapshot() as connection:
        differing = mending.unindexed(connection)
    if differing:
        return f"{differing} passages are in the catalog or in the full text, and not in both."
    try:
        with store.catalog.transaction(searched=False) as connection:
            return store.catalog.engine.fulltext.examine(connection)
    except StoreError:
        return "It cannot be looked at while another process writes; try again later."


def _vectors(store: PolicyStore) -> str:
    with store.catalog.snapshot() as connection:
        broken = broken_vectors(connection, store.encoder.dimension)
    return f"{len(broken)} vectors are of the wrong size, not finite or not of length 1." if broken else ""


def _index(store: PolicyStore) -> str:
    return store.index.examine()


def _strays(store: PolicyStore) -> str:
    with store.catalog.transaction(searched=False, alone=UPLOADING) as connection:
        found = [*store.index.strays(), *mending.stray_uploads(store, connection)]
    return f"{len(found)} files or folders belong to nothing: {_named(found)}." if found else ""


def _uploads(store: PolicyStore) -> str:
    lost = lost_uploads(store.uploads, kept_uploads(store.catalog.connection()))
    return (
        f"The files of {len(lost)} uploads are gone or altered; their texts are safe: {_named(lost)}." if lost else ""
    )


def _lock(store: PolicyStore) -> str:
    try:
        with store.writing():
            return ""
    except StoreLocked as error:
        holder = store.lock.holder_is_gone()
        return f"{error} That process has ended, and a child of it still holds the lock." if holder else ""


def _room(store: PolicyStore) -> str:
    with store.catalog.snapshot() as connection:
        count = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
    try:
        store.check_room(index_bytes(count) if store.place.chroma is None else 0, "the next index")
    except StoreError as error:
        return str(error)
    return ""


def broken_vectors(connection: Connection, dimension: int) -> list[int]:
    """The passages whose vector is not one: of the wrong size, with a component that is no number, of another length."""
    broken = []
    last = 0
    while block := connection.execute(
        "SELECT passage_id, vector FROM passages WHERE passage_id > ? ORDER BY passage_id LIMIT ?", (last, _BLOCK)
    ).fetchall():
        last = block[-1][0]
        sized = [(number, vector) for number, vector in block if len(vector) == 2 * dimension]
        broken += [number for number, vector in block if len(vector) not in (0, 2 * dimension)]  # 0: it is to follow
        matrix = np.frombuffer(b"".join(vector for _, vector in sized), dtype=np.float16).reshape(-1, dimension)
        with np.errstate(invalid="ignore", over="ignore"):
            lengths = np.linalg.norm(matrix.astype(np.float32), axis=1)
            good = (np.abs(lengths - 1) < _OFF_LENGTH) | (lengths == 0)
        broken += [number for (number, _), fine in zip(sized, good, strict=True) if not fine]
    return sorted(broken)


def _mend_vectors(store: PolicyStore) -> str:
    with store.catalog.snapshot() as connection:
        broken = broken_vectors(connection, store.encoder.dimension)
    return f"{store.reencode(broken)} were encoded again."


def _mend_encoder(store: PolicyStore) -> str:
    return f"{store.reencode()} passages were encoded with {store.encoder.name}."


def _mend_index(store: PolicyStore) -> str:
    store.refresh_index(force=True)
    return "It was built from the catalog."


def _rows(store: PolicyStore, query: str) -> list[str]:
    return [str(row[0]) for row in store.catalog.connection().execute(query)]


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


_FILE: Final = "catalog file"
_RESTORE: Final = "restore a backup (`zhice restore FILE --force`), or move the folder away and ingest again"
_AGAIN: Final = "ingest these documents again"

# In this order: what is repaired later is made from what comes before.
_CHECKS: Final = (
    _Check(_FILE, _file, "sound", advice=_RESTORE),
    _Check("acknowledged writes", _acknowledged, "all there", mending.accept),
    _Check("writer lock", _lock, "not left behind", advice="end the processes that hold it"),
    _Check("texts", _texts, "each version has one", advice=_AGAIN),
    _Check("references", _references, "all lead somewhere", mending.drop_references),
    _Check(
        "passages",
        _passages,
        "all within their texts",
        mending.drop_passages,
        advice=f"run `zhice doctor --fix` and {_AGAIN}",
    ),
    _Check("full text", _fulltext, "one row a passage", mending.rebuild_fulltext),
    _Check("encoder of the vectors", _encoder, "the one that is set", _mend_encoder),
    _Check("vectors", _vectors, "all whole", _mend_vectors),
    _Check("index", _index, "proven", _mend_index),
    _Check("strays", _strays, "none", mending.delete_strays),
    _Check("uploads", _uploads, "all there", advice="upload them again"),
    _Check("room", _room, "enough for the next index", advice="free disk space"),
)
