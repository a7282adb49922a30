"""Files are read ahead of the one that is stored, within bounds, and whatever they are read by gives the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

import app
import ingest.cluster.reader
from ingest.isolation import PageProgress
from ingest.pipeline import ingest_into
from ingest.preparing import prepare
from ingest.reading import Read
from vectorstore.store import PolicyStore


class Counting:
    """Reads when it is waited for; keeps the most files and bytes that were begun and not stored."""

    files_ahead = 5
    bytes_ahead = 1000

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.most_files = self.most_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def submit(self, data: bytes, source: str, *, on_page: PageProgress) -> Callable[[], Read]:
        self.begun.append(len(data))
        self.most_files = max(self.most_files, len(self.begun))
        self.most_bytes = max(self.most_bytes, sum(self.begun))

        def read() -> Read:
            self.begun.pop(0)
            return Read(*prepare(data, source))

        return read


@pytest.mark.parametrize(("size", "files", "most"), [(60, 6, 1000), (300, 4, 1300), (3000, 2, 7000)])
def test_files_are_read_ahead_within_bounds(
    store: PolicyStore, tmp_path: Path, size: int, files: int, most: int
) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.txt").write_bytes(f"{number:02} policy ".encode().ljust(size, b"x"))
    reading = Counting()
    assert ingest_into(store, [folder], reading=reading).added == 20
    assert reading.most_files == files
    assert reading.most_bytes <= most


def test_a_file_may_take_over_what_another_held_before(store: PolicyStore, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "a.txt").write_text("The first policy.")
    ingest_into(store, [folder])
    (folder / "a.txt").write_text("The second policy.")
    (folder / "b.txt").write_text("The first policy.")
    report = ingest_into(store, [folder])
    assert (report.updated, report.added, report.failed) == (1, 1, [])
    texts = {record.source: store.text(record.document_id, record.version) for record in store.catalog.records()}
    assert texts == {"a.txt": "The second policy.", "b.txt": "The first policy."}


def test_without_ray_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ingest.cluster.reader, "find_spec", lambda name: None)
    arguments = ["ingest", str(tmp_path), "--data-dir", str(tmp_path / "kb"), "--ray", "auto"]
    assert app.main(arguments) == app.FAILED
    assert "pip install 'zhice[ray]'" in capsys.readouterr().err


def test_watching_does_not_go_with_a_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ingest", str(tmp_path), "--data-dir", str(tmp_path / "kb"), "--ray", "auto", "--watch"]
    assert app.main(arguments) == app.USAGE
    assert "leave out --ray, or --watch" in capsys.readouterr().err
