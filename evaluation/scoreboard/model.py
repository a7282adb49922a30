"""Line 5: a data folder under any order of steps, crashes among them, against a dictionary."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.scoreboard.line import Line
from vectorstore.errors import StoreError
from vectorstore.fulltext import word_for_word
from vectorstore.mending import lost_passages, unindexed
from vectorstore.passage import Document, Passage
from vectorstore.store import PolicyStore

NAMES: Final = 6  # documents that the steps are about: few, so that they meet
STATEMENTS: Final = 24  # a document of four passages is stored by about 20, so a crash can come at any of them


class HashEncoder:
    """Vectors by the words' hash: what is searched for itself is found, and no model has to be loaded."""

    name = "hash"
    dimension = 16

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts; shape (len(texts), 16), rows of length 1."""
        digests = [hashlib.sha256(text.encode()).digest()[: self.dimension] for text in texts]
        rows = np.array([list(digest) for digest in digests], dtype=np.float32).reshape(-1, self.dimension) - 127.5
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Encode a question as any text; shape (16,)."""
        vector: NDArray[np.float32] = self.encode([text])[0]
        return vector


def policy(name: str, edition: int) -> tuple[Document, list[Passage]]:
    """A document of as many passages as its edition says, at most four."""
    said = [f"第{line}条 {name}第{edition}版奖励{line}万元。" for line in range(1, edition % 4 + 2)]
    text = "\n".join(said)
    passages, start = [], 0
    for position, words in enumerate(said):
        passages.append(Passage(position=position, start=start, end=start + len(words)))
        start += len(words) + 1
    return Document(source=name, media_type="text/plain", text=text), passages


class Shelf:
    """The store and the dictionary that it has to agree with; each step is done to both."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.texts: dict[str, str] = {}
        self.steps = 0
        self.crashes = 0
        self._edition = 0
        self._store = PolicyStore(folder, encoder=HashEncoder())

    def put(self, name: str) -> None:
        """Add a document, or replace it."""
        document = self._put(self._store, name)
        self.texts[name] = document.text

    def remove(self, name: str) -> None:
        """Remove a document, if it is there."""
        for record in self._store.catalog.records():
            if record.source == name:
                self._store.remove(record.document_id)
        self.texts.pop(name, None)

    def restart(self, *, index: bool) -> None:
        """Close and open; with `index`, answer from one that is built if that is due."""
        self._store.close()
        self._store = PolicyStore(self._folder, encoder=HashEncoder())
        if index:
            self._store.open_index()

    def crash(self, name: str, statement: int, *, removing: bool) -> None:
        """A process is killed at one of the statements that store or remove a document; all of it or nothing stays."""
        self._store.close()
        self._edition += 1
        process = os.fork()
        if process == 0:
            self._die(name, statement, removing=removing)
        _, status = os.waitpid(process, 0)
        self.crashes += os.WIFSIGNALED(status)
        self._store = PolicyStore(self._folder, encoder=HashEncoder())
        after = None if removing else policy(name, self._edition)[0].text
        there = self._contents().get(name)
        if there not in (self.texts.get(name), after):
            raise AssertionError(f"after a crash {name} is {there!r}")
        if there is None:
            self.texts.pop(name, None)
        else:
            self.texts[name] = there

    def compare(self) -> None:
        """Raises AssertionError where the store differs from the dictionary."""
        self.steps += 1
        if self._contents() != self.texts:
            raise AssertionError(f"the store holds {self._contents()}, the dictionary {self.texts}")
        with self._store.catalog.snapshot() as connection:
            if unindexed(connection) or lost_passages(connection):
                raise AssertionError("the full text and the passages differ")
        for name, text in self.texts.items():
            for words in text.split("\n"):
                found = self._store.read(self._store.search(words, self._store.scorer(word_for_word(words)), limit=5))
                if (name, words) not in {(hit.source, hit.text) for hit in found}:
                    raise AssertionError(f"{words!r} of {name} is not found")
                if stale := [hit.text for hit in found if hit.text not in self.texts.get(hit.source, "")]:
                    raise AssertionError(f"{stale} is found and gone")

    def close(self) -> None:
        """Close the store and delete its folder."""
        self._store.close()
        shutil.rmtree(self._folder)

    def _put(self, store: PolicyStore, name: str) -> Document:
        self._edition += 1
        document, passages = policy(name, self._edition)
        store.put(document, passages, key=name, sha256=hashlib.sha256(document.text.encode()).hexdigest())
        return document

    def _contents(self) -> dict[str, str]:
        catalog = self._store.catalog
        return {record.source: catalog.text(record.document_id, record.version) for record in catalog.records()}

    def _die(self, name: str, statement: int, *, removing: bool) -> None:
        """In the child: do a step, and be killed at a statement of it or after it; it never returns."""
        try:
            store, left = PolicyStore(self._folder, encoder=HashEncoder()), statement

            def count(_: str) -> None:
                nonlocal left
                left -= 1
                if left <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            connection = store.catalog.connection()
            if not isinstance(connection, sqlite3.Connection):
                raise TypeError("only SQLite tells of its statements")
            connection.set_trace_callback(count)
            if removing:
                for record in store.catalog.records():
                    if record.source == name:
                        store.remove(record.document_id)
            else:
                self._edition -= 1  # which `_put` counts up again
                self._put(store, name)
        except StoreError:
            os._exit(1)
        finally:
            os._exit(0)


def machine(work: Path, tally: list[Shelf]) -> type[Any]:
    """The state machine over shelves below a folder; each shelf is told to the tally."""
    from hypothesis import strategies
    from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

    names = strategies.sampled_from([f"政策{number}.txt" for number in range(NAMES)])

    class Steps(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.shelf = Shelf(work / f"shelf-{len(tally)}")
            tally.append(self.shelf)

        @rule(name=names)
        def put(self, name: str) -> None:
            self.shelf.put(name)

        @rule(name=names)
        def remove(self, name: str) -> None:
            self.shelf.remove(name)

        @rule(index=strategies.sampled_from([False, False, False, True]))
        def restart(self, index: bool) -> None:
            self.shelf.restart(index=index)

        @rule(name=names, statement=strategies.integers(1, STATEMENTS), removing=strategies.booleans())
        def crash(self, name: str, statement: int, removing: bool) -> None:
            self.shelf.crash(name, statement, removing=removing)

        @invariant()
        def agrees(self) -> None:
            self.shelf.compare()

        def teardown(self) -> None:
            self.shelf.close()

    return Steps


def run(work: Path, *, quick: bool) -> Line:
    """10,000 steps in runs of at most 50; in the quick form 80 in runs of at most 16."""
    started = time.perf_counter()
    runs, steps = (5, 16) if quick else (220, 50)  # some runs end before 50 steps; 200 x 50 are wanted in all
    test = "any order of steps against a dictionary"
    method = f"hypothesis state machine: add, replace, remove, restart, crash (SIGKILL at a statement), {runs} runs of {steps} steps"
    if not hasattr(os, "fork"):
        return Line(5, test, method, "", False, skipped_because="a process cannot be forked here")
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.stateful import run_state_machine_as_test

    tally: list[Shelf] = []
    wrong = ""
    try:
        run_state_machine_as_test(
            machine(work, tally),
            settings=settings(
                max_examples=runs,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )
    except AssertionError as error:
        wrong = str(error).partition("\n")[0]
    done, crashes = sum(shelf.steps for shelf in tally), sum(shelf.crashes for shelf in tally)
    figure = f"{1 if wrong else 0} differences in {done} steps, {crashes} crashes among them" + (
        f"; {wrong}" if wrong else ""
    )
    return Line(5, test, method, figure, not wrong, time.perf_counter() - started)
