"""`python -m training.encoder --data DIR --base FOLDER --out FOLDER`: the encoder that searches by meaning.

A question finds its passage among the others of its batch and one that is near by its words. Documents kept for calibration are left out.
"""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from training import corpora, loop, rows
from training.rows import QuestionRow

LONGEST: Final = 144  # tokens of a passage; 95 in 100 are shorter
BATCH: Final = 40
RATE: Final = 8e-5
FROZEN: Final = 6  # lowest layers
NEAR: Final = 0.6  # the share of questions that come with a passage that is near by its words
SCALE: Final = 30.0  # cosines are multiplied by this before the softmax
READING: Final = 600  # questions of each reading set
TRANSLATIONS: Final = 2000
AROUND: Final = 80  # characters on each side of an answer in a reading paragraph


@dataclass(frozen=True, slots=True)
class Pair:
    """Texts that belong together, and one that is only near."""

    query: str
    passage: str
    near: str = ""


def pairs(data: Path, questions: list[QuestionRow]) -> Iterator[list[Pair]]:
    """Batches, each of one source: in-batch negatives of another source would be told apart by style."""
    order = random.Random(loop.SEED)
    lay = []
    for row in questions:
        if row.answered:
            near = order.choice(row.others) if row.others and row.language == "zh" and order.random() < NEAR else None
            lay.append(Pair(row.question, _shown(row.passage), _shown(near) if near else ""))
    statutes = []
    for line in corpora.read_lines(data / "stard_train.jsonl.gz"):
        for name, text in line["statutes"].items():
            statutes.append(Pair(line["question"], rows.joined(name, text.strip())))
    reading = []
    for name in ("cmrc2018_train", "drcd_traditional"):
        for row in rows.reading_rows(data / f"{name}.jsonl.gz", READING, loop.SEED):
            start, end = row.answers[0]
            reading.append(Pair(row.question, row.passage.text[max(0, start - AROUND) : end + AROUND]))
    translated = [Pair(english, chinese) for english, chinese in corpora.translations(data) if len(english) > 25]
    translated = order.sample(translated, TRANSLATIONS)
    made = []
    for some in (lay, statutes, reading, translated):
        made += loop.batches(some, BATCH, lambda pair: len(pair.passage), loop.SEED)
    order.shuffle(made)
    yield from made


def _shown(passage: rows.PassageRow) -> str:
    return f"{passage.heading}｜{passage.text}"


def main() -> None:
    """Train and save the float model as a BERT folder; `training.export` makes the shipped one of it."""
    parser = argparse.ArgumentParser(prog="python -m training.encoder", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--base", type=Path, required=True, help="folder that training.base made")
    parser.add_argument("--out", type=Path, required=True, help="folder to save the model in")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    import torch
    from sentence_transformers.util import cos_sim
    from tokenizers import Tokenizer
    from transformers import BertModel

    torch.manual_seed(loop.SEED)
    questions = [row for row in rows.training_rows(arguments.data) if not rows.for_calibration(row.title)]
    steps = list(pairs(arguments.data, questions))
    tokenizer = Tokenizer.from_file(str(arguments.base / "tokenizer.json"))
    bert = BertModel.from_pretrained(arguments.base, add_pooling_layer=False).float()
    loop.freeze(bert, FROZEN)

    def vectors(texts: list[str]) -> Any:
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)
        longest = loop.padded(max(len(each.ids) for each in tokenizer.encode_batch(texts)), LONGEST)
        tokenizer.enable_padding(pad_id=tokenizer.token_to_id("<pad>"), pad_token="<pad>", length=longest)
        encodings = tokenizer.encode_batch(texts)
        mask = torch.tensor([each.attention_mask for each in encodings])
        states = bert(torch.tensor([each.ids for each in encodings]), attention_mask=mask).last_hidden_state
        return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)

    def loss(batch: list[Pair]) -> Any:
        queries = vectors([f"query: {pair.query}" for pair in batch])
        near = [f"passage: {pair.near}" for pair in batch if pair.near]
        passages = vectors([f"passage: {pair.passage}" for pair in batch] + near)
        scores = SCALE * cos_sim(queries, passages)
        same = torch.tensor(
            [[one.passage == other.passage and i != j for j, other in enumerate(batch)] for i, one in enumerate(batch)]
        )
        scores[:, : len(batch)] = scores[:, : len(batch)].masked_fill(same, -1e4)
        return torch.nn.functional.cross_entropy(scores, torch.arange(len(batch)))

    arguments.out.mkdir(parents=True, exist_ok=True)
    loop.fit(bert, steps, loss, rate=RATE, checkpoint=arguments.out / "checkpoint.pt")
    bert.save_pretrained(arguments.out)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(arguments.out / "tokenizer.json"))


if __name__ == "__main__":
    main()
