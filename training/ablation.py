"""`python -m training.ablation --data DIR`: what each ingredient of the encoder's training is worth.

Every line of the table is an encoder trained from scratch without one ingredient, all for the same share of a pass over
the pairs, with the same vocabulary and seed. Single runs differ by about a point, so smaller differences say nothing.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from pathlib import Path
from typing import Final

from training import evaluate, model, pairs, vocabulary
from training.__main__ import SEED, THREADS
from training.pairs import Texts
from vectorstore.encoder import StaticEncoder

RESULTS: Final = Path(__file__).parents[1] / "evaluation" / "results" / "encoder.json"

# A whole pass for each of the nine encoders would take an hour.
EPOCHS: Final = 0.25

# Ingredients by the kinds of pairs that come from them.
INGREDIENTS: Final = {
    "laws": ("law_",),
    "provincial policies": ("policy_",),
    "everyday questions (STARD)": ("lay_question",),
    "reading questions (DRCD, CMRC)": ("reading",),
    "Chinese turned into English word by word": ("law_english", "policy_english", "reading_english"),
    "translated sentences (Tatoeba)": ("sentence",),
    "dictionary words and synonyms (CC-CEDICT)": ("word", "synonym"),
}
HARD_NEGATIVES: Final = "hard negatives"


def variants(made: dict[str, list[Texts]]) -> dict[str, dict[str, list[Texts]]]:
    """The pairs of every line of the table, the whole first."""
    lines = {"everything": made}
    for ingredient, kinds in INGREDIENTS.items():
        lines[f"without {ingredient}"] = {name: some for name, some in made.items() if not name.startswith(kinds)}
    lines[f"without {HARD_NEGATIVES}"] = {name: [pair[:2] for pair in some] for name, some in made.items()}
    return lines


def main() -> None:
    """Train and measure each variant, and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m training.ablation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--bench", type=Path, help="folder of the benchmarks (default: bench beside the data)")
    arguments = parser.parse_args()
    bench = arguments.bench or arguments.data.parent / "bench"
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    import torch

    torch.set_num_threads(THREADS)
    made = pairs.all_pairs(arguments.data, bench, seed=SEED)
    tokenizer = vocabulary.build_tokenizer(arguments.data, made, processes=THREADS)
    table: dict[str, dict[str, float]] = {}
    for name, some in variants(made).items():
        with tempfile.TemporaryDirectory() as scratch:
            model.save(model.train(tokenizer, some, epochs=EPOCHS, seed=SEED), Path(scratch))
            figures = evaluate.measure(StaticEncoder(Path(scratch)), arguments.data, bench)
        figures.pop("articles_per_second")
        table[name] = figures | {"pairs": sum(map(len, some.values()))}
        logging.info("%s: %s", name, json.dumps(table[name]))
        RESULTS.write_text(json.dumps({"epochs": EPOCHS, "encoders": table}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
