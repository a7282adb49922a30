"""The parts over tiny sets, with a stand-in for every system that is not ours."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant import Assistant
from training.bench import ours, parts, ranking, sets, speed
from training.bench.child import ChildFailed, Outcome, run_fresh
from training.bench.parts import Workspace
from vectorstore.encoder import load_encoder
from vectorstore.store import PolicyStore


@pytest.fixture
def work(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    def here(function: Callable[..., Any], *arguments: Any) -> Outcome[Any]:
        return Outcome(function(*arguments), 1.0)

    def model() -> Callable[[Sequence[str]], NDArray[np.float32]]:
        return load_encoder().encode

    monkeypatch.setattr(parts, "run_fresh", here)
    monkeypatch.setattr(ranking, "jieba_words", list)
    monkeypatch.setattr(ranking, "load_model", model)
    monkeypatch.setattr(ranking, "recursive_splitter", lambda: lambda text: text.split("\n\n"))
    return Workspace(shared, tmp_path / "work")


def test_a_function_runs_in_a_process_of_its_own() -> None:
    done = run_fresh(os.getpid)
    assert done.value != os.getpid()
    assert done.peak_mib > 1


def test_a_failed_child_says_why() -> None:
    with pytest.raises(ChildFailed, match="ZeroDivisionError"):
        run_fresh(operator.truediv, 1, 0)
    with pytest.raises(ChildFailed, match="exit code 3"):
        run_fresh(os._exit, 3)


def test_paragraphs_are_found_by_every_system(work: Workspace) -> None:
    found = parts.xquad(work)
    assert (found["passages"], found["questions"], found["groups"]) == (2, 4, {"zh": 2, "en": 2})
    assert [found["systems"][name]["zh"]["hit@1"] for name in ranking.SYSTEMS] == [1.0] * 4
    assert parts.cmrc(work)["systems"]["ours"]["all"]["hit@1"] == 1.0


def test_seeds_are_found_and_answered(work: Workspace) -> None:
    found = parts.seeds(work)
    assert found["systems"]["ours"]["all"]["hit@4"] == 1.0
    assert found["answers"]["questions"] == found["decision"]["questions"] == 4
    assert found["answers"]["refused_rightly"] == 1


def test_laws_are_found_and_cited(work: Workspace) -> None:
    found = parts.laws(work)
    assert (found["passages"], found["distinct_passages"], found["questions"]) == (4, 3, 2)
    assert found["systems"]["ours"]["all"]["recall@10"] == 1.0
    assert "tutorial" not in found["systems"]
    assert 0 <= found["systems"]["ours"]["auc"] <= 1
    assert found["decision"]["answerable"] == 2
    assert work.law_ingest["passages"] == 4


def test_a_system_that_fails_leaves_the_others(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no weights")

    monkeypatch.setattr(ranking, "load_model", broken)
    found = parts.cmrc(work)["systems"]
    assert found["tutorial"] == {"error": "no weights"}
    assert found["ours"]["all"]["hit@1"] == 1.0


def test_a_citation_counts_where_it_stands(tmp_path: Path, shared: Path) -> None:
    ours.fill(tmp_path / "kb", sets.documents(sets.laws(shared).passages))
    with Assistant(PolicyStore(tmp_path / "kb")) as assistant:
        answer = assistant.ask("园区内可以焚烧垃圾吗？")
        assert ours.cites(assistant, answer, ["园区内禁止焚烧垃圾。"])
        assert not ours.cites(assistant, answer, ["养犬应当登记。"])
        assert not ours.cites(assistant, replace(answer, citations=()), ["园区内禁止焚烧垃圾。"])


def test_one_text_has_one_place(tmp_path: Path, shared: Path) -> None:
    ours.fill(tmp_path / "kb", sets.documents(sets.laws(shared).passages))
    system = ours.Ours(tmp_path / "kb")
    texts = [text for text, _ in system.search("焚烧垃圾", 10)]
    system.assistant.close()
    assert texts.count("园区内禁止焚烧垃圾。") == 1


def test_speed_is_measured_over_the_first_articles(tmp_path: Path, shared: Path) -> None:
    row = speed.ingest_ours(tmp_path / "kb", shared, 3)
    assert row["passages"] == 3
    served = speed.serve_ours(tmp_path / "kb", ["养犬要登记吗？"], use_index=False)
    assert 0 < served["query_ms"]["p50"] <= served["query_ms"]["p95"]
    assert speed.write_policies(shared, tmp_path / "files", 2) == 1
    taken = speed.pipeline_ours(tmp_path / "files", tmp_path / "kb2")
    assert (taken["files"], taken["again_unchanged"], taken["failed"]) == (1, 1, 0)


def test_a_cold_start_without_an_answer_is_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "STARTS", 1)
    assert speed._cold_start(["echo", "answer"])["seconds"] >= 0
    with pytest.raises(RuntimeError, match="gave no answer"):
        speed._cold_start(["true"])


def test_ratios_are_against_the_nearest_size_and_the_largest() -> None:
    def row(passages: int, figure: float) -> dict[str, Any]:
        return {
            "passages": passages, "passages_per_second": figure, "passages_per_second_with_index": figure / 2,
            "cold_start": {"seconds": figure}, "query_ms": {"p50": figure}, "peak_mib": figure,
        }  # fmt: skip

    found = parts.ratios([row(1, 9.0), row(2, 4.0), row(100, 8.0)], [row(1, 1.0), row(2, 2.0)])
    assert found == {
        "ingest_same": 2.0, "ingest_with_index_same": 1.0, "cold_start_same": 0.5, "cold_start_largest": 0.25,
        "query_p50_same": 0.5, "query_p50_largest": 0.25, "memory_same": 0.5, "memory_largest": 0.25,
    }  # fmt: skip
