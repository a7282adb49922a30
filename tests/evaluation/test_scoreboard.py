"""The scoreboard: its lines in their quick forms, and how results are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.scoreboard import Line, __main__, damage, model, report, writers
from evaluation.scoreboard.__main__ import LINES, main
from evaluation.scoreboard.report import Results
from vectorstore.errors import StoreError


@pytest.mark.parametrize("line", [damage, writers, model])
def test_the_quick_form_passes(line: object, tmp_path: Path) -> None:
    measured = line.run(tmp_path, quick=True)  # type: ignore[attr-defined]
    assert measured.passed, measured.figure


def test_a_shelf_that_loses_a_document_is_a_difference(tmp_path: Path) -> None:
    shelf = model.Shelf(tmp_path / "kb")
    shelf.put("政策1.txt")
    shelf.compare()
    shelf.texts["政策2.txt"] = "第1条 没有存过。"
    with pytest.raises(AssertionError, match="政策2"):
        shelf.compare()
    shelf.close()


@pytest.mark.parametrize("statement", [1, 5, 9, 14])
def test_a_crash_leaves_all_or_nothing(tmp_path: Path, statement: int) -> None:
    shelf = model.Shelf(tmp_path / "kb")
    shelf.put("政策1.txt")
    shelf.crash("政策1.txt", statement, removing=False)
    shelf.compare()
    assert shelf.crashes == 1
    shelf.close()


@pytest.fixture
def commit(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commit that is checked out, to be set."""
    at = ["abc1234"]
    monkeypatch.setattr(__main__, "commit", lambda: at[0])
    return at


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """The lines that are run; line 3 fails, line 5 is skipped."""
    numbers: list[tuple[int, bool]] = []

    def run(number: int, *, quick: bool) -> Line:
        numbers.append((number, quick))
        return Line(number, "a test", "a | way", "1 of 1", number not in (3, 5), 1.0, "no fork" if number == 5 else "")

    monkeypatch.setattr(__main__, "_run", run)
    return numbers


def test_a_line_with_a_result_at_this_commit_is_not_run_again(
    tmp_path: Path, commit: list[str], ran: list[tuple[int, bool]]
) -> None:
    out = ["--out", str(tmp_path / "r.json")]
    assert main([*out, "--only", "1"]) == 0
    assert main([*out]) == 1  # line 3
    assert ran == [(number, False) for number in LINES]
    commit[0] = "def5678"
    assert main([*out, "--only", "1"]) == 0
    commit[0] = "def5678+"  # changed code has no results
    for _ in range(2):
        main([*out, "--only", "2"])
    assert ran[len(LINES) :] == [(1, False), (2, False), (2, False)]


@pytest.mark.usefixtures("commit")
def test_a_quick_result_does_not_stand_for_a_full_one(tmp_path: Path, ran: list[tuple[int, bool]]) -> None:
    out = ["--out", str(tmp_path / "r.json"), "--only", "1"]
    for form in (["--quick"], ["--quick"], [], ["--quick"], ["--again"]):
        main([*out, *form])
    assert ran == [(1, True), (1, False), (1, False)]


@pytest.mark.usefixtures("commit", "ran")
def test_the_page_has_a_row_a_line(tmp_path: Path) -> None:
    main(["--out", str(tmp_path / "r.json")])
    rows = (tmp_path / "r.md").read_text(encoding="utf-8").splitlines()[-len(LINES) :]
    assert [row.split(" | ")[0] for row in rows] == [f"| {number}" for number in LINES]
    assert all(row.count("|") == 7 for row in rows)
    assert "**failed**" in rows[2]
    assert "skipped: no fork" in rows[4]
    assert "abc1234" in rows[0]


def test_what_a_line_did_not_expect_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: list[str]
) -> None:
    def broken(*_: object, **__: object) -> Line:
        raise StoreError("no room")

    monkeypatch.setattr(model, "run", broken)
    assert main(["--out", str(tmp_path / "r.json"), "--only", "5"]) == 1
    assert not Results(tmp_path / "r.json").has(5, "other", quick=True)
    assert "no room" in (tmp_path / "r.md").read_text(encoding="utf-8")


def test_the_commit_is_named() -> None:
    assert report.commit()
