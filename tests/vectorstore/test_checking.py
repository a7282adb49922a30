"""The doctor: every kind of damage within a sound catalog file is found, and mended where nothing is lost by it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evaluation.scoreboard.policies import astray
from ingest.isolation import IsolatedReader
from ingest.pipeline import ingest_into, ingest_upload
from ingest.preparing import prepare
from tests.conftest import PARK, TALENT, Put
from vectorstore.checking import Finding, broken_vectors, examine
from vectorstore.engines.witness import acknowledge
from vectorstore.lock import WriterLock
from vectorstore.store import PolicyStore

Damage = Callable[[PolicyStore], object]


def run(statement: str) -> Damage:
    def damage(store: PolicyStore) -> None:
        with store.catalog.transaction() as connection:
            connection.execute(statement)

    return damage


def unreferenced(statement: str) -> Damage:
    """A statement that SQLite refuses while it looks after references."""

    def damage(store: PolicyStore) -> None:
        connection = store.catalog.connection()
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)
        connection.execute("PRAGMA foreign_keys = ON")

    return damage


def spoil_index(store: PolicyStore) -> None:
    next((store.folder / "index").rglob("data_level0.bin")).write_bytes(b"x")


def add_strays(store: PolicyStore) -> None:
    (store.folder / "index" / "99").mkdir()
    (store.folder / "files").mkdir(exist_ok=True)
    (store.folder / "files" / ("0" * 64)).write_bytes(b"broken off")
    (store.folder / "files" / "notes.txt").write_bytes(b"not ours, so not touched")


def forget_encoder(store: PolicyStore) -> None:
    with store.catalog.transaction() as connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE key = 'encoder'")


NAN = "X'007E" + "00" * 510 + "'"

MENDED: list[tuple[str, Damage]] = [
    ("acknowledged writes", lambda store: acknowledge(store.catalog.path, 99)),
    ("encoder of the vectors", forget_encoder),
    ("full text", run("DELETE FROM passages_text WHERE rowid = 2")),
    ("full text", run("INSERT INTO passages_text (rowid, body, section, title) VALUES (77, 'x', '', '')")),
    ("full text", run("DELETE FROM passages_text_data WHERE id > 10")),
    ("vectors", run("UPDATE passages SET vector = X'00' WHERE passage_id = 2")),
    ("vectors", run(f"UPDATE passages SET vector = {NAN} WHERE passage_id = 1")),
    ("vectors", run("UPDATE passages SET vector = zeroblob(510) || X'003C' || X'003C' WHERE passage_id = 1")),
    ("references", unreferenced("INSERT INTO corrections VALUES ('dgone', 'title', 'x', 'desk', '')")),
    ("index", spoil_index),
    ("strays", add_strays),
]

LEFT: list[tuple[str, Damage, str]] = [
    ("texts", unreferenced("DELETE FROM versions WHERE document_id = (SELECT document_id FROM documents LIMIT 1)"), ".txt"),
    ("passages", run('UPDATE passages SET "end" = 99999 WHERE passage_id = 2'), "park.txt"),
    ("passages", run("UPDATE passages SET start = \"end\" WHERE passage_id = 1"), "park.txt"),
    ("passages", run("UPDATE passages SET version = 9 WHERE passage_id = 2"), "park.txt"),
    ("passages", run("DELETE FROM passages WHERE document_id = (SELECT document_id FROM passages WHERE passage_id = 1)"), "park.txt"),
    ("uploads", lambda store: next((store.folder / "files").iterdir()).write_bytes(b"altered"), "upload"),
]  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uploaded document and one from a folder, indexed."""
    folder = tmp_path_factory.mktemp("written")
    store = PolicyStore(folder / "kb")
    (folder / "park.txt").write_text(PARK, encoding="utf-8")
    with IsolatedReader() as reader:
        ingest_upload(store, "park.txt", PARK.encode(), reader)
    (folder / "talent.txt").write_text(TALENT, encoding="utf-8")
    ingest_into(store, [folder / "talent.txt"])
    store.refresh_index(force=True)
    store.close()
    return folder / "kb"


@pytest.fixture
def sound(written: Path, tmp_path: Path) -> Iterator[PolicyStore]:
    """A copy of it, to be damaged."""
    store = PolicyStore(shutil.copytree(written, tmp_path / "kb"))
    yield store
    store.close()


def bad(findings: list[Finding]) -> dict[str, str]:
    return {finding.subject: finding.detail for finding in findings if not finding.good}


def test_a_sound_folder_is_found_so_and_left_alone(sound: PolicyStore) -> None:
    before = sound.catalog.revision()
    findings = list(examine(sound))
    assert bad(findings) == {}
    assert len(findings) == 13
    assert bad(list(examine(sound, fix=True))) == {}
    assert sound.catalog.revision() == before


@pytest.mark.parametrize(("subject", "damage"), MENDED)
def test_what_can_be_made_again_is_found_and_mended(sound: PolicyStore, subject: str, damage: Damage) -> None:
    damage(sound)
    assert "doctor --fix" in bad(list(examine(sound)))[subject]
    findings = list(examine(sound, fix=True))
    assert bad(findings) == {}
    assert bad(list(examine(sound))) == {}
    assert astray(sound) == []
    assert sound.open_index()


@pytest.mark.parametrize(("subject", "damage", "named"), LEFT)
def test_what_cannot_be_made_again_is_said_and_named(
    sound: PolicyStore, subject: str, damage: Damage, named: str
) -> None:
    damage(sound)
    first = bad(list(examine(sound)))
    assert subject in first
    mended = list(examine(sound, fix=True))
    assert subject in bad(mended)
    assert named in bad(mended)[subject]
    assert set(bad(list(examine(sound)))) == {subject}  # and nothing else is left


def test_reading_a_document_again_ends_what_was_left(sound: PolicyStore) -> None:
    run("DELETE FROM passages WHERE passage_id = 2")(sound)
    list(examine(sound, fix=True))
    assert "passages" in bad(list(examine(sound)))
    document, passages = prepare(PARK.encode(), "park.txt")
    sha256 = hashlib.sha256(PARK.encode()).hexdigest()
    sound.put(document, passages, key="upload:park.txt", sha256=sha256)
    assert bad(list(examine(sound))) == {}


def test_strays_that_are_not_ours_stay(sound: PolicyStore) -> None:
    add_strays(sound)
    list(examine(sound, fix=True))
    assert (sound.folder / "files" / "notes.txt").exists()
    assert not (sound.folder / "index" / "99").exists()


def test_nothing_is_mended_while_another_process_writes(sound: PolicyStore) -> None:
    add_strays(sound)
    with WriterLock(sound.folder).held():
        findings = list(examine(sound))
        assert set(bad(findings)) == {"strays"}
        with pytest.raises(Exception, match="being written"):
            list(examine(sound, fix=True))
    assert (sound.folder / "index" / "99").exists()


def test_a_lock_whose_process_has_ended_is_said(sound: PolicyStore) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with WriterLock(sound.folder).held():
        (sound.folder / "writer.json").write_text(json.dumps({"process": ended.pid, "command": "x", "since": "y"}))
        assert "has ended" in bad(list(examine(sound)))["writer lock"]


@pytest.mark.parametrize("page", [8, 30])  # what the check tells, and what ends the check itself
def test_a_damaged_catalog_file_ends_the_examination(sound: PolicyStore, page: int) -> None:
    catalog = sound.folder / "catalog.sqlite3"
    sound.catalog.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(catalog.read_bytes())
    data[page * 4096 : (page + 1) * 4096] = bytes(4096)
    Path(catalog).write_bytes(data)
    sound.catalog.connection().execute("PRAGMA shrink_memory")
    findings = list(examine(sound, fix=True))
    assert [finding.subject for finding in findings] == ["catalog file"]
    assert "zhice restore" in findings[0].detail


def test_vectors_of_another_size_are_all_broken(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    with store.catalog.snapshot() as connection:
        assert broken_vectors(connection, store.encoder.dimension) == []
        assert len(broken_vectors(connection, store.encoder.dimension + 1)) > 1
