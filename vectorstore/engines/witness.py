"""The witness: which revision of the catalog was last acknowledged, in a small file beside it.

SQLite drops a damaged or missing write-ahead log, and all that was committed to it, without a word. A catalog whose
revision is below its witness has lost something. The file is written after the commit and is not synced, so after a loss
of power it may be behind, never ahead.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_DIGITS: Final = 20  # always as long, so that one write replaces it


def witness_file(catalog: Path) -> Path:
    """Where the witness of a catalog lies."""
    return catalog.with_suffix(".revision")


def acknowledge(catalog: Path, revision: int) -> None:
    """Note that a revision was committed; where that is not possible, less is noticed later."""
    try:
        file = os.open(witness_file(catalog), os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.write(file, f"{revision:0{_DIGITS}}".encode())
        finally:
            os.close(file)
    except OSError:
        return


def acknowledged(catalog: Path) -> int:
    """The revision that was last acknowledged, 0 where that is not known."""
    try:
        noted = witness_file(catalog).read_bytes()
    except OSError:
        return 0
    return int(noted) if len(noted) == _DIGITS and noted.isdigit() else 0
