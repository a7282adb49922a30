"""`python -m evaluation.scoreboard`: run the lines that have no result at this commit, and write the page."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from evaluation.scoreboard.line import Line
from evaluation.scoreboard.report import PAGE, RESULTS, Results, commit

LINES: Final = {
    1: "kills", 2: "damage", 3: "disk_full", 4: "writers", 5: "model", 6: "load", 7: "soak", 8: "bad_files",
    9: "paths", 10: "access", 11: "markup", 12: "outputs", 13: "limits", 14: "offline", 15: "secrecy",
    16: "dependencies",
}  # fmt: skip
"""The file of each line; it has `run(work: Path, *, quick: bool) -> Line`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run lines; the exit code is 0 if none of those run has failed."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.scoreboard", description=__doc__)
    parser.add_argument("--only", type=int, action="append", choices=sorted(LINES), help="a line's number; repeatable")
    parser.add_argument("--out", type=Path, help="where to keep the results (JSON); the page is written beside it")
    parser.add_argument("--quick", action="store_true", help="the quick forms, in seconds each")
    parser.add_argument("--again", action="store_true", help="run lines that have a result at this commit, too")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)
    file, page = (options.out, options.out.with_suffix(".md")) if options.out else (RESULTS, PAGE)
    results, at, failed = Results(file), commit(), False
    for number in options.only or LINES:
        if results.has(number, at, quick=options.quick) and not options.again:
            print(f"{number:2}  has a result at {at}", flush=True)
            continue
        line = _run(number, quick=options.quick)
        results.add(line, at, quick=options.quick)
        page.write_text(results.page(), encoding="utf-8")
        failed = failed or not (line.passed or line.skipped_because)
        verdict = "passed" if line.passed else f"skipped: {line.skipped_because}" if line.skipped_because else "FAILED"
        print(f"{number:2}  {verdict}  {line.test}: {line.figure} ({line.seconds:.0f} s)", flush=True)
    return int(failed)


def _run(number: int, *, quick: bool) -> Line:
    """Run a line in a folder of its own; what it did not expect is a failure."""
    module, started = LINES[number], time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="zhice-scoreboard-") as work:
        try:
            line = import_module(f"evaluation.scoreboard.{module}").run(Path(work), quick=quick)
        except Exception as error:
            logging.exception("line %d", number)
            figure = f"{type(error).__name__}: {error}"
            return Line(number, module, "it was not run to its end", figure, False, time.perf_counter() - started)
    return line if isinstance(line, Line) else Line(number, module, "", "it gave no result", False)


if __name__ == "__main__":
    sys.exit(main())
