"""The systems compared with, on a few words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training.bench.baselines import EncoderAlone, WordBm25, best
from training.bench.tutorial import Tutorial

TEXTS = ["a b", "a c c", "d"]


class Letters:
    """An encoder that counts the letters a to d."""

    name = "letters"
    dimension = 4

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = np.array([[text.count(letter) for letter in "abcd"] for text in texts], dtype=np.float32)
        vectors: NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        return vectors

    def encode_query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.encode([text])[0]
        return vector


def test_bm25_by_hand() -> None:
    # Mean length 2; idf(a) = ln(1 + 1.5 / 2.5), idf(c) = ln(1 + 2.5 / 1.5); the second text is 3 words long.
    norm = 1.2 * (0.25 + 0.75 * 3 / 2)
    second = math.log(1.6) * 2.2 / (1 + norm) + math.log(1 + 2.5 / 1.5) * 2 * 2.2 / (2 + norm)
    found = WordBm25(TEXTS, str.split).search("a a c x", 10)
    assert [text for text, _ in found] == ["a c c", "a b"]
    assert [score for _, score in found] == pytest.approx([second, math.log(1.6)])


def test_bm25_finds_nothing_without_a_common_word() -> None:
    assert WordBm25(TEXTS, str.split).search("x y", 10) == []
    assert WordBm25(["", ""], str.split).search("x", 10) == []


def test_what_ties_with_the_last_is_kept() -> None:
    assert best(["p", "q", "r", "s"], np.array([1.0, 3.0, 2.0, 2.0]), 2) == [("q", 3.0), ("r", 2.0), ("s", 2.0)]


def test_the_encoder_alone_ranks_by_cosine() -> None:
    found = EncoderAlone(TEXTS, Letters()).search("c", 2)
    assert [text for text, _ in found] == ["a c c", "a b", "d"]  # the last two tie at 0
    assert found[0][1] == pytest.approx(2 / math.sqrt(5))


@pytest.mark.parametrize(("parents", "expected"), [((), ["c", "a"]), (("b|d", "a|c|cb"), ["a|c|cb", "b|d"])])
def test_a_chunk_may_stand_for_its_text(tmp_path: Path, parents: Sequence[str], expected: list[str]) -> None:
    tutorial = Tutorial(tmp_path / "chroma", Letters().encode, parents=parents)
    chunks = tutorial.add(parents or ["a|c"], lambda text: text.split("|"))
    found = tutorial.search("c", 2)
    tutorial.close()
    assert chunks == len("|".join(parents or ["a|c"]).split("|"))
    assert [text for text, _ in found] == expected
    assert [score for _, score in found] == pytest.approx([1.0, 0.0], abs=1e-6)
