"""The page's moving parts as HTML: the conversation, the evidence panel, the list of documents."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from assistant.answer import Answer
from assistant.validity import Standing
from channels.conversation import Turn
from channels.correcting import KINDS, LEVELS, Field
from channels.filtering import choices, described
from channels.render import folded, plain
from channels.templating import render
from channels.texts import EXAMPLES, Language
from prompts import load_wording

_MARKER: Final = re.compile(r"\[(\d{1,3})\]")


PieceKind = Literal["plain", "figure", "verbatim"]
Piece = tuple[str, PieceKind]
"""Some words of an answer, and whether they are the figure asked for or stand in a source as they are."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an answer: its pieces, and the numbers of the citations behind it."""

    pieces: tuple[Piece, ...]
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one file: `good` or not, and a sentence about it."""

    file: str
    good: bool
    message: str


def conversation(turns: Sequence[Turn], language: Language, examples: Sequence[str] = EXAMPLES) -> str:
    """All turns, or the welcome with its examples while there are none."""
    return render(
        "conversation.html",
        language,
        turns=turns,
        examples=examples,
        lines=lines,
        copied=plain,
        described=lambda chosen: described(chosen, language),
        nearest_phrase=lambda answer: load_wording(answer.language).say(answer.listing),
    )


def panel(language: Language) -> str:
    """The empty evidence panel; the browser puts the chosen evidence into it."""
    return render("panel.html", language)


def header(language: Language) -> str:
    """The name and the promise."""
    return render("header.html", language)


def documents(
    rows: Sequence[Mapping[str, Any]], standing: Standing, today: str, language: Language, *, locked: bool
) -> str:
    """The table of documents with what can be done to each; `locked` adds the button that signs out."""
    listed = [(row, states(row, standing, today)) for row in rows]
    return render("documents.html", language, listed=listed, locked=locked)


def filters(rows: Sequence[Mapping[str, Any]], today: str, language: Language) -> str:
    """The fields that narrow a question, with the choices that these documents give."""
    return render("filters.html", language, choices=choices(rows, today, language))


def correction(document_id: str, title: str, fields: Sequence[Field], problem: str, language: Language) -> str:
    """The form that a document's fields are corrected in, with what is wrong with the values in it."""
    return render(
        "correction.html",
        language,
        document_id=document_id,
        heading=title,
        fields=fields,
        problem=problem,
        kinds=KINDS,
        levels=LEVELS,
        # The browser shows each new form, and one that reads like the last is new, too.
        key=secrets.token_hex(4),
    )


def sign_in(language: Language) -> str:
    """The form that asks for the administrator's password."""
    return render("sign_in.html", language)


def outcomes(done: Iterable[Outcome], language: Language, *, reading: str = "", total: int = 0) -> str:
    """What became of each file, and while one of `total` is being read, which one, with a bar."""
    return render("outcomes.html", language, done=list(done), reading=reading, total=total)


def states(row: Mapping[str, Any], standing: Standing, today: str) -> Sequence[str]:
    """How a document stands on a day, as names of phrases: validity first, then whether it is a sample."""
    found = [standing.state(row["document_id"], row["valid_from"], row["valid_until"], today)]
    return [*found, "sample"] if row["collection"] == "samples" else found


def lines(answer: Answer) -> list[Line]:
    """The lines of an answer's text, quotes told from the words around them and markers taken off the end."""
    quotes = {citation.number: folded(citation.quote) for citation in answer.citations}
    if answer.text == "\n".join(claim.marked for claim in answer.claims):
        return [
            Line(_pieces(claim.text, _picked(quotes, claim.citations), answer.language), claim.citations)
            for claim in answer.claims
        ]
    found = []
    for line in answer.text.split("\n"):
        numbers = tuple(number for number in map(int, _MARKER.findall(line)) if number in quotes)
        text = _MARKER.sub(lambda match: "" if int(match[1]) in quotes else match[0], line)
        found.append(Line(_pieces(text, _picked(quotes, numbers), answer.language), tuple(dict.fromkeys(numbers))))
    return found


def _picked(quotes: Mapping[int, str], numbers: Iterable[int]) -> list[str]:
    return [quotes[number] for number in numbers if number in quotes]


def _pieces(text: str, quotes: Sequence[str], language: Language) -> tuple[Piece, ...]:
    """Cut a text at the first place of each quote in it, and the figure off what leads to a quote."""
    pieces: list[Piece] = [(folded(text), "plain")]
    for quote in filter(None, quotes):
        for index, (piece, kind) in enumerate(pieces):
            before, found, after = piece.partition(quote)
            if found and kind == "plain":
                cut: list[Piece] = [*_figure(before, language), (quote, "verbatim"), (after, "plain")]
                pieces[index : index + 1] = [part for part in cut if part[0]]
                break
    return tuple(pieces)


def _figure(lead: str, language: Language) -> list[Piece]:
    """What leads to a quote, its figure told from the words between the two."""
    between = load_wording(language).say("figure", figure="\0", quote="\0").split("\0")[1]
    figure = lead.removesuffix(between)
    return [(figure, "figure"), (between, "plain")] if figure != lead else [(lead, "plain")]
