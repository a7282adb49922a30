"""Ingest on a Ray cluster of two nodes gives what ingest on this machine gives, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import app
import ingest.cluster.reader
from ingest import Report
from ingest import ingest_paths as ingest_with
from ingest.cluster import ClusterReader
from ingest.errors import ClusterUnavailable
from ingest.pipeline import ingest_into
from tests.services.ray_cluster import ENVIRONMENT, Cluster, cluster
from vectorstore.store import PolicyStore

DOCUMENTS = 60
# Everything that is stored of documents, but the times.
TABLES = {
    "documents": "document_id, key, source, collection, version, state",
    "versions": "document_id, version, sha256, text, layout, metadata, as_read",
    "passages": 'passage_id, document_id, version, position, start, "end", section, page, kind, context, clauses, vector',
    "passages_text": "rowid, body, section, title",
    "corrections": "document_id, field, value, origin",
}


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Cluster]:
    with cluster(2) as running:
        yield running


@pytest.fixture(autouse=True)
def on_this_machine(monkeypatch: pytest.MonkeyPatch, tiny_encoder_in_place: None) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    for number in range(DOCUMENTS):
        (folder / f"{number:03}.txt").write_text(policy(number), encoding="utf-8")
    return folder


def policy(number: int, most: int = 10) -> str:
    clauses = "\n\n".join(
        f"第{line}条 对第{number}号项目给予最高{number * most + line}万元奖励。" for line in range(1, 40)
    )
    return f"海州市第{number}号项目奖励办法\n\n{clauses}\n"


def mixed(folder: Path) -> None:
    """Add what is no plain document: unreadable ones, an archive, a sidecar, copies."""
    (folder / "010-damaged.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "020-empty.docx").write_bytes(b"")
    (folder / "005.txt.yaml").write_text("title: 另一个标题\n", encoding="utf-8")
    (folder / "007-copy.txt").write_text(policy(7), encoding="utf-8")
    with zipfile.ZipFile(folder / "030.zip", "w") as archive:
        for number in range(200, 206):
            archive.writestr(f"in/{number}.md", f"# {policy(number)}")
        archive.writestr("in/damaged.pdf", b"%PDF-1.7 and no more")


def changed(folder: Path) -> None:
    """Change, move, swap and remove some."""
    (folder / "003.txt").write_text(policy(3, most=20), encoding="utf-8")
    (folder / "040.txt").rename(folder / "040-moved.txt")
    old = (folder / "050.txt").read_text("utf-8")
    (folder / "050.txt").write_text(policy(50, most=30), encoding="utf-8")
    (folder / "051.txt").write_text(old, encoding="utf-8")
    (folder / "010-damaged.pdf").unlink()
    (folder / "015.txt").unlink()
    (folder / "005.txt.yaml").unlink()


def stored(data: Path) -> dict[str, list[Any]]:
    connection = sqlite3.connect(data / "catalog.sqlite3")
    try:
        return {
            table: connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3").fetchall()
            for table, columns in TABLES.items()
        }
    finally:
        connection.close()


def ingest_paths(*arguments: Any, **options: Any) -> Report:
    """With the tests' encoder, whose vectors are the same in any batch."""
    return ingest_with(*arguments, encoder=os.environ["ZHICE_ENCODER"], **options)


def said(report: Report) -> dict[str, Any]:
    return {name: value for name, value in asdict(report).items() if name != "seconds"}


def at(number: int, deed: Any) -> Any:
    """A progress that does something once, before the file of this number is stored."""
    done = []

    def progress(count: int, total: int, name: str) -> None:
        if count >= number and not done:
            done.append(name)
            deed()

    return progress


def same_as_here(folder: Path, data: Path, report: Report) -> None:
    here = data.with_name("here")
    assert said(ingest_paths([folder], data_dir=here)) == said(report)
    assert stored(data) == stored(here)


def test_the_catalog_is_the_same_row_by_row(folder: Path, tmp_path: Path, two_nodes: Cluster) -> None:
    mixed(folder)
    here, there = tmp_path / "here", tmp_path / "there"
    names: list[str] = []
    first = ingest_paths([folder], data_dir=here, progress=lambda done, total, name: names.append(name))
    told: list[str] = []
    second = ingest_paths(
        [folder], data_dir=there, ray=two_nodes.address, progress=lambda done, total, name: told.append(name)
    )
    assert said(first) == said(second)
    assert (first.added, first.unchanged, len(first.failed)) == (DOCUMENTS + 6, 1, 3)
    assert told == names
    assert stored(there) == stored(here)

    changed(folder)
    first = ingest_paths([folder], data_dir=here, prune=True)
    second = ingest_paths([folder], data_dir=there, prune=True, ray=two_nodes.address)
    assert said(first) == said(second)
    assert (first.added, first.updated, first.removed) == (0, 4, 1)
    assert stored(there) == stored(here)


def test_the_command_reports_as_ever(
    folder: Path, tmp_path: Path, two_nodes: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "010-damaged.pdf").write_bytes(b"%PDF-1.7 and no more")
    arguments = ["ingest", str(folder), "--json", "--data-dir", str(tmp_path / "there"), "--ray", two_nodes.address]
    assert app.main(arguments) == app.FAILED
    report = json.loads(capsys.readouterr().out)
    assert (report["added"], len(report["failed"])) == (DOCUMENTS, 1)


def test_a_node_that_is_lost_costs_no_document(folder: Path, tmp_path: Path, two_nodes: Cluster) -> None:
    mixed(folder)
    try:
        report = ingest_paths(
            [folder], data_dir=tmp_path / "there", ray=two_nodes.address, progress=at(10, two_nodes.kill_node)
        )
    finally:
        two_nodes.add_node()
    same_as_here(folder, tmp_path / "there", report)


def test_a_worker_that_is_killed_costs_no_document(folder: Path, tmp_path: Path, two_nodes: Cluster) -> None:
    def kill() -> None:
        for worker in two_nodes.processes("ray::_Actor"):
            worker.kill()
            killed.append(worker)

    killed: list[Any] = []
    report = ingest_paths([folder], data_dir=tmp_path / "there", ray=two_nodes.address, progress=at(10, kill))
    assert len(killed) == 2
    same_as_here(folder, tmp_path / "there", report)


def test_a_file_that_ends_every_worker_is_given_up_and_the_others_go_in(tmp_path: Path, two_nodes: Cluster) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.txt").write_text(f"echo:policy {number}")
    (folder / "03.txt").write_text("killparent:")
    two_nodes.kill_node()  # so that whatever is next goes to the same workers
    try:
        report = read_with(folder, tmp_path, two_nodes, "tests.services.deadly")
    finally:
        two_nodes.add_node()
    assert [Path(file).name for file, _ in report.failed] == ["03.txt"]
    assert "lost it 4 times" in report.failed[0][1]
    assert report.added == 11


def test_a_file_that_ends_its_reader_fails_at_once_and_the_others_go_in(tmp_path: Path, two_nodes: Cluster) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.txt").write_text(f"echo:policy {number}")
    (folder / "03.txt").write_text("kill:")
    report = read_with(folder, tmp_path, two_nodes, "tests.services.deadly")
    assert [Path(file).name for file, _ in report.failed] == ["03.txt"]
    assert "ended abnormally" in report.failed[0][1]
    assert report.added == 11


def test_recognised_pages_are_told(tmp_path: Path, two_nodes: Cluster) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "scan.txt").write_text("pages:40,0.1")
    names: list[str] = []
    report = read_with(folder, tmp_path, two_nodes, "tests.services.deadly", names)
    assert report.added == 1
    assert any(name.startswith("scan.txt (") and name.endswith("/40)") for name in names), names


def read_with(folder: Path, tmp_path: Path, nodes: Cluster, module: str, names: list[str] | None = None) -> Report:
    store = PolicyStore(tmp_path / "kb")
    reading = ClusterReader(
        nodes.address, encoder=os.environ["ZHICE_ENCODER"], encoder_name=store.encoder.name, module=module
    )
    told = names if names is not None else []
    try:
        return ingest_into(store, [folder], reading=reading, progress=lambda done, total, name: told.append(name))
    finally:
        store.close()


def test_a_cluster_that_is_lost_ends_the_run_and_the_next_one_goes_on(
    folder: Path, tmp_path: Path, two_nodes: Cluster
) -> None:
    data = tmp_path / "there"
    with cluster(1) as other, pytest.raises(ClusterUnavailable) as caught:
        ingest_paths([folder], data_dir=data, ray=other.address, progress=at(10, other.end))
    assert "was lost" in str(caught.value)
    assert "safe" in str(caught.value)
    safe = len(stored(data)["documents"])
    assert 10 <= safe < DOCUMENTS
    report = ingest_paths([folder], data_dir=data, ray=two_nodes.address)
    assert (report.unchanged, report.added) == (safe, DOCUMENTS - safe)
    ingest_paths([folder], data_dir=tmp_path / "here")
    assert stored(data) == stored(tmp_path / "here")


@pytest.mark.parametrize(
    ("of", "value", "words"),
    [("program", "9.9", "install the same version"), ("encoder_name", "another", "ZHICE_ENCODER has to name")],
)
def test_workers_that_are_not_alike_are_refused(
    folder: Path, tmp_path: Path, two_nodes: Cluster, of: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.cluster.reader, "program", lambda: value if of == "program" else "0.1.0")
    store = PolicyStore(tmp_path / "kb")
    name = value if of == "encoder_name" else store.encoder.name
    try:
        with pytest.raises(ClusterUnavailable, match=words):
            ingest_into(store, [folder], reading=ClusterReader(two_nodes.address, encoder=None, encoder_name=name))
        assert store.catalog.records() == []
    finally:
        store.close()


def test_an_address_where_no_cluster_is_ends_in_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ingest.cluster.reader, "_CONNECT_SECONDS", 4.0)
    arguments = ["ingest", str(folder), "--data-dir", str(tmp_path / "there"), "--ray", "127.0.0.1:9"]
    assert app.main(arguments) == app.FAILED
    assert "The Ray cluster 127.0.0.1:9 did not answer within 4 s" in capsys.readouterr().err


def _taking_ctrl_c() -> None:
    """Undo what a script's background job passes on: it ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _begun(data: Path) -> bool:
    """Whether a document is in; before the first there may be a file without tables, or none."""
    try:
        return (data / "catalog.sqlite3").exists() and bool(stored(data)["documents"])
    except sqlite3.OperationalError:
        return False


def test_ctrl_c_ends_it_cleanly(folder: Path, tmp_path: Path, two_nodes: Cluster) -> None:
    for number in range(DOCUMENTS, 500):
        (folder / f"{number:03}.txt").write_text(policy(number), encoding="utf-8")
    data = tmp_path / "there"
    command = [sys.executable, "-c", "import sys, app; sys.exit(app.main())"]
    arguments = ["ingest", str(folder), "--data-dir", str(data), "--ray", two_nodes.address]
    root = str(Path(app.__file__).parent)
    with subprocess.Popen(
        [*command, *arguments], stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root},
        preexec_fn=_taking_ctrl_c,
    ) as running:  # fmt: skip
        deadline = time.monotonic() + 60
        while not _begun(data):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors.strip() == "zhice: stopped; what was reported as done is safe."
    assert 0 < len(stored(data)["documents"]) < 500
    deadline = time.monotonic() + 30
    while two_nodes.processes("ray::_Actor"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
