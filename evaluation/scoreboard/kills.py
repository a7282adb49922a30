"""Line 1: ingests killed at any moment, half of them while the index files change."""

from __future__ import annotations

import random
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import INGEST, astray, child, lines_of, percent, text_of, write_policies
from vectorstore.fulltext import word_for_word
from vectorstore.store import PolicyStore

DOCUMENTS: Final = 60
CHANGED: Final = 12  # documents that come in another edition each time, so that each child has something to lose
LONGEST_START: Final = 10.0  # seconds from the start of a process to its first answer
LOOKED_AT: Final = 20  # kills after which every passage is queried for itself
INDEX_TAKES: Final = 0.8  # seconds that the index of 500 passages takes to be built and to become the present one
STORING_TAKES: Final = 0.4  # and that the changed documents take from the first one on


@dataclass(slots=True)
class _Tally:
    kills: int = 0
    aimed: int = 0
    starts: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def run(work: Path, *, quick: bool) -> Line:
    """200 SIGKILLs and as many SIGTERMs; in the quick form 6 and 2."""
    started = time.perf_counter()
    tally = _Tally()
    moments = random.Random(20260301)  # noqa: S311 - moments, not secrets
    kills = {signal.SIGKILL: 6 if quick else 200, signal.SIGTERM: 2 if quick else 200}
    editions = dict.fromkeys(range(1, DOCUMENTS + 1), 1)
    write_policies(work / "policies", list(editions))
    for number, count in kills.items():
        for index in range(count):
            _one(work, editions, number, tally, moments, aimed=bool(index % 2))
            if (index + 1) % LOOKED_AT == 0 or index + 1 == count:
                _look(work, tally)
    slowest = max(tally.starts)
    return Line(
        1,
        "kills during ingest",
        f"{kills[signal.SIGKILL]} SIGKILLs and {kills[signal.SIGTERM]} SIGTERMs of a process that takes documents in; {tally.aimed} "
        "of them within 0.8 s of the first change to a new index; what was told is compared, and every passage queried for itself",
        f"{len(tally.wrong)} lost, double or unfindable; first answer after {percent(tally.starts, 0.5):.1f} s (p50), "
        f"{slowest:.1f} s (slowest)" + "".join(f"; {each}" for each in tally.wrong[:3]),
        not tally.wrong and slowest <= LONGEST_START,
        time.perf_counter() - started,
    )


def _one(
    work: Path, editions: dict[int, int], number: int, tally: _Tally, moments: random.Random, *, aimed: bool
) -> None:
    """Start a child on changed documents, kill it, and compare what it told with what is there."""
    for changed in moments.sample(list(editions), CHANGED):
        editions[changed] += 1
        write_policies(work / "policies", [changed], editions[changed])
    told: list[str] = []
    index, begun = work / "kb" / "index", time.perf_counter()
    before = set(index.glob("*"))
    with child(INGEST, work / "policies", work / "kb") as process:
        lines = lines_of(process)
        answered = next(lines, "")
        if not answered.startswith("answered"):
            tally.wrong.append("a start did not answer")
            return
        tally.starts.append(time.perf_counter() - begun)
        listening = threading.Thread(target=lambda: told.extend(lines), daemon=True)
        listening.start()
        if aimed:
            while process.poll() is None and not set(index.glob("*")) - before:
                time.sleep(0.001)
            time.sleep(moments.uniform(0, INDEX_TAKES))
        else:
            while process.poll() is None and not told:
                time.sleep(0.001)
            time.sleep(moments.uniform(0, STORING_TAKES))
        tally.aimed += aimed
        tally.kills += 1
        process.send_signal(number)
        process.wait()
        listening.join()
    names = [line.removeprefix("in ") for line in told if line.startswith("in ")]
    store = PolicyStore(work / "kb")
    there = {record.source: record for record in store.catalog.records()}
    for name in names:
        expected = text_of(int(name[:4]), editions[int(name[:4])])
        if name not in there or store.text(there[name].document_id, there[name].version) != expected:
            tally.wrong.append(f"{name} was told and is not there")
    store.close()


def _look(work: Path, tally: _Tally) -> None:
    store = PolicyStore(work / "kb")
    if not store.open_index():
        tally.wrong.append("the index does not open")
    tally.wrong += astray(store)
    for record in store.catalog.records():
        for words in store.text(record.document_id, record.version).split("\n\n")[1:]:
            found = store.read(store.search(words, store.scorer(word_for_word(words)), limit=10))
            if not any(hit.source == record.source and words.strip() in hit.text for hit in found):
                tally.wrong.append(f"{words.strip()!r} of {record.source} is not found")
    store.close()
