"""`python -m training --data DIR`: train the bundled encoder from the public corpora in DIR."""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

from training import evaluate, model, pairs, vocabulary
from vectorstore.encoder import BUNDLED_MODEL

# One seed for the pairs, the initial weights and the order of the batches.
SEED = 20_240_601

THREADS = 2


def main() -> None:
    """Read the corpora, build the vocabulary, train, save and measure."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--bench", type=Path, help="folder of the benchmarks (default: bench beside the data)")
    parser.add_argument("--out", type=Path, default=BUNDLED_MODEL, help="folder to save the model in")
    parser.add_argument("--epochs", type=float, default=2.0, help="passes over the pairs")
    parser.add_argument("--held-out", action="store_true", help="leave out the questions that the rankers learn from")
    parser.add_argument(
        "--without", nargs="*", default=[], help="kinds of pairs to leave out, by the start of their name"
    )
    arguments = parser.parse_args()
    bench = arguments.bench or arguments.data.parent / "bench"
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    import torch

    torch.set_num_threads(THREADS)
    started = time.monotonic()
    made = pairs.all_pairs(arguments.data, bench, seed=SEED, whole=not arguments.held_out)
    made = {name: some for name, some in made.items() if not name.startswith(tuple(arguments.without))}
    tokenizer = vocabulary.build_tokenizer(arguments.data, made, processes=THREADS)
    model.save(model.train(tokenizer, made, epochs=arguments.epochs, seed=SEED), arguments.out)
    logging.info("trained in %.0f minutes", (time.monotonic() - started) / 60)
    evaluate.report(str(arguments.out), arguments.data, bench)


if __name__ == "__main__":
    main()
