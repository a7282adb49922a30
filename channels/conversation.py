"""A conversation on the page: its turns, how a question becomes one, and the evidence each answer stands on."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from assistant.answer import Answer, Citation
from assistant.assembly import LONGEST_QUESTION, Assistant
from assistant.table_rows import column_names
from channels.filtering import Chosen
from channels.texts import Language, say
from vectorstore.errors import UnknownDocument, ZhiceError
from vectorstore.tables import cell_spans

logger = logging.getLogger(__name__)

# A quote is shown with this much on either side, in lists of short lines with this many of them.
CONTEXT_CHARACTERS: Final = 200
CONTEXT_LINES: Final = 4
# A page keeps this many turns; an older one is of no use to a follow-up and only makes the page heavier.
KEPT_TURNS: Final = 40
EVERYTHING: Final = Chosen()
_RULE: Final = re.compile(r"(?m)^[|:\s]*-{3,}[|:\-\s]*$")
_SENTENCE_START: Final = re.compile(r"(?<=[。！？；\n])")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a quoted row: what its column is called, and its words, those that are quoted told from the others."""

    name: str
    before: str
    quoted: str
    after: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A citation with the text around it; `exact` says that the quote was found at its place when it was shown.

    `cells` are those of the row that is quoted, where it is the row of a table.
    """

    citation: Citation
    before: str
    after: str
    exact: bool
    cells: tuple[Cell, ...] = ()

    @property
    def link(self) -> str:
        """The source viewer, scrolled to the quote."""
        return f"{self.citation.link}#quote"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, what it was narrowed to, and what came of it; `problem` is a message for the reader."""

    question: str
    state: Literal["asking", "done", "stopped", "failed"] = "asking"
    answer: Answer | None = None
    evidence: tuple[Evidence, ...] = ()
    problem: str = ""
    chosen: Chosen = EVERYTHING


Turns = tuple[Turn, ...]


def ask(
    assistant: Assistant,
    turns: Turns,
    question: str,
    language: Language,
    stopped: threading.Event | None = None,
    *,
    chosen: Chosen = EVERYTHING,
) -> Iterator[Turns]:
    """The conversation with the question asked in it, as its answer grows, until somebody sets `stopped`."""
    question = question.strip()
    earlier = turns[-KEPT_TURNS + 1 :]
    turn = Turn(question, chosen=chosen)
    if len(question) > LONGEST_QUESTION:
        problem = say(language, "too_long", count=len(question), limit=LONGEST_QUESTION)
        yield (*earlier, Turn(question[:200] + "…", "failed", problem=problem))
        return
    yield (*earlier, turn)
    try:
        history = [before.question for before in earlier if before.answer is not None]
        within: dict[str, Any] = {"as_of": chosen.as_of or None, "filters": chosen.filters}
        for answer in assistant.stream(question, history=history, stopped=stopped, **within):
            if stopped is not None and stopped.is_set():
                yield (*earlier, replace(turn, state="stopped"))
                return
            turn = replace(turn, answer=answer, evidence=evidence(assistant, answer))
            yield (*earlier, turn)
        turn = replace(turn, state="done")
    except ZhiceError as error:
        turn = replace(turn, state="failed", problem=str(error))
    except Exception:
        logger.exception("a question could not be answered")
        turn = replace(turn, state="failed", problem=say(language, "went_wrong"))
    yield (*earlier, turn)


def stopped(turns: Turns) -> Turns:
    """The conversation after its last answer was stopped; what was already shown stays."""
    if turns and turns[-1].state == "asking":
        return (*turns[:-1], replace(turns[-1], state="stopped"))
    return turns


def evidence(assistant: Assistant, answer: Answer) -> tuple[Evidence, ...]:
    """The answer's citations, or where there are none what is near or being read, each with the text around it."""
    texts: dict[tuple[str, int], str] = {}
    shown = []
    for citation in answer.citations or answer.nearest or answer.evidence:
        place = (citation.document_id, citation.version)
        if place not in texts:
            try:
                texts[place] = assistant.document_text(*place)
            except UnknownDocument:
                texts[place] = ""
        found = _in_context(citation, texts[place])
        shown.append(replace(found, cells=_cells(assistant, citation, texts[place])) if found.exact else found)
    return tuple(shown)


def kept_ids(turns: Sequence[Turn]) -> frozenset[str]:
    """The ids of the answers in a conversation."""
    return frozenset(turn.answer.id for turn in turns if turn.answer is not None)


def _in_context(citation: Citation, text: str) -> Evidence:
    start, end = citation.start, citation.end
    before, after = text[max(0, start - CONTEXT_CHARACTERS) : start], text[end : end + CONTEXT_CHARACTERS]
    if start > CONTEXT_CHARACTERS:
        before = _from_sentence(before)
    before, after = _readable(before), _readable(after)
    before = "\n".join(before.split("\n")[-CONTEXT_LINES:])
    after = "\n".join(after.split("\n")[:CONTEXT_LINES])
    if _solid(before) != _solid(text[:start]):
        before = "…" + before.lstrip("\n")
    if _solid(after) != _solid(text[end:]):
        after += "…"
    return Evidence(citation, before, after, text[start:end] == citation.quote)


def _cells(assistant: Assistant, citation: Citation, text: str) -> tuple[Cell, ...]:
    """The filled cells of the row that a quote stands in, where it is one whose columns are named."""
    if "|" not in text[text.rfind("\n", 0, citation.start) + 1 : citation.end]:
        return ()
    hit = assistant.store.hit_at(citation.document_id, citation.version, citation.start)
    if hit is None or hit.passage.kind != "row" or citation.end > hit.passage.end:
        return ()
    names = column_names(text, hit.passage)
    spans = cell_spans(text, (hit.passage.start, hit.passage.end))
    if not names or len(names) < len(spans):
        return ()
    cells = []
    for name, (start, end) in zip(names, spans, strict=False):
        left = min(max(start, citation.start), end)
        right = max(min(end, citation.end), left)
        cells.append(Cell(name, text[start:left], text[left:right], text[right:end]))
    return tuple(cell for cell in cells if cell.before or cell.quoted or cell.after)


def _from_sentence(before: str) -> str:
    """The text from its first sentence that begins in its first half, where there is one."""
    for found in _SENTENCE_START.finditer(before):
        if 0 < found.start() <= len(before) // 2:
            return before[found.start() :].lstrip("\n")
    return before


def _readable(text: str) -> str:
    """Without blank lines, and without what Markdown writes before headings, around a table's rows and under its head."""
    lines = re.sub(r"[ \t\u3000]*\n\s*", "\n", _RULE.sub("", text))
    return re.sub(r"(?m)^(?:#{1,6} +|\|[ \t]+)|[ \t]+\|$", "", lines)


def _solid(text: str) -> str:
    return re.sub(r"[\s#|\-:]", "", text)
