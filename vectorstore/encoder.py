"""Texts to vectors: the bundled transformer, and sentence-transformers for any other model.

Importing this module imports neither torch nor transformers: they take 18 s and 540 MiB, numpy and tokenizers 0.3 s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vectorstore.errors import EncoderUnavailable
from vectorstore.models.session import open_session, open_tokenizer, run

BUNDLED_ENCODER: Final = Path(__file__).parent / "models" / "zhice-encoder-zh-en"

LONGEST: Final = 256  # tokens of a text that the transformer reads; all but a few passages in a thousand are shorter

# What the transformer is told of a text, as it was trained.
QUERY_PROMPT: Final = "query: "
DOCUMENT_PROMPT: Final = "passage: "


class Encoder(Protocol):
    """Turns texts into vectors whose dot product is their similarity."""

    @property
    def name(self) -> str:
        """The identity recorded in a data folder: vectors of encoders with different names do not mix."""

    @property
    def dimension(self) -> int:
        """Components of a vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode passages, in their order; shape (len(texts), dimension), rows of length 1. No value is ever NaN."""

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Encode a question; shape (dimension,), of length 1 or 0."""


class OnnxEncoder:
    """A transformer with mean pooling, read from a folder with `model.onnx` and `tokenizer.json`; needs no torch."""

    def __init__(self, folder: Path) -> None:
        """Open a model folder.

        Raises:
            EncoderUnavailable: the folder does not hold such a model.
        """
        try:
            self._session = open_session(folder / "model.onnx")
            self._tokenizer = open_tokenizer(folder / "tokenizer.json", LONGEST)
            self.dimension = int(self._session.get_outputs()[0].shape[1])
            digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
        except Exception as error:  # tokenizers and onnxruntime raise bare Exceptions
            raise EncoderUnavailable(
                f"{folder} holds no readable encoder ({_first_line(error)}). Reinstall Zhice, or set "
                "ZHICE_ENCODER to the folder or the hub name of a sentence-transformers model."
            ) from error
        self.name = f"{folder.name}:{digest[:12]}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode passages, in their order; shape (len(texts), dimension), rows of length 1."""
        return self._encode(texts, DOCUMENT_PROMPT)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Encode a question; shape (dimension,), of length 1."""
        vector: NDArray[np.float32] = self._encode([text], QUERY_PROMPT)[0]
        return vector

    def _encode(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        clean = [prompt + text.encode("utf-8", "replace").decode() for text in texts]
        for places, (found,) in run(self._session, self._tokenizer.encode_batch(clean)):
            vectors[places] = found
        return vectors


class SentenceTransformerEncoder:
    """Any sentence-transformers model, by hub name or folder. The constructor imports torch, which takes seconds."""

    def __init__(self, model: str) -> None:
        """Load `model`; raises EncoderUnavailable when that is not possible. Code of the model's own is never run."""
        try:
            from sentence_transformers import SentenceTransformer

            self._model = SentenceTransformer(model, trust_remote_code=False)
        except (ImportError, OSError, ValueError, RuntimeError, KeyError) as error:
            raise EncoderUnavailable(
                f"The encoder ZHICE_ENCODER={model} cannot be loaded ({_first_line(error)}). Give the folder of a "
                "sentence-transformers model, or a hub name that has been downloaded or can be reached from here; "
                "or unset ZHICE_ENCODER to use the bundled encoder."
            ) from error
        self.name = f"sentence-transformers:{model}"
        self.dimension = int(self._model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts, in their order; shape (len(texts), dimension), rows of length 1 or 0."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return _finite(self._model.encode_document(list(texts), normalize_embeddings=True, show_progress_bar=False))

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Encode a question with the model's own prompt for one; shape (dimension,), of length 1 or 0."""
        vector: NDArray[np.float32] = _finite(
            self._model.encode_query([text], normalize_embeddings=True, show_progress_bar=False)
        )[0]
        return vector


def load_encoder(name: str | None = None) -> Encoder:
    """Load an encoder: the bundled one for None, else a model by folder or hub name.

    Folders that `training.export` wrote are run without torch.

    Raises:
        EncoderUnavailable: it cannot be loaded.
    """
    folder = BUNDLED_ENCODER if name is None else Path(name).expanduser()
    if name is None or (folder / "model.onnx").is_file():
        return OnnxEncoder(folder)
    return SentenceTransformerEncoder(str(folder) if folder.is_dir() else name)


def _finite(vectors: object) -> NDArray[np.float32]:
    return np.nan_to_num(np.asarray(vectors, dtype=np.float32))


def _first_line(error: Exception) -> str:
    """What a library's error says first; the rest is advice about that library."""
    return str(error).strip().partition("\n")[0]
