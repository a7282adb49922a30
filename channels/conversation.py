"""A conversation on the page: its turns, how a question becomes one, and the evidence each answer stands on."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from assistant.answer import Answer, Citation
from assistant.assembly import LONGEST_QUESTION, Assistant
from channels.texts import Language, say
from vectorstore.errors import UnknownDocument, ZhiceError

logger = logging.getLogger(__name__)

# A quote is shown with this much on either side, in lists of short lines with this many of them.
CONTEXT_CHARACTERS: Final = 200
CONTEXT_LINES: Final = 4
# A page keeps this many turns; an older one is of no use to a follow-up and only makes the page heavier.
KEPT_TURNS: Final = 40
_SENTENCE_START: Final = re.compile(r"(?<=[。！？；\n])")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A citation with the text around it; `exact` says that the quote was found at its place when it was shown."""

    citation: Citation
    before: str
    after: str
    exact: bool

    @property
    def link(self) -> str:
        """The source viewer, scrolled to the quote."""
        return f"{self.citation.link}#quote"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what came of it; `problem` is a message for the reader."""

    question: str
    state: Literal["asking", "done", "stopped", "failed"] = "asking"
    answer: Answer | None = None
    evidence: tuple[Evidence, ...] = ()
    problem: str = ""


Turns = tuple[Turn, ...]


def ask(
    assistant: Assistant, turns: Turns, question: str, language: Language, stopped: threading.Event | None = None
) -> Iterator[Turns]:
    """The conversation with the question asked in it, as its answer grows, until somebody sets `stopped`."""
    question = question.strip()
    earlier = turns[-KEPT_TURNS + 1 :]
    turn = Turn(question)
    if len(question) > LONGEST_QUESTION:
        problem = say(language, "too_long", count=len(question), limit=LONGEST_QUESTION)
        yield (*earlier, Turn(question[:200] + "…", "failed", problem=problem))
        return
    yield (*earlier, turn)
    try:
        history = [before.question for before in earlier if before.answer is not None]
        for answer in assistant.stream(question, history=history, stopped=stopped):
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
        shown.append(_in_context(citation, texts[place]))
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


def _from_sentence(before: str) -> str:
    """The text from its first sentence that begins in its first half, where there is one."""
    for found in _SENTENCE_START.finditer(before):
        if 0 < found.start() <= len(before) // 2:
            return before[found.start() :].lstrip("\n")
    return before


def _readable(text: str) -> str:
    """Without blank lines and without the hashes that Markdown writes before headings."""
    return re.sub(r"(?m)^#{1,6} +", "", re.sub(r"[ \t\u3000]*\n\s*", "\n", text))


def _solid(text: str) -> str:
    return re.sub(r"[\s#]", "", text)
