"""The nearest vectors: from the present Chroma generation, exactly for what is newer, or all exactly without one."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vectorstore.building import forget, present_generation, renew
from vectorstore.catalog import Catalog
from vectorstore.engines.base import Lock
from vectorstore.errors import StoreError
from vectorstore.fulltext import passage_count
from vectorstore.generations import generations_of
from vectorstore.lookout import Lookout
from vectorstore.place import Place
from vectorstore.rows import best_of, current_generation, gone_since, worth_building
from vectorstore.scanning import SCAN_LIMIT, Scan, joined, read
from vectorstore.sql import Connection, Row
from vectorstore.vectors import Collected, GenerationDamaged, IndexUnavailable

logger = logging.getLogger(__name__)

# Passages that the generation names for each that is wanted; see `vectors` for what that finds.
_NAMED: Final = 4

_NO_INDEX: Final = (
    "ZHICE_DATABASE_URL is set and ZHICE_CHROMA_URL is not, "
    "and an index in the folder of one machine is none for the others"
)


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the Chroma index has come: `indexed` of `passages` are in `generation` (0: none is built).

    `kept` is false where there is to be none.
    """

    generation: int
    indexed: int
    passages: int
    open: bool
    kept: bool = True


@dataclass(frozen=True, slots=True)
class _Open:
    row: Row
    generation: Collected
    strays: tuple[int, ...]


class VectorIndex:
    """The generations of a knowledge base, and what of the catalog they do not hold.

    Where they are on a server, a thread looks after them while the index is open: it opens what other processes have
    built, goes back to a server that was away, and builds anew what is damaged.
    """

    def __init__(self, place: Place, catalog: Catalog, lock: Lock) -> None:
        self._kept = generations_of(place, catalog)
        self._none = place.database is not None and place.chroma is None
        self._catalog = catalog
        self._lock = lock
        self._guard = threading.Lock()
        self._wanted = False
        self._proven = 0  # the generation that this process has built, or proven
        self._followed = 0  # the one of another process that this one has tried to open
        self._open: _Open | None = None
        self._scan = Scan()
        self._lookout: Lookout | None = None
        self._wrong = ""  # what was wrong at the last look

    def close(self) -> None:
        self._wanted = False
        if self._lookout is not None:
            self._lookout.stop()
            self._lookout = None
        self._let_go(self._open)
        self._kept.close()

    def state(self) -> IndexState:
        with self._catalog.snapshot() as connection:
            row = None if self._none else current_generation(connection)
            return IndexState(
                generation=0 if row is None else row["generation"],
                indexed=0 if row is None else row["passages"] - gone_since(connection, row),
                passages=passage_count(connection),
                open=self._open is not None,
                kept=not self._none,
            )

    def nearest(self, connection: Connection, vector: NDArray[np.float32], limit: int) -> dict[int, float]:
        """The passages nearest to a unit vector with their cosines, nearest first.

        What no open generation holds is scanned if it is at most `SCAN_LIMIT` passages, and left out if it is more.
        """
        held = self._open if self._wanted else None
        if held is not None and held.row["generation"] != (present := present_generation(connection)):
            if present:
                self._follow(present)
            held = None
        if held is not None:
            others = self._scan.of(connection, held.row, held.strays)
            count = min(_NAMED * limit + others.gone, held.row["stored"])
            try:
                named = held.generation.query(vector, count) if count else []
            except Exception as error:
                self._miss(held, error)
            else:
                ids, matrix = joined(read(connection, named), (others.ids, others.matrix))
                return best_of(ids, matrix, vector, limit)
        everything = self._scan.of(connection, None)
        return best_of(everything.ids, everything.matrix, vector, limit)

    def refresh(self, *, force: bool = False) -> bool:
        """Build the next generation if enough passages are outside the present one; whether it was built.

        Raises:
            StoreLocked: another process writes.
            StoreError: there is too little room, or it could not be built; the present one stays.
        """
        if self._none:
            logger.info("No index was built: %s.", _NO_INDEX)
            return False
        with self._lock.held():
            with self._catalog.snapshot() as connection:
                if not force and not worth_building(connection):
                    return False
            self._proven = renew(self._kept, self._catalog)
        if self._wanted:
            self.open()
        return True

    def open(self) -> bool:
        """Prove the present generation and answer from it; build one if there is none or it is damaged.

        Until this has returned, and whenever it fails, searches go without it.

        Raises:
            StoreLocked: a generation has to be built, and another process writes.
            StoreError: it cannot be built, or what keeps it does not answer.
        """
        if self._none:
            logger.info("No index is opened: %s.", _NO_INDEX)
            return False
        self._wanted = True
        if self._kept.remote and self._lookout is None:
            self._lookout = Lookout(self._look)
        return self._settle()

    def _settle(self) -> bool:
        for _ in range(2):
            with self._catalog.snapshot() as connection:
                row, passages = current_generation(connection), passage_count(connection)
            if row is not None:
                try:
                    self._open_generation(row)
                    return True
                except Exception as error:
                    self._let_go(self._open)
                    if self._kept.remote and not isinstance(error, GenerationDamaged):
                        raise
                    logger.warning("%s It is being rebuilt from the catalog.", error)
            if passages == 0:
                return False
            with self._lock.held():
                with self._catalog.snapshot() as connection:
                    present = present_generation(connection)
                if present == (0 if row is None else row["generation"]):  # nobody else has seen to it meanwhile
                    if present:
                        forget(self._catalog, present)
                    self._proven = renew(self._kept, self._catalog)
        return False

    def _look(self) -> bool:
        """Whether the present generation is open, or there is nothing to open; what is wrong is told once."""
        wrong = ""
        try:
            self._settle()
        except StoreError as error:
            wrong = str(error)
        except Exception as error:
            logger.exception("The index could not be looked after.")
            wrong = repr(error)
        if wrong != self._wrong:
            logger.warning("%s", f"{wrong} Searches go without it." if wrong else "The index is in use again.")
        self._wrong = wrong
        return not wrong

    def examine(self) -> str:
        """What is wrong with the present generation, in a sentence; nothing if it is sound. It is not opened here."""
        with self._catalog.snapshot() as connection:
            row = current_generation(connection)
            count = passage_count(connection)
        if self._none:
            return f"There is none for {count:,} passages: {_NO_INDEX}." if count > SCAN_LIMIT else ""
        if row is None:
            return "There is none yet." if count else ""
        try:
            self._check(row)
        except StoreError as error:
            return str(error)
        return ""

    def strays(self) -> list[str]:
        """The names of what is kept with the generations and is not the present one, as far as that can be said."""
        with self._catalog.snapshot() as connection:
            present = 0 if self._none else present_generation(connection)
        with suppress(IndexUnavailable):  # `examine` tells it
            return self._kept.others(present)
        return []

    def clear_strays(self) -> int:
        """Delete these; how many they were."""
        found = self.strays()
        self._kept.remove(found)
        return len(found)

    def _miss(self, held: _Open, error: Exception) -> None:
        """A search was not answered; what is remote is not asked again until it has been looked at."""
        if self._lookout is None:
            logger.error("Chroma did not answer; searching without it instead.", exc_info=error)
            return
        if self._let_go(held):
            logger.warning("Searches go without %s: %s", self._kept.where, " ".join(str(error).split()) or repr(error))
            self._wrong = "A search was not answered."
            self._lookout.wake(well=False)

    def _let_go(self, held: _Open | None) -> bool:
        """Answer from this no longer; whether that was so."""
        with self._guard:
            if held is None or self._open is not held:
                return False
            self._open = None
        held.generation.close()
        return True

    def _follow(self, present: int) -> None:
        """Open what another process has built, once, and without holding up the search that has noticed it."""
        with self._guard:
            if present in (self._followed, self._proven):
                return
            self._followed = present
        if self._lookout is not None:
            self._lookout.wake(well=True)
        else:
            threading.Thread(target=self._open_followed, name="index", daemon=True).start()

    def _open_followed(self) -> None:
        with self._catalog.snapshot() as connection:
            row = current_generation(connection)
        try:
            if row is not None:
                self._open_generation(row)
        except Exception as error:
            logger.warning("%s Searches scan exactly; `zhice doctor --fix` rebuilds it.", error)

    def _open_generation(self, row: Row) -> None:
        self._check(row)
        held = self._open
        if held is not None and held.row["generation"] == row["generation"]:
            return
        opened: _Open | None = _Open(row, self._kept.open(row), tuple(json.loads(row["strays"])))
        with self._guard:
            if self._wanted:
                opened, self._open = self._open, opened
        if opened is not None:
            opened.generation.close()

    def _check(self, row: Row) -> None:
        """Raises: GenerationDamaged, IndexUnavailable."""
        self._kept.check(row)
        if self._kept.remote or row["generation"] != self._proven:
            self._kept.prove(row)
            self._proven = row["generation"]
