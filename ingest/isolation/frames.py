"""The frames that pass between this process and the one that reads files: four bytes of length, then a JSON object.

JSON and nothing richer, since a reader that a hostile file took over writes them.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")
# Five million characters of text, at most three bytes each, and the passages and sections that point into it.
MAX_FRAME_BYTES = 64 * 2**20
# Frames beyond a file's result are a line or two.
SMALL_FRAME_BYTES = 64 * 2**10


class BadFrame(ValueError):
    """What came is no frame, or too large a one."""


def write_frame(stream: BinaryIO, value: dict[str, Any]) -> None:
    """Write one frame.

    Raises:
        BadFrame: it is larger than a frame may be; nothing was written.
        OSError: the other side is gone.
    """
    write_bytes(stream, json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())


def write_bytes(stream: BinaryIO, payload: bytes) -> None:
    """Write one frame of raw bytes; the same errors."""
    if len(payload) > MAX_FRAME_BYTES:
        raise BadFrame(f"A frame of {len(payload):,} bytes is over the limit of {MAX_FRAME_BYTES:,}.")
    stream.write(_LENGTH.pack(len(payload)))
    stream.write(payload)
    stream.flush()


def read_frame(stream: BinaryIO, limit: int = MAX_FRAME_BYTES) -> dict[str, Any] | None:
    """The next frame, or nothing where the stream ends before one.

    Raises:
        BadFrame: it is cut short, too large or no JSON object.
    """
    payload = read_bytes(stream, limit)
    if payload is None:
        return None
    try:
        value = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadFrame("It is no JSON.") from error
    if not isinstance(value, dict):
        raise BadFrame("It is no JSON object.")
    return value


def read_bytes(stream: BinaryIO, limit: int = MAX_FRAME_BYTES) -> bytes | None:
    """The next frame's bytes, with the same errors."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise BadFrame("It is cut short.")
    (size,) = _LENGTH.unpack(head)
    if size > limit:
        raise BadFrame(f"It has {size:,} bytes and the limit is {limit:,}.")
    payload = stream.read(size)
    if len(payload) < size:
        raise BadFrame("It is cut short.")
    return payload


def _no_constant(name: str) -> None:
    raise ValueError(name)
