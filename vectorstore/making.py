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

# Characters of what stands above a passage that are encoded with it.
ABOVE = 160


@dataclass(frozen=True, slots=True)
class Made:
    """What the passages of a document are searched by, one entry a passage, in their order.

    `vectors` is (passages, dimension), as the catalog keeps them; `terms` are the index terms of a passage's body and
    of what it stands under. Those of the title come with the catalog, which knows its corrections.
    """

    vectors: NDArray[np.float16]
    terms: tuple[tuple[str, str], ...]


def make(document: Document, passages: Sequence[Passage], encoder: Encoder) -> Made:
    """Encode and segment the passages of a document; pure."""
    text = document.text
    vectors = encoder.encode([encoded_text(text, passage) for passage in passages]).astype(np.float16)
    return Made(vectors, tuple(fulltext_fields(text, passage, "")[:2] for passage in passages))


def encoded_text(text: str, passage: Passage) -> str:
    """What a passage is encoded as."""
    # The two nearest headings tell a clause's subject, and so does what a row is read with; more drowns a short clause.
    above = " ".join((*passage.section[-2:], *context_texts(text, passage.context)))
    return f"{above[-ABOVE:]} {text[passage.start : passage.end]}"
