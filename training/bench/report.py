"""Results kept as JSON with their commit, and the page and charts made of them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from training.bench import charts
from training.bench.charts import LABELS
from training.bench.ranking import SYSTEMS

ROOT: Final = Path(__file__).parent.parent.parent
TEMPLATE: Final = Path(__file__).parent / "benchmarks.md.jinja"

# Columns of the charts: set, part of it, name, and the measure that stands for "found at all".
GROUPS: Final = (
    ("seeds", "all", "seeds", "hit@10"),
    ("xquad", "zh", "XQuAD zh", "recall@10"),
    ("xquad", "en", "XQuAD en-zh", "recall@10"),
    ("cmrc", "all", "CMRC", "recall@10"),
    ("laws", "all", "STARD", "recall@10"),
    ("laws", "unseen", "STARD, unseen", "recall@10"),
)


def header(*, quick: bool) -> dict[str, Any]:
    """What the figures were measured with: commit, day, Python, processor cores, system."""
    return {
        "commit": commit(),
        "date": date.today().isoformat(),
        "python": sys.version.split()[0],
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "quick": quick,
        "parts": {},
    }


def commit() -> str:
    """The commit checked out; a + behind it where the code differs from it."""
    changed = _git("status", "--porcelain", "--", ".", ":!evaluation/results", ":!docs")
    return _git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def write(results: Mapping[str, Any], target: Path) -> None:
    """Replace the results file in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".part")
    unfinished.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(target)


def write_page(results: Mapping[str, Any], folder: Path) -> None:
    """Write `benchmarks.md` and its charts into a documentation folder; parts that were not measured are left out."""
    pictures = draw(results["parts"])
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        (folder / "images" / f"bench-{name}.svg").write_text(picture, encoding="utf-8")
    environment = Environment(  # noqa: S701 - Markdown, and every value is ours
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(share=share, number=number)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    page = template.render(**results, pictures=pictures, systems=SYSTEMS, labels=LABELS, value=value)
    (folder / "benchmarks.md").write_text(page, encoding="utf-8")


def draw(parts: Mapping[str, Any]) -> dict[str, str]:
    """The charts that the measured parts allow, by name."""
    pictures: dict[str, str] = {}
    groups = [group for group in GROUPS if "systems" in parts.get(group[0], {})]
    if groups:
        names = [name for _, _, name, _ in groups]
        first = {system: [value(parts, key, system, part, "hit@1") for key, part, _, _ in groups] for system in SYSTEMS}
        among = {system: [value(parts, key, system, part, wide) for key, part, _, wide in groups] for system in SYSTEMS}
        pictures["first"] = charts.columns("The first passage found is the right one", names, first)
        pictures["among"] = charts.columns("The right passages are among the first ten", names, among)
    for name, title, unit, path in (
        ("query", "Time of a query, p50", "ms", ("query_ms", "p50")),
        ("start", "From cold start to first answer", "s", ("cold_start", "seconds")),
        ("memory", "Peak memory while serving", "MiB", ("peak_mib",)),
    ):
        bars = _bars(parts.get("speed", {}), path)
        if bars:
            pictures[name] = charts.rows(title, bars, unit=unit)
    curves = {
        label: answered_curve(parts[key]["decision"])
        for key, label in (("laws", "STARD and CMRC over the laws"), ("seeds", "seed questions"))
        if "curve" in parts.get(key, {}).get("decision", {})
    }
    if curves:
        pictures["risk"] = charts.curve(
            "Wrong answers among those given", curves, x="share of questions answered, surest first", y="share wrong"
        )
    return pictures


def answered_curve(decision: Mapping[str, Any]) -> list[tuple[float, float]]:
    """The risk-coverage curve up to where the product refuses the rest."""
    answered = decision["answered"] / decision["questions"] + 1e-4
    points = [(coverage, risk) for coverage, risk in decision["curve"] if coverage <= answered]
    return [(0.0, points[0][1]), *points] if points else []


def value(parts: Mapping[str, Any], key: str, system: str, part: str, measure: str) -> float | None:
    """One figure of one system; None where it was not measured."""
    found = parts.get(key, {}).get("systems", {}).get(system, {}).get(part, {})
    figure: float | None = found.get(measure) if isinstance(found, Mapping) else None
    return figure


def share(figure: float | None) -> str:
    """A share of 1 with three decimals, a dash for what was not measured."""
    return "-" if figure is None else f"{figure:.3f}"


def number(figure: float | None) -> str:
    """A quantity with as many digits as matter."""
    if figure is None:
        return "-"
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"


def _bars(speed: Mapping[str, Any], path: Sequence[str]) -> list[tuple[str, str, float]]:
    bars = []
    for system in ("tutorial", "ours"):
        for row in speed.get(system, []):
            figure: Any = row
            for step in path:
                figure = figure.get(step) if isinstance(figure, Mapping) else None
            if figure:
                bars.append((f"{LABELS[system]}, {row['passages']:,} passages", system, float(figure)))
    return bars


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stdout.strip()
