"""One writer at a time on a data folder, across processes."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from vectorstore.errors import StoreError, StoreLocked


class WriterLock:
    """Threads of one process wait for each other; a second process is refused at once and told who writes.

    The lock is the operating system's, on `NAME.lock`: it is gone with the process, however that ends.
    """

    def __init__(self, folder: Path, name: str = "writer") -> None:
        self._folder = folder
        self._signed = folder / f"{name}.json"
        self._threads = threading.RLock()
        self._file = FileLock(folder / f"{name}.lock", timeout=0, thread_local=False)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises: StoreLocked, StoreError (the folder cannot be written)."""
        with self._threads:
            try:
                self._file.acquire()
            except Timeout as error:
                raise StoreLocked(
                    f"The data folder {self._folder} is being written by {self._holder()}. Wait until that has "
                    "finished and try again, or choose another folder with --data-dir."
                ) from error
            except OSError as error:
                raise StoreError(
                    f"The data folder {self._folder} cannot be written: {error.strerror}. Check its permissions, "
                    "or choose another with --data-dir or ZHICE_DATA_DIR."
                ) from error
            try:
                if self._file.lock_counter == 1:  # not by a step within another
                    self._sign()
                yield
            finally:
                self._file.release()

    def holder_is_gone(self) -> bool:
        """Whether the process that took the lock last has ended."""
        if os.name == "nt":  # where no signal asks without harm
            return False
        try:
            process = int(json.loads(self._signed.read_text(encoding="utf-8"))["process"])
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return False

    def _sign(self) -> None:
        holder = {
            "process": os.getpid(),
            "command": Path(sys.argv[0]).name,
            "since": datetime.now().isoformat(timespec="seconds"),
        }
        self._signed.write_text(json.dumps(holder), encoding="utf-8")

    def _holder(self) -> str:
        try:
            holder = json.loads(self._signed.read_text(encoding="utf-8"))
            return f"process {holder['process']} ({holder['command']}, since {holder['since']})"
        except (OSError, ValueError, KeyError):
            return "another process"
