"""Where the generations of the vector index are kept: in the data folder here, on a server in `chroma_server`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vectorstore import vectors
from vectorstore.catalog import Catalog
from vectorstore.place import Place
from vectorstore.proving import prove
from vectorstore.room import check_room, index_bytes, remove
from vectorstore.sql import Row
from vectorstore.vectors import Built, Collected


class Generations(Protocol):
    """What keeps numbered generations; the catalog says which of them is the present one.

    `where` and `advice` are what messages say of it. What is `remote` can be away and come back, or be altered, without
    this process's doing, so it is to be looked at from time to time.
    """

    where: str
    advice: str
    remote: bool

    def ready(self, passages: int) -> None:
        """Raises: StoreError, if a generation of this many passages cannot be built now."""
        ...

    def build(self, number: int, ids: Sequence[int], matrix: NDArray[np.float32]) -> Built: ...

    def check(self, row: Row) -> None:
        """Compare a generation with the catalog's row of it, before it is proven.

        Raises:
            GenerationDamaged: it is not what was built.
            IndexUnavailable: that cannot be said now.
        """
        ...

    def prove(self, row: Row) -> None:
        """Ask a generation for what it holds; it raises what `check` does."""
        ...

    def open(self, row: Row) -> Collected:
        """Open a generation that has passed both."""
        ...

    def others(self, keep: int) -> list[str]:
        """The names of what is kept besides one generation.

        Raises:
            IndexUnavailable: that cannot be said now.
        """
        ...

    def remove(self, names: Sequence[str]) -> None:
        """Delete what goes by these names as far as that is possible."""
        ...

    def drop(self, number: int) -> None:
        """Delete what there is of a generation that could not be finished, as far as that is possible."""
        ...

    def close(self) -> None:
        """Let go of connections; they are made again when they are needed."""
        ...


class InFolder:
    """Generations in a folder of this machine, each in one of its own."""

    advice = "Free disk space and check the folder's permissions"
    remote = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.where = str(folder)

    def ready(self, passages: int) -> None:
        check_room(self._folder, index_bytes(passages), f"the index of {passages:,} passages (searches go without it)")

    def build(self, number: int, ids: Sequence[int], matrix: NDArray[np.float32]) -> Built:
        folder = self._folder / str(number)
        folder.mkdir(parents=True)
        return vectors.build(folder, ids, matrix)

    def check(self, row: Row) -> None:
        vectors.check(self._folder / str(row["generation"]), json.loads(row["manifest"]))

    def prove(self, row: Row) -> None:
        prove(self._folder / str(row["generation"]), row["stored"])

    def open(self, row: Row) -> Collected:
        return vectors.Generation(self._folder / str(row["generation"]))

    def others(self, keep: int) -> list[str]:
        return sorted(path.name for path in self._folder.glob("*") if path.name != str(keep))

    def remove(self, names: Sequence[str]) -> None:
        for name in names:
            remove(self._folder / name)

    def drop(self, number: int) -> None:
        self.remove([str(number)])

    def close(self) -> None:
        return


def generations_of(place: Place, catalog: Catalog) -> Generations:
    """What keeps the generations of a knowledge base."""
    folder = InFolder(place.folder / "index")
    if place.chroma is None:
        return folder
    from vectorstore.chroma_server import OnServer

    return OnServer(place.chroma, place.chroma_headers, catalog, folder)
