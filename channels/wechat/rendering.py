"""An answer as WeChat can show it: plain text in parts with short links, and Markdown for WeCom's bots.

A citation is one line: its number, title, clause, and a short link that opens the source at the quote. Nothing is ever cut
inside a character, a link or a marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from assistant.answer import Answer, Citation
from channels.texts import Language, say
from prompts import load_wording
from vectorstore.links import Links

# What a text message holds, in bytes of UTF-8, and what is kept of that for the words that offer the rest.
LARGEST_TEXT: Final = 2048
LARGEST_MARKDOWN: Final = 20480
LONGEST_TITLE: Final = 60  # characters; a longer one ends in …

_UNCUT = re.compile(r"https?://\S{1,200}|\[\d+\]|[A-Za-z0-9.,%]{1,40}|.", re.DOTALL)
_SENTENCE_END: Final = "。！？；!?;\n"
# Markup in a source stays text: full-width, because WeCom's bots know no escapes.
_MARKDOWN = str.maketrans("`*_[]<>#|~", "｀＊＿［］＜＞＃｜～")
_MARKER = re.compile(r"［(\d+)］")


class Rendering:
    """Renders answers with short links.

    Args:
        links: makes the short links.
        public_url: what the outside calls this server, without a slash behind it.
        days: how long a link leads to its source; for ever without it.
    """

    def __init__(self, links: Links, public_url: str, *, days: float | None = None) -> None:
        self._links = links
        self._public_url = public_url
        self._days = days

    def parts(self, answer: Answer) -> list[str]:
        """The answer as messages of at most 2048 bytes; those before the last leave room for `more`."""
        return split("\n".join(self._lines(answer)), LARGEST_TEXT - len(more(answer.language).encode()))

    def markdown(self, answer: Answer) -> str:
        """The answer as Markdown of at most 20480 bytes."""
        blocks = [_MARKER.sub(r"[\1]", line.translate(_MARKDOWN)) for line in answer.text.splitlines()]
        listed = [f"> {self._marked(citation)}" for citation in answer.citations]
        if answer.nearest:
            listed = [load_wording(answer.language).say(answer.listing)]
            listed += [f"> {self._marked(citation)}" for citation in answer.nearest]
        listed += [line.translate(_MARKDOWN) for line in _notes(answer)]
        room = LARGEST_MARKDOWN - len("\n\n".join(["", *listed, ""]).encode())
        said = "\n\n".join(blocks)
        if len(said.encode()) > room:
            said = split(said, room - len("…".encode()))[0] + "…"
        return "\n\n".join([said, *listed])

    def _lines(self, answer: Answer) -> Iterator[str]:
        yield answer.text
        if answer.citations:
            yield ""
            yield from map(self._line, answer.citations)
        elif answer.nearest:
            yield ""
            yield load_wording(answer.language).say(answer.listing)
            yield from map(self._line, answer.nearest)
        yield from _notes(answer)

    def _line(self, citation: Citation) -> str:
        return f"[{citation.number}] {place(citation)} {self._link(citation)}"

    def _marked(self, citation: Citation) -> str:
        label = place(citation).translate(_MARKDOWN)
        return f"[{citation.number}] [{label}]({self._link(citation)})"

    def _link(self, citation: Citation) -> str:
        code = self._links.code(citation.document_id, citation.version, citation.start, citation.end, days=self._days)
        return f"{self._public_url}/s/{code}"


def more(language: Language) -> str:
    """What stands behind a part that is not the last, where the rest has to be asked for."""
    return "\n" + say(language, "wechat_more")


def place(citation: Citation) -> str:
    """Title, clause and why it only comes close, in one line."""
    title = " ".join(citation.title.split())
    title = title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"
    clause = " ".join(citation.section[-1].split())[:LONGEST_TITLE] if citation.section else ""
    return f"《{title}》{clause}" + (f"（{citation.reason}）" if citation.reason else "")


def split(text: str, limit: int) -> list[str]:
    """A text in parts of at most `limit` bytes: at line ends if it can be, else at sentence ends, else between words."""
    parts: list[str] = []
    held = ""
    for line in text.split("\n"):
        joined = f"{held}\n{line}" if held else line
        if len(joined.encode()) <= limit:
            held = joined
            continue
        if held:
            parts.append(held)
        *whole, held = _pieces(line, limit)
        parts += whole
    return [*parts, held] if held.strip() or not parts else parts


def _pieces(line: str, limit: int) -> list[str]:
    pieces: list[str] = []
    held, ended = "", 0  # what is held, and up to where its last sentence ends
    for word in _UNCUT.findall(line):
        if len((held + word).encode()) > limit:
            cut = ended or len(held)
            pieces.append(held[:cut])
            held, ended = held[cut:], 0
        held += word
        if word in _SENTENCE_END:
            ended = len(held)
    return [*pieces, held]


def _notes(answer: Answer) -> Iterator[str]:
    """The warnings in one line."""
    if answer.warnings:
        warnings = " ".join(warning.message for warning in answer.warnings)
        yield say(answer.language, "wechat_note", warnings=warnings)
