"""Training and exporting, over models of two layers with weights as they fall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer  # noqa: E402
from transformers import BertConfig, BertModel  # noqa: E402

from assistant.reading.passage_reader import OnnxPassageReader, PassageText  # noqa: E402
from tests.training.test_base import SPECIAL  # noqa: E402
from training import loop, reader  # noqa: E402
from training.base import shipped, shipped_weights, tokenizer  # noqa: E402
from training.reader import Batches, CrossEncoder, Pair, groups, loss, second_round  # noqa: E402
from training.rows import PassageRow, QuestionRow  # noqa: E402

SHIPPED = Path(__file__).parents[2] / "assistant" / "reading" / "model"
LETTERS = "园区每年奖励三千万元企业博士补贴｜，。？多少"


@pytest.fixture
def letters() -> Tokenizer:
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    made: Tokenizer = tokenizer([*special, *((letter, -3.0) for letter in dict.fromkeys(LETTERS))], SPECIAL)
    return made


def tiny() -> CrossEncoder:
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, pad_token_id=1,
        attn_implementation="eager",
    )  # fmt: skip
    return CrossEncoder(BertModel(config, add_pooling_layer=False))


RIGHT = PassageRow("园区奖励", "企业，每年奖励三千万元。", 0, 12)
WRONG = PassageRow("博士", "博士补贴三千元。", 0, 8)
STEP = [
    (Pair("园区奖励多少？", RIGHT, ((7, 11),), ((3, 11),)), Pair("园区奖励多少？", WRONG)),
    (Pair("博士？", RIGHT),),
]


def test_the_heads_are_told_the_words_of_answer_and_evidence(letters: Tokenizer) -> None:
    wanted = Batches(letters).tensors([pair for group in STEP for pair in group])
    shift = len("<s> ▁") - 3 + len("园区奖励多少？") + 3 + len("园区奖励｜")
    assert wanted["relevance"].tolist() == [1, 0, 0]
    (start,), (end,) = np.flatnonzero(wanted["start"][0]), np.flatnonzero(wanted["end"][0])
    assert end - start == len("三千万元") - 1
    assert wanted["keep"][0].sum() == len("每年奖励三千万元")
    assert not wanted["keep"][1:].any()
    assert start >= shift - 1


def test_a_few_steps_tell_right_from_wrong(letters: Tokenizer) -> None:
    model, batches = tiny(), Batches(letters)
    before = loss(model, batches, STEP).item()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(30):
        optimiser.zero_grad()
        loss(model, batches, STEP).backward()
        optimiser.step()
    assert loss(model, batches, STEP).item() < 0.6 * before


def test_a_training_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    steps = [torch.full((1, 4), float(number)) for number in range(1, 9)]

    def train(checkpoint: Path, stop: int | None = None) -> torch.Tensor:
        torch.manual_seed(2)
        module = torch.nn.Linear(4, 1)

        def step_loss(step: torch.Tensor) -> torch.Tensor:
            if stop is not None and float(step[0, 0]) > stop:
                raise KeyboardInterrupt
            return module(step).square().mean()

        loop.fit(module, steps, step_loss, rate=0.1, checkpoint=checkpoint)
        return module.weight.detach()

    whole = train(tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halves.pt", stop=4)
    torch.testing.assert_close(train(tmp_path / "halves.pt"), whole)
    torch.testing.assert_close(train(tmp_path / "halves.pt", stop=0), whole)  # what is done is not done again


def test_an_answered_question_comes_with_another_passage_of_both_kinds() -> None:
    here, there = PassageRow("甲", "甲文", 0, 2), PassageRow("乙", "乙文", 0, 2)
    asked = QuestionRow("多少？", "zh", "number", "甲", RIGHT, ((0, 2),), ((0, 2),), (here,))
    nothing = QuestionRow("几时？", "zh", "none", "甲", RIGHT, (), ())
    three, one = groups([asked, nothing], {0: (there,)}, seed=1)
    assert [pair.passage for pair in three] == [RIGHT, here, there]
    assert [bool(pair.answers) for pair in three] == [True, False, False]
    assert [pair.passage for pair in one] == [RIGHT]


def test_batches_hold_every_row_once() -> None:
    made = loop.batches(list(range(100)), 7, lambda row: row, seed=3)
    assert sorted(row for batch in made for row in batch) == list(range(100))
    assert made == loop.batches(list(range(100)), 7, lambda row: row, seed=3)


def test_an_exported_reader_reads_as_it_did(letters: Tokenizer, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from training.export import export
    from training.reader import HEADS

    model = tiny().eval()
    export(model, list(HEADS), tmp_path / "model.onnx")
    letters.no_padding()
    letters.save(str(tmp_path / "tokenizer.json"))
    (reading,) = OnnxPassageReader(tmp_path).read("园区奖励多少？", [PassageText(RIGHT.heading, RIGHT.text)])
    wanted = Batches(letters).tensors([Pair("园区奖励多少？", RIGHT)])
    with torch.inference_mode():
        relevance = torch.sigmoid(model(wanted["ids"], wanted["mask"])[0])
    assert reading.relevance == pytest.approx(float(relevance), abs=0.05)
    assert reading.spans


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("读完博士来海州上班能拿多少安家的钱？", "15万元"),
        ("How much does a PhD who comes to work in Haizhou get?", "15万元"),
    ],
)
def test_the_trained_reader_finds_what_answers(question: str, words: str) -> None:
    trained = OnnxPassageReader(SHIPPED)
    talent = PassageText("海州市青年人才安居办法｜第一条", "博士研究生来海州工作的，一次性给予15万元安家补贴。")
    right, other = trained.read(question, [talent, PassageText("海州市养犬管理条例", "携犬出户应当束犬链。")])
    assert right.relevance > 10 * other.relevance
    assert words in talent.text[right.spans[0].start : right.spans[0].end]


def test_the_shipped_reader_is_read_back_with_its_heads() -> None:
    model = CrossEncoder(shipped(SHIPPED))
    model.load_heads(shipped_weights(SHIPPED))
    passages = [RIGHT, PassageRow("海州市养犬管理条例", "携犬出户应当束犬链，违者处二百元罚款。", 0, 20)]
    pairs = [Pair("园区每年能拿多少奖励？", passage) for passage in passages]
    wanted = Batches(Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))).tensors(pairs)
    with torch.inference_mode():
        relevance, *_ = model.eval()(wanted["ids"], wanted["mask"])
    shipped_readings = OnnxPassageReader(SHIPPED).read(
        pairs[0].question, [PassageText(each.heading, each.text) for each in passages]
    )
    assert torch.sigmoid(relevance).tolist() == pytest.approx([each.relevance for each in shipped_readings], abs=0.15)


def test_a_second_round_sets_siblings_beside_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reader, "reading_groups", lambda *_: [])
    monkeypatch.setattr(reader, "_elsewhere", lambda *_: {})
    monkeypatch.setattr(reader, "AGAIN", {"reading": 0, "answered": 1, "none": 1})
    others = tuple(PassageRow("甲", f"甲文{number}", 0, 3) for number in range(4))

    def row(question: str, *, answered: bool = True) -> QuestionRow:
        places = ((0, 2),) if answered else ()
        return QuestionRow(question, "zh", "number", "甲", RIGHT, places, places, others if answered else ())

    seen = [row("早一"), row("早二"), row("早三", answered=False)]
    ((rate, steps),) = second_round(seen, [row("新一"), row("新二"), row("新三", answered=False)], tmp_path, tmp_path)
    made = {group[0].question: group for step in steps for group in step}
    assert rate == reader.AGAIN_RATE
    assert {"新一", "新二", "新三", "早三"} < set(made)
    assert len(made) == 5
    assert len({pair.passage for pair in made["新一"]}) == 3
    assert [bool(pair.answers) for pair in made["新一"]] == [True, False, False]
    assert len(made["新三"]) == 1
