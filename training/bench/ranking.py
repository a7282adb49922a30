"""One system over one question set, in a process of its own, and the figures of what it found."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingest import ingest_paths
from training.bench import ours, sets
from training.bench.baselines import EncoderAlone, System, WordBm25, jieba_words
from training.bench.scoring import Place, auc, hit, recall
from training.bench.sets import QuestionSet
from training.bench.tutorial import Tutorial, load_model, recursive_splitter
from vectorstore.encoder import load_encoder

SYSTEMS: Final = ("bm25", "encoder", "ours", "tutorial")
DEPTH: Final = 100


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a system found for one question, and how sure its best score says that there is an answer."""

    places: tuple[Place, ...]
    confidence: float


def rank(system: str, name: str, shared: Path, folder: Path, quick: bool, groups: Sequence[str]) -> list[Ranked]:
    """Ask a system the questions of some groups of a set (of all groups without a name), in their order."""
    asked = sets.SETS[name](shared, quick=quick)
    built = build(system, asked, shared / "seeds" if name == "seeds" else None, folder)
    return [ask(built, asked, number) for number in asked.group(*groups)]


def build(system: str, asked: QuestionSet, files: Path | None, folder: Path) -> System:
    """Fill a system with a set's passages; a folder that Zhice was filled in before is taken as it is.

    `files`: read these instead, by each system's own splitter.
    """
    if system == "bm25":
        return WordBm25(asked.texts(), jieba_words)
    if system == "encoder":
        return EncoderAlone(asked.texts(), load_encoder())
    if system == "ours":
        if not folder.exists():
            if files is not None:
                ingest_paths([files], data_dir=folder)
            else:
                ours.fill(folder, sets.documents(asked.passages))
        return ours.Ours(folder)
    texts = asked.texts()
    tutorial = Tutorial(folder, load_model(), parents=() if asked.documents else texts)
    tutorial.add(asked.documents or texts, recursive_splitter())
    return tutorial


def ask(system: System, asked: QuestionSet, number: int) -> Ranked:
    """What a system finds for one question of a set."""
    question = asked.questions[number]
    found = system.search(question.text, DEPTH)
    places = tuple((score, asked.matched(question, text)) for text, score in found)
    return Ranked(places, found[0][1] if found else 0.0)


def measures(ranked: Sequence[Ranked], wanted: Sequence[int], names: Sequence[str]) -> dict[str, float]:
    """The means of `hit@k` and `recall@k` over questions; `wanted` is how many texts answer each."""
    means: dict[str, float] = {}
    for name in names:
        kind, _, depth = name.partition("@")
        values = [
            hit(found.places, int(depth)) if kind == "hit" else recall(found.places, count, int(depth))
            for found, count in zip(ranked, wanted, strict=True)
        ]
        means[name] = round(statistics.fmean(values), 4)
    return means


def figures(
    asked: QuestionSet, ranked: Sequence[Ranked], names: Sequence[str], *, parts: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The measures of every part of a set that has questions, a part being some groups of them."""
    found: dict[str, Any] = {}
    for part, groups in parts.items():
        numbers = asked.group(*groups)
        wanted = [len(asked.questions[number].gold) for number in numbers]
        if numbers:
            found[part] = measures([ranked[number] for number in numbers], wanted, names)
    return found


def decision_auc(asked: QuestionSet, sure: Sequence[float], groups: Sequence[str]) -> float:
    """How well confidence tells the answerable questions of some groups from the unanswerable ones."""
    answerable = [sure[number] for number in asked.group(*groups)]
    return round(auc(answerable, [sure[number] for number in asked.group(sets.UNANSWERABLE)]), 4)
