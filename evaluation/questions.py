"""Question sets: JSON lines in, checked at the door."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vectorstore.errors import ZhiceError


class QuestionSetError(ZhiceError):
    """A question set cannot be read; the message names the line."""


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and what a right answer holds.

    `must_include`: every entry is met by one of its alternatives in the answer's text. `quotes`: a citation has to
    cover one of them. `docs`: file names of the documents that hold the answer.
    """

    id: str
    question: str
    answerable: bool
    kind: str = ""
    lang: str = ""
    history: tuple[str, ...] = ()
    must_include: tuple[tuple[str, ...], ...] = ()
    quotes: tuple[str, ...] = ()
    docs: tuple[str, ...] = ()


def load_questions(path: Path) -> list[GoldQuestion]:
    """Read a question set.

    Raises:
        QuestionSetError: the file is missing, empty, or a line is no question.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(
            f"The question set {path} cannot be read: {error}. Give a UTF-8 file of JSON lines."
        ) from error
    questions = [_question(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not questions:
        raise QuestionSetError(f"The question set {path} holds no question; give one JSON object a line.")
    return questions


def _question(path: Path, number: int, line: str) -> GoldQuestion:
    try:
        row = json.loads(line)
        return GoldQuestion(
            id=str(row.get("id", number)),
            question=_text(row["question"]),
            answerable=bool(row.get("answerable", True)),
            kind=str(row.get("kind", "")),
            lang=str(row.get("lang", "")),
            history=tuple(_text(earlier) for earlier in row.get("history", ())),
            must_include=tuple(tuple(map(_text, entry)) for entry in row.get("must_include", ())),
            quotes=_texts(row.get("quotes", ())),
            docs=_texts(row.get("docs", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuestionSetError(
            f"Line {number} of {path} is no question ({type(error).__name__}: {error}). It needs at least "
            '{"question": "...", "answerable": true}.'
        ) from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)
