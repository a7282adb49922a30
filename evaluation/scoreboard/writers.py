"""Line 4: a second writer is refused, and questions asked while documents change are answered from one state."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from assistant import Assistant
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import ROOT, child, lines_of, percent, write_policies
from ingest.pipeline import ingest_into
from vectorstore.fulltext import word_for_word
from vectorstore.store import PolicyStore

DOCUMENTS: Final = 40
FIRST: Final = (
    101  # their numbers, unlike those of clauses and editions: before its vectors are made, words find a document
)
ASKING: Final = 3  # threads
TRIES: Final = 20
PATIENCE: Final = 60  # seconds more, on a slow machine, for the first documents to change

# Takes all documents in again in the next edition, until it is ended.
_AGAIN: Final = """
import sys
from pathlib import Path
from evaluation.scoreboard.policies import write_policies
from ingest.pipeline import ingest_into
from vectorstore.store import PolicyStore

folder, data, first, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
store, edition = PolicyStore(data), 1
with store.writing():
    print("writing", flush=True)
    while True:
        edition += 1
        write_policies(folder, range(first, first + count), edition)
        ingest_into(store, [folder])
        print("edition", edition, flush=True)
"""


def run(work: Path, *, quick: bool) -> Line:
    """20 tries and 60 s of questions; in the quick form 2 and 3 s."""
    started = time.perf_counter()
    tries, seconds = (2, 3.0) if quick else (TRIES, 60.0)
    policies, kb = work / "policies", work / "kb"
    write_policies(policies, range(FIRST, FIRST + DOCUMENTS))
    store = PolicyStore(kb)
    ingest_into(store, [policies])
    editions: list[str] = []
    with Assistant(store) as assistant, child(_AGAIN, policies, kb, FIRST, DOCUMENTS) as writer:
        assistant.warm_up()
        lines = lines_of(writer)
        wrong = [] if next(lines, "") == "writing" else ["the first writer did not begin"]
        listening = threading.Thread(target=lambda: editions.extend(lines), daemon=True)
        listening.start()
        asking = _Asking(assistant, seconds, lambda: bool(editions))
        wrong += _refusals(policies, kb, tries, writer.pid)
        wrong += asking.finish()
        writer.kill()
        listening.join()
    if not editions:
        wrong.append("nothing was taken in again meanwhile")
    refused = tries - sum("second writer" in each for each in wrong)
    return Line(
        4,
        "second writer; queries during a re-ingest",
        f"{tries} processes that try to write while another does; {ASKING} threads that ask for {seconds:.0f} s while "
        f"{DOCUMENTS} documents are taken in again and again ({len(editions)} editions)",
        f"{refused} of {tries} refused and told who writes; {len(asking.times)} answers, p95 {1000 * percent(asking.times, 0.95):.0f} ms, "
        f"{len(wrong)} wrong" + "".join(f"; {each} ({count} x)" for each, count in Counter(wrong).most_common(3)),
        not wrong,
        time.perf_counter() - started,
    )


def _refusals(policies: Path, kb: Path, tries: int, holder: int) -> list[str]:
    wrong = []
    for _ in range(tries):
        done = subprocess.run(  # noqa: S603 - this program's own command
            [sys.executable, "-m", "app", "ingest", str(policies), "--data-dir", str(kb)],
            capture_output=True, text=True, cwd=ROOT, timeout=60,
        )  # fmt: skip
        if (
            done.returncode != 1
            or f"being written by process {holder}" not in done.stderr
            or "Traceback" in done.stderr
        ):
            wrong.append(f"a second writer was not refused: {done.stderr.strip()[-200:]!r}")
    return wrong


class _Asking:
    """Threads that ask and search for some seconds, and until something has `changed`, and look at every reply."""

    def __init__(self, assistant: Assistant, seconds: float, changed: Callable[[], bool]) -> None:
        self.times: list[float] = []
        self._wrong: list[str] = []
        self._assistant, self._until, self._changed = assistant, time.monotonic() + seconds, changed
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(ASKING)]
        for thread in self._threads:
            thread.start()

    def finish(self) -> list[str]:
        """Wait for the threads; what was wrong."""
        for thread in self._threads:
            thread.join()
        return self._wrong

    def _ask(self, number: int) -> None:
        while (now := time.monotonic()) < self._until or (not self._changed() and now < self._until + PATIENCE):
            number = (number + 1) % DOCUMENTS
            begun = time.perf_counter()
            try:
                project = f"第{FIRST + number}号项目"
                self._wrong += self._answer(f"海州市{project}最高奖励多少？") + self._search(f"{project}奖励")
            except Exception as error:
                self._wrong.append(f"{type(error).__name__}: {error}")
            self.times.append(time.perf_counter() - begun)

    def _answer(self, question: str) -> list[str]:
        """Every quote is in the version that it is cited from."""
        answer = self._assistant.ask(question)
        if not answer.citations:
            return [f"an answer was {answer.status}"]
        texts = [self._assistant.document_text(cited.document_id, cited.version) for cited in answer.citations]
        return [
            "a quote is not in its version"
            for cited, text in zip(answer.citations, texts, strict=True)
            if text[cited.start : cited.end] != cited.quote
        ]

    def _search(self, words: str) -> list[str]:
        """One search finds one version of a document, and every document."""
        store = self._assistant.store
        found = store.search(words, store.scorer(word_for_word(words)), limit=DOCUMENTS * 20)
        versions = {(match.document_id, match.version) for match in found}
        documents = {document_id for document_id, _ in versions}
        wrong = [] if len(versions) == len(documents) else ["a search found two versions of a document"]
        return wrong + ([] if len(documents) == DOCUMENTS else ["a search missed documents"])
