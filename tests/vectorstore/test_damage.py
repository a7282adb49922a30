"""A data folder that is damaged when it is opened: each damage is noticed, and told with what to do."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.scoreboard.damage import empty, halve, miss, zero
from evaluation.scoreboard.policies import text_of, write_policies
from ingest.pipeline import ingest_into
from tests.conftest import PARK, Put
from vectorstore import proving
from vectorstore.engines.witness import acknowledge, acknowledged, witness_file
from vectorstore.errors import StoreDamaged, StoreError, StoreLocked
from vectorstore.fulltext import word_for_word
from vectorstore.lock import WriterLock
from vectorstore.passage import Match
from vectorstore.proving import prove
from vectorstore.store import PolicyStore
from vectorstore.vectors import GenerationDamaged

Way = Callable[[Path], None]


def find(store: PolicyStore, words: str) -> list[Match]:
    return store.search(words, store.scorer(word_for_word(words)))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has been written and closed."""
    folder = tmp_path_factory.mktemp("written")
    write_policies(folder / "policies", range(30))
    store = PolicyStore(folder / "kb")
    ingest_into(store, [folder / "policies"])
    store.refresh_index(force=True)
    store.close()
    return folder / "kb"


@pytest.fixture
def used(written: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(written, tmp_path / "used")


@pytest.mark.parametrize("way", [halve, zero, empty, miss])
def test_a_damaged_catalog_is_told_and_never_taken_for_a_new_one(used: Path, way: Way) -> None:
    way(used / "catalog.sqlite3")
    with pytest.raises(StoreDamaged, match="zhice restore") as told:
        PolicyStore(used)
    assert str(used) in str(told.value)
    with pytest.raises(StoreDamaged):  # nothing was made that hides it
        PolicyStore(used)


def test_a_blank_catalog_in_a_used_folder_is_damage(used: Path) -> None:
    (used / "catalog.sqlite3").unlink()
    with sqlite3.connect(used / "catalog.sqlite3") as blank:
        blank.execute("CREATE TABLE x (y)")
    blank.close()
    with pytest.raises(StoreDamaged, match="blank"):
        PolicyStore(used)


@pytest.mark.parametrize("left", ["files", "index", "writer.json", "catalog.revision"])
def test_what_is_made_after_a_catalog_tells_that_there_was_one(tmp_path: Path, left: str) -> None:
    (tmp_path / left).mkdir()
    with pytest.raises(StoreDamaged, match="missing"):
        PolicyStore(tmp_path)


def test_a_page_in_the_middle_is_noticed(used: Path) -> None:
    catalog = used / "catalog.sqlite3"
    data = bytearray(catalog.read_bytes())
    data[8 * 4096 : 12 * 4096] = bytes(4 * 4096)
    catalog.write_bytes(data)
    with pytest.raises(StoreDamaged, match="damaged"):
        PolicyStore(used)


@pytest.mark.parametrize("way", [halve, zero, empty, miss])
def test_a_damaged_log_is_noticed(store: PolicyStore, put: Put, tmp_path: Path, way: Way) -> None:
    put("park.txt", PARK)
    store.catalog.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(3):
        put(f"{number}.txt", text_of(number, 1))
    copy = tmp_path / "copy"
    shutil.copytree(store.folder, copy)  # as a killed process leaves it
    sound = tmp_path / "sound"
    shutil.copytree(copy, sound)
    PolicyStore(sound).close()
    way(copy / "catalog.sqlite3-wal")
    with pytest.raises(StoreDamaged, match="revision"):
        PolicyStore(copy)
    accepted = PolicyStore(copy, accept_loss=True)
    assert "park.txt" in {record.source for record in accepted.catalog.records()}
    accepted.close()


def test_an_unfinished_step_in_the_log_is_no_damage(store: PolicyStore, put: Put, tmp_path: Path) -> None:
    put("park.txt", PARK)
    with store.catalog.transaction() as connection:
        connection.execute("DELETE FROM passages")
        copy = tmp_path / "copy"
        shutil.copytree(store.folder, copy)
    opened = PolicyStore(copy)
    assert find(opened, "园区运营机构奖励")
    opened.close()


def test_damage_found_while_reading_is_told(used: Path) -> None:
    store = PolicyStore(used)
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    for reading in (store.catalog.snapshot, store.catalog.transaction):
        with pytest.raises(StoreDamaged, match="zhice restore"), reading():
            raise error
    store.close()


def test_the_witness_follows_every_acknowledged_step(store: PolicyStore, put: Put) -> None:
    for number in range(3):
        put(f"{number}.txt", text_of(number, 1))
        assert acknowledged(store.catalog.path) == store.catalog.revision()


@pytest.mark.parametrize("content", [b"", b"12", b"x" * 20])
def test_a_witness_that_cannot_be_read_says_nothing(store: PolicyStore, content: bytes) -> None:
    witness_file(store.catalog.path).write_bytes(content)
    assert acknowledged(store.catalog.path) == 0
    acknowledge(store.catalog.path, 7)
    assert acknowledged(store.catalog.path) == (7 if len(content) <= 20 else 0)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("chroma.sqlite3", halve),
        ("chroma.sqlite3", empty),
        ("chroma.sqlite3", miss),
        ("data_level0.bin", halve),
        ("link_lists.bin", empty),
        ("index_metadata.pickle", miss),
    ],
)
def test_a_damaged_index_is_built_anew_and_answers_come_meanwhile(used: Path, name: str, way: Way) -> None:
    way(next((used / "index").rglob(name)))
    store = PolicyStore(used)
    words = "第3条 对海州市第7号项目第1版给予最高703万元奖励。"
    scanned = {match.passage_id: match.cosine for match in find(store, words)}
    before = store.index_state().generation
    assert store.open_index()
    assert store.index_state().generation > before
    asked = {match.passage_id: match.cosine for match in find(store, words)}
    assert max(asked, key=asked.__getitem__) == max(scanned, key=scanned.__getitem__)
    assert [path.name for path in (used / "index").iterdir()] == [str(store.index_state().generation)]
    store.close()


def test_a_generation_that_ends_its_process_is_only_opened_in_a_child(used: Path) -> None:
    (folder,) = (used / "index").iterdir()
    halve(next(folder.rglob("link_lists.bin")))
    halve(next(folder.rglob("data_level0.bin")))
    with pytest.raises(GenerationDamaged, match="index folder"):
        prove(folder, 270)


def test_a_generation_that_has_lost_passages_is_no_proof(used: Path) -> None:
    (folder,) = (used / "index").iterdir()
    with pytest.raises(GenerationDamaged, match="of 999 passages"):
        prove(folder, 999)


def test_a_child_that_does_not_come_back_is_ended(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "SECONDS", 0.01)
    (folder,) = (used / "index").iterdir()
    with pytest.raises(GenerationDamaged, match="timed out"):
        prove(folder, 270)


def test_builds_that_were_broken_off_leave_one_folder(used: Path) -> None:
    for number in range(20, 25):
        (used / "index" / str(number)).mkdir()
        (used / "index" / str(number) / "chroma.sqlite3").write_bytes(b"half")
    store = PolicyStore(used)
    assert store.refresh_index(force=True)
    assert [path.name for path in (used / "index").iterdir()] == [str(store.index_state().generation)]
    store.close()


def test_a_build_that_fails_leaves_nothing_and_says_so(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, *_: object) -> None:
        (folder / "half").write_bytes(b"half")
        raise RuntimeError("No space left on device")

    store = PolicyStore(used)
    before = [path.name for path in (used / "index").iterdir()]
    with monkeypatch.context() as patched:
        patched.setattr("vectorstore.vectors.build", full)
        with pytest.raises(StoreError, match="No space left on device"):
            store.refresh_index(force=True)
    assert [path.name for path in (used / "index").iterdir()] == before
    assert store.open_index()
    store.close()


def test_a_damaged_index_waits_for_another_writer_and_answers(used: Path) -> None:
    zero(next((used / "index").rglob("data_level0.bin")))
    store = PolicyStore(used)
    with WriterLock(used).held():
        with pytest.raises(StoreLocked):
            store.open_index()
        assert find(store, "第7号项目")
    assert store.open_index()
    store.close()
