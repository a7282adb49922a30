from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vectorstore.vectors import Generation, build, check

DIMENSION = 256


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    """Vectors that lie along some directions more than along others, as those of texts do."""
    random = np.random.default_rng(5)
    lengths = 1 / np.arange(1, DIMENSION + 1) ** 0.7
    return unit(random.normal(size=(3000, DIMENSION)) * lengths)


def test_the_nearest_are_among_those_that_the_axes_name(vectors: NDArray[np.float32], tmp_path: Path) -> None:
    ids = list(range(1, len(vectors) + 1))
    built = build(tmp_path, ids, vectors)
    assert built.stored == len(ids)
    assert len(built.strays) < 0.01 * len(ids)
    check(tmp_path, built.manifest)
    generation = Generation(tmp_path)
    random = np.random.default_rng(6)
    found = 0
    for row in random.integers(0, len(vectors), 50):
        question = unit(vectors[row : row + 1] + 0.05 * random.normal(size=(1, DIMENSION)))[0]
        nearest = {ids[place] for place in np.argsort(-(vectors @ question))[:10]}
        named = generation.query(question, 30)
        assert len(named) == 30
        found += len(nearest & set(named))
    generation.close()
    assert found >= 0.9 * 500


def test_what_has_no_direction_is_a_stray(vectors: NDArray[np.float32], tmp_path: Path) -> None:
    some = np.concatenate([vectors[:50], np.zeros((1, DIMENSION), dtype=np.float32)])
    built = build(tmp_path, list(range(51)), some)
    assert built.strays == (50,)
    assert built.stored == 50


@pytest.mark.parametrize("count", [1, 2, 3, 50, 999, 1000, 2500])
def test_opening_and_asking_changes_no_file(vectors: NDArray[np.float32], tmp_path: Path, count: int) -> None:
    ids = list(range(1, count + 1))
    built = build(tmp_path, ids, vectors[:count])
    for _ in range(2):
        check(tmp_path, built.manifest)
        generation = Generation(tmp_path)
        assert generation.count() == count
        assert generation.query(vectors[0], min(count, 5))[0] == 1
        generation.close()
    check(tmp_path, built.manifest)
