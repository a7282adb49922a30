"""Containers of the old Office formats ([MS-CFB]): opened only where their own figures can be true."""

from __future__ import annotations

import io
import struct

import olefile

from ingest.errors import UnreadableDocument

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DAMAGED = "It is a damaged or incomplete file of an old Office program; open it there and save it again."


def open_container(data: bytes) -> olefile.OleFileIO[str]:
    """The container in these bytes.

    Raises `UnreadableDocument` where it is damaged, or claims more sectors than it has bytes ([MS-CFB] 2.2): the library
    would follow such claims for hours.
    """
    if len(data) < 1536 or not data.startswith(SIGNATURE):
        raise UnreadableDocument(_DAMAGED)
    shift, mini_shift = struct.unpack_from("<HH", data, 0x1E)
    table_sectors, _, _, _, _, mini_sectors, _, list_sectors = struct.unpack_from("<8I", data, 0x2C)
    if shift not in (9, 12) or mini_shift != 6:
        raise UnreadableDocument(_DAMAGED)
    if max(table_sectors, mini_sectors, list_sectors) > len(data) >> shift:
        raise UnreadableDocument(_DAMAGED)
    try:
        return olefile.OleFileIO(io.BytesIO(data))
    except Exception as error:  # the library lets through whatever damaged sectors lead it to
        raise UnreadableDocument(_DAMAGED) from error


def stream(container: olefile.OleFileIO[str], name: str) -> bytes:
    """A stream of the container's root; empty where it is missing.

    Raises `UnreadableDocument` where its sectors are damaged.
    """
    try:
        return bytes(container.openstream([name]).read()) if container.exists(name) else b""
    except Exception as error:  # as above
        raise UnreadableDocument(_DAMAGED) from error
