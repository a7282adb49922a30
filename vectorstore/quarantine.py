"""Where uploaded files lie until they have been read: in the data folder, under their digest, opened by nothing here."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import BinaryIO, Final

from vectorstore.errors import StoreError

FOLDER: Final = "quarantine"

# What a server that was killed has left is older than any file that another one may still be reading.
_LEFT_SECONDS: Final = 24 * 3600
_CHUNK: Final = 2**20  # bytes in memory at once


class Quarantine:
    """A folder of one process in the data folder; what it holds is nobody's document.

    Args:
        data: the data folder.

    Raises:
        StoreError: the folder cannot be made.
    """

    def __init__(self, data: Path) -> None:
        everyones = data / FOLDER
        try:
            everyones.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in everyones.iterdir():
                if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)
            self.folder = Path(tempfile.mkdtemp(dir=everyones))
        except OSError as error:
            raise StoreError(
                f"The folder for uploaded files, {everyones}, cannot be made: {error.strerror}. "
                "Check that you may write there and that the disk has room."
            ) from error

    def hold(self, file: BinaryIO) -> Path:
        """A file that has come in; it lies under the SHA-256 of its bytes, whatever it was called.

        Raises:
            StoreError: the disk is full or cannot be written.
        """
        digest, place = hashlib.sha256(), None
        try:
            # Two people may send the same file at once; each has a folder and takes his own away.
            place = Path(tempfile.mkdtemp(dir=self.folder))
            with (place / "coming").open("wb") as held:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    held.write(chunk)
            return (place / "coming").rename(place / digest.hexdigest())
        except OSError as error:
            if place is not None:
                shutil.rmtree(place, ignore_errors=True)
            raise StoreError(f"The server cannot keep the file: {error.strerror}. Its disk needs room.") from error

    def release(self, held: Path) -> None:
        """A file is gone from here, read or not."""
        shutil.rmtree(held.parent, ignore_errors=True)

    def close(self) -> None:
        """Remove what is left, and the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
