"""The packed file of the base model, and the tokenizer cut out of it."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from training.base import KEPT, REFERENCE, Embedder, Packed, shipped, tokenizer
from vectorstore.encoder import BUNDLED_ENCODER as SHIPPED
from vectorstore.encoder import DOCUMENT_PROMPT, OnnxEncoder

PIECES = [
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    ("▁", -2.0),
    ("园区", -3.0),
    ("园", -4.0),
    ("区", -4.0),
]
SPECIAL = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}


def packed_file(matrix: np.ndarray) -> bytes:
    """A file of the format that `training.base` describes, with one tensor of each kind."""
    texts = [piece.encode() for piece, _ in PIECES]
    ends = np.cumsum([0, *map(len, texts)], dtype="<u4")
    head = b"E5S1" + struct.pack("<I7if", 1, 4, 1, 2, 8, len(PIECES), 16, 1, 1e-5) + struct.pack("<ii", 0, len(PIECES))
    head += struct.pack("<4iQ", 0, 2, 1, 3, sum(map(len, texts)))
    head += ends.tobytes() + np.array([score for _, score in PIECES], dtype="<f4").tobytes() + b"".join(texts)
    head += struct.pack("<iI", 0, 3) + b"abc"
    plain = np.arange(4, dtype="<f4").tobytes()
    scale = np.float16(np.abs(matrix).max() / 7)
    numbers = np.clip(np.round(matrix.ravel() / scale) + 8, 0, 15).astype(np.uint8)
    quantised = scale.tobytes() + (numbers[:16] | (numbers[16:] << 4)).tobytes()
    directory_size = 4 + sum(2 + len(name) + 5 + 16 for name in (b"plain", b"four"))
    start = len(head) + directory_size
    directory = struct.pack("<i", 2)
    for name, at, size in ((b"plain", start, len(plain)), (b"four", start + len(plain), len(quantised))):
        directory += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", 0, 0, at, size)
    return head + directory + plain + quantised


def test_tensors_and_pieces_are_read() -> None:
    matrix = np.linspace(-1, 1, 32).reshape(4, 8)
    packed = Packed(packed_file(matrix))
    assert [piece for piece, _ in packed.pieces] == [piece for piece, _ in PIECES]
    assert packed.special == SPECIAL
    assert packed.sizes["hidden"] == 4
    np.testing.assert_array_equal(packed.floats("plain", 4), [0, 1, 2, 3])
    np.testing.assert_allclose(packed.matrix("four", 4, 8), matrix, atol=0.08)


def test_a_pair_is_told_apart_as_the_reader_expects() -> None:
    made = tokenizer(PIECES, SPECIAL)
    made.no_padding()
    assert made.encode("园区", "园").tokens == ["<s>", "▁", "园区", "</s>", "</s>", "▁", "园", "</s>"]


@pytest.mark.parametrize(
    ("piece", "kept"), [("▁奖补", True), ("park", True), ("5000", True), ("。", True), ("ция", False), ("ção", False)]
)
def test_pieces_of_other_languages_go(piece: str, kept: bool) -> None:
    assert bool(KEPT.match(piece)) is kept


def test_the_reference_vectors_have_length_one() -> None:
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    assert len(reference) == 5
    for row in reference:
        assert row["text"].startswith("query: ")
        assert np.linalg.norm(row["vector"]) == pytest.approx(1, abs=1e-3)


def test_the_shipped_encoder_is_read_back_as_a_float_model(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "tokenizer.json", tmp_path)
    shipped(SHIPPED).save_pretrained(tmp_path)
    texts = ["对考核优秀的园区运营机构，每年给予最高3000万元奖励。", "携犬出户应当束犬链。", "How much does a PhD get?"]
    whole = Embedder(tmp_path)([f"{DOCUMENT_PROMPT}{text}" for text in texts])
    assert (whole * OnnxEncoder(SHIPPED).encode(texts)).sum(axis=1).min() >= 0.98
