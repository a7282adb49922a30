"""The laws go in over a Ray cluster as they do on one machine, though a node is lost half-way; and how fast. `make accept`."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingest import Report, ingest_paths
from tests.acceptance.seeds import SHARED, needs_seeds
from tests.services.ray_cluster import ENVIRONMENT, cluster

pytestmark = [*needs_seeds, pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install 'zhice[ray]'")]

# For the rates every so many of the laws: some 10,000 passages.
SOME = 20
# Files at the beginning that are not timed: the workers start with them.
WARM = 40
CATALOG = (
    "SELECT d.document_id, d.key, d.source, d.version, v.sha256, v.text, v.layout, v.metadata "
    "FROM documents d JOIN versions v USING (document_id) ORDER BY 1, 4",
    'SELECT passage_id, document_id, version, position, start, "end", section, page, kind, context, clauses, vector '
    "FROM passages ORDER BY passage_id",
    "SELECT rowid, body, section, title FROM passages_text ORDER BY rowid",
)


@pytest.fixture(autouse=True)
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def laws(folder: Path, every: int = 1) -> Path:
    """The laws as files of Markdown."""
    folder.mkdir()
    with gzip.open(SHARED / "data" / "train" / "laws.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % every == 0:
                (folder / f"{number:05}.md").write_text(json.loads(line)["text"], encoding="utf-8")
    return folder


def same(one: Path, other: Path) -> bool:
    """Whether two catalogs hold the same documents, texts, offsets, vectors and index terms."""
    first, second = (sqlite3.connect(folder / "catalog.sqlite3") for folder in (one, other))
    try:
        return all(
            all(a == b for a, b in zip(first.execute(query), second.execute(query), strict=True)) for query in CATALOG
        )
    finally:
        first.close()
        second.close()


def timed(folder: Path, data: Path, ray: str | None = None) -> tuple[Report, float]:
    """A report, and the documents a second once the workers are there."""
    moments: list[float] = []
    report = ingest_paths([folder], data_dir=data, ray=ray, progress=lambda *_: moments.append(time.perf_counter()))
    return report, (len(moments) - 1 - WARM) / (moments[-1] - moments[WARM])


def without_seconds(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in Report.__slots__ if name != "seconds"}


def test_all_laws_are_the_same_though_a_node_is_lost_half_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = laws(tmp_path / "laws")
    here = ingest_paths([folder], data_dir=tmp_path / "here")
    with cluster(2) as nodes:
        lost: list[int] = []

        def progress(done: int, total: int, _: str) -> None:
            if done > total // 2 and not lost:
                lost.append(done)
                nodes.kill_node()

        there = ingest_paths([folder], data_dir=tmp_path / "there", ray=nodes.address, progress=progress)
    assert len(lost) == 1
    assert without_seconds(there) == without_seconds(here)
    assert here.added > 3000
    assert same(tmp_path / "here", tmp_path / "there")
    with capsys.disabled():
        print(
            f"\n{here.added:,} laws, {here.passages:,} passages: {here.seconds:.0f} s on this machine, "
            f"{there.seconds:.0f} s on two nodes of which one was lost after {lost[0]:,}"
        )


def test_how_fast_workers_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = laws(tmp_path / "laws", SOME)
    rates = {"this machine": timed(folder, tmp_path / "here")[1]}
    for workers in (1, 2):
        with cluster(workers) as nodes:
            data = tmp_path / f"there-{workers}"
            rates[f"{workers} worker" + "s" * (workers > 1)] = timed(folder, data, nodes.address)[1]
            assert same(tmp_path / "here", data)
    with capsys.disabled():
        print(
            f"\nDocuments a second on {os.cpu_count()} cores, which the command shares:",
            *(f"{name} {rate:.1f}" for name, rate in rates.items()),
            *(f"{b} to {a} {rates[b] / rates[a]:.2f}" for a, b in pairwise(rates)),
            sep="\n  ",
        )
    # Two workers, a reader for each, and the one who stores share the cores there are; they must not stand in each
    # other's way.
    assert rates["2 workers"] > 0.8 * rates["1 worker"]
