"""Invented policies whose every clause is told from every other, and children that take them in."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vectorstore.fulltext import word_for_word
from vectorstore.store import PolicyStore

CLAUSES: Final = 8
# What the clauses of a policy are about, in turn: one only grants money, so that a question has one answer.
MATTERS: Final = (
    "给予最高{}万元奖励", "提供{}平方米场地", "配备{}名管理人员", "提前{}日公示", "保存资料{}个月", "每年检查{}次", "培训{}名职工", "购置{}台设备"
)  # fmt: skip
ROOT: Final = Path(__file__).parents[2]

# Answers a question, says how long that took since it was started, then takes a folder in and builds the index; each
# document is told when it is in.
INGEST: Final = """
import sys
from pathlib import Path
from assistant import open_assistant
from assistant.settings import Settings
from ingest.pipeline import ingest_into

folder, data = sys.argv[1:3]
with open_assistant(settings=Settings(data_dir=Path(data), samples=False)) as assistant:
    print("answered", assistant.ask("第1号项目最高奖励多少？").status, flush=True)
    names = []
    def progress(done, total, name):
        if names:
            print("in", names[-1], flush=True)
        names.append(name)
    ingest_into(assistant.store, [folder], progress=progress)
    print("in", names[-1], flush=True)
    print("indexing", flush=True)
    assistant.store.refresh_index(force=True)
    print("done", flush=True)
"""


def text_of(number: int, edition: int, clauses: int = CLAUSES) -> str:
    """A policy of which every clause names the project and the edition."""
    said = "\n\n".join(
        f"第{line}条 对海州市第{number}号项目第{edition}版"
        f"{MATTERS[(line - 1) % len(MATTERS)].format(number * 100 + line)}。"
        for line in range(1, clauses + 1)
    )
    return f"海州市第{number}号项目奖励办法\n\n{said}\n"


def write_policies(folder: Path, numbers: Sequence[int], edition: int = 1, clauses: int = CLAUSES) -> None:
    """Write policies, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{number:04}.txt").write_text(text_of(number, edition, clauses), encoding="utf-8")


@contextmanager
def child(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a script; it is ended at the latest with the block."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(  # noqa: S603 - our own scripts
            [sys.executable, "-c", script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a child says, line by line, until it ends."""
    for line in process.stdout or ():
        yield line.rstrip("\n")


def astray(store: PolicyStore) -> list[str]:
    """What is wrong in a store: passages that do not find themselves, that are there twice, or in one table only."""
    with store.catalog.snapshot() as connection:
        rows = connection.execute('SELECT passage_id, document_id, version, start, "end" FROM passages').fetchall()
        indexed = connection.execute("SELECT count(*) FROM passages_text").fetchone()[0]
    wrong = [] if indexed == len(rows) else [f"{indexed} rows of full text for {len(rows)} passages"]
    places = [(row["document_id"], row["start"]) for row in rows]
    wrong += (
        [f"{place} is there twice" for place in set(places) if places.count(place) > 1]
        if len(set(places)) < len(places)
        else []
    )
    for row in rows:
        words = store.text(row["document_id"], row["version"])[row["start"] : row["end"]]
        found = store.search(words, store.scorer(word_for_word(words)), limit=10)
        if row["passage_id"] not in {match.passage_id for match in found}:
            wrong.append(f"passage {row['passage_id']} does not find itself")
    return wrong


def percent(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lie; 0 for none."""
    ordered: list[Any] = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else 0.0
