"""An answer as the text of a chat message, with links that work outside this server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from assistant.answer import Answer, Citation
from channels.render import folded
from prompts import load_wording
from vectorstore.links import Links

# Markdown and HTML in a source stay text in a chat: no picture of its is fetched, no link of its hides where it leads.
_MARKUP: Final = re.compile(r"\](?=[(:])|<(?=[A-Za-z!/])")
# A link in a chat is passed on; where asking takes a key, it does not open the source for ever.
KEYED_DAYS: Final = 30


class Content:
    """Renders answers for other programs' chats; it writes short links, so it is not for the event loop.

    Args:
        links: the short links.
        public_url: what the outside calls this server; without it nothing is linked.
        keyed: links end after KEYED_DAYS.
    """

    def __init__(self, links: Links, public_url: str | None, *, keyed: bool) -> None:
        self._links = links
        self._public_url = public_url
        self._days = KEYED_DAYS if keyed else None

    def text(self, answer: Answer) -> str:
        """The answer's own text, what to know before relying on it, and a line for each source."""
        blocks = [as_text(answer.text)]
        if answer.warnings:
            blocks.append("\n".join(f"! {warning.message}" for warning in answer.warnings))
        if answer.citations:
            blocks.append(self._lines(answer.citations))
        if answer.nearest:
            blocks.append(load_wording(answer.language).say(answer.listing) + "\n" + self._lines(answer.nearest))
        return "\n\n".join(blocks)

    def citations(self, answer: Answer) -> list[dict[str, Any]]:
        """The answer's citations as plain JSON types; `link` is absolute, or None."""
        return [{**asdict(citation), "link": self.link(citation)} for citation in answer.citations]

    def link(self, citation: Citation) -> str | None:
        """The source at the quote, as the outside reaches it."""
        return self.link_to(citation.document_id, citation.version, citation.start, citation.end)

    def link_to(self, document_id: str, version: int, start: int, end: int) -> str | None:
        """A place in a document, as the outside reaches it."""
        if self._public_url is None:
            return None
        return f"{self._public_url}/s/{self._links.code(document_id, version, start, end, days=self._days)}"

    def _lines(self, citations: Sequence[Citation]) -> str:
        return "\n".join(self._line(citation) for citation in citations)

    def _line(self, citation: Citation) -> str:
        page = f"p. {citation.page}" if citation.page else None
        parts = (
            as_text(f"《{citation.title}》"),
            as_text(" › ".join(citation.section[-2:])),
            page,
            citation.reason,
            self.link(citation),
        )
        return folded(f"[{citation.number}] " + " ".join(part for part in parts if part))


def as_text(words: str) -> str:
    """Words of a source with their markup made harmless: a full-width character for the one that makes it markup."""
    return _MARKUP.sub(lambda found: {"]": "］", "<": "＜"}[found[0]], words)
