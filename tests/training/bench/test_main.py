"""The run as a whole: what is kept, and the page made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from training.bench import charts, parts, report
from training.bench.__main__ import errors, main

SHARES = {"hit@1": 0.5, "hit@4": 0.75, "hit@10": 1.0, "recall@10": 0.8, "recall@100": 0.9}
DECISION = {
    "questions": 4, "answerable": 3, "answered": 3, "answered_right": 2, "area": 0.2, "cost_as_shipped": 1.5,
    "cost_best": 1.0, "best_threshold": None, "curve": [[0.25, 0.0], [1.0, 0.5]],
}  # fmt: skip
ROW = {
    "passages": 2000, "passages_per_second": 12.5, "cold_start": {"seconds": 20.0}, "query_ms": {"p50": 30.0, "p95": 40.0},
    "peak_mib": 900, "size_mib": 9.5,
}  # fmt: skip
OURS = ROW | {
    "passages_per_second": 2500, "index_seconds": 1.0, "answer_ms": {"p50": 60.0, "p95": 90.0}, "one_call": ROW,
    "passages_per_second_with_index": 1250,
}  # fmt: skip


def results() -> dict[str, Any]:
    systems = {name: dict.fromkeys(("all", "zh", "en", "unseen"), SHARES) | {"auc": 0.75} for name in report.LABELS}
    without = {name: figures for name, figures in systems.items() if name != "tutorial"}
    counts = {"passages": 100, "questions": 10, "groups": {"zh": 5, "en": 5, "unseen": 4, "unanswerable": 4}}
    answers = {"questions": 4, "answerable": 3, "answered_right": 2, "refused_rightly": 1, "quotes_exact": 4}
    return {
        "seeds": counts | {"systems": systems, "answers": answers, "decision": DECISION},
        "xquad": counts | {"systems": systems | {"bm25": {"error": "no jieba"}}},
        "cmrc": counts | {"systems": systems},
        "laws": counts | {"systems": without, "decision": DECISION, "distinct_passages": 90},
        "speed": {
            "ours": [OURS],
            "tutorial": [ROW, {"error": "out of memory"}],
            "pipeline": {
                "files": 3,
                "failed": 0,
                "passages": 90,
                "files_per_second": 40,
                "passages_per_second": 500,
                "peak_mib": 280,
                "reader_peak_mib": 120,
                "again_seconds": 0.2,
                "again_share": 0.01,
            },
            "ratios": parts.ratios([OURS], [ROW]),
        },
    }


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, shared: Path) -> Path:
    for name, part in results().items():
        monkeypatch.setitem(parts.PARTS, name, lambda _, part=part: part)
    return shared


def test_without_the_data_sets_it_skips_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--shared", str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out.startswith("skipped: ")


def test_a_run_keeps_its_figures_and_writes_the_page(measured: Path, tmp_path: Path) -> None:
    assert main(["--shared", str(measured), "--output", str(tmp_path)]) == 1  # BM25 and one row failed
    kept = json.loads((tmp_path / "evaluation" / "results" / "benchmarks.json").read_text(encoding="utf-8"))
    assert set(kept) >= {"commit", "date", "python", "cpus", "parts", "seconds"}
    assert kept["parts"]["speed"]["ratios"]["ingest_same"] == 200
    page = (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "| Zhice | 0.500 | 0.800 | 0.900 |" in page
    assert "| tutorial stack | - | 0.750 |" in page
    assert "| Zhice | 2,000 | 20.0 | 2,500 | 1.00 | 30.0 / 40.0 | 60.0 / 90.0 | 900 | 9.50 |" in page
    assert "out of memory" not in page
    assert "\n\n\n\n" not in page
    for picture in page.split("](images/")[1:]:
        ElementTree.parse(tmp_path / "docs" / "images" / picture.split(")")[0])
    assert page.count("](images/") == 6


def test_a_part_that_fails_loses_no_other(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: parts.Workspace) -> dict[str, Any]:
        raise ValueError("a bad day")

    for name in ("laws", "speed", "seeds"):
        monkeypatch.setitem(parts.PARTS, name, broken)
    assert main(["--shared", str(measured), "--output", str(tmp_path)]) == 1
    kept = json.loads((tmp_path / "evaluation" / "results" / "benchmarks.json").read_text(encoding="utf-8"))
    assert kept["parts"]["laws"]["error"] == "a bad day"
    assert kept["parts"]["cmrc"]["questions"] == 10
    assert "### CMRC 2018" in (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "not measured: laws: a bad day" in capsys.readouterr().err


def test_one_part_alone(measured: Path, tmp_path: Path) -> None:
    assert main(["--shared", str(measured), "--only", "cmrc", "--output", str(tmp_path)]) == 0
    assert main(["--render", "--output", str(tmp_path)]) == 0
    assert "XQuAD" not in (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8").split("## Knowing")[0]


def test_errors_are_found_wherever_they_stand() -> None:
    found = errors({"cmrc": {"systems": {"bm25": {"error": "x"}}}, "speed": {"ours": [{}, {"error": "y"}]}})
    assert found == ["cmrc.systems.bm25: x", "speed.ours.1: y"]


def test_charts_are_well_formed_and_say_what_is_missing() -> None:
    drawn = charts.columns("A < B", ["one", "two"], {"ours": [0.25, None], "bm25": [1.0, 0.5]})
    root = ElementTree.fromstring(drawn)
    texts = [element.text for element in root.iter() if element.text]
    assert {"A < B", ".25", "-", "Zhice", "one"} <= set(texts)
    bars = charts.rows("Time", [("a", "ours", 1.0), ("b", "tutorial", 1000.0)], unit="ms")
    assert "1,000 ms" in bars
    assert charts.rows("Time", [("a", "ours", 5.0)], unit="ms")
