"""`python -m training.lay --data DIR --work FOLDER`: everyday questions with marked evidence, asked of whole documents.

Prints as JSON how often the passage with the evidence is among the nearest to an encoder (`--encoder` names one) and to the
full text, each alone, and with `--answers` how the product answers: `figures` says what is counted, `is_right` what is right.
`--report docs` then writes `calibration.md` and its charts: how far the confidence can be relied on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from assistant import Assistant
from assistant.answer import Answer, Citation
from assistant.reading.candidates import calibration
from assistant.retrieval import facets
from ingest.preparing import prepare
from training import corpora
from training.bench import charts
from training.bench.scoring import Decision, risk_coverage
from vectorstore.encoder import Encoder, load_encoder
from vectorstore.passage import Match, Span
from vectorstore.store import PolicyStore

LEAST_COVERED: Final = 0.6  # of the gold quote, by one of the first two citations
SHORTEST_INSIDE: Final = 12  # characters of a citation that lies within the gold quote
BINS: Final = 10
DEPTHS: Final = (1, 3, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class LayQuestion:
    """A row of the set; `span` and `quote` are empty where nothing answers it."""

    question: str
    language: str
    kind: str
    title: str
    span: str
    quote: str

    @property
    def answerable(self) -> bool:
        """Whether its document answers it."""
        return bool(self.quote)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question was answered: right, wrong (another answer) or refused.

    `best_right` is whether the best that was found is right, also where it was not said. `rank` is that of the first passage which holds the gold quote, from 1, among the ten most relevant.
    """

    question: LayQuestion
    answer: Answer
    right: bool
    best_right: bool
    rank: int | None = None

    @property
    def wrong(self) -> bool:
        """Whether an answer was given that is not right."""
        return self.answer.found and not self.right


def load(path: Path, split: str) -> list[LayQuestion]:
    """The questions of a split."""
    return [
        LayQuestion(row["question"], row["lang"], row["kind"], row["title"], row["span"], row["quote"])
        for row in corpora.read_lines(path)
        if row["split"] == split
    ]


def fill(store: PolicyStore, data: Path, titles: Iterable[str]) -> int:
    """Put the laws and policies of these titles into a store, whole; returns the passages."""
    wanted, passages = set(titles), 0  # some titles are those of several documents
    with store.writing():
        for name in ("laws", "policies_hebei"):
            for number, row in enumerate(corpora.read_lines(data / f"{name}.jsonl.gz")):
                if row["title"] in wanted:
                    text = row["text"] if row["text"].startswith("#") else f"# {row['title']}\n\n{row['text']}"
                    document, pieces = prepare(text.encode(), f"{row['title']}.md")
                    store.put(document, pieces, key=f"{name}-{number}", sha256=f"{name}-{number}", later=True)
                    passages += len(pieces)
        store.encode_missing()
    return passages


def plain(text: str) -> str:
    """A text without white space."""
    return "".join(text.split())


@lru_cache(maxsize=512)
def place_of(quote: str, text: str) -> Span | None:
    """Where a quote stands in a text, white space aside."""
    letters = [index for index, letter in enumerate(text) if not letter.isspace()]
    start = plain(text).find(plain(quote))
    return (letters[start], letters[start + len(plain(quote)) - 1] + 1) if start >= 0 and quote else None


def covers(text: str, span: Span, quote: str) -> bool:
    """Whether a span of a text holds enough of the gold quote, or lies within it and is long enough."""
    place = place_of(quote, text)
    if place is None:
        return False
    common = min(span[1], place[1]) - max(span[0], place[0])
    inside = place[0] <= span[0] and span[1] <= place[1] and len(plain(text[slice(*span)])) >= SHORTEST_INSIDE
    return inside or common >= LEAST_COVERED * (place[1] - place[0])


def is_right(assistant: Assistant, question: LayQuestion, answer: Answer) -> bool:
    """Whether one of the first two citations shows the gold quote and, in Chinese, the text holds the answer's words."""
    if not (answer.found and question.answerable):
        return False
    said = "".join(claim.text for claim in answer.claims)
    return _shows(assistant, question, answer.citations[:2]) and _says(question, said)


def _best_is_right(assistant: Assistant, question: LayQuestion, answer: Answer) -> bool:
    """Whether the answer is right, or of a refused question the first near passage."""
    if answer.found or not question.answerable:
        return is_right(assistant, question, answer)
    near = answer.nearest[:1]
    return _shows(assistant, question, near) and _says(question, "".join(each.quote for each in near))


def _shows(assistant: Assistant, question: LayQuestion, citations: Iterable[Citation]) -> bool:
    return any(
        covers(assistant.document_text(each.document_id, each.version), (each.start, each.end), question.quote)
        for each in citations
    )


def _says(question: LayQuestion, text: str) -> bool:
    return question.language != "zh" or plain(question.span) in plain(text)


def holds(assistant: Assistant, hit: Match, quote: str) -> bool:
    """Whether a passage holds the gold quote, or enough of it."""
    text = assistant.document_text(hit.document_id, hit.version)
    place, span = place_of(quote, text), (hit.passage.start, hit.passage.end)
    common = min(span[1], place[1]) - max(span[0], place[0]) if place else -1
    return place is not None and common >= LEAST_COVERED * (place[1] - place[0])


def ask(assistant: Assistant, questions: Iterable[LayQuestion]) -> list[Outcome]:
    """Ask every question."""
    outcomes = []
    for question in questions:
        answer = assistant.ask(question.question)
        passages = assistant.passages(question.question) if question.answerable else ()  # read a moment ago, and kept
        ranks = (rank for rank, each in enumerate(passages, 1) if holds(assistant, each.hit, question.quote))
        right, best = is_right(assistant, question, answer), _best_is_right(assistant, question, answer)
        outcomes.append(Outcome(question, answer, right, best, next(ranks, None)))
    return outcomes


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Right by language and kind, wrong, refused near-misses, the AUC of the confidence and its calibration error."""
    answerable = [each for each in outcomes if each.question.answerable]
    nothing = [each for each in outcomes if not each.question.answerable]
    confidence = np.array([each.answer.confidence for each in outcomes])
    right = np.array([each.best_right for each in outcomes])
    kinds = sorted({each.question.kind for each in answerable})
    return {
        "questions": len(outcomes),
        "right_zh": _share(each.right for each in answerable if each.question.language == "zh"),
        "right_en": _share(each.right for each in answerable if each.question.language == "en"),
        "wrong_zh": _share(each.wrong for each in answerable if each.question.language == "zh"),
        "wrong_en": _share(each.wrong for each in answerable if each.question.language == "en"),
        "wrong": _share(each.wrong for each in answerable),
        "none_refused": _share(not each.answer.found for each in nothing),
        "first": _share(each.rank == 1 for each in answerable),
        "in_10": _share(each.rank is not None for each in answerable),
        "by_kind": {kind: _share(each.right for each in answerable if each.question.kind == kind) for kind in kinds},
        "auc": auc(confidence, right),
        "calibration_error": calibration_error(confidence, right),
        "mean_confidence": float(confidence.mean()),
        "text": float(np.mean([len(plain(each.answer.text)) for each in outcomes if each.answer.found] or [0])),
        "claims": float(np.mean([len(each.answer.claims) for each in outcomes if each.answer.found] or [0])),
    }


def _share(values: Iterable[bool]) -> float:
    every = list(values)
    return sum(every) / max(1, len(every))


def auc(scores: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """The chance that a right one has a higher score than one that is not."""
    yes, no = scores[right], scores[~right]
    if not len(yes) or not len(no):
        return 0.0
    return float(np.mean((yes[:, None] > no[None, :]) + 0.5 * (yes[:, None] == no[None, :])))


def calibration_error(scores: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """The mean distance of a bin's confidence from its share of right ones, bins of equal width weighted by their size."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    return float(
        sum(
            (bins == each).mean() * abs(scores[bins == each].mean() - right[bins == each].mean())
            for each in range(BINS)
            if (bins == each).any()
        )
    )


def write_report(outcomes: Sequence[Outcome], docs: Path) -> None:
    """`calibration.md` and two charts: what share of answers is right at each confidence, and what refusing more would save."""
    sure = np.array([each.answer.confidence for each in outcomes])
    right = np.array([each.best_right for each in outcomes])
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    table = [
        f"| {low / BINS:.1f} to {(low + 1) / BINS:.1f} | {(bins == low).sum()} | {sure[bins == low].mean():.2f} "
        f"| {right[bins == low].mean():.2f} |"
        for low in range(BINS)
        if (bins == low).any()
    ]
    points = [
        (float(sure[bins == low].mean()), float(right[bins == low].mean()))
        for low in range(BINS)
        if (bins == low).any()
    ]
    decisions = [Decision(each.answer.confidence, each.best_right, each.question.answerable) for each in outcomes]
    risks = [(point.coverage, point.risk) for point in risk_coverage(decisions)]
    diagonal = [(0.0, 0.0), (1.0, 1.0)]
    reliability = charts.curve(
        "How often an answer is right, by confidence",
        {"measured": points, "ideal": diagonal},
        x="confidence",
        y="right",
    )
    saved = charts.curve(
        "Wrong answers among those given", {"surest first": risks}, x="share of questions answered", y="share wrong"
    )
    (docs / "images" / "calibration.svg").write_text(reliability, encoding="utf-8")
    (docs / "images" / "risk-coverage.svg").write_text(saved, encoding="utf-8")
    threshold = calibration().threshold
    page = f"""# How sure an answer is

Written by `python -m training.lay --data DIR --work FOLDER --answers --report docs`: {len(outcomes)} everyday questions over whole laws and
policies, of which nothing was trained on or fitted to.

`Answer.confidence` is the chance that the best words found answer the question: a logistic function of what search and reader say of
them (`assistant/reading/model/calibration.json`), fitted by `training.calibration` on other documents that no model saw. From
{threshold:.2f} on there is an answer. A language model, where one is configured, is asked from a lower chance on, and what it writes is checked.

![Share of right answers by confidence](images/calibration.svg)

| confidence | questions | mean confidence | right |
| --- | --- | --- | --- |
{chr(10).join(table)}

The mean distance of the last two columns, weighted by the questions, is {calibration_error(sure, right):.3f}; a right answer has a higher
confidence than what is not right in {auc(sure, right):.3f} of all pairs. Right is also what would have been, had it been said.

![Share of wrong answers by the share of questions answered](images/risk-coverage.svg)
"""
    (docs / "calibration.md").write_text(page, encoding="utf-8")


def open_store(folder: Path, data: Path, titles: Iterable[str], encoder: Encoder | None = None) -> PolicyStore:
    """A store over these documents; one that is there is taken as it is."""
    store = PolicyStore(folder, encoder=encoder)
    if not store.catalog.records():
        fill(store, data, titles)
    return store


def recall(assistant: Assistant, questions: Sequence[LayQuestion]) -> dict[str, dict[str, list[float]]]:
    """By language, and by what searches: the shares of questions whose evidence is among the first of DEPTHS."""
    told: dict[str, dict[str, list[float]]] = {}
    for language in ("zh", "en"):
        ranks: dict[str, list[int | None]] = {"encoder": [], "full text": []}
        for question in questions:
            if question.answerable and question.language == language:
                query = assistant.understanding.understand(question.question)
                store = assistant.store
                matches = store.search(query.standalone, store.scorer(facets(query)), limit=2 * DEPTHS[-1])
                for name, order in (("encoder", _meaning), ("full text", _wording)):
                    best = store.read(sorted(matches, key=order)[: DEPTHS[-1]])
                    found = (rank for rank, hit in enumerate(best, 1) if holds(assistant, hit, question.quote))
                    ranks[name].append(next(found, None))
        told[language] = {
            name: [round(_share(rank is not None and rank <= depth for rank in each), 3) for depth in DEPTHS]
            for name, each in ranks.items()
        }
    return told


def _meaning(match: Match) -> float:
    return -match.cosine


def _wording(match: Match) -> float:
    return -match.lexical


def main() -> None:
    """Build a knowledge base of the documents that a split's questions are about, unless it is there, and ask."""
    parser = argparse.ArgumentParser(prog="python -m training.lay", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--work", type=Path, required=True, help="folder for the knowledge base")
    parser.add_argument("--encoder", help="as ZHICE_ENCODER; the bundled one by default")
    parser.add_argument("--answers", action="store_true", help="ask for answers, too")
    parser.add_argument("--report", type=Path, help="folder of the documentation, to write calibration.md into")
    arguments = parser.parse_args()
    questions = load(arguments.data / "lay_questions.jsonl.gz", "dev")
    titles = {question.title for question in questions}
    with Assistant(open_store(arguments.work, arguments.data, titles, load_encoder(arguments.encoder))) as assistant:
        told: dict[str, Any] = {"depths": list(DEPTHS), "recall": recall(assistant, questions)}
        if arguments.answers:
            outcomes = ask(assistant, questions)
            told["answers"] = figures(outcomes)
            if arguments.report:
                write_report(outcomes, arguments.report)
    print(json.dumps(told, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
