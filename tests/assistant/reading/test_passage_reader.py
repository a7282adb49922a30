"""The bundled passage reader: what comes out has the shape it says, whatever goes in."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from assistant.errors import SettingError
from assistant.reading.passage_reader import BUNDLED_READER, OnnxPassageReader, PassageText

PARK = PassageText("海州市园区奖励办法｜第二章 奖励", "对考核优秀的园区运营机构，每年给予最高3000万元奖励。")
TALENT = PassageText("海州市青年人才安居办法｜第一条", "博士研究生来海州工作的，一次性给予15万元安家补贴。")
DOGS = PassageText("海州市养犬管理条例", "携犬出户应当束犬链。")
LONG = PassageText("长文", "园区管理机构应当按照规定开展工作。" * 200)


@pytest.fixture(scope="module")
def reader() -> OnnxPassageReader:
    return OnnxPassageReader()


@pytest.mark.parametrize(
    ("question", "passage", "words"),
    [
        ("考核优秀的园区运营机构每年最高奖励多少？", PARK, "3000万元"),
        ("读完博士来海州上班能拿多少安家的钱？", TALENT, "15万元"),
        ("How much does a PhD who comes to work in Haizhou get?", TALENT, "15万元"),
    ],
)
def test_the_passage_that_answers_is_more_relevant_and_its_words_are_found(
    reader: OnnxPassageReader, question: str, passage: PassageText, words: str
) -> None:
    right, dogs = reader.read(question, [passage, DOGS])
    assert right.relevance > 10 * dogs.relevance
    assert words in passage.text[right.spans[0].start : right.spans[0].end]


def test_one_reading_a_passage_in_their_order_whatever_their_length(reader: OnnxPassageReader) -> None:
    together = reader.read("园区每年奖励多少？", [DOGS, LONG, PARK, PassageText("", ""), DOGS])
    assert len(together) == 5
    assert together[2].relevance > together[0].relevance
    assert together[0].relevance == pytest.approx(together[4].relevance, abs=0.02)
    assert reader.read("园区每年奖励多少？", []) == []


@pytest.mark.parametrize("question", ["", "？", "\ud800", "问" * 2000, "How" * 500, "𠀀\n\t｜"])
@pytest.mark.parametrize("passage", [PARK, LONG, PassageText("", "\ud800"), PassageText("｜", "※")])
def test_offsets_lie_in_the_passage(reader: OnnxPassageReader, question: str, passage: PassageText) -> None:
    (reading,) = reader.read(question, [passage])
    assert 0 <= reading.relevance <= 1
    for span in reading.spans:
        assert 0 <= span.start < span.end <= len(passage.text)
        assert 0 <= span.score <= 1
    for start, end in reading.evidence:
        assert 0 <= start < end <= len(passage.text)


def test_answers_do_not_overlap_and_the_best_comes_first(reader: OnnxPassageReader) -> None:
    (reading,) = reader.read("园区每年奖励多少？", [PARK])
    scores = [span.score for span in reading.spans]
    assert scores == sorted(scores, reverse=True)
    ordered = sorted((span.start, span.end) for span in reading.spans)
    assert all(first[1] <= second[0] for first, second in pairwise(ordered))


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED_READER, tmp_path / "model")
    (tmp_path / "model" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(SettingError, match="Reinstall"):
        OnnxPassageReader(tmp_path / "model")
