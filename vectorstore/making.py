"""What is made of a document for searching it: vectors and index terms, from nothing but the document and an encoder.

So it can be made anywhere; the catalog only takes it in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vectorstore.encoder import Encoder
from vectorstore.packing import context_texts, fulltext_fields
from vectorstore.passage import Document, Passage

# Characters of what stands above a passage that an encoder of words is given, and of what heads a table's row.
ABOVE = 160


@dataclass(frozen=True, slots=True)
class Made:
    """What the passages of a document are searched by, one entry a passage, in their order.

    `vectors` is (passages, dimension), as the catalog keeps them, or (passages, 0) where they are to follow; `terms` are the index
    terms of a passage's body and of what it stands under. Those of the title come with the catalog, which knows its corrections.
    """

    vectors: NDArray[np.float16]
    terms: tuple[tuple[str, str], ...]


def make(document: Document, passages: Sequence[Passage], encoder: Encoder | None) -> Made:
    """Segment the passages of a document and encode them; without an encoder, the vectors are to follow. Pure."""
    text, title = document.text, document.metadata.title or document.source
    vectors = np.zeros((len(passages), 0), dtype=np.float16)
    if encoder is not None:
        texts = [encoded_text(title, text, passage) for passage in passages]
        vectors = encoder.encode(texts).astype(np.float16)
    return Made(vectors, tuple(fulltext_fields(text, passage, "")[:2] for passage in passages))


def encoded_text(title: str, text: str, passage: Passage) -> str:
    """What a passage is encoded as."""
    return f"{heading(title, text, passage)}｜{text[passage.start : passage.end]}"


def heading(title: str, text: str, passage: Passage) -> str:
    """What encoder and reader read before a passage of a text: title, heading path, and what heads a table's row."""
    above = "\n".join(context_texts(text, passage.context))[:ABOVE]
    return "｜".join(dict.fromkeys(part for part in (title, *passage.section, above) if part))
