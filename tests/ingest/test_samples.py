"""The sample policies, and the questions asked of them elsewhere."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from ingest.preparing import prepare

SAMPLES = {
    file.name: file.read_text(encoding="utf-8")
    for file in resources.files("ingest.samples").iterdir()
    if file.name.endswith((".md", ".txt", ".html"))
}
ROOT = Path(__file__).parents[2]
FILES = (ROOT / "tests" / "data" / "samples.jsonl", ROOT / "training" / "data" / "samples.jsonl")
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for file in FILES for line in file.read_text(encoding="utf-8").splitlines()
]


@cache
def plain_text(name: str) -> str:
    """A sample as it is read, without white space."""
    document, _ = prepare(SAMPLES[name].encode(), name)
    return "".join(document.text.split())


def test_there_are_eight_samples_in_three_formats() -> None:
    assert len(SAMPLES) == 8
    assert {name.rpartition(".")[2] for name in SAMPLES} == {"md", "txt", "html"}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_has_what_a_policy_has(name: str) -> None:
    text = re.sub(r"<[^>]+>", "", SAMPLES[name])
    assert 800 <= len(re.findall(r"[\u4e00-\u9fff]", text)) <= 2500
    assert re.search(r"[\u4e00-\u9fff]+〔20(?:19|2[0-6])〕\d+号", text)
    assert re.search(r"20(?:19|2[0-6])年\d{1,2}月\d{1,2}日", text)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_gold_quotes_stand_in_the_files(question: dict[str, Any]) -> None:
    texts = [plain_text(name) for name in question["docs"]]
    assert question["answerable"] == bool(texts)
    for quote in question["quotes"]:
        assert any("".join(quote.split()) in text for text in texts)
    for alternatives in question["must_include"]:
        assert any(alternative in text for alternative in alternatives for text in texts)


def test_questions_are_told_apart() -> None:
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS) == 200
    assert len({question["question"] for question in QUESTIONS if not question.get("history")}) >= 180
