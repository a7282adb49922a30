"""`python -m evaluation.scale`: fill stores with 1,000 to 1,000,000 made passages, measure each, keep the results.

What has a result is not measured again, so a run that was broken off is taken up where it was. A store in a folder is
made below `--work`; with `--database` and `--chroma` the store is on these servers, whose database has to be empty, so
that one size is measured at a time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, Final

from evaluation.scale import asking, filling
from evaluation.scale.tables import tables
from evaluation.scoreboard.report import ROOT, commit, machine
from vectorstore.errors import StoreError
from vectorstore.place import Place

SIZES: Final = (1_000, 10_000, 140_000, 1_000_000)
RESULTS: Final = ROOT / "evaluation" / "results" / "scale.json"
FOLDER: Final = "SQLite, embedded Chroma"
SERVERS: Final = "PostgreSQL, Chroma server"
_BESIDE: Final = 2  # processes that ask at the same time

Results = dict[str, dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit code is 0 unless something could not be."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.scale", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="passages")
    parser.add_argument("--work", type=Path, help="where stores are made; a temporary folder by default")
    parser.add_argument("--database", help="the URL of an empty PostgreSQL database")
    parser.add_argument("--chroma", help="the URL of a Chroma server")
    parser.add_argument("--questions", type=int, default=asking.QUESTIONS, help="how many are asked each time")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results are kept (JSON)")
    parser.add_argument("--tables", action="store_true", help="print the results as tables and measure nothing")
    options = parser.parse_args(arguments)
    if options.tables:
        print(tables(read(options.out)))
        return 0
    if (options.database is None) != (options.chroma is None):
        parser.error("--database and --chroma belong together")
    if options.database is not None and len(options.sizes) > 1:
        parser.error("one of --sizes for each empty database")
    with tempfile.TemporaryDirectory(prefix="zhice-scale-") as temporary:
        for size in options.sizes:
            folder = (options.work or Path(temporary)) / f"{'servers' if options.database else 'folder'}-{size}"
            place = Place(folder, database=options.database, chroma=options.chroma)
            try:
                measure(place, size, options.out, options.questions)
            except StoreError as error:
                print(error, file=sys.stderr)
                return 1
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def measure(place: Place, size: int, out: Path, count: int = asking.QUESTIONS) -> None:
    """Measure a store of a size, what has not been measured yet; each part in a process of its own.

    Raises:
        StoreError: the store could not be filled or opened.
    """
    engine = SERVERS if place.database else FOLDER
    parts: dict[str, Callable[[int], Any]] = {
        "shape": lambda _: alone(filling.shaped, size),
        "fill": lambda _: alone(filling.fill, place, size),
        "scan": lambda documents: alone(asking.scan, place, size, documents, count),
        "build": lambda _: alone(filling.build, place),
        "ask": lambda documents: alone(asking.ask, place, documents, count),
        "beside": lambda documents: _beside(place, documents, count),
    }
    if not place.folder.exists():  # what was measured of an earlier store says nothing of the one to come
        forget(out, engine, size)
    for part, work in parts.items():
        kept = read(out).get(engine, {}).get(str(size), {})
        if part in kept:
            continue
        documents = kept.get("fill", {}).get("documents", 0)
        keep(out, engine, size, part, work(documents))
        print(f"{engine}, {size:,} passages: {part} measured", flush=True)


def alone(work: Callable[..., Any], *given: Any) -> Any:
    """What a function returns in a new process, which ends with it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def _beside(place: Place, documents: int, count: int) -> list[dict[str, float]]:
    """Several processes that ask at the same time, as web processes do."""
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(_BESIDE, mp_context=spawn) as pool:
        start = manager.Barrier(_BESIDE)
        asked = [pool.submit(asking.ask_beside, place, documents, start, count) for _ in range(_BESIDE)]
        return [each.result() for each in asked]


def read(file: Path) -> Results:
    """The results so far, by engine, size and part."""
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


def forget(file: Path, engine: str, size: int) -> None:
    """Give the results of a store up, unless it was measured to the end."""
    results = read(file)
    if "beside" not in results.get(engine, {}).get(str(size), {"beside": None}):
        del results[engine][str(size)]
        file.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")


def keep(file: Path, engine: str, size: int, part: str, found: Any) -> None:
    """Keep the result of a part, and what it was measured on."""
    results = read(file)
    measured = results.setdefault(engine, {}).setdefault(str(size), {})
    measured[part] = found
    results[engine] = dict(sorted(results[engine].items(), key=lambda item: int(item[0])))
    measured["measured"] = {"commit": commit(), "date": date.today().isoformat(), "machine": machine()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
