"""The queue of uploads: nothing that was taken is lost, nothing is taken in twice, and one process works at a time."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest import queueing
from ingest.isolation import IsolatedReader
from ingest.queueing import Queue
from tests.conftest import PARK, TALENT
from vectorstore.catalog import Catalog
from vectorstore.errors import StoreError, StoreUnavailable
from vectorstore.jobs import TRIES, Jobs
from vectorstore.mending import stray_uploads
from vectorstore.place import Place
from vectorstore.store import PolicyStore
from vectorstore.taken import Taken


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedReader]:
    with IsolatedReader() as one:
        yield one


@pytest.fixture
def jobs(store: PolicyStore) -> Jobs:
    return Jobs(store.catalog, store.uploads)


@pytest.fixture
def queue_of(reader: IsolatedReader, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[PolicyStore], Queue]]:
    """Queues of one process each, which look for what others have left ten times a second."""
    monkeypatch.setattr(queueing, "LOOK_SECONDS", 0.1)
    opened: list[Queue] = []

    def start(store: PolicyStore) -> Queue:
        opened.append(Queue(store, reader))
        return opened[-1]

    yield start
    for queue in opened:
        queue.close()


def file(folder: Path, text: str) -> Path:
    path = folder / "upload"
    path.write_text(text, encoding="utf-8")
    return path


def until(seen: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_file_is_taken_in_and_kept(store: PolicyStore, tmp_path: Path, queue_of: Callable[..., Queue]) -> None:
    queue = queue_of(store)
    (taken,) = queue.add("../park.txt", file(tmp_path, PARK))
    assert (taken.file, taken.outcome) == ("park.txt", "added")
    record = store.catalog.record(taken.document_id)
    assert store.uploads.read(record.sha256) == PARK.encode()
    assert [each.outcome for each in queue.add("park.txt", file(tmp_path, PARK))] == ["unchanged"]


def test_what_cannot_be_read_is_not_kept(store: PolicyStore, tmp_path: Path, queue_of: Callable[..., Queue]) -> None:
    (taken,) = queue_of(store).add("empty.txt", file(tmp_path, " \n"))
    assert (taken.outcome, bool(taken.reason)) == ("failed", True)
    assert store.uploads.digests() == []


def test_an_archive_gives_what_is_in_it(store: PolicyStore, tmp_path: Path, queue_of: Callable[..., Queue]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("park.txt", PARK)
        archive.writestr("talent.txt", TALENT)
    path = tmp_path / "upload"
    path.write_bytes(packed.getvalue())
    assert [each.outcome for each in queue_of(store).add("all.zip", path)] == ["added", "added"]
    assert len(store.uploads.digests()) == 2


def test_what_a_process_has_left_is_taken_in_by_the_next(
    store: PolicyStore, jobs: Jobs, queue_of: Callable[..., Queue]
) -> None:
    left = jobs.add("park.txt", PARK.encode())
    assert jobs.begin() is not None, "and there its process ended"
    with store.catalog.transaction(searched=False) as connection:
        assert stray_uploads(store, connection) == []
    queue_of(store)
    until(lambda: jobs.outcome(left) is not None)
    assert [record.source for record in store.catalog.records()] == ["park.txt"]


def test_a_file_that_ends_its_process_each_time_is_given_up(
    store: PolicyStore, jobs: Jobs, queue_of: Callable[..., Queue]
) -> None:
    fatal = jobs.add("fatal.pdf", b"%PDF-1.4 fatal")
    other = jobs.add("park.txt", PARK.encode())
    for _ in range(TRIES):
        job = jobs.begin()
        assert job is not None
        assert job.job_id == fatal
    queue_of(store)
    until(lambda: jobs.outcome(other) is not None)
    (taken,) = jobs.outcome(fatal) or []
    assert (taken.outcome, "another format" in taken.reason) == ("failed", True)
    assert len(store.uploads.digests()) == 1


def test_a_file_that_was_altered_while_it_waited_is_not_read(
    store: PolicyStore, jobs: Jobs, queue_of: Callable[..., Queue], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = jobs.add("park.txt", PARK.encode())
    monkeypatch.setattr(store.uploads, "read", lambda sha256: None)
    queue_of(store)
    until(lambda: jobs.outcome(job_id) is not None)
    assert [each.outcome for each in jobs.outcome(job_id) or []] == ["failed"]


def test_processes_take_turns_and_each_file_goes_in_once(
    store: PolicyStore, place: Place, tmp_path: Path, queue_of: Callable[..., Queue]
) -> None:
    stores = [store, PolicyStore(place)]
    queues = [queue_of(each) for each in stores]
    taken: list[Taken] = []

    def add(number: int) -> None:
        (tmp_path / str(number)).write_text(PARK.replace("3000", str(1000 + number)), encoding="utf-8")
        taken.extend(queues[number % 2].add(f"{number}.txt", tmp_path / str(number)))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((each.file, each.outcome) for each in taken) == [(f"{number}.txt", "added") for number in range(8)]
    assert [record.version for record in store.catalog.records()] == [1] * 8
    for queue in queues:
        queue.close()
    stores[1].close()


def test_what_hinders_is_said_and_the_file_waits(
    store: PolicyStore, jobs: Jobs, tmp_path: Path, queue_of: Callable[..., Queue], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> list[Taken]:
        raise StoreError("There is too little room.")

    with monkeypatch.context() as hindering:
        hindering.setattr(queueing, "ingest_upload", full)
        queue = queue_of(store)
        for _ in range(TRIES + 1):  # however often it is hindered, it is not the file's fault
            (taken,) = queue.add("park.txt", file(tmp_path, PARK))
            assert (taken.outcome, taken.reason) == ("waiting", "There is too little room.")
    until(lambda: jobs.waiting() == 0)
    assert len(store.catalog.records()) == 1


def test_a_database_that_is_away_for_a_moment_is_waited_for(
    store: PolicyStore, tmp_path: Path, queue_of: Callable[..., Queue], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, asked = Jobs.outcome, []

    def away(self: Jobs, job_id: str) -> list[Taken] | None:
        asked.append(job_id)
        if len(asked) < 3:
            raise StoreUnavailable("away")
        return outcome(self, job_id)

    monkeypatch.setattr(Jobs, "outcome", away)
    assert [each.outcome for each in queue_of(store).add("park.txt", file(tmp_path, PARK))] == ["added"]


def test_what_became_of_a_file_is_known_for_a_day(open_catalog: Callable[[], Catalog], store: PolicyStore) -> None:
    now = 1000.0
    jobs = Jobs(open_catalog(), store.uploads, clock=lambda: now)
    first = jobs.add("a.txt", b"a")
    job = jobs.begin()
    assert job is not None
    jobs.finish(job, [Taken("a.txt", "failed", reason="no")])
    assert jobs.outcome(first) == [Taken("a.txt", "failed", reason="no")]
    now += 24 * 3600 + 1
    jobs.add("b.txt", b"b")
    assert jobs.outcome(first) is None
    assert jobs.waiting() == 1
