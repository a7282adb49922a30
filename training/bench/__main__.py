"""`python -m training.bench --shared DIR`: measure everything, keep the figures, write the page."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent.parent
NEEDED: Final = ("seeds", "questions/seeds_dev.jsonl", "data/bench", "data/train")
NAMES: Final = ("seeds", "xquad", "cmrc", "laws", "speed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts in order; the exit code is 1 when something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m training.bench", description=__doc__)
    parser.add_argument("--shared", type=Path, help="the folder with seeds, questions and data")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=f"a part: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="slices of the sets, for development")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the page from the kept results")
    parser.add_argument("--output", type=Path, help="folder for results and page (only a whole run goes into the tree)")
    options = parser.parse_args(arguments)
    partial = options.quick or options.only
    output: Path = options.output or (ROOT / "build" / "bench" if partial else ROOT)
    kept = output / "evaluation" / "results" / "benchmarks.json"
    if options.render:
        from training.bench import report

        report.write_page(json.loads(kept.read_text(encoding="utf-8")), output / "docs")
        return 0
    if options.shared is None:
        parser.error("--shared is needed to measure")
    missing = [name for name in NEEDED if not (options.shared / name).exists()]
    if missing:
        print(
            f"skipped: {options.shared} does not hold {', '.join(missing)}; the benchmarks need their data sets there"
        )
        return 0
    return measure(options.shared, options.only or NAMES, kept, output / "docs", quick=options.quick)


def measure(shared: Path, names: Sequence[str], kept: Path, docs: Path, *, quick: bool) -> int:
    """Measure parts and write after each what there is so far; what fails is named and the others go on."""
    from training.bench import report
    from training.bench.parts import PARTS, Workspace, attempt

    results = report.header(quick=quick)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="zhice-bench-") as folder:
        work = Workspace(shared, Path(folder), quick=quick)
        for name in names:
            started = time.perf_counter()
            part = attempt(PARTS[name], work)
            results["parts"][name] = part | {"measured_in_seconds": round(time.perf_counter() - started)}
            results["seconds"] = round(time.perf_counter() - begun)
            print(json.dumps({name: part}, ensure_ascii=False), flush=True)
            report.write(results, kept)
    report.write_page(results, docs)
    print(f"{kept} and {docs / 'benchmarks.md'} written after {results['seconds']} s", file=sys.stderr)
    problems = list(errors(results["parts"]))
    for problem in problems:
        print(f"not measured: {problem}", file=sys.stderr)
    return 1 if problems else 0


def errors(found: Any, path: str = "") -> list[str]:
    """Every error in the results, with where it stands."""
    if isinstance(found, dict):
        own = [f"{path.strip('.')}: {found['error']}"] if "error" in found else []
        return own + [problem for name, inner in found.items() for problem in errors(inner, f"{path}.{name}")]
    if isinstance(found, list):
        return [problem for number, inner in enumerate(found) for problem in errors(inner, f"{path}.{number}")]
    return []


if __name__ == "__main__":
    sys.exit(main())
