"""The parts of the benchmark: every system over every set, the answers, and the speed."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from training.bench import ours, ranking, scoring, sets, speed
from training.bench.child import run_fresh
from training.bench.ranking import SYSTEMS, Ranked
from training.bench.scoring import Decision
from training.bench.sets import UNANSWERABLE, QuestionSet

OURS_SIZES: Final = (1_000, 2_000, 10_000, None)
TUTORIAL_SIZES: Final = (1_000, 2_000)
QUICK_SIZES: Final = (200, 1_000)
SPEED_QUESTIONS: Final = 205  # the first 5 warm up and are asked again
QUICK_STEP: Final = 64
CURVE_POINTS: Final = 200


@dataclass(slots=True)
class Workspace:
    """Where the data sets lie and where the run writes; what was ingested once is used again."""

    shared: Path
    folder: Path
    quick: bool = False
    law_ingest: dict[str, Any] = field(default_factory=dict)

    def law_folder(self) -> Path:
        """A data folder that holds all law articles; filled on first use, which is the measured ingest of them."""
        folder = self.folder / "laws"
        if not self.law_ingest:
            passages = sets.laws(self.shared, quick=True).passages if self.quick else None
            self.law_ingest = _with_peak("ingest_peak_mib", speed.ingest_ours, folder, self.shared, None, passages)
        return folder


def seeds(work: Workspace) -> dict[str, Any]:
    """The user's documents: the right passage among the first, and right answers."""
    asked = sets.seeds(work.shared, quick=work.quick)
    parts = {"all": (), "zh": ("zh",), "en": ("en",)}
    found = _systems(
        work, "seeds", SYSTEMS, lambda ranked: ranking.figures(asked, ranked, ["hit@1", "hit@4", "hit@10"], parts=parts)
    )
    return {**_counts(asked), "systems": found, **attempt(_seed_answers, work)}


def xquad(work: Workspace) -> dict[str, Any]:
    """Chinese paragraphs asked in Chinese and in English."""
    return _paragraphs(work, "xquad", {"zh": ("zh",), "en": ("en",)})


def cmrc(work: Workspace) -> dict[str, Any]:
    """Chinese paragraphs asked in Chinese."""
    return _paragraphs(work, "cmrc", {"all": ()})


def laws(work: Workspace) -> dict[str, Any]:
    """Everyday questions over all law articles, and whether there is an answer at all."""
    asked = sets.laws(work.shared, quick=work.quick)
    names = ["hit@1", "recall@10", "recall@100"]
    parts = {"all": ("seen", "unseen"), "unseen": ("unseen",)}
    answerable = asked.group("seen", "unseen")

    def whole(ranked: Sequence[Ranked]) -> dict[str, Any]:
        found = ranking.figures(asked, ranked, names, parts=parts)
        return {**found, "auc": ranking.decision_auc(asked, [one.confidence for one in ranked], parts["all"])}

    def answerable_only(ranked: Sequence[Ranked]) -> dict[str, Any]:
        placed = dict(zip(answerable, ranked, strict=True))
        return ranking.figures(
            asked, [placed.get(number, Ranked((), 0.0)) for number in asked.group()], names, parts=parts
        )

    found = _systems(work, "laws", ("bm25", "encoder"), whole)
    ingested = attempt(_law_folder, work)
    if "error" in ingested:
        return {**_counts(asked), "systems": {**found, "ours": ingested}}
    found |= _systems(work, "laws", ("ours",), answerable_only, groups=parts["all"], folder=ingested["folder"])

    def decide() -> dict[str, Any]:
        sure, decisions = run_fresh(ours.answer_laws, work.shared, ingested["folder"], work.quick).value
        found["ours"]["auc"] = ranking.decision_auc(asked, sure, parts["all"])
        return _decision_figures(decisions)

    counts = {**_counts(asked), "distinct_passages": len(asked.texts())}
    return {**counts, "systems": found, "decision": attempt(decide)}


def measure_speed(work: Workspace) -> dict[str, Any]:
    """Ingest, cold start, queries, memory and room, by number of passages."""
    asked = sets.laws(work.shared, quick=work.quick).questions
    questions = [question.text for question in asked if question.gold][:SPEED_QUESTIONS]
    sizes = ((*QUICK_SIZES, None), QUICK_SIZES[:1]) if work.quick else (OURS_SIZES, TUTORIAL_SIZES)
    found: dict[str, Any] = {
        "ours": [attempt(_speed_of_ours, work, questions, size) for size in sizes[0]],
        "pipeline": attempt(_pipeline, work),
        "tutorial": [attempt(_speed_of_tutorial, work, questions, size) for size in sizes[1]],
    }
    measured = {name: [row for row in found[name] if "error" not in row] for name in ("ours", "tutorial")}
    return {**found, "ratios": ratios(measured["ours"], measured["tutorial"]) if all(measured.values()) else {}}


def ratios(mine: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How many times better Zhice is than the tutorial stack at its largest size; below 1 it is worse.

    `_same`: at the number of passages nearest to the other's; `_largest`: at Zhice's largest.
    """
    other = theirs[-1]
    same = min(mine, key=lambda row: abs(row["passages"] - other["passages"]))
    compared = {
        "ingest_same": same["passages_per_second"] / other["passages_per_second"],
        "ingest_with_index_same": same["passages_per_second_with_index"] / other["passages_per_second"],
    }
    for name, row in (("same", same), ("largest", mine[-1])):
        compared[f"cold_start_{name}"] = other["cold_start"]["seconds"] / row["cold_start"]["seconds"]
        compared[f"query_p50_{name}"] = other["query_ms"]["p50"] / row["query_ms"]["p50"]
        compared[f"memory_{name}"] = other["peak_mib"] / row["peak_mib"]
    return {name: round(value, 2) for name, value in compared.items()}


def attempt(step: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What a step measured; one that fails says why on stderr and in the results, and the others go on."""
    try:
        return step(*arguments)
    except Exception as error:
        traceback.print_exc()
        return {"error": str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__}


PARTS: Final[dict[str, Callable[[Workspace], dict[str, Any]]]] = {
    "seeds": seeds,
    "xquad": xquad,
    "cmrc": cmrc,
    "laws": laws,
    "speed": measure_speed,
}


def _systems(
    work: Workspace,
    name: str,
    systems: Sequence[str],
    figures: Callable[[Sequence[Ranked]], dict[str, Any]],
    *,
    groups: Sequence[str] = (),
    folder: Path | None = None,
) -> dict[str, Any]:
    """The figures of every system over a set; one that fails says why and leaves the others."""

    def one(system: str) -> dict[str, Any]:
        place = folder or work.folder / f"{name}-{system}"
        return figures(run_fresh(ranking.rank, system, name, work.shared, place, work.quick, groups).value)

    return {system: attempt(one, system) for system in systems}


def _paragraphs(work: Workspace, name: str, parts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    asked = sets.SETS[name](work.shared, quick=work.quick)
    names = ["hit@1", "recall@10"]
    found = _systems(work, name, SYSTEMS, lambda ranked: ranking.figures(asked, ranked, names, parts=parts))
    return {**_counts(asked), "systems": found}


def _seed_answers(work: Workspace) -> dict[str, Any]:
    row, decisions = run_fresh(ours.answer_seeds, work.shared, work.folder / "seeds-answers").value
    return {"answers": row, "decision": _decision_figures(decisions)}


def _speed_of_ours(work: Workspace, questions: Sequence[str], size: int | None) -> dict[str, Any]:
    if size is None:
        folder, row = work.law_folder(), dict(work.law_ingest)
    else:
        folder = work.folder / f"ours-{size}"
        row = _with_peak("ingest_peak_mib", speed.ingest_ours, folder, work.shared, size)
    row["cold_start"] = speed.cold_start_ours(folder, questions[0])
    row |= _with_peak("peak_mib", speed.serve_ours, folder, questions, True)
    row["one_call"] = _with_peak("peak_mib", speed.serve_ours, folder, questions, False)
    return row


def _law_folder(work: Workspace) -> dict[str, Any]:
    return {"folder": work.law_folder()}


def _pipeline(work: Workspace) -> dict[str, Any]:
    files = work.folder / "policy-files"
    speed.write_policies(work.shared, files, QUICK_STEP if work.quick else 1)
    return _with_peak("peak_mib", speed.pipeline_ours, files, work.folder / "pipeline")


def _speed_of_tutorial(work: Workspace, questions: Sequence[str], size: int) -> dict[str, Any]:
    folder = work.folder / f"tutorial-{size}"
    row = _with_peak("ingest_peak_mib", speed.ingest_tutorial, folder, work.shared, size)
    row["cold_start"] = speed.cold_start_tutorial(folder, questions[0])
    return row | _with_peak("peak_mib", speed.serve_tutorial, folder, questions)


def _counts(asked: QuestionSet) -> dict[str, Any]:
    groups = dict.fromkeys(question.group for question in asked.questions)
    return {
        "passages": len(asked.passages),
        "questions": len(asked.questions) - len(asked.group(UNANSWERABLE)),
        "groups": {group: len(asked.group(group)) for group in groups if group},
    }


def _decision_figures(decisions: Sequence[Decision]) -> dict[str, Any]:
    points = scoring.risk_coverage(decisions)
    threshold, cost = scoring.best_threshold(decisions)
    given = [decision for decision in decisions if decision.confidence > 0]
    step = max(1, len(points) // CURVE_POINTS)
    shown = [point for number, point in enumerate(points) if number % step == 0 or number == len(points) - 1]
    return {
        "questions": len(decisions),
        "answerable": sum(decision.answerable for decision in decisions),
        "answered": len(given),
        "answered_right": sum(decision.right and decision.answerable for decision in given),
        "area": round(scoring.risk_area(points), 4),
        "cost_as_shipped": round(scoring.expected_cost(decisions, 1e-12), 4),
        "cost_best": round(cost, 4),
        "best_threshold": None if threshold == float("inf") else round(threshold, 4),
        "curve": [[round(point.coverage, 4), round(point.risk, 4)] for point in shown],
    }


def _with_peak(name: str, function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    done = run_fresh(function, *arguments)
    return {**done.value, name: round(done.peak_mib)}
