"""How the catalog's rows hold documents, metadata and passages: JSON in, the shelf's types out."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from vectorstore.passage import Document, Heading, Metadata, Passage, Span
from vectorstore.segmentation import terms
from vectorstore.sql import Row


def pack_metadata(metadata: Metadata) -> str:
    """Metadata as a row holds it."""
    return json.dumps(asdict(replace(metadata, spans=dict(metadata.spans))), ensure_ascii=False)


def unpack_metadata(packed: str) -> Metadata:
    """Metadata of a row."""
    fields = json.loads(packed)
    fields["repeals"] = tuple(fields["repeals"])
    fields["spans"] = {name: (start, end) for name, (start, end) in fields["spans"].items()}
    return Metadata(**fields)


def pack_layout(document: Document) -> str:
    """What a version holds besides its text and its metadata."""
    return json.dumps(
        {
            "media_type": document.media_type,
            "pages": document.pages,
            "headings": [(heading.start, heading.end, heading.level) for heading in document.headings],
            "tables": document.tables,
            "boilerplate": document.boilerplate,
            "notes": document.notes,
        },
        ensure_ascii=False,
    )


def unpack_document(row: Row) -> Document:
    """A document of its row: source, text, layout, metadata."""
    layout = json.loads(row["layout"])
    return Document(
        source=row["source"],
        media_type=layout["media_type"],
        text=row["text"],
        pages=tuple(layout["pages"]),
        headings=tuple(Heading(*heading) for heading in layout["headings"]),
        tables=tuple((start, end) for start, end in layout["tables"]),
        boilerplate=tuple((start, end) for start, end in layout["boilerplate"]),
        metadata=unpack_metadata(row["metadata"]),
        notes=tuple(layout["notes"]),
    )


def pack_passage(passage: Passage) -> tuple[int, int, int, str, int | None, str, str, str]:
    """Position, start, end, section, page, kind, context and clauses as columns hold them."""
    return (
        passage.position,
        passage.start,
        passage.end,
        json.dumps(passage.section, ensure_ascii=False),
        passage.page,
        passage.kind,
        json.dumps(passage.context),
        json.dumps(passage.clauses, ensure_ascii=False),
    )


def unpack_passage(row: Row) -> Passage:
    """The passage of a row."""
    return Passage(
        position=row["position"],
        start=row["start"],
        end=row["end"],
        section=unpack_section(row["section"]),
        page=row["page"],
        kind=row["kind"],
        context=_spans(row["context"]),
        clauses=tuple((start, label) for start, label in json.loads(row["clauses"])),
    )


@functools.lru_cache(maxsize=4096)  # neighbours have one heading
def unpack_section(packed: str) -> tuple[str, ...]:
    """The headings above a passage."""
    return tuple(json.loads(packed))


@functools.lru_cache(maxsize=4096)  # and the rows of a table one header
def _spans(packed: str) -> tuple[Span, ...]:
    return tuple((start, end) for start, end in json.loads(packed))


def fulltext_fields(text: str, passage: Passage, title: str) -> tuple[str, str, str]:
    """The index terms of a passage's body, of what it stands under (headings, a table's caption and header), of the title."""
    above = " ".join((*passage.section, *context_texts(text, passage.context)))
    return " ".join(terms(text[passage.start : passage.end])), " ".join(terms(above)), title


def context_texts(text: str, context: Sequence[Span]) -> list[str]:
    """What a table's row is read with, line by line."""
    return [text[start:end] for start, end in context]
