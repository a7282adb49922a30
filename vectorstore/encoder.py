"""Texts to vectors: the bundled static encoder, the bundled transformer, and sentence-transformers for any other model.

Importing this module imports neither torch nor transformers: they take 18 s and 540 MiB, numpy and tokenizers 0.3 s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vectorstore.errors import EncoderUnavailable
from vectorstore.models.session import open_session, open_tokenizer, run

BUNDLED_MODEL: Final = Path(__file__).parent / "models" / "zhice-static-zh-en"
BUNDLED_TRANSFORMER: Final = Path(__file__).parent / "models" / "zhice-encoder-zh-en"

LONGEST: Final = 256  # tokens of a text that the transformer reads; all but a few passages in a thousand are shorter

# What the transformer is told of a text, as it was trained.
QUERY_PROMPT: Final = "query: "
DOCUMENT_PROMPT: Final = "passage: "

# Tokens whose rows are gathered at once. 4 MiB of float32 stay in the processor's cache: 9,100 passages of 103
# characters a second on one core, against 7,100 with eight times as many.
TOKENS_AT_ONCE: Final = 4_096

# The numpy types of the safetensors names that a static model can come in.
NUMPY_TYPES: Final = {"F32": np.float32, "F16": np.float16, "I8": np.int8}

# A sum shorter than this is a text without one known token; a single token's row is a thousand times longer.
SHORTEST_SUM: Final = 1e-6


class Encoder(Protocol):
    """Turns texts into vectors whose dot product is their similarity."""

    @property
    def name(self) -> str:
        """The identity recorded in a data folder: vectors of encoders with different names do not mix."""

    @property
    def dimension(self) -> int:
        """Components of a vector."""

    @property
    def contextual(self) -> bool:
        """Whether it is a transformer: it reads a passage with its title and heading path, and takes its time."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode passages, in their order; shape (len(texts), dimension), rows of length 1.

        A text without one known token may give a row of zeros. No value is ever NaN.
        """

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Encode a question; shape (dimension,), of length 1 or 0."""


class StaticEncoder:
    """The mean of token vectors, read from the folder of a sentence-transformers model; needs no torch.

    The folder holds `tokenizer.json` and `model.safetensors` (float32, float16 or int8 rows, as `embedding.weight`,
    or as `embeddings` with an optional factor for each row in `weights`). Rows are read when a text needs them.
    """

    contextual: Final = False

    def __init__(self, folder: Path, *, dimension: int | None = None) -> None:
        """Open a model folder; `dimension` keeps that many leading components (Matryoshka: 256, 128 or 64).

        Raises EncoderUnavailable when the folder does not hold such a model.
        """
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._rows, self._factors, metadata = _open_weights(folder / "model.safetensors")
        except Exception as error:  # tokenizers raises bare Exception
            raise EncoderUnavailable(
                f"{folder} holds no readable static encoder ({_first_line(error)}). Reinstall Zhice, or set "
                "ZHICE_ENCODER to the folder or the hub name of a sentence-transformers model."
            ) from error
        width = int(self._rows.shape[1])
        if dimension is not None and not 0 < dimension <= width:
            raise EncoderUnavailable(f"The encoder in {folder} has {width} dimensions; {dimension} cannot be kept.")
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.dimension = dimension or width
        digest = metadata.get("sha256") or model_digest(folder)
        self.name = f"{metadata.get('name', folder.name)}:{digest[:12]}"
        if self.dimension != width:
            self.name += f"@{self.dimension}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts, in their order; shape (len(texts), dimension), rows of length 1 or 0."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for first, tokens in self._batches(texts):
            counts = np.fromiter(map(len, tokens), dtype=np.intp, count=len(tokens))
            filled = np.flatnonzero(counts)  # reduceat knows no empty segment
            if len(filled) == 0:
                continue
            numbers = np.concatenate([np.asarray(tokens[index], dtype=np.intp) for index in filled])
            rows = self._rows[numbers, : self.dimension].astype(np.float32)
            if self._factors is not None:
                rows *= self._factors[numbers, None]
            starts = np.concatenate(([0], np.cumsum(counts[filled])[:-1]))
            vectors[first + filled] = np.add.reduceat(rows, starts, axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > SHORTEST_SUM)
        return vectors

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Encode a question as any text; shape (dimension,), of length 1 or 0."""
        vector: NDArray[np.float32] = self.encode([text])[0]
        return vector

    def words(self) -> list[str]:
        """The vocabulary in its order: pieces first, then the words of the training texts, most frequent first."""
        vocabulary = self._tokenizer.get_vocab()
        return sorted(vocabulary, key=vocabulary.__getitem__)

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[int, list[list[int]]]]:
        """Yield the index of a batch's first text and the token numbers of its texts."""
        first, size, batch = 0, 0, list[list[int]]()
        for index in range(0, len(texts), 1024):
            clean = [text.encode("utf-8", "replace").decode() for text in texts[index : index + 1024]]
            for encoding in self._tokenizer.encode_batch_fast(clean, add_special_tokens=False):
                batch.append(encoding.ids)
                size += len(batch[-1])
                if size >= TOKENS_AT_ONCE:
                    yield first, batch
                    first, size, batch = first + len(batch), 0, []
        if batch:
            yield first, batch


class OnnxEncoder:
    """A transformer with mean pooling, read from a folder with `model.onnx` and `tokenizer.json`; needs no torch."""

    contextual: Final = True

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

    contextual: Final = True

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
    """Load an encoder: the bundled static one for None, else the bundled transformer by its name, or a model by folder or
    hub name.

    Folders of static models, and of transformers as `training.export` writes them, are run without torch.

    Raises:
        EncoderUnavailable: it cannot be loaded.
    """
    if name is None:
        return StaticEncoder(BUNDLED_MODEL)
    folder = BUNDLED_TRANSFORMER if name == BUNDLED_TRANSFORMER.name else Path(name).expanduser()
    if _is_static(folder):
        return StaticEncoder(folder)
    if (folder / "model.onnx").is_file():
        return OnnxEncoder(folder)
    return SentenceTransformerEncoder(str(folder) if folder.is_dir() else name)


def model_digest(folder: Path) -> str:
    """The SHA-256 (hex) of what decides a static model's vectors: its tokenizer and its tensors' bytes."""
    digest = hashlib.sha256((folder / "tokenizer.json").read_bytes())
    with (folder / "model.safetensors").open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _finite(vectors: object) -> NDArray[np.float32]:
    return np.nan_to_num(np.asarray(vectors, dtype=np.float32))


def _first_line(error: Exception) -> str:
    """What a library's error says first; the rest is advice about that library."""
    return str(error).strip().partition("\n")[0]


def _is_static(folder: Path) -> bool:
    """Whether a folder holds a sentence-transformers model of a static embedding alone, or normalised."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [module["type"].rpartition(".")[2] for module in modules]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return kinds in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])


def _open_weights(path: Path) -> tuple[NDArray[Any], NDArray[np.float32] | None, dict[str, str]]:
    """Map the tensors of a safetensors file into memory.

    Returns the rows (tokens, dimension), their factors (tokens,) or None, and the file's own metadata. The format:
    8 bytes with the length of a JSON header (little-endian), the header, the tensors at the offsets it gives.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(size))

    def tensor(name: str) -> NDArray[Any]:
        entry = header[name]
        return np.memmap(
            path,
            dtype=NUMPY_TYPES[entry["dtype"]],
            mode="r",
            offset=8 + size + entry["data_offsets"][0],
            shape=tuple(entry["shape"]),
        )

    rows = tensor("embedding.weight" if "embedding.weight" in header else "embeddings")
    factors = np.array(tensor("weights"), dtype=np.float32) if "weights" in header else None
    if "mapping" in header or rows.ndim != 2:
        raise ValueError(f"{path.name} is not a table with one row a token")
    return rows, factors, header.get("__metadata__", {})
