"""Trains the static encoder with sentence-transformers and saves it small."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from tokenizers import Tokenizer

from training.pairs import Texts
from training.vocabulary import UNKNOWN
from vectorstore.encoder import model_digest

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

NAME: Final = "zhice-static-zh-en-v1"

# The leading 128 and 64 components are trained to be good vectors on their own.
DIMENSIONS: Final = (256, 128, 64)

COLUMNS: Final = ("anchor", "positive", "negative")

# Large batches give many negatives; token rows are seen rarely, so the rate is a hundred times that of a transformer.
BATCH: Final = 2048
LEARNING_RATE: Final = 0.2
WARM_UP: Final = 0.1


def train(tokenizer: Tokenizer, pairs: dict[str, list[Texts]], *, epochs: float, seed: int) -> SentenceTransformer:
    """Train token vectors so that the texts of a pair lie closer together than those of different pairs."""
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    from sentence_transformers.sentence_transformer.training_args import (
        BatchSamplers,
        MultiDatasetBatchSamplers,
        SentenceTransformerTrainingArguments,
    )

    torch.manual_seed(seed)
    model = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_dim=DIMENSIONS[0]), Normalize()], device="cpu"
    )
    datasets = {
        name: Dataset.from_dict(dict(zip(COLUMNS, map(list, zip(*some, strict=True)), strict=False)))
        for name, some in pairs.items()
    }
    loss = MatryoshkaLoss(model, MultipleNegativesRankingLoss(model), matryoshka_dims=list(DIMENSIONS))
    with tempfile.TemporaryDirectory() as scratch:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=scratch,
            use_cpu=True,
            num_train_epochs=epochs,
            per_device_train_batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            warmup_steps=WARM_UP,
            batch_sampler=BatchSamplers.NO_DUPLICATES_HASHED,
            multi_dataset_batch_sampler=MultiDatasetBatchSamplers.PROPORTIONAL,
            seed=seed,
            data_seed=seed,
            save_strategy="no",
            report_to="none",
            logging_steps=100,
            disable_tqdm=True,
        )
        SentenceTransformerTrainer(model, arguments, train_dataset=datasets, loss=loss).train()
    return model


def save(model: SentenceTransformer, folder: Path) -> None:
    """Save a model as float16, in a layout that sentence-transformers loads as float32.

    The weights are stored as unit rows (`embeddings`, float16) and their lengths (`weights`, float32): given both,
    sentence-transformers multiplies them in float32, where a float16 table alone would be averaged in float16. The
    row of unknown tokens is zero, so that they weigh nothing.
    """
    from safetensors.numpy import save_file
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    static = model[0]
    if not isinstance(static, StaticEmbedding):
        raise TypeError(f"the first module is no static embedding but {type(static).__name__}")
    folder.mkdir(parents=True, exist_ok=True)
    card = folder / "README.md"
    kept = card.read_bytes() if card.exists() else None
    model.save(str(folder), create_model_card=False)
    if kept is not None:
        card.write_bytes(kept)
    rows = static.embedding.weight.detach().numpy().copy()
    rows[static.tokenizer.token_to_id(UNKNOWN)] = 0
    lengths = np.linalg.norm(rows, axis=1).astype(np.float32)
    units = (rows / np.maximum(lengths, np.finfo(np.float32).tiny)[:, None]).astype(np.float16)
    tensors = {"embeddings": units, "weights": lengths}
    weights = folder / "model.safetensors"
    save_file(tensors, weights)
    save_file(tensors, weights, metadata={"name": NAME, "sha256": model_digest(folder)})
    weights.chmod(0o644)  # safetensors writes files that only their owner can read
    logger.info("saved %s: %d tokens, %.1f MB", folder, len(units), weights.stat().st_size / 1e6)
