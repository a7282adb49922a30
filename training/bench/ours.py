"""Zhice as the benchmark asks it: through its store and its assistant, as any caller would."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from assistant import Assistant, open_assistant
from assistant.answer import Answer
from assistant.settings import Settings
from evaluation import evaluate, load_questions
from ingest import ingest_paths
from training import corpora
from training.bench import sets
from training.bench.baselines import Found
from training.bench.scoring import Decision
from training.corpora import Article
from vectorstore.encoder import Encoder
from vectorstore.passage import Document, Passage
from vectorstore.store import PolicyStore

# Identical articles stand in several laws and count once: so many more are asked for that 100 different ones remain.
DUPLICATES: Final = 1.5


class Ours:
    """The passages of a data folder, opened as a server does, each text at its best place."""

    def __init__(self, folder: Path) -> None:
        self.assistant = Assistant(PolicyStore(folder))
        self.assistant.warm_up()

    def search(self, question: str, depth: int) -> list[Found]:
        """The passages that the assistant would read, best first."""
        best: dict[str, Found] = {}
        for evidence in self.assistant.passages(question, limit=round(depth * DUPLICATES)):
            best.setdefault("".join(evidence.hit.text.split()), (evidence.hit.text, evidence.score))
        return list(best.values())[:depth]


def fill(
    folder: Path, documents: Iterable[tuple[Document, Sequence[Passage]]], *, encoder: Encoder | None = None
) -> dict[str, float]:
    """Put documents into a data folder and build its index: passages, and the seconds of both steps.

    Reading the documents from the set is not counted.
    """
    store = PolicyStore(folder, encoder=encoder)
    passages, seconds = 0, 0.0
    with store.writing():  # as the pipeline does
        for document, pieces in documents:
            started = time.perf_counter()
            store.put(document, pieces, key=document.source, sha256=document.source)
            seconds += time.perf_counter() - started
            passages += len(pieces)
    started = time.perf_counter()
    store.refresh_index(force=True)
    indexed = time.perf_counter() - started
    store.close()
    return {"passages": passages, "seconds": seconds, "index_seconds": indexed}


def answer_seeds(shared: Path, folder: Path) -> tuple[dict[str, Any], list[Decision]]:
    """The seed questions asked of the seed documents: the evaluation's counts, and the decisions behind them."""
    ingest_paths([shared / "seeds"], data_dir=folder)
    with open_assistant(settings=Settings.from_environ({}, data_dir=folder)) as assistant:
        summary = evaluate(assistant, load_questions(shared / "questions" / "seeds_dev.jsonl"))
        decisions = [_decision(scored.answer, scored.right, scored.gold.answerable) for scored in summary.scores]
    return summary.rows()[-1], decisions


def answer_laws(shared: Path, folder: Path, quick: bool) -> tuple[list[float], list[Decision]]:
    """The questions over the laws: how sure Zhice is of each, and the decisions, in the questions' order.

    An answer is right when one of its citations stands in an article that answers the question.
    """
    asked = sets.laws(shared, quick=quick)
    articles: dict[str, list[Article]] = {}
    for article in asked.passages:
        articles.setdefault(corpora.article_key(article.text), []).append(article)
    sure, decisions = [], []
    with Assistant(PolicyStore(folder)) as assistant:
        for question in asked.questions:
            gold = {article.text for (key,) in question.gold for article in articles.get(key, ())}
            answer = assistant.ask(question.text)
            sure.append(answer.confidence)
            decisions.append(_decision(answer, cites(assistant, answer, gold), bool(question.gold)))
    return sure, decisions


def cites(assistant: Assistant, answer: Answer, texts: Iterable[str]) -> bool:
    """Whether a citation of an answer begins inside one of these texts, where they stand in the cited document."""
    wanted = list(texts)
    for citation in answer.citations:
        document = assistant.document_text(citation.document_id, citation.version)
        for text in wanted:
            place = document.find(text)
            while place >= 0:
                if place <= citation.start < place + len(text):
                    return True
                place = document.find(text, place + 1)
    return False


def _decision(answer: Answer, right: bool, answerable: bool) -> Decision:
    """A refusal is not an answer that could be right or wrong: it comes last, whatever was found."""
    return Decision(answer.confidence if answer.found else 0.0, right and answer.found, answerable)
