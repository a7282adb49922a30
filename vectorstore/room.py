"""Room on the disk: asked for before much is written, and given back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from vectorstore.errors import StoreError

SPARE: Final = 4 * 2**20
"""Bytes kept free besides: SQLite's log grows by 1,000 pages of 4 KiB before it is folded into the catalog."""

# A generation took 787 bytes a passage with 10,000 passages, 1,488 with 1,000 and 340 KB in all with 3.
_INDEX_BYTES: Final = 500_000
_INDEX_BYTES_A_PASSAGE: Final = 1_000

# A catalog took 5.9 bytes for each byte of its texts in UTF-8 (140,327 passages of 368 bytes), a generation 2.2; the next
# one stands beside the present one while it is built.
_BYTES_A_TEXT_BYTE: Final = 11


def check_room(folder: Path, bytes_needed: int, purpose: str = "this") -> None:
    """Refuse what would fill the disk that holds a folder, which may not exist yet.

    Args:
        folder: where it is to be written.
        bytes_needed: an upper estimate of what it takes.
        purpose: what it is for, as the message puts it.

    Raises:
        StoreError: there is less room; it says how much is needed and how much is free.
    """
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < bytes_needed + SPARE:
        raise StoreError(
            f"There is too little room in {folder} for {purpose}: it takes about {mebibytes(bytes_needed + SPARE)}, and "
            f"{mebibytes(free)} are free. Free disk space and run it again, or choose another folder."
        )


def index_bytes(passages: int) -> int:
    """What a generation of the index takes at most."""
    return _INDEX_BYTES + _INDEX_BYTES_A_PASSAGE * passages


def text_bytes(size: int) -> int:
    """What new documents take at most with their index, by the size of their texts in UTF-8.

    The size of a text file is that of its text; a file of any other format holds less text than it has bytes.
    """
    return _BYTES_A_TEXT_BYTE * size


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder; 0 where there is nothing."""
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def remove(path: Path) -> None:
    """Delete a file or a folder as far as that is possible; a link goes, not what it leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def mebibytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 2**20:,.1f} MiB"
