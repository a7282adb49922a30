"""`python -m training.reader --data DIR --encoder FOLDER --out FOLDER`: the cross-encoder that reads passages.

For a question and a passage three heads over one transformer: relevance (first token), the answer's span (start, end) and,
for each token, whether it stands in the evidence. Every question that its passage answers comes with two that do not:
one of the same document, nearest by its words, and one of another, nearest to the encoder. It begins from the shipped encoder and
first sees reading questions, then everyday ones PASSES times, each time beside other passages, and last both, with fewer passages that
do not answer: else it takes a passage that does not repeat who is asked about for another one's.

`--begin FOLDER` goes on from a shipped reader instead, in a second round: the questions over siblings, each beside two others of
its document, and some of the earlier ones.
"""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn
from transformers import BertModel

from training import base, loop, rows
from training.rows import PassageRow, QuestionRow
from vectorstore.encoder import OnnxEncoder

LONGEST: Final = 256  # tokens of question and passage together; 97 in 100 pairs are shorter
GROUPS: Final = 16  # questions a step
RATE: Final = 1e-4
FROZEN: Final = 6  # lowest layers
PASSES: Final = 2  # over the everyday questions
READING: Final = 1200  # questions of CMRC before them
CLOSING_RATE: Final = 5e-5
AGAIN_RATE: Final = 7e-5
CLOSING: Final = {"reading": 2000, "answered": 2600, "none": 500}
AGAIN: Final = {"reading": 600, "answered": 1500, "none": 500}  # of a second round, beside all siblings
AROUND: Final = 120  # characters on each side of an answer that are left of a reading paragraph
CHUNKS: Final = 4  # of a step
NEAREST: Final = 6  # it is one of so many
LONGEST_TEXT: Final = 300  # characters of a text that are compared
HEADS: Final = ("relevance", "start", "end", "keep")


class CrossEncoder(nn.Module):
    """The transformer with its heads."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert
        width = bert.config.hidden_size
        self.relevance, self.tokens = nn.Linear(width, 1), nn.Linear(width, 3)

    def load_heads(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Take the heads' weights among those of a shipped reader."""
        for name, parameter in self.named_parameters():
            if not name.startswith("bert."):
                parameter.data = torch.tensor(weights[name])

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits: relevance (batch,), start, end and keep (batch, tokens)."""
        states = self.bert(ids, attention_mask=mask).last_hidden_state
        start, end, keep = self.tokens(states).unbind(-1)
        return self.relevance(states[:, 0]).squeeze(-1), start, end, keep


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage to judge; answers and evidence are places in the passage's text."""

    question: str
    passage: PassageRow
    answers: tuple[tuple[int, int], ...] = ()
    evidence: tuple[tuple[int, int], ...] = ()


def reading_groups(data: Path, count: int, seed: int) -> list[tuple[Pair, ...]]:
    """Questions of CMRC, each with its paragraph and one of another question."""
    reading = list(rows.reading_rows(data / "cmrc2018_train.jsonl.gz", count, seed))
    order = random.Random(seed)
    made: list[tuple[Pair, ...]] = []
    for row in reading:
        other = order.choice(reading)
        while other.passage.text == row.passage.text:
            other = order.choice(reading)
        made.append((_cut(row), Pair(row.question, _cut(other).passage)))
    return made


def closing_groups(data: Path, everyday: Sequence[tuple[Pair, ...]], seed: int) -> list[tuple[Pair, ...]]:
    """Reading questions, and some of the everyday ones, with one other passage at most."""
    order = random.Random(seed)
    answered = [(group[0], order.choice(group[1:])) for group in everyday if len(group) > 1]
    nothing = [group for group in everyday if not group[0].answers]
    return [
        *reading_groups(data, CLOSING["reading"], seed),
        *order.sample(answered, min(CLOSING["answered"], len(answered))),
        *order.sample(nothing, min(CLOSING["none"], len(nothing))),
    ]


def groups(
    questions: Sequence[QuestionRow], elsewhere: Mapping[int, Sequence[PassageRow]], seed: int
) -> list[tuple[Pair, ...]]:
    """Each question with its passage and, where that answers, one or two that do not, behind it."""
    order = random.Random(seed)
    made = []
    for number, row in enumerate(questions):
        pools = (row.others, elsewhere.get(number, ())) if row.answered else ()
        near = (Pair(row.question, order.choice(pool)) for pool in pools if pool)
        made.append((Pair(row.question, row.passage, row.answers, row.evidence), *near))
    return made


def _elsewhere(questions: Sequence[QuestionRow], encoder: Path) -> dict[int, tuple[PassageRow, ...]]:
    """The passages of other documents that the encoder takes to be nearest, by the number of the question."""
    pool = list({row.passage.text: (row.title, row.passage) for row in questions}.values())
    opened = OnnxEncoder(encoder)
    passages = opened.encode([f"{passage.heading}｜{passage.text}"[:LONGEST_TEXT] for _, passage in pool])
    asked = [number for number, row in enumerate(questions) if row.answered]
    queries = np.stack([opened.encode_query(questions[number].question) for number in asked])
    found = {}
    for number, scores in zip(asked, queries @ passages.T, strict=True):
        others = (pool[index] for index in np.argsort(-scores)[: 4 * NEAREST])
        found[number] = tuple(passage for title, passage in others if title != questions[number].title)[:NEAREST]
    return found


def _cut(row: QuestionRow) -> Pair:
    """A reading row with what of its paragraph stands around the answer."""
    start = max(0, row.answers[0][0] - AROUND)
    passage = PassageRow("", row.passage.text[start : row.answers[0][1] + AROUND], 0, 0)
    end = len(passage.text)
    answers, evidence = (
        tuple((max(0, first - start), min(end, last - start)) for first, last in places)
        for places in (row.answers, row.evidence)
    )
    return Pair(row.question, passage, answers, evidence)


class Batches:
    """Pairs to tensors."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST, strategy="only_second")

    def tensors(self, pairs: Sequence[Pair]) -> dict[str, Tensor]:
        """`ids`, `mask`, and what the heads are to say: `relevance`, `start`, `end` (shares), `keep`, `passage` (tokens of it)."""
        texts = [(pair.question, f"{pair.passage.heading}｜{pair.passage.text}") for pair in pairs]
        encodings = self._tokenizer.encode_batch(texts)
        width = loop.padded(max(len(each.ids) for each in encodings), LONGEST)
        names = ("ids", "mask", "start", "end", "keep", "passage")
        made = {name: np.zeros((len(pairs), width), dtype=np.float32) for name in names}
        made["ids"][:] = self._tokenizer.token_to_id("<pad>")
        for row, (pair, encoding) in enumerate(zip(pairs, encodings, strict=True)):
            size = len(encoding.ids)
            made["ids"][row, :size] = encoding.ids
            made["mask"][row, :size] = 1
            made["passage"][row, :size] = [part == 1 for part in encoding.sequence_ids]
            shift = len(pair.passage.heading) + 1
            for place in pair.answers:
                inside = _tokens(encoding, place, shift)
                if inside:
                    made["start"][row, inside[0]] += 1 / len(pair.answers)
                    made["end"][row, inside[-1]] += 1 / len(pair.answers)
            for place in pair.evidence:
                made["keep"][row, _tokens(encoding, place, shift)] = 1
        tensors = {name: torch.from_numpy(value) for name, value in made.items()}
        tensors["ids"], tensors["mask"] = tensors["ids"].long(), tensors["mask"].long()
        return tensors | {"relevance": torch.tensor([float(bool(pair.answers)) for pair in pairs])}


def _tokens(encoding: Encoding, place: tuple[int, int], shift: int) -> list[int]:
    start, end = place[0] + shift, place[1] + shift
    return [
        number
        for number, (offsets, part) in enumerate(zip(encoding.offsets, encoding.sequence_ids, strict=True))
        if part == 1 and offsets[0] < end and offsets[1] > start
    ]


def _by_length(model: CrossEncoder, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
    """The model's outputs, computed in CHUNKS of about one length each, so that little is padded."""
    lengths = mask.sum(1)
    order = torch.argsort(lengths)
    found: list[tuple[Tensor, ...]] = []
    for rows_ in torch.chunk(order, CHUNKS):
        width = loop.padded(int(lengths[rows_].max()), ids.shape[1])
        relevance, *tokens = model(ids[rows_, :width], mask[rows_, :width])
        wide = (nn.functional.pad(each.float(), (0, ids.shape[1] - width)) for each in tokens)
        found.append((relevance.float(), *wide))
    back = torch.argsort(order)
    return tuple(torch.cat(each)[back] for each in zip(*found, strict=True))


def loss(model: CrossEncoder, batches: Batches, step: Sequence[tuple[Pair, ...]]) -> Tensor:
    """Binary relevance, half a softmax over each question's passages, half the span's and half the evidence's."""
    pairs = [pair for group in step for pair in group]
    wanted = batches.tensors(pairs)
    relevance, start, end, keep = _by_length(model, wanted["ids"], wanted["mask"])
    total = nn.functional.binary_cross_entropy_with_logits(relevance, wanted["relevance"])
    firsts = np.cumsum([0, *(len(group) for group in step)])[:-1]
    several = [(int(first), len(group)) for first, group in zip(firsts, step, strict=True) if len(group) > 1]
    for size in {size for _, size in several}:
        places = torch.tensor([range(first, first + size) for first, length in several if length == size])
        right = torch.zeros(len(places), dtype=torch.long)
        total = total + 0.5 * len(places) / len(several) * nn.functional.cross_entropy(relevance[places], right)
    outside = wanted["passage"] == 0
    answered = (wanted["start"].sum(1) > 0) & (wanted["end"].sum(1) > 0)
    if answered.any():
        for logits, name in ((start, "start"), (end, "end")):
            spread = nn.functional.log_softmax(logits.masked_fill(outside, -1e4)[answered], dim=1)
            total = total - 0.25 * (wanted[name][answered] * spread).sum(1).mean()
    kept = nn.functional.binary_cross_entropy_with_logits(keep, wanted["keep"], reduction="none")
    return total + 0.5 * (kept * wanted["passage"]).sum() / wanted["passage"].sum()


def _longest(group: Sequence[Pair]) -> int:
    return max(len(pair.passage.text) for pair in group)


def first_round(questions: Sequence[QuestionRow], data: Path, encoder: Path) -> list[tuple[float, list[Any]]]:
    """The rates and steps of a training that begins from the encoder."""
    elsewhere = _elsewhere(questions, encoder)
    passes = [reading_groups(data, READING, loop.SEED)]
    passes += [groups(questions, elsewhere, loop.SEED + number) for number in range(PASSES)]
    seed = loop.SEED + PASSES
    closing = closing_groups(data, groups(questions, elsewhere, seed), seed)
    first = [
        step for number, made in enumerate(passes) for step in loop.batches(made, GROUPS, _longest, loop.SEED + number)
    ]
    return [(RATE, first), (CLOSING_RATE, loop.batches(closing, GROUPS, _longest, seed))]


def second_round(
    seen: Sequence[QuestionRow], siblings: Sequence[QuestionRow], data: Path, encoder: Path
) -> list[tuple[float, list[Any]]]:
    """The rate and steps of a training that goes on from a reader: all siblings, some of the others and of reading questions."""
    order = random.Random(loop.SEED)
    made = [
        (
            Pair(row.question, row.passage, row.answers, row.evidence),
            *(Pair(row.question, other) for other in order.sample(row.others, min(2, len(row.others)))),
        )
        for row in siblings
    ]
    order, chosen = random.Random(loop.SEED + 1), list[QuestionRow]()
    for name, answered in (("answered", True), ("none", False)):
        pool = [row for row in seen if row.answered == answered]
        chosen += order.sample(pool, min(AGAIN[name], len(pool)))
    made += groups(chosen, _elsewhere(chosen, encoder), loop.SEED)
    made += reading_groups(data, AGAIN["reading"], loop.SEED)
    return [(AGAIN_RATE, loop.batches(made, GROUPS, _longest, loop.SEED))]


def main() -> None:
    """Train and save the float model; `training.export` makes the shipped one of it."""
    parser = argparse.ArgumentParser(prog="python -m training.reader", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of the shipped encoder")
    parser.add_argument("--begin", type=Path, help="folder of a shipped reader to go on from")
    parser.add_argument("--out", type=Path, required=True, help="folder to save the model in")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    torch.manual_seed(loop.SEED)
    questions = [row for row in rows.training_rows(arguments.data) if not rows.for_calibration(row.title)]
    new = {row["title"] for row in rows.read(rows.OURS / rows.INVENTED[1])}
    siblings = [row for row in questions if row.title in new]
    questions = [row for row in questions if row.title not in new]
    model = CrossEncoder(base.shipped(arguments.begin or arguments.encoder))
    if arguments.begin:
        model.load_heads(base.shipped_weights(arguments.begin))
        stages = second_round(questions, siblings, arguments.data, arguments.encoder)
    else:
        stages = first_round(questions, arguments.data, arguments.encoder)
    tokenizer = Tokenizer.from_file(str(arguments.encoder / "tokenizer.json"))
    loop.freeze(model.bert, FROZEN)
    batches = Batches(tokenizer)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number, (rate, steps) in enumerate(stages):
        loop.fit(
            model,
            steps,
            lambda step: loss(model, batches, step),
            rate=rate,
            heads=(model.relevance, model.tokens),
            checkpoint=arguments.out / f"checkpoint_{number}.pt",
        )
    torch.save(model.state_dict(), arguments.out / "reader.pt")
    model.bert.config.save_pretrained(arguments.out)
    tokenizer.no_truncation()
    tokenizer.save(str(arguments.out / "tokenizer.json"))


if __name__ == "__main__":
    main()
