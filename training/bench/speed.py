"""Time, memory and room: every measurement in a process of its own."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from training import corpora
from training.bench import sets
from training.bench.scoring import percentile
from training.corpora import Article

# Questions asked before the clock starts: what is loaded on first use is part of the cold start, not of a query.
WARM_UP: Final = 5
# A cold start is the middle one of so many.
STARTS: Final = 3

ROOT: Final = Path(__file__).parent.parent.parent


def ingest_ours(
    folder: Path, shared: Path, count: int | None, passages: Sequence[Article] | None = None
) -> dict[str, Any]:
    """Store the first `count` articles (all for None; or `passages`) as the product does, and build the index."""
    from training.bench import ours

    articles = passages or islice(corpora.articles(shared / "data" / "train"), count)
    filled = ours.fill(folder, sets.documents(articles))
    return {
        "passages": int(filled["passages"]),
        "passages_per_second": round(filled["passages"] / filled["seconds"]),
        "index_seconds": round(filled["index_seconds"], 1),
        "passages_per_second_with_index": round(filled["passages"] / (filled["seconds"] + filled["index_seconds"])),
        "size_mib": size_mib(folder),
    }


def pipeline_ours(files: Path, folder: Path) -> dict[str, Any]:
    """Take a folder of files in (read, clean, describe, split, encode, store, index), and again with nothing changed."""
    from ingest import ingest_paths

    report = ingest_paths([files], data_dir=folder)
    again = ingest_paths([files], data_dir=folder)
    return {
        "files": report.added,
        "failed": len(report.failed),
        "passages": report.passages,
        "seconds": round(report.seconds, 1),
        "files_per_second": round(report.added / report.seconds),
        "passages_per_second": round(report.passages / report.seconds),
        "again_unchanged": again.unchanged,
        "again_seconds": round(again.seconds, 2),
        "again_share": round(again.seconds / report.seconds, 3),
        "reader_peak_mib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }


def serve_ours(folder: Path, questions: Sequence[str], use_index: bool) -> dict[str, Any]:
    """Open a folder as a server does (`use_index`) or as one call does, and ask it."""
    from assistant import Assistant
    from vectorstore.store import PolicyStore

    started = time.perf_counter()
    with Assistant(PolicyStore(folder)) as assistant:
        if use_index:
            assistant.warm_up()
        opened = time.perf_counter() - started
        for question in questions[:WARM_UP]:
            assistant.ask(question)
        return {
            "open_seconds": round(opened, 2),
            "query_ms": _milliseconds(assistant.passages, questions),
            "answer_ms": _milliseconds(assistant.ask, questions),
        }


def ingest_tutorial(folder: Path, shared: Path, count: int) -> dict[str, Any]:
    """The same articles through splitter, model and Chroma; loading the model is not counted."""
    from training.bench.tutorial import Tutorial, load_model, recursive_splitter

    texts = [article.text for article in islice(corpora.articles(shared / "data" / "train"), count)]
    tutorial, split = Tutorial(folder, load_model()), recursive_splitter()
    started = time.perf_counter()
    chunks = tutorial.add(texts, split)
    return {
        "passages": len(texts),
        "chunks": chunks,
        "passages_per_second": round(len(texts) / (time.perf_counter() - started), 1),
        "size_mib": size_mib(folder),
    }


def serve_tutorial(folder: Path, questions: Sequence[str]) -> dict[str, Any]:
    """Load the model, open the folder, and ask for its nearest four chunks; no answer is written."""
    from training.bench.tutorial import TOP, Tutorial, load_model

    started = time.perf_counter()
    tutorial = Tutorial(folder, load_model())
    opened = time.perf_counter() - started
    for question in questions[:WARM_UP]:
        tutorial.search(question, TOP)
    return {
        "open_seconds": round(opened, 2),
        "query_ms": _milliseconds(lambda question: tutorial.search(question, TOP), questions),
    }


def cold_start_ours(folder: Path, question: str) -> dict[str, Any]:
    """From starting `zhice ask` to its answer."""
    command = Path(sysconfig.get_path("scripts")) / "zhice"
    return _cold_start([str(command), "ask", question, "--data-dir", str(folder)])


def cold_start_tutorial(folder: Path, question: str) -> dict[str, Any]:
    """From starting Python to the nearest chunk."""
    return _cold_start([sys.executable, "-m", "training.bench.tutorial", str(folder), question])


def write_policies(shared: Path, folder: Path, step: int) -> int:
    """Write every `step`th provincial policy as a text file; how many."""
    folder.mkdir(parents=True)
    policies = list(corpora.read_lines(shared / "data" / "train" / "policies_hebei.jsonl.gz"))[::step]
    for number, policy in enumerate(policies):
        text = f"{policy['title']}\n\n发布时间：{policy['date']}\n\n{policy['text']}\n"
        (folder / f"{number:04}.txt").write_text(text, encoding="utf-8")
    return len(policies)


def size_mib(folder: Path) -> float:
    """The room that a folder's files take."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20, 1)


def _milliseconds(asked: Callable[[str], object], questions: Sequence[str]) -> dict[str, float]:
    spent = []
    for question in questions:
        started = time.perf_counter()
        asked(question)
        spent.append(1000 * (time.perf_counter() - started))
    return {"p50": round(percentile(spent, 0.5), 1), "p95": round(percentile(spent, 0.95), 1)}


def _cold_start(command: Sequence[str]) -> dict[str, Any]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ZHICE_")}
    seconds = []
    for _ in range(STARTS):
        started = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environ
        ) as process:
            first = process.stdout.readline() if process.stdout else ""
            seconds.append(round(time.perf_counter() - started, 2))
            _, problem = process.communicate()
        if process.returncode or not first.strip():
            raise RuntimeError(f"{command[0]} gave no answer (exit code {process.returncode}): {problem[-500:]}")
    return {"seconds": statistics.median(seconds), "all_seconds": seconds}
