"""The optional reranker: a cross-encoder that reads question and passage together and chooses what is read for answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from assistant.errors import SettingError


class Reranker(Protocol):
    """Judges passages for a question."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """One finite score a text, the higher the better."""


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder, by hub name or folder. The constructor imports torch, which takes seconds."""

    def __init__(self, model: str) -> None:
        """Load `model`; code of the model's own is never run.

        Raises:
            SettingError: it cannot be loaded; the message names the setting.
        """
        try:
            from sentence_transformers import CrossEncoder

            self._model = CrossEncoder(model, trust_remote_code=False, num_labels=1)
        except (ImportError, OSError, ValueError, RuntimeError, KeyError) as error:
            raise SettingError(
                f"The reranker ZHICE_RERANKER={model} cannot be loaded ({str(error).strip().partition(chr(10))[0]}). "
                "Give the folder of a sentence-transformers cross-encoder, or a hub name that has been downloaded or "
                "can be reached from here; or unset ZHICE_RERANKER to do without."
            ) from error
        self._turn = threading.Lock()  # one model, one question at a time: threads would only share the processor

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """One score between 0 and 1 a text; a model that gives no number at all for a text ranks it last."""
        if not texts:
            return []
        with self._turn:
            scores = self._model.predict([(question, text) for text in texts], show_progress_bar=False)
        return [float(score) for score in np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-1.0)]
