"""Results kept as JSON with the commit they were measured at, and the page made of them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

from evaluation.scoreboard.line import Line

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = ROOT / "evaluation" / "results" / "reliability.json"
PAGE: Final = ROOT / "docs" / "reliability.md"

_HEAD: Final = """# Reliability

How what is promised in the [threat model](threat-model.md) is tried. Written by `make scoreboard`: each line is run as it
says, and taken at the commit beside it ("+": with changes that were not committed). A quick form is the one that the tests
run, too.

| # | test | how | figure | | commit |
| --- | --- | --- | --- | --- | --- |
"""


class Results:
    """The lines measured so far; saved after each, so that a run can be taken up again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8"))["lines"] if file.exists() else {}

    def has(self, number: int, at: str, *, quick: bool) -> bool:
        """Whether a line has been measured at a commit, in full or in the form asked for; a changed tree is none."""
        kept = self._kept.get(str(number))
        return kept is not None and kept["commit"] == at and not at.endswith("+") and (quick or not kept["quick"])

    def add(self, line: Line, at: str, *, quick: bool) -> None:
        """Keep a line's result in place of an earlier one."""
        measured = {"commit": at, "date": date.today().isoformat(), "quick": quick, "machine": machine()}
        self._kept[str(line.number)] = {**asdict(line), "seconds": round(line.seconds, 1), **measured}
        self._kept = dict(sorted(self._kept.items(), key=lambda item: int(item[0])))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"lines": self._kept}, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def page(self) -> str:
        """The page, in Markdown."""
        return _HEAD + "".join(_row(kept) for kept in self._kept.values())


def _row(kept: Mapping[str, Any]) -> str:
    line = Line(**{field.name: kept[field.name] for field in fields(Line)})
    verdict = "passed" if line.passed else f"skipped: {line.skipped_because}" if line.skipped_because else "**failed**"
    figure = f"{line.figure} ({line.seconds:.0f} s{', quick form' if kept['quick'] else ''})"
    cells = (
        str(line.number),
        line.test,
        line.method,
        figure,
        verdict,
        f"{kept['commit']}, {kept['date']}, {kept['machine']}",
    )
    return f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |\n"


def commit() -> str:
    """The commit checked out; a + behind it where the code differs from it."""
    try:
        at = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", ":!evaluation/results", ":!docs")
    except (OSError, subprocess.CalledProcessError):
        return "unknown+"
    return f"{at}+" if changed else at


def machine() -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603, S607 - fixed words
    return done.stdout.strip()
