"""An answer as plain text, for shells and logs; other channels have their own renderings."""

from __future__ import annotations

from assistant.answer import Answer, Citation
from prompts import load_wording


def plain(answer: Answer) -> str:
    """The answer with its sources and warnings, as it reads in a terminal."""
    blocks = [answer.text]
    if answer.citations:
        blocks.append("\n".join(cited(citation) for citation in answer.citations))
    if answer.nearest:
        wording = load_wording(answer.language)
        blocks.append("\n".join([wording.say(answer.listing), *(cited(citation) for citation in answer.nearest)]))
    if answer.warnings:
        blocks.append("\n".join(f"! {warning.message}" for warning in answer.warnings))
    return "\n\n".join(blocks)


def cited(citation: Citation) -> str:
    """One citation in two lines: where it stands, and its words."""
    return f"[{citation.number}] {place(citation)}\n    “{folded(citation.quote)}”"


def place(citation: Citation) -> str:
    """Title, issuer, 文号, date, heading path, page and why it only comes close, as far as they are known."""
    parts = [f"《{citation.title}》", citation.issuer, citation.doc_no, citation.published]
    parts += [" › ".join(citation.section[-2:]), f"p. {citation.page}" if citation.page else None, citation.reason]
    return " · ".join(part for part in parts if part)


def folded(quote: str) -> str:
    """A quote with its white space folded for display; the characters themselves stay as they are."""
    return " ".join(quote.split())
