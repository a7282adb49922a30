"""Questions to a filled store: opening it, answers and their stages, several at once, and searching without an index."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from statistics import fmean
from threading import Barrier
from typing import Any, Final

from assistant.assembly import Assistant
from assistant.reading.passage_reader import OnnxPassageReader
from assistant.retrieval import CANDIDATES, KEPT, facets, retrieve
from assistant.validity import standing_of
from channels.tuning import tune
from evaluation.scale.corpus import Corpus
from evaluation.scale.watching import Clock, mebibytes, own_memory, own_peak, watched_servers
from evaluation.scoreboard.policies import percent
from vectorstore import fulltext
from vectorstore.place import Place
from vectorstore.rows import indexed, passage_rows
from vectorstore.scanning import SCAN_LIMIT
from vectorstore.store import PolicyStore

QUESTIONS: Final = 200
_WARM_UP: Final = 10  # asked before the clock starts
_LIMIT: Final = CANDIDATES * KEPT  # what an answer asks `PolicyStore.search` for
_AS_OF: Final = "2026-06-30"

# Questions that are asked of some of the documents only: of a twentieth, and of those in force, most of them.
_FILTERED: Final = 4
_FILTERS: Final = {"one place": {"region": "海州市"}, "in force": {"validity": "in_force"}}


def questions(documents: int, count: int) -> list[str]:
    """Questions that the first so many documents answer, less the last of them, which may be cut off."""
    corpus, chance = Corpus(), Random(7)  # noqa: S311 - the same questions each time
    found: list[str] = []
    while len(found) < count:
        asked = corpus.made(chance.randrange(max(1, documents - 1))).questions
        found += [chance.choice(asked)] if asked else []
    return found


def ask(place: Place, documents: int, count: int = QUESTIONS) -> dict[str, Any]:
    """Open a store with its index as a server does, and ask it."""
    tune()
    asked = questions(documents, count)
    servers = watched_servers(place)
    clock = Clock(servers)
    with clock("opening the catalog", servers=True):
        store = PolicyStore(place)
    with Assistant(store) as assistant:
        with clock("opening the index", servers=True):
            opened = store.open_index()
        with clock("counting terms", servers=True):
            store.count_terms()
        gc.collect()
        gc.freeze()
        rest = mebibytes(own_memory())
        with clock("first answer", servers=True):
            assistant.ask(asked[0], as_of=_AS_OF)
        for question in asked[:_WARM_UP]:
            assistant.ask(question, as_of=_AS_OF)
        kept = {name: mebibytes(each.memory()) for name, each in servers.items()}
        answers, spent, told = [], [], Counter[str]()
        with clock("answers", servers=True):
            for question in asked:
                started = time.perf_counter()
                answer = assistant.ask(question, as_of=_AS_OF)
                spent.append(time.perf_counter() - started)
                answers.append(answer.elapsed_ms)
                told[answer.status] += 1
        settled = mebibytes(own_memory())
        stages = {name: percentiles([each[name] / 1000 for each in answers]) for name in answers[0]}
        return {
            "index opened": opened,
            "index used": store.index_state().open,
            "indexed": store.index_state().indexed,
            "opening": {name: each for name, each in clock.plain().items() if name != "answers"},
            "answer_ms": percentiles(spent),
            "answer_stages_ms": stages,
            "status": dict(told),
            "cpu_an_answer": clock.stages["answers"].plain(1 / len(asked)),
            "search_ms": searched(assistant, asked),
            "at_once": {str(threads): _at_once(assistant, asked, threads) for threads in (2, 8)},
            "upkeep": upkeep(assistant),
            "filtered_ms": {name: filtered(assistant, asked[:_FILTERED], given) for name, given in _FILTERS.items()},
            "memory_mib": {"at rest": rest, "after questions": settled, "peak": mebibytes(own_peak())},
            "server_memory_mib": kept,
        }


class _Steps:
    """What each of some steps took, each time: seconds on the clock, and processor seconds of this process."""

    def __init__(self) -> None:
        self.taken: dict[str, list[tuple[float, float]]] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        started, cpu = time.perf_counter(), time.process_time()
        yield
        self.taken.setdefault(step, []).append((time.perf_counter() - started, time.process_time() - cpu))

    def plain(self) -> dict[str, dict[str, float]]:
        """Milliseconds of each step: p50, p95, and the processor's on average, which others' work does not lengthen."""
        return {
            step: {
                **percentiles([seconds for seconds, _ in taken]),
                "cpu": round(1000 * fmean(cpu for _, cpu in taken), 2),
            }
            for step, taken in self.taken.items()
        }


def searched(assistant: Assistant, asked: Sequence[str]) -> dict[str, dict[str, float]]:
    """`PolicyStore.search` as a whole, then its steps one by one, each over all questions."""
    store, steps = assistant.store, _Steps()
    queries = [assistant.understanding.understand(question) for question in asked]
    scorers = []
    for query in queries:
        with steps("frequencies"):
            scorers.append(store.scorer(facets(query)))
    for query, scorer in zip(queries, scorers, strict=True):
        with steps("search"):
            store.search(query.standalone, scorer, limit=_LIMIT)
    terms = store.catalog.engine.fulltext
    with store.catalog.snapshot() as connection:
        known = fulltext.statistics(connection)
    for query, scorer in zip(queries, scorers, strict=True):
        with steps("encoding"):
            vector = store.encoder.encode_query(query.standalone)
        with store.catalog.snapshot() as connection:
            fulltext.look_up(terms, connection, known, [term for facet in scorer.facets for term in facet.terms])
            with steps("vectors"):
                cosines = store.index.nearest(connection, vector, _LIMIT)
            with steps("full text"):
                worded = fulltext.candidates(terms, connection, known, scorer.facets, _LIMIT)
            with steps("rows"):
                rows = passage_rows(connection, list(dict.fromkeys([*cosines, *worded])))
            with steps("scores"):
                scorer.score({number: indexed(row) for number, row in rows.items()})
    reader = OnnxPassageReader()
    for query in queries:
        with steps("retrieval"):
            retrieve(store, query, reader)
    return steps.plain()


def filtered(assistant: Assistant, asked: Sequence[str], filters: Mapping[str, str]) -> dict[str, float]:
    """Questions to some of the documents only, whose vectors are all compared each time."""
    steps = _Steps()
    for question in asked:
        with steps("answer"):
            assistant.ask(question, as_of=_AS_OF, filters=filters)
    return steps.plain()["answer"]


def upkeep(assistant: Assistant) -> dict[str, float]:
    """Seconds of what is done anew whenever the documents have changed."""
    store, clock = assistant.store, Clock()
    with store.catalog.snapshot() as connection, clock("statistics"):
        fulltext.statistics(connection)
    with clock("records"):
        records = store.catalog.records()
    with clock("standing"):
        standing_of(records)
    return {name: round(each.seconds, 4) for name, each in clock.stages.items()}


def scan(place: Place, size: int, documents: int, count: int = QUESTIONS) -> dict[str, Any]:
    """Ask without an index: the first search reads all vectors, later ones compare them."""
    tune()
    asked = questions(documents, max(1, count // 4))
    clock = Clock()
    with Assistant(PolicyStore(place)) as assistant:
        before = own_memory()
        with clock("first answer"):
            assistant.ask(asked[0], as_of=_AS_OF)
        steps = searched(assistant, asked)
        return {
            "scanned": size <= SCAN_LIMIT,
            "first_seconds": round(clock.stages["first answer"].seconds, 3),
            "search_ms": steps["search"],
            "vectors_ms": steps["vectors"],
            "memory_mib": {"before": mebibytes(before), "after": mebibytes(own_memory())},
        }


def ask_beside(place: Place, documents: int, start: Barrier, count: int = QUESTIONS) -> dict[str, Any]:
    """Ask one question after the other, from the moment that all the processes that do so are ready."""
    tune()
    asked = questions(documents, count)
    with Assistant(PolicyStore(place)) as assistant:
        assistant.warm_up()
        for question in asked[:_WARM_UP]:
            assistant.ask(question, as_of=_AS_OF)
        start.wait()
        return _at_once(assistant, asked, 1)


def _at_once(assistant: Assistant, asked: Sequence[str], threads: int) -> dict[str, float]:
    """All questions, by so many threads at once."""

    def one(question: str) -> float:
        started = time.perf_counter()
        assistant.ask(question, as_of=_AS_OF)
        return time.perf_counter() - started

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        spent = list(pool.map(one, asked))
    return {"answers_per_second": round(len(asked) / (time.perf_counter() - started), 2), **percentiles(spent)}


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p95 in milliseconds."""
    return {"p50": round(1000 * percent(seconds, 0.5), 2), "p95": round(1000 * percent(seconds, 0.95), 2)}
