"""A watched folder and the knowledge base stay in step; a folder that vanishes takes nothing with it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.pipeline import Report
from ingest.watching import watch
from tests.conftest import PARK, TALENT
from vectorstore.catalog import Catalog
from vectorstore.lock import WriterLock
from vectorstore.store import PolicyStore

EVERY = 0.05
PATIENCE = 20.0


class Watched:
    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data = folder, data
        self.reports: list[Report] = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        watch([self.folder], data_dir=self.data, every=EVERY, stopped=self.stopped, reported=self.reports.append)

    def sources(self) -> set[str]:
        path = self.data / "catalog.sqlite3"
        return {record.source for record in Catalog(path).records()} if path.exists() else set()

    def becomes(self, *sources: str) -> bool:
        return self.until(lambda: self.sources() == set(sources))

    def until(self, true: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if true():
                return True
            time.sleep(EVERY)
        return False


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "park.txt").write_text(PARK, encoding="utf-8")
    found = Watched(folder, tmp_path / "kb")
    yield found
    found.stopped.set()
    if found.thread.ident is not None:
        found.thread.join(PATIENCE)
        assert not found.thread.is_alive()


def test_what_comes_changes_and_goes_is_followed(watched: Watched) -> None:
    watched.thread.start()
    assert watched.becomes("park.txt")
    (watched.folder / "talent.txt").write_text(TALENT, encoding="utf-8")
    assert watched.becomes("park.txt", "talent.txt")
    (watched.folder / "park.txt").unlink()
    assert watched.becomes("talent.txt")
    (watched.folder / "talent.txt.yaml").write_text("issuer: 海州市人社局\n", encoding="utf-8")
    catalog = Catalog(watched.data / "catalog.sqlite3")
    assert watched.until(lambda: catalog.records()[0].metadata.issuer == "海州市人社局")
    catalog.close()


def test_a_file_that_is_still_being_copied_is_left_alone(watched: Watched) -> None:
    watched.thread.start()
    assert watched.becomes("park.txt")
    copied = watched.folder / "talent.txt"
    with copied.open("w", encoding="utf-8") as file:
        for _ in range(40):
            file.write(TALENT)
            file.flush()
            time.sleep(EVERY / 2)
        assert watched.sources() == {"park.txt"}
    assert watched.becomes("park.txt", "talent.txt")


def test_nothing_is_read_again_while_nothing_changes(watched: Watched) -> None:
    watched.thread.start()
    assert watched.until(lambda: bool(watched.reports))
    time.sleep(10 * EVERY)
    assert len(watched.reports) == 1


def test_a_folder_whose_server_is_gone_takes_nothing_with_it(watched: Watched) -> None:
    watched.thread.start()
    assert watched.until(lambda: bool(watched.reports))
    shutil.rmtree(watched.folder)
    watched.folder.mkdir()
    assert watched.until(lambda: len(watched.reports) >= 2)
    assert watched.sources() == {"park.txt"}


def test_another_writer_is_waited_for(watched: Watched) -> None:
    PolicyStore(watched.data).close()
    lock = WriterLock(watched.data)
    with lock.held():
        watched.thread.start()
        time.sleep(10 * EVERY)
        assert watched.reports == []
    assert watched.becomes("park.txt")
