"""Corrections in a file beside a document, and archives of documents, through a whole ingest."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from ingest.pipeline import ingest_into
from tests.conftest import PARK, TALENT
from vectorstore.store import PolicyStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "park.txt").write_text(PARK, encoding="utf-8")
    return tmp_path / "policies"


def only(store: PolicyStore) -> dict[str, str | None]:
    (record,) = store.catalog.records()
    metadata = record.metadata
    return {"title": metadata.title, "issuer": metadata.issuer, "valid_until": metadata.valid_until}


@pytest.mark.parametrize("name", ["park.txt.yaml", "park.yaml", "park.txt.yml"])
def test_a_sidecar_corrects_fields_and_is_no_document(store: PolicyStore, folder: Path, name: str) -> None:
    (folder / name).write_text("issuer: 海州市工业和信息化局\nvalid_until: 2030-12-31\n", encoding="utf-8")
    report = ingest_into(store, [folder])
    assert (report.added, report.failed) == (1, [])
    assert only(store) == {
        "title": "海州市产业园区运营机构奖励办法",
        "issuer": "海州市工业和信息化局",
        "valid_until": "2030-12-31",
    }


def test_a_changed_sidecar_is_taken_over_and_a_removed_one_is_undone(store: PolicyStore, folder: Path) -> None:
    sidecar = folder / "park.txt.yaml"
    ingest_into(store, [folder])
    assert only(store)["valid_until"] == "2029-02-28"
    sidecar.write_text("valid_until:\n", encoding="utf-8")
    assert ingest_into(store, [folder]).updated == 1
    assert only(store)["valid_until"] is None
    assert ingest_into(store, [folder]).unchanged == 1
    sidecar.unlink()
    assert ingest_into(store, [folder]).updated == 1
    assert only(store)["valid_until"] == "2029-02-28"


def test_corrections_survive_a_new_version(store: PolicyStore, folder: Path) -> None:
    ingest_into(store, [folder])
    (record,) = store.catalog.records()
    store.correct(record.document_id, {"issuer": "海州市某局"})
    (folder / "park.txt").write_text(PARK.replace("3000", "3300"), encoding="utf-8")
    (folder / "park.txt.yaml").write_text("issuer: 海州市别局\ntitle: 海州市园区奖励\n", encoding="utf-8")
    ingest_into(store, [folder])
    (record,) = store.catalog.records()
    assert record.version == 2
    # What was set at the desk goes before the file.
    assert only(store) == {"title": "海州市园区奖励", "issuer": "海州市某局", "valid_until": "2029-02-28"}
    store.correct(record.document_id, {})
    assert only(store)["issuer"] == "海州市别局"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("issuer: [1, 2]\n", "issuer"),
        ("valid_until: soon\n", "valid_until"),
        ("publisher: 海州市某局\n", "publisher"),
        ("- a\n- b\n", "no fields"),
        ("a: b: c\n", "no valid YAML"),
        ("!!python/object/apply:os.system ['true']\n", "no valid YAML"),
        ("valid_from: 2026-01-01\nvalid_until: 2025-01-01\n", "before it begins"),
    ],
)
def test_a_bad_sidecar_is_reported_and_the_document_goes_in(
    store: PolicyStore, folder: Path, content: str, reason: str
) -> None:
    (folder / "park.txt.yaml").write_text(content, encoding="utf-8")
    report = ingest_into(store, [folder])
    assert report.added == 1
    assert [Path(file).name for file, _ in report.failed] == ["park.txt.yaml"]
    assert reason in report.failed[0][1]


def test_a_sidecar_of_nothing_is_reported(store: PolicyStore, folder: Path) -> None:
    (folder / "gone.txt.yaml").write_text("title: 甲\n", encoding="utf-8")
    assert [Path(file).name for file, _ in ingest_into(store, [folder]).failed] == ["gone.txt.yaml"]


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return packed.getvalue()


def test_the_documents_of_an_archive_go_in_and_out_with_it(store: PolicyStore, folder: Path) -> None:
    (folder / "park.txt").unlink()
    archive = folder / "all.zip"
    archive.write_bytes(zipped(park__txt=PARK, talent__txt=TALENT, empty__txt=""))
    report = ingest_into(store, [folder])
    assert report.added == 2
    assert [Path(file).name for file, _ in report.failed] == ["empty.txt"]
    assert {record.source for record in store.catalog.records()} == {"park.txt", "talent.txt"}
    archive.write_bytes(zipped(talent__txt=TALENT))
    assert ingest_into(store, [folder]).removed == 0
    assert ingest_into(store, [folder], prune=True).removed == 1
    assert [record.source for record in store.catalog.records()] == ["talent.txt"]


def test_an_archive_that_cannot_be_opened_removes_nothing(store: PolicyStore, folder: Path) -> None:
    (folder / "park.txt").unlink()
    archive = folder / "all.zip"
    archive.write_bytes(zipped(talent__txt=TALENT))
    ingest_into(store, [folder])
    archive.write_bytes(archive.read_bytes()[:60])
    report = ingest_into(store, [folder], prune=True)
    assert report.removed == 0
    assert len(report.failed) == 1
    assert len(store.catalog.records()) == 1
