"""Backups: the catalog and the uploaded files in one ZIP archive, with the sums to prove them by.

The index is not in it: it is made from the catalog. A backup is taken while others read and write, and is of one state.
An archive that is put back is foreign data: only the names that a backup has are read from it, never as paths, and never
more than it says of itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

from vectorstore.catalog import INDEX_OWNER, Catalog
from vectorstore.copying import copy
from vectorstore.engines.sqlite_schema import SCHEMA_VERSION
from vectorstore.errors import StoreError, StoreLocked
from vectorstore.lock import WriterLock
from vectorstore.place import Place, place_of
from vectorstore.room import check_room, remove, size_of
from vectorstore.sql import Connection
from vectorstore.uploads import UPLOADS, Uploads, needed_uploads

FORMAT: Final = 1

_CATALOG: Final = "catalog.sqlite3"
_MANIFEST: Final = "manifest.json"
_MEMBER: Final = re.compile(rf"{re.escape(_CATALOG)}|{UPLOADS}/[0-9a-f]{{64}}")
_BLOCK: Final = 2**20  # bytes read and written at once
_LARGEST_MANIFEST: Final = 64 * 2**20  # bytes; a manifest of 100,000 uploads has 16 MiB


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds; `missing` are uploads that were lost or damaged before it was taken, by their digest."""

    made: str
    schema: int
    revision: int
    documents: int
    passages: int
    answers: int
    uploads: int
    missing: tuple[str, ...] = ()


def back_up(given: Path | Place, file: Path) -> Contents:
    """Write a backup of a knowledge base, which may be in use, to a new file; it is proven before it has its name.

    Raises:
        StoreError: the file exists or lies in the folder, the disk has too little room, or the folder has no catalog.
        StoreDamaged: the catalog is damaged.
    """
    place = place_of(given)
    file, folder, catalog = file.expanduser().absolute(), place.folder, place.folder / _CATALOG
    if place.database is None and not catalog.exists():
        raise StoreError(f"The folder {folder} holds no knowledge base to back up; name one with --data-dir.")
    if file.is_relative_to(folder.absolute()):
        raise StoreError(f"The backup {file} would lie in the data folder and be lost with it; choose another place.")
    _refuse_existing(file)
    # The copy of the catalog stands beside the archive, which is no larger, until that is written.
    check_room(file.parent, 2 * size_of(catalog) + size_of(folder / UPLOADS), "the backup")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as scratch:
            copied, archive = Path(scratch) / _CATALOG, Path(scratch) / "archive"
            whole = _opened_catalog(place)
            try:
                _copy_catalog(whole, copied)
                contents = _write_archive(archive, copied, whole.engine.uploads(folder))
            finally:
                whole.close()
            with _opened(archive) as (opened, members, _):
                for name in members:
                    _read_member(opened, name, members[name], None)
            archive.chmod(0o600)  # questions and the digests of keys are in it
            _refuse_existing(file)
            archive.rename(file)
    except OSError as error:
        raise StoreError(
            f"The backup {file} could not be written: {error.strerror or error}. Free disk space or choose another place."
        ) from error
    return contents


def _refuse_existing(file: Path) -> None:
    if file.exists() or file.is_symlink():
        raise StoreError(f"There is a {file} already, and backups are never written over; choose another name.")


def _opened_catalog(place: Place) -> Catalog:
    return Catalog(place.folder / _CATALOG, database=place.database)


def _copy_catalog(catalog: Catalog, to: Path) -> None:
    """One state of the catalog in a file; by SQLite's own means it is one step, in which a reader holds up no writer."""
    if catalog.engine.shared:
        copied = Catalog(to)
        try:
            copy(catalog, copied)
            copied.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            copied.close()
        return
    try:
        with closing(sqlite3.connect(catalog.path)) as own, closing(sqlite3.connect(to)) as target:
            own.backup(target)
            # What is in use elsewhere stays there: the index, and the numbers of its generations.
            target.execute("DELETE FROM generations")
            target.execute("DELETE FROM meta WHERE key = ?", (INDEX_OWNER,))
            target.commit()
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"The catalog {catalog.engine.name} could not be copied: {error}. Free disk space, or see `zhice doctor`."
        ) from error


def _write_archive(archive: Path, catalog: Path, uploads: Uploads) -> Contents:
    members: dict[str, dict[str, Any]] = {}
    with (
        zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED) as written,
        closing(sqlite3.connect(catalog)) as connection,
    ):
        with catalog.open("rb") as whole:
            members[_CATALOG] = _write_member(written, _CATALOG, whole)
        missing = []
        for digest in sorted(needed_uploads(connection)):
            data = uploads.read(digest)
            if data is None:
                missing.append(digest)
                continue
            members[f"{UPLOADS}/{digest}"] = _write_member(written, f"{UPLOADS}/{digest}", BytesIO(data))
        contents = _contents(connection, len(members) - 1, missing)
        about = {"format": FORMAT, **asdict(contents), "members": members}
        written.writestr(_MANIFEST, json.dumps(about, ensure_ascii=False, indent=1))
    with archive.open("rb") as file:
        os.fsync(file.fileno())
    return contents


def _write_member(archive: zipfile.ZipFile, name: str, source: IO[bytes]) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with archive.open(name, "w", force_zip64=True) as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            size += len(block)
            target.write(block)
    return {"sha256": digest.hexdigest(), "size": size}


def _contents(connection: Connection, uploads: int, missing: list[str]) -> Contents:
    def count(query: str) -> int:
        return int(connection.execute(query).fetchone()[0])

    return Contents(
        made=datetime.now().astimezone().isoformat(timespec="seconds"),
        schema=count("PRAGMA user_version"),
        revision=count("SELECT value FROM meta WHERE key = 'revision'"),
        documents=count("SELECT count(*) FROM documents WHERE state = 'live'"),
        passages=count("SELECT count(*) FROM passages"),
        answers=count("SELECT count(*) FROM answers"),
        uploads=uploads,
        missing=tuple(missing),
    )


@contextmanager
def unpacked(file: Path, folder: Path, *, force: bool = False) -> Iterator[tuple[Path, Contents]]:
    """What a backup holds, proven by its sums, in a folder beside the one that it is to become; deleted at the end.

    Args:
        file: the backup.
        folder: what `put_in_place` will be asked for.
        force: `folder` may hold something.

    Raises:
        StoreError: the file is no backup, is damaged or of a newer version, the disk has too little room, or the folder
            cannot be used.
    """
    folder = folder.expanduser().resolve()  # what a link leads to is replaced, not the link
    _check_target(folder, force=force)
    beside = folder.with_name(f".{folder.name}.restoring-{secrets.token_hex(4)}")
    try:
        yield beside, _unpack(file, beside)
    finally:
        remove(beside)


def _unpack(file: Path, beside: Path) -> Contents:
    with _opened(file) as (archive, members, contents):
        check_room(
            beside, 2 * sum(member["size"] for member in members.values()), "what is in the backup, and its index"
        )
        try:
            (beside / UPLOADS).mkdir(parents=True)
            for name in members:
                with (beside / name).open("xb") as target:  # every name has been matched against _MEMBER
                    _read_member(archive, name, members[name], target)
        except OSError as error:
            raise StoreError(
                f"{beside} could not be written: {error.strerror}. Free disk space, or choose another."
            ) from error
        _check_catalog(beside / _CATALOG, contents, file)
    return contents


def put_in_place(beside: Path, folder: Path, *, force: bool = False) -> Path | None:
    """Let an unpacked folder become `folder`; what was there before is kept under the name that is given back.

    Raises:
        StoreLocked: a process writes to the old folder, or has it open.
        StoreError: the folder cannot be moved; it is as it was.
    """
    folder = folder.expanduser().resolve()  # what a link leads to is replaced, not the link
    _check_target(folder, force=force)
    aside: Path | None = None
    try:
        if folder.exists():
            if any(folder.iterdir()):
                with WriterLock(folder).held():
                    refuse_used(folder)
                aside = _dated(folder)
                folder.rename(aside)
            else:
                folder.rmdir()
        try:
            beside.rename(folder)
        except OSError:
            if aside is not None:
                aside.rename(folder)
            raise
    except OSError as error:
        raise StoreError(
            f"The folder {folder} could not be put in place: {error.strerror}. It is as it was."
        ) from error
    return aside


def _check_target(folder: Path, *, force: bool) -> None:
    if folder.is_mount():
        raise StoreError(f"{folder} is a mount point, which cannot be replaced; choose a folder in it with --data-dir.")
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; choose a folder with --data-dir.")
    if folder.exists() and any(folder.iterdir()) and not force:
        raise StoreError(
            f"The folder {folder} is not empty, and nothing is written over. Choose another with --data-dir, or give "
            "--force: what is there is then kept under a name with the date."
        )


def refuse_used(folder: Path) -> None:
    """A running server would go on with the old files. SQLite leaves its log only to who has the catalog alone."""
    try:
        with closing(sqlite3.connect(f"file:{folder / _CATALOG}?mode=rw", uri=True, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
            raise StoreLocked(
                f"The data folder {folder} is in use; stop the server on it and restore again."
            ) from error


def _dated(folder: Path) -> Path:
    name = f"{folder.name}.{datetime.now():%Y%m%d-%H%M%S}"
    names = [name, *(f"{name}-{number}" for number in range(2, 100))]
    return next(path for each in names if not (path := folder.with_name(each)).exists())


@contextmanager
def _opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, dict[str, Any]], Contents]]:
    """The archive, its members with their sums and sizes, and what it says of itself; all of it looked at first."""
    try:
        with zipfile.ZipFile(file) as archive:
            members, contents = _manifest(archive, file)
            yield archive, members, contents
    except (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error) as error:  # RuntimeError: of a format not known
        raise StoreError(f"{file} is no backup, or a damaged one: {error}. Use another.") from error
    except OSError as error:
        raise StoreError(f"The backup {file} cannot be read: {error.strerror or error}. Check the name.") from error


def _manifest(archive: zipfile.ZipFile, file: Path) -> tuple[dict[str, dict[str, Any]], Contents]:
    found = {entry.filename: entry.file_size for entry in archive.infolist()}
    if len(found) != len(archive.infolist()) or found.get(_MANIFEST, _LARGEST_MANIFEST + 1) > _LARGEST_MANIFEST:
        raise StoreError(f"{file} is no backup of Zhice: it has no {_MANIFEST}, or one name twice. Use another.")
    try:
        with archive.open(_MANIFEST) as member:
            about = json.loads(member.read(_LARGEST_MANIFEST + 1))
        if about.pop("format") != FORMAT or about["schema"] > SCHEMA_VERSION:
            raise StoreError(f"{file} was written by a newer version of Zhice; restore it with that version.")
        members = {
            str(name): {"sha256": str(each["sha256"]), "size": int(each["size"])}
            for name, each in about.pop("members").items()
        }
        contents = Contents(**{**about, "missing": tuple(about["missing"])})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"{file} is no backup of Zhice: its {_MANIFEST} cannot be read. Use another.") from error
    sizes = {name: member["size"] for name, member in members.items()}
    if (
        _CATALOG not in sizes
        or not all(map(_MEMBER.fullmatch, sizes))
        or {**sizes, _MANIFEST: found[_MANIFEST]} != found
    ):
        raise StoreError(f"{file} does not hold what its {_MANIFEST} says. It was altered or damaged; use another.")
    return members, contents


def _read_member(archive: zipfile.ZipFile, name: str, member: dict[str, Any], target: IO[bytes] | None) -> None:
    """Read one member, at most as large as it should be, and prove its sum.

    Raises: StoreError.
    """
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as source:
        while (block := source.read(_BLOCK)) and size <= member["size"]:
            digest.update(block)
            size += len(block)
            if target is not None:
                target.write(block)
    if size != member["size"] or digest.hexdigest() != member["sha256"]:
        raise StoreError(f"{name} in the backup is damaged: its sum is not the one that was noted. Use another backup.")


def _check_catalog(path: Path, contents: Contents, file: Path) -> None:
    """Raises: StoreDamaged, StoreError."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            foreign = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"The catalog in {file} cannot be read: {error}. Use another backup.") from error
    if foreign:  # ours has none; a trigger would run with every step
        raise StoreError(f"The catalog in {file} does more than hold data ({foreign[0]}). It was altered; use another.")
    catalog = Catalog(path)
    try:
        found = _contents(catalog.connection(), contents.uploads, [])
    finally:
        catalog.close()
    if (found.documents, found.passages, found.answers) != (contents.documents, contents.passages, contents.answers):
        raise StoreError(f"The catalog in {file} does not hold what the backup says. It was altered; use another.")
