"""The bundled encoder as a module of sentence-transformers: `SentenceTransformer(folder)` runs the same ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from sentence_transformers.base.modules.module import Module
from tokenizers import Tokenizer

from vectorstore.models.session import SHAPE_STEP, open_session

FILES: Final = ("model.onnx", "tokenizer.json")
LONGEST: Final = 256


class OnnxEncoder(Module):
    """Texts to vectors of length 1, by the files of a folder."""

    save_in_root = True

    def __init__(self, folder: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._folder = folder
        self._session = open_session(folder / FILES[0])
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / FILES[1]))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.enable_padding(pad_id=1, pad_token="<pad>", pad_to_multiple_of=SHAPE_STEP)
        self.max_seq_length = LONGEST

    def preprocess(self, inputs: list[str], prompt: str | None = None, **_: Any) -> dict[str, torch.Tensor]:
        """Texts to token numbers and their mask, both (texts, tokens)."""
        encodings = self.tokenizer.encode_batch([f"{prompt or ''}{text}" for text in inputs])
        return {
            "input_ids": torch.tensor([each.ids for each in encodings]),
            "attention_mask": torch.tensor([each.attention_mask for each in encodings]),
        }

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Adds `sentence_embedding`, (texts, dimension)."""
        feed = {"ids": features["input_ids"].numpy(), "mask": features["attention_mask"].numpy()}
        return features | {"sentence_embedding": torch.from_numpy(self._session.run(None, feed)[0])}

    def get_embedding_dimension(self) -> int:
        """Components of a vector."""
        return int(self._session.get_outputs()[0].shape[1])

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Copy the folder's files."""
        for name in FILES:
            (Path(output_path) / name).write_bytes((self._folder / name).read_bytes())

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", *_: Any, **__: Any) -> OnnxEncoder:
        """Open a folder; a hub is never asked."""
        return cls(Path(model_name_or_path) / subfolder)
