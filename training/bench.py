"""`make bench`: how well and how fast the store finds the right passage, by wording, by meaning, and fused."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from assistant import Assistant
from assistant.retrieval import Evidence
from training import corpora
from vectorstore.passage import Document, Passage
from vectorstore.store import PolicyStore

RESULTS: Final = Path(__file__).parent.parent / "evaluation" / "results" / "retrieval.json"
DEPTH: Final = 100
PASSAGES_A_DOCUMENT: Final = 200


def fill(store: PolicyStore, texts: Sequence[str]) -> None:
    """Store texts as passages, one each, some hundred to a document."""
    for first in range(0, len(texts), PASSAGES_A_DOCUMENT):
        start, passages = 0, []
        some = texts[first : first + PASSAGES_A_DOCUMENT]
        for position, text in enumerate(some):
            passages.append(Passage(position, start, start + len(text)))
            start += len(text) + 1
        name = f"{first:06}"
        store.put(Document(name, "text/plain", "\n".join(some)), passages, key=name, sha256=name)


def rankings(found: Sequence[Evidence]) -> dict[str, list[str]]:
    """The texts found, best first, by each part alone and fused."""
    return {
        "bm25": [item.hit.text for item in sorted(found, key=lambda item: -item.hit.lexical) if item.hit.lexical],
        "encoder": [item.hit.text for item in sorted(found, key=lambda item: -item.hit.cosine)],
        "fused": [item.hit.text for item in found],
    }


def measure(name: str, texts: Sequence[str], questions: Sequence[tuple[str, Sequence[str]]]) -> dict[str, Any]:
    """The figures of one set; `questions` come with the texts that answer them (matched by `corpora.article_key`)."""
    with tempfile.TemporaryDirectory() as folder:
        store = PolicyStore(Path(folder))
        started = time.perf_counter()
        fill(store, texts)
        rate = len(texts) / (time.perf_counter() - started)
        assistant = Assistant(store)
        figures: dict[str, dict[str, list[float]]] = {}
        seconds: list[float] = []
        for question, gold in questions:
            started = time.perf_counter()
            found = assistant.passages(question, limit=DEPTH)
            seconds.append(time.perf_counter() - started)
            for part, ranked in rankings(found).items():
                keys = [corpora.article_key(text) for text in ranked]
                scores = figures.setdefault(part, {"hit@1": [], "recall@10": [], "recall@100": []})
                wanted = [corpora.article_key(text) for text in gold]
                scores["hit@1"].append(float(bool(keys) and keys[0] in wanted))
                for depth in (10, 100):
                    scores[f"recall@{depth}"].append(sum(key in keys[:depth] for key in wanted) / len(wanted))
        assistant.close()
    return {
        "set": name,
        "passages": len(texts),
        "questions": len(questions),
        "ingest_passages_per_second": round(rate),
        "query_ms": {
            "p50": round(1000 * statistics.median(seconds), 1),
            "p95": round(1000 * sorted(seconds)[int(0.95 * len(seconds))], 1),
        },
        **{
            part: {measured: round(statistics.fmean(values), 4) for measured, values in scores.items()}
            for part, scores in figures.items()
        },
    }


def benchmarks(shared: Path) -> Iterator[dict[str, Any]]:
    """Measure every set, the small ones first."""
    bench, train = shared / "data" / "bench", shared / "data" / "train"
    rows = list(corpora.read_lines(bench / "xquad_zh_en.jsonl.gz"))
    paragraphs = [row["context_zh"] for row in rows]
    for language in ("zh", "en"):
        pairs = [(asked[language], [row["context_zh"]]) for row in rows for asked in row["qas"]]
        yield measure(f"XQuAD {language}->zh", paragraphs, pairs)
    reading = [(item.text, [item.paragraph]) for item in corpora.questions(bench / "cmrc2018_dev.jsonl.gz")]
    yield measure("CMRC dev", list(dict.fromkeys(gold[0] for _, gold in reading)), reading)
    articles = list({"".join(article.text.split()): article.text for article in corpora.articles(train)}.values())
    yield measure("STARD dev", articles, list(corpora.lay_questions(bench / "stard_dev.jsonl.gz")))


def main() -> None:
    """Measure, print a line a set, and keep the figures with their commit."""
    parser = argparse.ArgumentParser(prog="python -m training.bench", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder that holds data/bench and data/train")
    shared = parser.parse_args().shared
    if not (shared / "data" / "bench").is_dir():
        print(f"skipped: {shared} does not hold data/bench; the benchmarks need their data sets beside the checkout")
        return
    results = []
    for figures in benchmarks(shared):
        results.append(figures)
        print(json.dumps(figures, ensure_ascii=False), flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {
        "commit": commit.strip(),
        "date": date.today().isoformat(),
        "python": sys.version.split()[0],
        "sets": results,
    }
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
