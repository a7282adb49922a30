"""Room on the disk: asked for before much is written, and a full disk loses nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from evaluation.scoreboard import disk_full
from ingest.pipeline import ingest_into
from tests.conftest import PARK, Put
from vectorstore.backup import back_up
from vectorstore.errors import StoreError
from vectorstore.room import SPARE, check_room, size_of
from vectorstore.store import PolicyStore


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=SPARE + 1000))


@pytest.mark.usefixtures("full")
def test_too_little_room_names_the_folder_the_need_and_what_is_free(tmp_path: Path) -> None:
    check_room(tmp_path / "not" / "yet", 1000)
    with pytest.raises(StoreError) as told:
        check_room(tmp_path / "not" / "yet", 50 * 2**20, "the index")
    for part in (str(tmp_path / "not" / "yet"), "the index", "54.0 MiB", "4.0 MiB"):
        assert part in str(told.value)


@pytest.mark.parametrize("bulk", ["refresh_index", "reencode", "backup"])
def test_bulk_work_asks_first_and_changes_nothing(
    store: PolicyStore, put: Put, tmp_path: Path, bulk: str, request: pytest.FixtureRequest
) -> None:
    put("park.txt", PARK)
    before, revision = size_of(store.folder), store.catalog.revision()
    request.getfixturevalue("full")
    work: Any = {
        "refresh_index": lambda: store.refresh_index(force=True),
        "reencode": store.reencode,
        "backup": lambda: back_up(store.folder, tmp_path / "b.zip"),
    }[bulk]
    with pytest.raises(StoreError, match="too little room"):
        work()
    assert store.catalog.revision() == revision
    assert size_of(store.folder) - before < 2000  # the name of the writer
    assert not (tmp_path / "b.zip").exists()


def test_a_disk_that_is_full_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    line = disk_full.run(tmp_path, quick=True)
    assert line.passed, line.figure


def test_documents_that_are_in_are_reported_though_the_index_finds_no_room(
    store: PolicyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room() -> None:
        raise StoreError("there is too little room for the index")

    monkeypatch.setattr(store, "refresh_index", no_room)
    (tmp_path / "park.txt").write_text(PARK, encoding="utf-8")
    report = ingest_into(store, [tmp_path / "park.txt"])
    assert report.added == 1
    assert report.notes == [("index", "there is too little room for the index")]
