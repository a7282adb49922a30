"""`python -m training.calibration --data DIR --work FOLDER`: how search and reader are joined, and what makes a chance.

Fitted on the shipped int8 models over documents that no model has seen, searched in full. Prints the weights of
`assistant.retrieval` (by a softmax over each question's passages), and writes `calibration.json`: logistic regression over the
passage that comes first, and the threshold. FOLDER keeps the knowledge base and what was read (`read.json`), so that a second
run only fits.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from assistant import Assistant
from assistant.lexicon import Regions
from assistant.reading.agreement import Agreement
from assistant.reading.candidates import Candidates
from assistant.reading.passage_reader import BUNDLED_READER
from assistant.retrieval import READING, elsewhere, facets
from ingest.pipeline import ingest_samples
from ingest.preparing import prepare
from training import corpora, lay, loop, rows
from training.lay import LayQuestion
from vectorstore.store import PolicyStore

MOST_WRONG: Final = 0.1  # of the answerable questions
QUESTIONS: Final = {"corpora": 420, "invented": 260}

logger = logging.getLogger(__name__)


def lay_questions(data: Path) -> list[LayQuestion]:
    """The questions over laws and policies kept for this, of both sets."""
    found = [row for row in lay.load(data / "lay_questions.jsonl.gz", "train") if rows.for_calibration(row.title)]
    sources = {
        row["title"]: row["text"]
        for name in ("laws", "policies_hebei")
        for row in corpora.read_lines(data / f"{name}.jsonl.gz")
    }
    for row in rows.read(rows.OURS / "questions.jsonl"):
        if rows.for_calibration(row["title"]) and len(row["answer"]) < 2:
            source = sources[row["title"]]
            span, quote = ("".join(source[slice(*place)] for place in row[name]) for name in ("answer", "evidence"))
            found.append(LayQuestion(row["question"], row["lang"], row["kind"], row["title"], span, quote))
    return found


def invented_questions() -> tuple[list[LayQuestion], dict[str, str]]:
    """Those over invented documents kept for this, and these documents: their passages under their headings, less tables."""
    asked, passages = [], defaultdict[str, dict[str, None]](dict)
    for row in (row for name in rows.INVENTED for row in rows.read(rows.OURS / name)):
        if rows.for_calibration(row["title"]) and " | " not in row["passage"] and isinstance(row["span"], str):
            passages[row["title"]][f"## {row['heading']}\n\n{row['passage']}"] = None
            asked.append(
                LayQuestion(row["question"], row["lang"], row["kind"], row["title"], row["span"], row["quote"])
            )
    return asked, {title: "\n\n".join((f"# {title}", *parts)) for title, parts in passages.items()}


def open_assistant(work: Path, data: Path, titles: Iterable[str], invented: dict[str, str]) -> Assistant:
    """An assistant over the laws and policies of these titles and the invented documents."""
    store = lay.open_store(work / "kb", data, titles)
    if not any(record.key.startswith("invented") for record in store.catalog.records()):
        for number, (title, text) in enumerate(invented.items()):
            document, pieces = prepare(text.encode(), f"{title}.md")
            store.put(document, pieces, key=f"invented-{number}", sha256=f"invented-{number}", later=True)
        store.encode_missing()
    return Assistant(store)


def sample_questions() -> list[LayQuestion]:
    """Questions over the sample policies, most in the documents' words."""
    return [
        LayQuestion(row["question"], row["lang"], row["kind"], "", "", next(iter(row["quotes"]), ""))
        for row in rows.read(rows.OURS / "samples.jsonl")
        if not row.get("history")
    ]


def read(assistant: Assistant, asked: Sequence[LayQuestion]) -> list[dict[str, Any]]:
    """Of each question its passages in the search's order, with what search and reader tell of them and whether they are right."""
    store, told = assistant.store, []
    candidates = Candidates(Agreement(Regions.load(), store.text), store.text)
    places = store.places()
    for number, question in enumerate(asked):
        query = assistant.understanding.understand(question.question)
        matches = store.search(query.standalone, store.scorer(facets(query)), limit=40)
        by_id = {match.passage_id: match for match in matches}
        evidence = [item for item in assistant.passages(question.question, limit=20) if item.reading.spans]
        made = {candidate.hit.passage_id: candidate for candidate in candidates.of(query, evidence)}
        items = []
        for item in evidence:
            candidate, match = made[item.hit.passage_id], by_id.get(item.hit.passage_id)
            text = store.text(item.hit.document_id, item.hit.version)
            said = lay.plain(text[slice(*candidate.window)])
            right = question.answerable and lay.covers(text, candidate.window, question.quote)
            items.append(
                {
                    "search": [match.cosine, match.coverage, -elsewhere(query, match, places)] if match else None,
                    "score": item.score,
                    "features": dict(candidate.features),
                    "holds": question.answerable and lay.holds(assistant, item.hit, question.quote),
                    "agrees": candidate.agrees,
                    "right": right and (question.language == "en" or lay.plain(question.span) in said),
                }
            )
        told.append(
            {"language": question.language, "kind": question.kind, "answerable": question.answerable, "items": items}
        )
        if number % 50 == 0:
            logger.info("%d of %d questions read", number, len(asked))
    return told


def fit_order(examples: Sequence[tuple[NDArray[np.float64], int]], start: Sequence[float]) -> list[float]:
    """The weights of features (passages, features) that make the right passage likeliest in a softmax over a question's."""
    weights = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")
    told = [(torch.tensor(each), right) for each, right in examples]

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        losses = [torch.logsumexp(each @ weights, 0) - each[right] @ weights for each, right in told]
        loss = torch.stack(losses).mean() + 1e-4 * weights.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return [float(weight) for weight in weights.detach()]


def threshold_of(chances: NDArray[np.float64], right: NDArray[np.bool_], answerable: NDArray[np.bool_]) -> float:
    """The lowest threshold at which no more than MOST_WRONG of the answerable questions get a wrong answer."""
    for threshold in np.arange(0.05, 0.96, 0.01):
        if ((chances >= threshold) & ~right & answerable).sum() <= MOST_WRONG * answerable.sum():
            break
    return round(float(threshold), 2)


def fit(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The calibration, from what `read` told; prints the weights of the search and the reader."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    search, order = [], []
    for question in told:
        holding = [place for place, item in enumerate(question["items"]) if item["holds"]]
        if holding and all(item["search"] for item in question["items"]):
            items = question["items"]
            search.append((np.array([item["search"] for item in items]), holding[0]))
            both = [[item["score"], item["features"]["relevance"]] for item in items]
            order.append((np.array(both), holding[0]))
    print("MEANING, WORDING, ELSEWHERE =", [round(each, 1) for each in fit_order(search, (8.0, 2.0, 0.5))])
    of_search, of_reading = fit_order(order, (1.0, 1.0))
    print("READING =", round(of_reading / of_search, 2), "now", READING)

    firsts = [next((item for item in question["items"] if item["agrees"]), None) for question in told]
    kept = [(question, item) for question, item in zip(told, firsts, strict=True) if item]
    names = list(kept[0][1]["features"])
    every = np.array([[item["features"][name] for name in names] for _, item in kept])
    right = np.array([item["right"] for _, item in kept])
    answerable = np.array([question["answerable"] for question, _ in kept])
    model = LogisticRegression(C=1.0, max_iter=1000)
    unseen = cross_val_predict(model, every, right, cv=10, method="predict_proba")[:, 1]
    threshold = threshold_of(unseen, right, answerable)
    print("AUC", lay.auc(unseen, right), "calibration error", lay.calibration_error(unseen, right))
    for each in (threshold, 0.3, 0.4, 0.5, 0.6):
        said = unseen >= each
        figures = [(said & right).sum(), (said & ~right & answerable).sum()] / answerable.sum()
        print(f"at {each}: right {figures[0]:.3f}, wrong {figures[1]:.3f}, refused {(~said[~answerable]).mean():.3f}")
    model.fit(every, right)
    weights = {name: round(float(weight), 4) for name, weight in zip(names, model.coef_[0], strict=True)}
    return {"weights": weights, "bias": round(float(model.intercept_[0]), 4), "threshold": threshold}


def main() -> None:
    """Fill a store, read, fit, write `calibration.json`."""
    parser = argparse.ArgumentParser(prog="python -m training.calibration", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--work", type=Path, required=True, help="folder for the knowledge base and what was read")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments.work.mkdir(parents=True, exist_ok=True)
    kept = arguments.work / "read.json"
    if not kept.exists():
        order = random.Random(loop.SEED)
        asked, (others, documents) = lay_questions(arguments.data), invented_questions()
        titles = {question.title for question in asked}
        chosen = order.sample(asked, QUESTIONS["corpora"]) + order.sample(
            others, min(QUESTIONS["invented"], len(others))
        )
        with open_assistant(arguments.work, arguments.data, titles, documents) as assistant:
            told = read(assistant, chosen)
        with Assistant(PolicyStore(arguments.work / "samples")) as assistant:
            ingest_samples(assistant.store)
            told += read(assistant, sample_questions())
        kept.write_text(json.dumps(told), encoding="utf-8")
    numbers = fit(json.loads(kept.read_text(encoding="utf-8")))
    (BUNDLED_READER / "calibration.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    print(numbers)


if __name__ == "__main__":
    main()
