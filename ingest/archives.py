"""Zip archives of documents: the files in them, unpacked within bounds; every other file is no archive."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.errors import UnreadableDocument
from ingest.readers import MAX_BYTES
from ingest.readers.package import MAX_ENTRIES, MAX_UNPACKED_BYTES, SIGNATURES, entries_in

# The files of one department for some years; an archive of more is to be unpacked and added as a folder.
MAX_MEMBERS = 1_000

# What stands only in packages, which are one document each, however many parts they have.
_PACKAGE_PARTS = frozenset(
    [
        "[Content_Types].xml",
        "mimetype",
        "OFD.xml",
        "META-INF/container.xml",
        "META-INF/manifest.xml",
        "META-INF/MANIFEST.MF",
    ]
)
# What systems put beside documents.
_LEFT_OUT = re.compile(r"(?:^|/)(?:\.[^/]*|__MACOSX|~\$[^/]*|Thumbs\.db|desktop\.ini)(?:/|$)", re.I)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_UNICODE_PATH = 0x7075
_BLOCK = 1 << 20
# What the library raises over a damaged archive; RuntimeError for a format or a compression that it does not know.
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive under a safe relative name; where it cannot be taken, `reason` says why, and what to do."""

    name: str
    data: bytes = b""
    reason: str = ""


def members(data: bytes, source: str) -> list[Member] | None:
    """The files in a zip archive, in its order; `None` for anything else, also for the packages of Office programs.

    Folders, links and hidden files are left out. Names are unique, without `..` and without a leading slash.

    Raises:
        UnreadableDocument: it holds more files, or unpacks to more bytes, than any archive of documents.
    """
    if not data.startswith(SIGNATURES):
        return None
    if entries_in(data) > MAX_ENTRIES:
        raise UnreadableDocument(_too_many(entries_in(data)))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if _PACKAGE_PARTS.intersection(archive.namelist()):
                return None
            entries = [(entry, _name(entry)) for entry in archive.infolist() if not entry.is_dir()]
            entries = [
                (entry, name) for entry, name in entries if name and not _LEFT_OUT.search(name) and not _is_link(entry)
            ]
            if len(entries) > MAX_MEMBERS:
                raise UnreadableDocument(_too_many(len(entries)))
            return list(_unpacked(archive, entries, source))
    except _DAMAGED:
        return None  # damaged: the reader of packages says so


def _unpacked(archive: zipfile.ZipFile, entries: list[tuple[zipfile.ZipInfo, str]], source: str) -> Iterator[Member]:
    left = MAX_UNPACKED_BYTES
    taken: set[str] = set()
    for entry, name in entries:
        name = _unique(name, taken)
        if entry.flag_bits & _ENCRYPTED_FLAG:
            yield Member(name, reason="It is encrypted with a password; unpack the archive and add its files.")
            continue
        try:
            content = _content(archive, entry, left)
        except _DAMAGED:
            yield Member(name, reason="It cannot be unpacked (damaged); unpack the archive and add its files.")
            continue
        left -= len(content)
        if left < 0:
            raise UnreadableDocument(
                f"The archive {source} unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB; unpack it and add its files "
                "as a folder."
            )
        if len(content) > MAX_BYTES:
            yield Member(name, reason=f"It has over {MAX_BYTES // 2**20} MiB unpacked; split it into parts.")
        elif _is_archive(content):
            yield Member(name, reason="It is an archive within an archive; unpack it and add its files.")
        else:
            yield Member(name, content)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """The bytes of an entry, and no more than one block beyond the limit, whatever size it claims."""
    pieces: list[bytes] = []
    size = 0
    with archive.open(entry) as stream:
        while size <= limit and (block := stream.read(_BLOCK)):
            pieces.append(block)
            size += len(block)
    return b"".join(pieces)


def _is_archive(content: bytes) -> bool:
    if not content.startswith(SIGNATURES):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as inner:
            return not _PACKAGE_PARTS.intersection(inner.namelist())
    except _DAMAGED:
        return False


def _name(entry: zipfile.ZipInfo) -> str:
    """The entry's name as it was written, made a safe relative one; empty where nothing of it is left."""
    name = _decoded_name(entry).replace("\\", "/")
    parts = (_UNSAFE.sub("_", part).strip() for part in name.split("/"))
    return "/".join(part for part in parts if part.strip("."))


def _decoded_name(entry: zipfile.ZipInfo) -> str:
    """Chinese programs write names in GBK, macOS in UTF-8, both without the flag that would say so."""
    if entry.flag_bits & _UTF8_FLAG:
        return entry.orig_filename
    try:
        raw = entry.orig_filename.encode("cp437")  # as the library decoded it
    except UnicodeEncodeError:
        return entry.orig_filename
    unicode_path = _unicode_path(entry.extra, raw)
    for candidate, encoding in ((unicode_path, "utf-8"), (raw, "utf-8"), (raw, "gb18030"), (raw, "big5")):
        if candidate:
            try:
                return candidate.decode(encoding)
            except UnicodeDecodeError:
                continue
    return entry.orig_filename


def _unicode_path(extra: bytes, raw: bytes) -> bytes:
    """The name in UTF-8 that some programs keep beside the other one (Info-ZIP's extra field 0x7075)."""
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        field = extra[position + 4 : position + 4 + size]
        if kind == _UNICODE_PATH and len(field) > 5 and struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw):
            return field[5:]
        position += 4 + size
    return b""


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, suffix = name.rpartition(".")
    candidate, number = name, 2
    while candidate.lower() in taken:
        candidate = f"{stem} ({number}).{suffix}" if dot else f"{name} ({number})"
        number += 1
    taken.add(candidate.lower())
    return candidate


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _too_many(count: int) -> str:
    return f"It is an archive of {count:,} files and the limit is {MAX_MEMBERS:,}; unpack it and add its files as a folder."
