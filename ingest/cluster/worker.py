"""What runs on the cluster, one on each processor: a file's bytes to everything that the catalog takes in.

It knows nothing of Ray, and keeps its encoder and the process that reads files from one file to the next.
"""

from __future__ import annotations

import pickle
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from ingest.errors import UnreadableDocument
from ingest.isolation import IsolatedReader
from ingest.reading import Read
from vectorstore.encoder import load_encoder
from vectorstore.making import make


@dataclass(frozen=True, slots=True)
class About:
    """What a worker is: its machine, this program's version there, and the name of the encoder that it loaded."""

    machine: str
    program: str
    encoder: str


def program() -> str:
    """The version of this program; `unknown` where it runs without being installed."""
    try:
        return version("zhice")
    except PackageNotFoundError:
        return "unknown"


class Worker:
    """Reads one file after the other.

    Args:
        encoder: the setting that the encoder is loaded by.
        module: the module whose `prepare` reads files.
    """

    def __init__(self, encoder: str | None, module: str) -> None:
        self._setting = encoder
        self._reader = IsolatedReader(module=module)
        self._pages = (-1, 0, 0)

    def begin(self) -> About:
        """Load what is kept.

        Raises:
            EncoderUnavailable: it is not there.
        """
        self._encoder = load_encoder(self._setting)
        return About(platform.node(), program(), self._encoder.name)

    def read(self, number: int, data: bytes, source: str) -> tuple[str, bytes]:
        """Why a file cannot be read, or nothing and a pickled `Read`."""

        def on_page(done: int, total: int) -> None:
            self._pages = (number, done, total)

        try:
            document, passages = self._reader.prepare(data, source, on_page=on_page)
        except UnreadableDocument as error:
            return str(error), b""
        return "", pickle.dumps(Read(document, passages, make(document, passages, self._encoder)))

    def pages(self) -> tuple[int, int, int]:
        """Of which file how many pages have been recognised, and of how many; asked while it is being read."""
        return self._pages

    def close(self) -> None:
        """End the process that reads files, with whatever it reads."""
        self._reader.close()
