from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant import open_assistant
from evaluation import QuestionSetError, evaluate, html_report, load_questions, table
from ingest import ingest_paths
from tests.conftest import PARK

QUESTIONS = [
    {"question": "园区运营机构每年最高能拿到多少奖励？", "kind": "number", "must_include": [["3000万"]], "quotes": ["每年给予最高3000万元奖励"]},
    {"question": "园区运营机构每年最高能拿到多少奖励？", "kind": "wrong figure", "must_include": [["4000万"]]},
    {"question": "园区运营机构每年最高能拿到多少奖励？", "kind": "wrong place", "quotes": ["市工业和信息化局每年对产业园区运营机构进行考核"]},
    {"question": "园区运营机构每年最高能拿到多少奖励？", "kind": "unanswerable", "answerable": False},
    {"question": "深圳市的奖励是多少？", "kind": "unanswerable", "answerable": False},
    {"question": "园区<b>食堂</b>几点开门？", "kind": "refused"},
]  # fmt: skip


def test_a_question_set_is_asked_scored_and_reported(tmp_path: Path) -> None:
    (tmp_path / "park.txt").write_text(PARK, encoding="utf-8")
    ingest_paths([tmp_path / "park.txt"], data_dir=tmp_path / "kb")
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in QUESTIONS), encoding="utf-8")
    with open_assistant(data_dir=tmp_path / "kb") as assistant:
        summary = evaluate(assistant, load_questions(path))
    rows = {row["kind"]: row for row in summary.rows()}
    assert {kind: row["right"] for kind, row in rows.items()} == {
        "number": 1, "wrong figure": 0, "wrong place": 0, "unanswerable": 1, "refused": 0, "all": 2,
    }  # fmt: skip
    assert rows["all"]["answered_wrongly"] == 3
    assert rows["all"]["refused_wrongly"] == 1
    assert rows["all"]["quotes_exact"] == 6
    assert rows["all"]["questions"] == 6
    assert len(summary.to_dict()["misses"]) == 4
    assert "answered wrongly" in table(summary)
    page = html_report(summary, title="Park")
    assert page.count("<article>") == 4
    assert "园区&lt;b&gt;食堂&lt;/b&gt;" in page
    assert "http" not in page


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "no question"), ("{", "Line 1"), ('{"question": ""}', "Line 1"), ('{"x": 1}', "Line 1"), ("[1]", "Line 1")],
)
def test_a_bad_question_set_is_named_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(QuestionSetError, match=message):
        load_questions(path)


def test_a_missing_question_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match=r"none\.jsonl"):
        load_questions(tmp_path / "none.jsonl")
