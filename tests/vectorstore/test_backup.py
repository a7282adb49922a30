"""Backups: of one state while others write, proven when they are written and when they are put back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluation.scoreboard.policies import astray, child, lines_of, text_of, write_policies
from tests.conftest import PARK, TALENT, Put
from vectorstore.backup import back_up, put_in_place, unpacked
from vectorstore.errors import StoreError, StoreLocked
from vectorstore.lock import WriterLock
from vectorstore.store import PolicyStore

UPLOADED = PARK.encode()
DIGEST = hashlib.sha256(UPLOADED).hexdigest()

WRITE = """
import os, sys
from pathlib import Path
from evaluation.scoreboard.policies import write_policies
from ingest.pipeline import ingest_into
from vectorstore.encoder import load_encoder
from vectorstore.store import PolicyStore
store, edition = PolicyStore(Path(sys.argv[2]), encoder=load_encoder(os.environ["ZHICE_ENCODER"])), 1
print("writing", flush=True)
while True:
    edition += 1
    write_policies(Path(sys.argv[1]), range(1, 13), edition)
    ingest_into(store, [sys.argv[1]])
"""


def restore(file: Path, folder: Path, *, force: bool = False) -> Path | None:
    with unpacked(file, folder, force=force) as (beside, _):
        return put_in_place(beside, folder, force=force)


@pytest.fixture
def backup(store: PolicyStore, put: Put, tmp_path: Path) -> Path:
    """A backup of an uploaded document, one from a folder and a kept answer."""
    put("park.txt", PARK, key="upload:park.txt")
    put("talent.txt", TALENT)
    (store.folder / "files").mkdir()
    (store.folder / "files" / DIGEST).write_bytes(UPLOADED)
    (store.folder / "files" / ("0" * 64)).write_bytes(b"belongs to nothing")
    store.catalog.keep_answer("a1", {"text": "x"})
    back_up(store.folder, tmp_path / "b.zip")
    return tmp_path / "b.zip"


def test_what_was_backed_up_comes_back(backup: Path, store: PolicyStore, tmp_path: Path) -> None:
    assert restore(backup, tmp_path / "again") is None
    again = PolicyStore(tmp_path / "again")
    assert again.catalog.records() == store.catalog.records()
    assert again.catalog.answer("a1") == {"text": "x"}
    assert [path.name for path in (tmp_path / "again" / "files").iterdir()] == [DIGEST]
    assert (tmp_path / "again" / "files" / DIGEST).read_bytes() == UPLOADED
    assert again.catalog.connection().execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert again.open_index()
    assert astray(again) == []
    again.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "b.zip", "kb"]


def test_a_backup_says_what_it_holds_and_is_for_its_owner_only(
    store: PolicyStore, backup: Path, tmp_path: Path
) -> None:
    contents = back_up(store.folder, tmp_path / "c.zip")
    assert (contents.documents, contents.answers, contents.uploads, contents.missing) == (2, 1, 1, ())
    assert stat.S_IMODE((tmp_path / "c.zip").stat().st_mode) == 0o600
    (store.folder / "files" / DIGEST).write_bytes(b"altered")
    assert back_up(store.folder, tmp_path / "d.zip").missing == (DIGEST,)


def test_a_backup_is_never_written_over_nor_into_the_folder(store: PolicyStore, backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()
    with pytest.raises(StoreError, match="never written over"):
        back_up(store.folder, backup)
    assert backup.read_bytes() == before
    with pytest.raises(StoreError, match="data folder"):
        back_up(store.folder, store.folder / "b.zip")
    with pytest.raises(StoreError, match="no knowledge base"):
        back_up(tmp_path / "nothing", tmp_path / "e.zip")
    assert not (tmp_path / "nothing").exists()


def test_a_backup_taken_while_a_thread_and_a_process_write_is_of_one_state(tmp_path: Path) -> None:
    write_policies(tmp_path / "policies", range(1, 13))
    store = PolicyStore(tmp_path / "kb")
    stopped, said = threading.Event(), 0

    def ask() -> None:
        nonlocal said
        while not stopped.is_set():
            store.catalog.keep_answer(f"a{said}", {"text": str(said)})
            said += 1

    with child(WRITE, tmp_path / "policies", tmp_path / "kb") as writer:
        assert next(lines_of(writer)) == "writing"
        asking = threading.Thread(target=ask)
        asking.start()
        while len(store.catalog.records()) < 12:
            assert writer.poll() is None
        try:
            backups = [tmp_path / f"{number}.zip" for number in range(3)]
            for file in backups:
                back_up(tmp_path / "kb", file)
        finally:
            stopped.set()
            asking.join()
        assert writer.poll() is None
    store.close()
    assert said
    for number, file in enumerate(backups):
        restore(file, tmp_path / f"again-{number}")
        again = PolicyStore(tmp_path / f"again-{number}")
        records = again.catalog.records()
        assert len(records) == 12
        for record in records:
            text = again.text(record.document_id, record.version)
            edition = int(text.partition("项目第")[2].partition("版")[0])
            assert text == text_of(int(record.source[:4]), edition)
        assert astray(again) == []
        again.close()


def test_a_folder_that_is_not_empty_is_kept_under_its_date(backup: Path, store: PolicyStore, tmp_path: Path) -> None:
    store.close()
    with pytest.raises(StoreError, match="--force"):
        restore(backup, store.folder)
    aside = restore(backup, store.folder, force=True)
    assert aside is not None
    assert (aside / "catalog.sqlite3").exists()
    again = PolicyStore(store.folder)
    assert len(again.catalog.records()) == 2
    again.close()


def test_what_a_link_leads_to_is_replaced_and_not_the_link(backup: Path, store: PolicyStore, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "link").symlink_to(store.folder)
    assert restore(backup, tmp_path / "link", force=True) is not None
    assert (tmp_path / "link").resolve() == store.folder
    with pytest.raises(StoreError, match="mount point"):
        restore(backup, Path("/"), force=True)


def test_a_folder_in_use_is_not_replaced(backup: Path, store: PolicyStore, tmp_path: Path) -> None:
    with pytest.raises(StoreLocked, match="in use"):
        restore(backup, store.folder, force=True)
    assert len(store.catalog.records()) == 2
    store.close()
    with WriterLock(store.folder).held(), pytest.raises(StoreLocked):
        restore(backup, store.folder, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "kb"]


def test_a_damaged_catalog_does_not_stop_a_restore(backup: Path, store: PolicyStore) -> None:
    store.close()
    (store.folder / "catalog.sqlite3").write_bytes(b"x" * 5000)
    assert restore(backup, store.folder, force=True) is not None
    PolicyStore(store.folder).close()


Change = Callable[[dict[str, bytes], dict[str, Any]], None]


def altered(file: Path, change: Change) -> Path:
    """A backup with other members, or another manifest."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members.pop("manifest.json"))
    change(members, about)
    made = file.with_name("altered.zip")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(about))
    return made


def listed(name: str) -> Change:
    """Another member, which the manifest lists."""

    def change(members: dict[str, bytes], about: dict[str, Any]) -> None:
        members[name] = b"x"
        about["members"][name] = {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}

    return change


def flipped(members: dict[str, bytes], _: dict[str, Any]) -> None:
    members["catalog.sqlite3"] = members["catalog.sqlite3"][:-1] + b"?"


def longer(members: dict[str, bytes], _: dict[str, Any]) -> None:
    members["catalog.sqlite3"] += bytes(10**6)


def other_catalog(members: dict[str, bytes], about: dict[str, Any]) -> None:
    members["catalog.sqlite3"] = bytes(5000)
    about["members"]["catalog.sqlite3"] = {"sha256": hashlib.sha256(bytes(5000)).hexdigest(), "size": 5000}


def with_trigger(members: dict[str, bytes], about: dict[str, Any]) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.deserialize(members["catalog.sqlite3"][:18] + b"\1\1" + members["catalog.sqlite3"][20:])
        connection.execute("CREATE TRIGGER gone AFTER INSERT ON answers BEGIN DELETE FROM documents; END")
        connection.commit()
        members["catalog.sqlite3"] = connection.serialize()
    connection.close()
    digest = hashlib.sha256(members["catalog.sqlite3"]).hexdigest()
    about["members"]["catalog.sqlite3"] = {"sha256": digest, "size": len(members["catalog.sqlite3"])}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(listed("../evil.txt"), "does not hold", id="a path upwards"),
        pytest.param(listed("/tmp/evil.txt"), "does not hold", id="an absolute path"),
        pytest.param(listed("files/../../evil.txt"), "does not hold", id="a path through the folder"),
        pytest.param(listed("files\\" + "0" * 64), "does not hold", id="a backslash"),
        pytest.param(listed("index/1/index_metadata.pickle"), "does not hold", id="a pickle"),
        pytest.param(listed("files/" + "A" * 64), "does not hold", id="no digest"),
        pytest.param(lambda members, _: members.update({"extra": b"x"}), "does not hold", id="not listed"),
        pytest.param(lambda members, _: members.pop("files/" + DIGEST), "does not hold", id="missing"),
        pytest.param(flipped, "damaged", id="another sum"),
        pytest.param(longer, "does not hold", id="another size"),
        pytest.param(other_catalog, "catalog", id="no catalog"),
        pytest.param(with_trigger, "gone", id="a trigger"),
        pytest.param(lambda _, about: about.update(documents=99), "does not hold", id="other counts"),
        pytest.param(lambda _, about: about.update(format=2), "newer version", id="a later format"),
        pytest.param(lambda _, about: about.update(schema=99), "newer version", id="a later catalog"),
        pytest.param(lambda _, about: about.update(members=[]), "cannot be read", id="no members"),
        pytest.param(lambda _, about: about.pop("revision"), "cannot be read", id="no revision"),
        pytest.param(
            lambda _, about: about["members"]["catalog.sqlite3"].update(size=10**15), "does not hold", id="huge"
        ),
    ],
)
def test_an_altered_archive_is_refused_and_nothing_is_written(
    backup: Path, store: PolicyStore, tmp_path: Path, change: Change, words: str
) -> None:
    file = altered(backup, change)
    store.close()
    with pytest.raises(StoreError, match=words):
        restore(file, store.folder, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["altered.zip", "b.zip", "kb"]
    again = PolicyStore(store.folder)
    assert len(again.catalog.records()) == 2
    again.close()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(backup: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr("catalog.sqlite3", b"x")
    with pytest.raises(StoreError, match="twice"):
        restore(backup, tmp_path / "again")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_part_of_an_archive_is_no_backup(backup: Path, tmp_path: Path, share: float) -> None:
    data = backup.read_bytes()
    backup.write_bytes(data[: int(share * len(data))])
    with pytest.raises(StoreError, match="no backup"):
        restore(backup, tmp_path / "again")
    with pytest.raises(StoreError, match="cannot be read"):
        restore(tmp_path / "nothing.zip", tmp_path / "again")


def test_a_link_in_an_archive_is_never_made(backup: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(backup) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, data)
    restore(tmp_path / "link.zip", tmp_path / "again")
    assert not any(path.is_symlink() for path in (tmp_path / "again").rglob("*"))


def test_a_bomb_is_read_no_further_than_it_says(backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that states 1,000 bytes for what unpacks to 50 MB."""

    def small(members: dict[str, bytes], about: dict[str, Any]) -> None:
        members["catalog.sqlite3"] = bytes(50_000_000)
        about["members"]["catalog.sqlite3"] = {"sha256": hashlib.sha256(bytes(1000)).hexdigest(), "size": 1000}

    with monkeypatch.context() as patched:
        close = zipfile.ZipFile.close

        def lying(archive: zipfile.ZipFile) -> None:
            for entry in archive.infolist():
                if entry.file_size == 50_000_000:
                    entry.file_size = 1000
            close(archive)

        patched.setattr(zipfile.ZipFile, "close", lying)
        bomb = altered(backup, small)
    read = 0
    whole = zipfile.ZipExtFile.read

    def counted(member: zipfile.ZipExtFile, size: int = -1) -> bytes:
        nonlocal read
        block = whole(member, size)
        read += len(block)
        return block

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    with pytest.raises(StoreError, match="no backup, or a damaged one"):
        restore(bomb, tmp_path / "again")
    assert read < 10_000
