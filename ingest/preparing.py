"""One file's bytes to a document and its passages: read -> clean -> describe -> split."""

from __future__ import annotations

from ingest.cleaning import mark_boilerplate
from ingest.errors import UnreadableDocument
from ingest.metadata import describe
from ingest.readers import read_document
from ingest.splitting import split
from vectorstore.passage import Document, Passage


def prepare(data: bytes, source: str) -> tuple[Document, tuple[Passage, ...]]:
    """A file's bytes to a document and its passages; pure. `IsolatedReader` does the same in a process of its own.

    Raises:
        UnreadableDocument: with the reason and what to do.
    """
    document = describe(mark_boilerplate(read_document(data, source)))
    passages = split(document)
    if not any(map(str.isalnum, document.text)):
        raise UnreadableDocument("It holds no words, only marks; save the document again and add that.")
    if not passages:
        raise UnreadableDocument("It holds no text besides navigation and boilerplate; there is nothing to search.")
    return document, passages
