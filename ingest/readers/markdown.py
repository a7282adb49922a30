"""Markdown: the text as it stands, with the places of its headings and tables."""

from __future__ import annotations

import re
from bisect import bisect_right

from markdown_it import MarkdownIt

from ingest.errors import UnreadableDocument
from ingest.readers.building import clean_text, merge_spans
from vectorstore.passage import Document, Heading, Span

_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n(?:[^\n]*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
# Front matter longer than this is a document between two rules.
_FRONT_MATTER_CHARACTERS = 4_000
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DELIMITER_ROW = re.compile(r"[ \t|:\-]*-[ \t|:\-]*")
_HASHES = re.compile(r"[ \t>*+\-]*#{1,6}[ \t]*(.*?)[ \t]*#*[ \t]*")


def read_markdown(text: str, source: str) -> Document:
    """A document of this text; front matter, comments and table rules are boilerplate.

    Raises `UnreadableDocument` where the markup is nested beyond what the parser takes.
    """
    text = clean_text(text)
    body, boilerplate = 0, [match.span() for match in _COMMENT.finditer(text)]
    front = _FRONT_MATTER.match(text)
    if front and front.end() <= _FRONT_MATTER_CHARACTERS and ":" in front.group():
        body = front.end()
        boilerplate.append((front.start(), front.end()))
    starts = _line_starts(text)
    first = bisect_right(starts, body) - 1
    try:
        tokens = MarkdownIt("commonmark").enable("table").parse(text[starts[first] :] if body else text)
    except (RecursionError, ValueError, IndexError) as error:
        raise UnreadableDocument("Its Markdown cannot be parsed; save it as plain text and add it again.") from error
    headings: list[Heading] = []
    tables: list[Span] = []
    offset = first if body else 0
    for token in tokens:
        if token.map is None or token.type not in ("heading_open", "table_open"):
            continue
        lines = range(token.map[0] + offset, token.map[1] + offset)
        spans = [(starts[line], starts[line + 1] - 1) for line in lines if line + 1 < len(starts)]
        if not spans:
            continue
        if token.type == "heading_open":
            start, end = _heading_span(text, spans, token.markup)
            if start < end:
                headings.append(Heading(start, end, int(token.tag[1:])))
        else:
            filled = [span for span in spans if text[span[0] : span[1]].strip()]
            tables.append((filled[0][0], filled[-1][1]))
            boilerplate += [span for span in filled[1:2] if _DELIMITER_ROW.fullmatch(text[span[0] : span[1]])]
    return Document(
        source=source,
        media_type="text/markdown",
        text=text,
        headings=tuple(headings),
        tables=tuple(tables),
        boilerplate=merge_spans(boilerplate),
    )


def _line_starts(text: str) -> list[int]:
    """Where every line starts, and one past the end of the last one's line end."""
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", text)]
    if starts[-1] != len(text) or not text:
        starts.append(len(text) + 1)
    return starts


def _heading_span(text: str, spans: list[Span], markup: str) -> Span:
    """The heading's own words: without the hashes, or without the underline of the other style."""
    start, end = spans[0]
    if markup.startswith("#"):
        match = _HASHES.fullmatch(text[start:end])
        if match:
            return start + match.start(1), start + match.end(1)
    elif len(spans) > 1:
        end = spans[-2][1]
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end
