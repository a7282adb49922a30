"""Ask a whole question set and sum it up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from assistant import Assistant
from evaluation.questions import GoldQuestion
from evaluation.scoring import Score, score


@dataclass(frozen=True, slots=True)
class Summary:
    """The scores of a set; percentiles are of seconds from question to answer."""

    scores: tuple[Score, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row a kind of question and one for all, with counts."""
        kinds = sorted({scored.gold.kind for scored in self.scores})
        rows = [
            _row(kind or "(none)", [scored for scored in self.scores if scored.gold.kind == kind]) for kind in kinds
        ]
        return [*rows, _row("all", self.scores)]

    def percentile(self, share: float) -> float:
        """Seconds within which this share of the questions was answered."""
        ordered = sorted(scored.seconds for scored in self.scores)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def to_dict(self) -> dict[str, Any]:
        """The summary and every miss as plain JSON types."""
        return {
            "rows": self.rows(),
            "seconds": {
                "p50": round(statistics.median(scored.seconds for scored in self.scores), 4),
                "p95": round(self.percentile(0.95), 4),
            },
            "misses": [
                {
                    "id": scored.gold.id,
                    "question": scored.gold.question,
                    "status": scored.answer.status,
                    "text": scored.answer.text,
                    "included": scored.included,
                    "placed": scored.placed,
                    "exact": scored.exact,
                }
                for scored in self.scores
                if not scored.right
            ],
        }


def evaluate(assistant: Assistant, questions: Iterable[GoldQuestion]) -> Summary:
    """Ask every question of an assistant."""
    scores = []
    for gold in questions:
        started = time.perf_counter()
        answer = assistant.ask(gold.question, history=gold.history)
        scores.append(score(gold, answer, assistant.document_text, time.perf_counter() - started))
    return Summary(tuple(scores))


def _row(kind: str, scores: Sequence[Score]) -> dict[str, Any]:
    answerable = [scored for scored in scores if scored.gold.answerable]
    return {
        "kind": kind,
        "questions": len(scores),
        "right": sum(scored.right for scored in scores),
        "answered_right": sum(scored.right for scored in answerable),
        "answerable": len(answerable),
        "refused_rightly": sum(scored.right for scored in scores if not scored.gold.answerable),
        "quotes_exact": sum(scored.exact for scored in scores),
        "right_place": sum(scored.placed for scored in answerable),
        "refused_wrongly": sum(scored.refused_wrongly for scored in scores),
        "answered_wrongly": sum(scored.answered_wrongly for scored in scores),
    }
