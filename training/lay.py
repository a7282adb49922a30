"""`python -m training.lay --data DIR --work FOLDER`: everyday questions with marked evidence, asked of whole documents.

Prints as JSON how often the passage with the evidence is among the nearest to an encoder (`--encoder` names one) and to the
full text, each alone, and with `--answers` how the product answers: `figures` says what is counted, `is_right` what is right.
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
from assistant.answer import Answer
from assistant.retrieval import facets
from ingest.preparing import prepare
from training import corpora
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

    `rank` is that of the first passage which holds the gold quote, from 1, among the ten most relevant.
    """

    question: LayQuestion
    answer: Answer
    right: bool
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
    shown = (
        covers(assistant.document_text(each.document_id, each.version), (each.start, each.end), question.quote)
        for each in answer.citations[:2]
    )
    said = plain("".join(claim.text for claim in answer.claims))
    return any(shown) and (question.language != "zh" or plain(question.span) in said)


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
        outcomes.append(Outcome(question, answer, is_right(assistant, question, answer), next(ranks, None)))
    return outcomes


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Right by language and kind, wrong, refused near-misses, the AUC of the confidence and its calibration error."""
    answerable = [each for each in outcomes if each.question.answerable]
    nothing = [each for each in outcomes if not each.question.answerable]
    confidence = np.array([each.answer.confidence for each in outcomes])
    # What the best answer would have been worth cannot be told of a refusal: those of answerable questions are left out.
    judged = [each for each in outcomes if each.answer.found or not each.question.answerable]
    sure, right = (
        np.array([each.answer.confidence for each in judged]),
        np.array([each.right for each in judged]),
    )
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
        "auc": auc(sure, right),
        "calibration_error": calibration_error(sure, right),
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
    arguments = parser.parse_args()
    questions = load(arguments.data / "lay_questions.jsonl.gz", "dev")
    titles = {question.title for question in questions}
    with Assistant(open_store(arguments.work, arguments.data, titles, load_encoder(arguments.encoder))) as assistant:
        told: dict[str, Any] = {"depths": list(DEPTHS), "recall": recall(assistant, questions)}
        if arguments.answers:
            told["answers"] = figures(ask(assistant, questions))
    print(json.dumps(told, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
