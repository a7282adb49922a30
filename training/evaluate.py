"""`python -m training.evaluate FOLDER --data DIR`: how well an encoder alone finds the right text."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training import corpora
from vectorstore.encoder import Encoder, StaticEncoder, load_encoder

# Texts encoded and compared at once: 140,000 x 64 similarities are 36 MB.
QUESTIONS_AT_ONCE: Final = 64


def statute_recall(encoder: Encoder, data: Path, bench: Path) -> dict[str, float]:
    """STARD: the share of a question's statutes among the first 10 and 100 of all articles, averaged over questions.

    Identical texts count once. Statutes are matched to articles by their first 40 characters without white space.
    """
    texts = list({"".join(article.text.split()): article.text for article in corpora.articles(data)}.values())
    places: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        places.setdefault(corpora.article_key(text), []).append(place)
    questions = list(corpora.lay_questions(bench / "stard_dev.jsonl.gz"))
    gold = [[set(places[corpora.article_key(text)]) for text in statutes] for _, statutes in questions]
    started = time.perf_counter()
    vectors = encoder.encode(texts)
    speed = len(texts) / (time.perf_counter() - started)
    ranked = ranking(encoder.encode([question for question, _ in questions]), vectors, 100)

    def recall(depth: int) -> float:
        shares = [
            sum(bool(statute & set(found[:depth].tolist())) for statute in statutes) / len(statutes)
            for statutes, found in zip(gold, ranked, strict=True)
        ]
        return float(np.mean(shares))

    first = [bool(set.union(*statutes) & {int(found[0])}) for statutes, found in zip(gold, ranked, strict=True)]
    return {
        "stard_dev_hit@1": float(np.mean(first)),
        "stard_dev_recall@10": recall(10),
        "stard_dev_recall@100": recall(100),
        "articles_per_second": speed,
    }


def paragraph_hits(encoder: Encoder, questions: Sequence[tuple[str, str]]) -> float:
    """The share of (question, paragraph) pairs whose paragraph comes first among all paragraphs."""
    paragraphs = list(dict.fromkeys(paragraph for _, paragraph in questions))
    ranked = ranking(encoder.encode([question for question, _ in questions]), encoder.encode(paragraphs), 1)
    right = [paragraphs[int(found[0])] == gold for (_, gold), found in zip(questions, ranked, strict=True)]
    return float(np.mean(right))


def ranking(questions: NDArray[np.float32], texts: NDArray[np.float32], depth: int) -> NDArray[np.intp]:
    """The indices of the `depth` most similar texts for every question, best first; ties by index."""
    blocks = [
        np.argsort(-(questions[start : start + QUESTIONS_AT_ONCE] @ texts.T), axis=1, kind="stable")[:, :depth]
        for start in range(0, len(questions), QUESTIONS_AT_ONCE)
    ]
    return np.concatenate(blocks)


def measure(encoder: Encoder, data: Path, bench: Path) -> dict[str, float]:
    """All figures of an encoder by name, shares between 0 and 1."""
    parallel = list(corpora.read_lines(bench / "xquad_zh_en.jsonl.gz"))
    reading = [(item.text, item.paragraph) for item in corpora.questions(bench / "cmrc2018_dev.jsonl.gz")]
    figures = statute_recall(encoder, data, bench)
    for language in ("en", "zh"):
        pairs = [(item[language], row["context_zh"]) for row in parallel for item in row["qas"]]
        figures[f"xquad_{language}_zh_hit@1"] = paragraph_hits(encoder, pairs)
    figures["cmrc_dev_hit@1"] = paragraph_hits(encoder, reading)
    return {name: round(value, 4) for name, value in figures.items()}


def report(model: str, data: Path, bench: Path, *, dimension: int | None = None) -> None:
    """Print an encoder's figures as JSON; `dimension` keeps that many components of a static one."""
    encoder = StaticEncoder(Path(model), dimension=dimension) if dimension else load_encoder(model)
    print(json.dumps({"encoder": encoder.name} | measure(encoder, data, bench), indent=2))


def main() -> None:
    """Evaluate one encoder folder or hub name."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("encoder", help="folder or hub name of a sentence-transformers model")
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora (the laws)")
    parser.add_argument("--bench", type=Path, help="folder of the benchmarks (default: bench beside the data)")
    parser.add_argument("--dimension", type=int, help="leading components to keep of a static encoder")
    arguments = parser.parse_args()
    bench = arguments.bench or arguments.data.parent / "bench"
    report(arguments.encoder, arguments.data, bench, dimension=arguments.dimension)


if __name__ == "__main__":
    main()
