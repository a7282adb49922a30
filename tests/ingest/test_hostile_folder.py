"""A folder of files made to do harm, among good ones: each is refused with its reason, the good ones go in."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from evaluation.scoreboard.hostile_files import hostile, zipped
from ingest.pipeline import ingest_into
from tests.conftest import PARK, TALENT
from vectorstore.store import PolicyStore

SECONDS = 60.0
MEMORY_MIB = 400


def test_each_is_refused_with_its_reason_and_the_others_go_in(store: PolicyStore, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    files = hostile()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with (folder / "gigabyte.txt").open("wb") as large:
        large.truncate(2**30)
    traversing = zipped({"../../out.txt": PARK.encode(), "/etc/out.txt": TALENT.encode()})
    (folder / "paths.zip").write_bytes(traversing)
    (folder / "zz-good.txt").write_text(PARK.replace("海州", "云川"), encoding="utf-8")
    # What an earlier test began in this process may be there still, such as the tracker of multiprocessing.
    there = psutil.Process().children(recursive=True)
    before, started = psutil.Process().memory_info().rss, time.perf_counter()
    report = ingest_into(store, [folder])
    assert time.perf_counter() - started < SECONDS
    assert psutil.Process().memory_info().rss - before < MEMORY_MIB * 2**20
    reasons = {Path(file).name: reason for file, reason in report.failed}
    assert reasons.keys() == {*files, "gigabyte.txt"}
    assert all(reason.endswith(".") and "Traceback" not in reason for reason in reasons.values())
    assert "1024 MiB" in reasons["gigabyte.txt"]
    assert "10,000 pages" in reasons["pages.pdf"]
    assert "password" in reasons["encrypted.docx"]
    # What was in the archive under paths of elsewhere went in, and nothing was written outside.
    assert {record.source for record in store.catalog.records()} == {"out.txt", "zz-good.txt"}
    assert not list(tmp_path.glob("out.txt"))
    assert [child for child in psutil.Process().children(recursive=True) if child not in there] == []
