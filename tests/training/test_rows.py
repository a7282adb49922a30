"""Training rows: questions joined to passages as the product cuts them, and our own files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from training import rows
from training.rows import Overlap, PassageRow

LAW = """# 海州市停车条例

<!-- INFO END -->

## 第一章 总则

第一条 为了规范停车秩序，方便群众出行，根据有关法律、行政法规的规定，结合本市实际，制定本条例。

第二条 在人行道上停放机动车的，由公安机关交通管理部门处二百元罚款，并可以将机动车拖移至指定地点。

第三条 医院、学校周边的临时停车泊位，免费停放时间为三十分钟，超过的按照规定收取停车费用。
"""


def write(folder: Path, name: str, lines: list[dict[str, Any]]) -> None:
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path, "laws", [{"title": "海州市停车条例", "text": LAW, "path": "x"}])
    write(tmp_path, "policies_hebei", [])
    quote = "在人行道上停放机动车的，由公安机关交通管理部门处二百元罚款，并可以将机动车拖移至指定地点。"
    asked = {"title": "海州市停车条例", "lang": "zh", "passage": "第二条 " + quote, "split": "train"}
    write(
        tmp_path,
        "lay_questions",
        [
            asked | {"question": "车停人行道上罚多少？", "kind": "number", "span": "二百元", "quote": quote},
            asked | {"question": "停车一小时多少钱？", "kind": "none", "span": "", "quote": ""},
            asked | {"question": "不在文中", "kind": "number", "span": "九元", "quote": "罚款九元。"},
            asked | {"question": "留作检验", "kind": "number", "span": "二百元", "quote": quote, "split": "dev"},
        ],
    )
    return tmp_path


def test_a_question_gets_the_passage_that_holds_its_quote(data: Path) -> None:
    found = rows.documents(data, ["海州市停车条例"])
    answered, nothing = list(rows.lay_rows(data, found, "train"))[:2]
    assert [answered.passage.text[slice(*place)] for place in answered.answers] == ["二百元"]
    assert answered.passage.text[slice(*answered.evidence[0])].startswith("在人行道上")
    assert answered.passage.heading.startswith("海州市停车条例｜第一章 总则")
    assert answered.others
    assert all("二百元" not in other.text for other in answered.others)
    assert not nothing.answered
    assert "人行道" in nothing.passage.text


def test_what_cannot_be_placed_is_left_out_and_splits_stay_apart(data: Path) -> None:
    found = rows.documents(data, ["海州市停车条例"])
    assert [row.question for row in rows.lay_rows(data, found, "dev")] == ["留作检验"]
    assert "不在文中" not in [row.question for row in rows.lay_rows(data, found, "train")]


def test_words_that_are_rare_in_a_document_tempt_most() -> None:
    passages = [PassageRow("", text, 0, len(text)) for text in ("停车收费", "停车罚款二百元", "停车免费")]
    assert Overlap(passages).ranked("停车罚款多少")[0].text == "停车罚款二百元"


def test_our_questions_over_the_corpora_hold_no_text_of_theirs() -> None:
    asked = list(rows.read(rows.OURS / "questions.jsonl"))
    assert len(asked) > 2000
    for row in asked:
        assert set(row) == {"title", "lang", "kind", "question", "passage", "evidence", "answer"}
        assert len(row["evidence"]) == len(row["answer"])
        assert (row["kind"] == "none") is (not row["answer"])
        for (start, end), (first, last) in zip(row["evidence"], row["answer"], strict=True):
            assert start <= first < last <= end


def test_our_invented_passages_hold_their_answers() -> None:
    made = list(rows.invented_rows())
    assert len(made) > 9000
    assert sum(not row.answered for row in made) > 2000
    for row in made:
        for start, end in row.answers:
            assert any(first <= start and end <= last for first, last in row.evidence)
            assert row.passage.text[start:end].strip()
        assert all(other is not row.passage for other in row.others)


def test_some_documents_are_kept_from_every_model() -> None:
    kept = sum(rows.for_calibration(f"第{number}号办法") for number in range(2000))
    assert 0.12 < kept / 2000 < 0.18


def test_claims_come_in_pairs_over_invented_passages() -> None:
    passages = {row["passage"] for row in rows.read(rows.OURS / "invented.jsonl")}
    claims = list(rows.read(rows.OURS / "claims.jsonl"))
    held = {claim["quote"] for claim in claims}
    assert all(any(quote in passage for passage in passages) for quote in held)
    for true, false in zip(claims[::2], claims[1::2], strict=True):
        assert (true["label"], true["quote"], true["lang"]) == ("supported", false["quote"], false["lang"])
        assert false["label"] in ("contradicted", "not_stated")
        assert true["claim"] != false["claim"]
