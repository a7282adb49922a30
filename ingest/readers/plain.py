"""Plain text: the text as it stands."""

from __future__ import annotations

from ingest.readers.building import clean_text
from vectorstore.passage import Document


def read_plain(text: str, source: str) -> Document:
    """A document of exactly this text, its line ends and control characters cleaned."""
    return Document(source=source, media_type="text/plain", text=clean_text(text))
