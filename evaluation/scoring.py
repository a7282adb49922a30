"""One answer against its gold: pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

from assistant.answer import Answer
from evaluation.questions import GoldQuestion

COVERED = 0.6  # share of a gold quote's characters that a citation has to hold


@dataclass(frozen=True, slots=True)
class Score:
    """How one question went; `right` is what counts, the rest says why."""

    gold: GoldQuestion
    answer: Answer
    right: bool
    included: bool
    placed: bool
    exact: bool
    seconds: float

    @property
    def refused_wrongly(self) -> bool:
        """The documents hold an answer, none was given."""
        return self.gold.answerable and not self.answer.found

    @property
    def answered_wrongly(self) -> bool:
        """An answer was given, and it is not the right one."""
        return self.answer.found and not self.right


def score(gold: GoldQuestion, answer: Answer, text_of: Callable[[str, int], str], seconds: float) -> Score:
    """Score an answer; `text_of` gives a document's text by id and version."""
    included = all(any(says(answer.text, wording) for wording in entry) for entry in gold.must_include)
    placed = not gold.quotes or any(
        coverage(citation.quote, quote) >= COVERED for citation in answer.citations for quote in gold.quotes
    )
    exact = all(
        text_of(citation.document_id, citation.version)[citation.start : citation.end] == citation.quote
        for citation in (*answer.citations, *answer.nearest)
    )
    right = (answer.found and included and placed) if gold.answerable else not answer.found
    return Score(gold, answer, right and exact, included, placed, exact, seconds)


def says(text: str, wording: str) -> bool:
    """Whether a text holds a wording, white space aside; a digit at its border must not continue outside."""
    folded, wanted = _plain(text), _plain(wording)
    before = r"(?<![\d.])" if wanted[:1].isdigit() else ""
    after = r"(?![\d.]*\d)" if wanted[-1:].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, folded) is not None


def coverage(quote: str, gold: str) -> float:
    """The share of a gold quote's characters, white space aside, that a quote holds in one piece."""
    held, wanted = _plain(quote), _plain(gold)
    if not wanted:
        return 1.0
    return SequenceMatcher(None, held, wanted, autojunk=False).find_longest_match().size / len(wanted)


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text)
