from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import ingest_paths
from ingest.errors import UnreadableDocument
from ingest.isolation import IsolatedReader
from ingest.pipeline import Report, ingest_again, ingest_into, ingest_samples, ingest_upload
from ingest.readers import MAX_BYTES
from tests.conftest import PARK, TALENT
from vectorstore.store import PolicyStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    policies = tmp_path / "policies"
    (policies / "deep").mkdir(parents=True)
    (policies / "park.txt").write_text(PARK, encoding="utf-8")
    (policies / "deep" / "talent.txt").write_text(TALENT, encoding="gb18030")
    return policies


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedReader]:
    with IsolatedReader() as reading:
        yield reading


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed


def test_a_folder_goes_in_with_all_below_it(tmp_path: Path, folder: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    report = ingest_paths([folder], data_dir=tmp_path / "kb", progress=lambda *step: seen.append(step))
    assert counts(report) == (2, 0, 0, 0)
    assert report.failed == []
    assert report.passages > 5
    assert report.seconds > 0
    assert seen == [(0, 2, "talent.txt"), (1, 2, "park.txt")]


def test_the_same_again_is_unchanged_and_a_change_is_a_new_version(tmp_path: Path, folder: Path) -> None:
    ingest_paths([folder], data_dir=tmp_path / "kb")
    assert counts(ingest_paths([folder], data_dir=tmp_path / "kb")) == (0, 0, 2, 0)
    (folder / "park.txt").write_text(PARK.replace("3000", "3300"), encoding="utf-8")
    assert counts(ingest_paths([folder], data_dir=tmp_path / "kb")) == (0, 1, 1, 0)


def test_a_copy_is_unchanged_and_a_moved_file_keeps_its_document(store: PolicyStore, folder: Path) -> None:
    ingest_into(store, [folder])
    before = {record.document_id for record in store.catalog.records()}
    (folder / "copy.txt").write_text(PARK, encoding="utf-8")
    assert counts(ingest_into(store, [folder])) == (0, 0, 3, 0)
    (folder / "park.txt").unlink()
    assert counts(ingest_into(store, [folder], prune=True)) == (0, 0, 2, 0)
    assert {record.document_id for record in store.catalog.records()} == before


def test_a_vanished_file_is_removed_only_when_asked(store: PolicyStore, folder: Path) -> None:
    ingest_into(store, [folder])
    (folder / "park.txt").unlink()
    assert counts(ingest_into(store, [folder])) == (0, 0, 1, 0)
    assert counts(ingest_into(store, [folder], prune=True)) == (0, 0, 1, 1)
    assert [record.source for record in store.catalog.records()] == ["talent.txt"]


def test_one_bad_file_is_reported_and_the_others_go_in(store: PolicyStore, folder: Path) -> None:
    (folder / "empty.txt").write_bytes(b"")
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 40)
    with (folder / "huge.txt").open("wb") as huge:
        huge.truncate(200 * 2**20)
    report = ingest_into(store, [folder, folder / "missing.txt"])
    assert report.added == 2
    reasons = {Path(file).name: reason for file, reason in report.failed}
    assert reasons.keys() == {"empty.txt", "noise.bin", "huge.txt", "missing.txt"}
    assert "200 MiB" in reasons["huge.txt"]
    assert f"{MAX_BYTES // 2**20} MiB" in reasons["huge.txt"]
    assert "no such file" in reasons["missing.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_reported(store: PolicyStore, folder: Path) -> None:
    (folder / "park.txt").chmod(0)
    report = ingest_into(store, [folder])
    assert [Path(file).name for file, _ in report.failed] == ["park.txt"]


def test_hidden_files_stay_out(store: PolicyStore, folder: Path) -> None:
    (folder / ".cache").mkdir()
    (folder / ".cache" / "park.txt").write_text(PARK + "又", encoding="utf-8")
    assert ingest_into(store, [folder]).added == 2


def test_an_upload_can_be_read_again(store: PolicyStore, folder: Path, reader: IsolatedReader) -> None:
    park = folder / "park.txt"
    (taken,) = ingest_upload(store, "park.txt", park.read_bytes(), reader)
    assert (taken.file, taken.outcome) == ("park.txt", "added")
    assert store.catalog.record(taken.document_id).source == "park.txt"
    same = replace(taken, outcome="unchanged")
    assert ingest_upload(store, "park.txt", park.read_bytes(), reader) == [same]
    assert ingest_again(store, taken.document_id, reader) == "unchanged"
    park.write_text(PARK.replace("3000", "1"), encoding="utf-8")
    changed = ingest_upload(store, "park.txt", park.read_bytes(), reader)
    assert changed == [replace(taken, outcome="updated")]


def test_reading_again_a_file_that_is_gone_changes_nothing(
    store: PolicyStore, folder: Path, reader: IsolatedReader
) -> None:
    ingest_into(store, [folder / "park.txt"])
    (record,) = store.catalog.records()
    (folder / "park.txt").unlink()
    with pytest.raises(UnreadableDocument, match="cannot be opened"):
        ingest_again(store, record.document_id, reader)
    assert store.catalog.records() == [record]


def test_samples_go_in_only_where_there_is_nothing_else(store: PolicyStore, folder: Path) -> None:
    assert ingest_samples(store).added >= 6
    assert {record.collection for record in store.catalog.records()} == {"samples"}
    assert counts(ingest_samples(store))[:2] == (0, 0)
    ingest_into(store, [folder])
    assert ingest_samples(store).added == 0
    assert {record.collection for record in store.catalog.records()} == {"own"}


def test_a_link_that_leads_out_of_its_folder_is_not_followed(store: PolicyStore, tmp_path: Path) -> None:
    folder, outside = tmp_path / "policies", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret.txt").write_text("第一条 对金丝雀项目给予99万元奖励。", encoding="utf-8")
    (folder / "policy.txt").write_text("第一条 对示范项目给予98万元奖励。", encoding="utf-8")
    for link, target in {
        "out.txt": outside / "secret.txt",
        "folder": outside,
        "policy.txt.yaml": outside / "secret.txt",
        "inside.txt": folder / "policy.txt",
    }.items():
        (folder / link).symlink_to(target)
    report = ingest_into(store, [folder])
    assert {(Path(file).name, "leads out" in reason) for file, reason in report.failed} == {
        ("out.txt", True),
        ("policy.txt.yaml", True),
    }
    assert all("金丝雀" not in store.text(record.document_id, record.version) for record in store.catalog.records())
    linked = tmp_path / "linked"
    linked.symlink_to(folder)  # what was named itself may be a link
    assert ingest_into(store, [linked, folder / "out.txt"]).added == 1
