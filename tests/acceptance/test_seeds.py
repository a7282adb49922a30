"""Acceptance over the user's five documents, which lie beside the checkout; run by `make accept`."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import Assistant, open_assistant
from evaluation import Summary, evaluate, load_questions, table
from ingest import ingest_paths
from tests.acceptance.seeds import QUESTIONS, SHARED, needs_seeds

pytestmark = needs_seeds


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    data = tmp_path_factory.mktemp("kb")
    report = ingest_paths([SHARED / "seeds"], data_dir=data)
    assert (report.added, report.failed) == (5, [])
    with open_assistant(data_dir=data) as opened:
        yield opened


@pytest.fixture(scope="module")
def summary(assistant: Assistant) -> Summary:
    summary = evaluate(assistant, load_questions(QUESTIONS))
    print("\n" + table(summary))
    return summary


def test_answerable_questions_are_answered_right(summary: Summary) -> None:
    answerable = [scored for scored in summary.scores if scored.gold.answerable]
    assert sum(scored.right for scored in answerable) == 28
    assert len(answerable) == 28


def test_unanswerable_questions_are_refused(summary: Summary) -> None:
    refused = [scored.answer.status for scored in summary.scores if not scored.gold.answerable]
    assert refused == ["not_found"] * 6


def test_every_quote_is_exact(summary: Summary) -> None:
    assert all(scored.exact for scored in summary.scores)
    assert sum(len(scored.answer.citations) for scored in summary.scores) >= 28


def test_the_samples_are_out_of_search(assistant: Assistant, summary: Summary) -> None:
    assert {row["collection"] for row in assistant.documents()} == {"own"}
    assert not any(warning.code == "sample" for scored in summary.scores for warning in scored.answer.warnings)


@pytest.mark.parametrize("question", ["What subsidy does a park manager get?", "园区管理机构每年最高能拿到多少奖补？"])
def test_the_first_question(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert answer.status == "answered"
    assert "5000万元" in answer.text
    if answer.language == "en":
        assert "50 million yuan a year" in answer.text
    else:
        assert "每年" in answer.text
    # The words asked for stand in the question set, which gives them for this question in both languages.
    (gold,) = next(asked.quotes for asked in load_questions(QUESTIONS) if asked.question == question)
    assert gold in [citation.quote for citation in answer.citations]
    (warning,) = [warning for warning in answer.warnings if warning.code == "expired"]
    assert re.search(r"2019.*2021", warning.message)


def test_a_second_ask_starts_in_a_sixth_of_what_importing_the_transformers_takes(tmp_path: Path) -> None:
    environment = os.environ | {"ZHICE_DATA_DIR": str(tmp_path / "kb")}

    def seconds(*command: str) -> float:
        started = time.perf_counter()
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, check=True)
        assert done.returncode == 0
        return time.perf_counter() - started

    ask = ("-m", "app", "ask", "--json", "园区管理机构每年最高能拿到多少奖补？")
    answer = json.loads(
        subprocess.run([sys.executable, *ask], capture_output=True, text=True, env=environment, check=True).stdout
    )
    assert answer["status"] == "answered"
    ours = statistics.median(seconds(*ask) for _ in range(3))
    theirs = statistics.median(seconds("-c", "import sentence_transformers") for _ in range(3))
    print(f"\nask {ours:.2f} s, import sentence_transformers {theirs:.2f} s, ratio {ours / theirs:.3f}")
    assert ours < theirs / 6
