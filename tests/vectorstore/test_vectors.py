from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import PARK, TALENT, Put
from vectorstore import scanning
from vectorstore.fulltext import word_for_word
from vectorstore.index import VectorIndex
from vectorstore.place import Place
from vectorstore.store import PolicyStore
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


def test_above_the_limit_nothing_is_scanned_and_the_wording_answers(
    store: PolicyStore, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("park.txt", PARK)
    passages = store.index_state().passages
    vector = store.encoder.encode(["园区运营机构奖励"])[0]
    found = {}
    for limit in (passages, passages - 1):
        monkeypatch.setattr(scanning, "SCAN_LIMIT", limit)
        store.index = VectorIndex(Place(store.folder), store.catalog, store.lock)
        with store.catalog.snapshot() as connection:
            found[limit] = store.index.nearest(connection, vector, 3)
    assert len(found[passages]) == 3
    assert found[passages - 1] == {}
    matches = store.search("园区运营机构奖励", store.scorer(word_for_word("园区运营机构奖励")))
    assert max(match.cosine for match in matches) > 0.1
    store.open_index()
    put("talent.txt", TALENT)
    with store.catalog.snapshot() as connection:
        assert store.index.nearest(connection, vector, 3).keys() == found[passages].keys()


def test_a_database_without_a_chroma_server_has_no_index(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    place = Place(store.folder, database="postgresql://nobody@127.0.0.1/nowhere")
    store.index = VectorIndex(place, store.catalog, store.lock)
    assert not store.refresh_index(force=True)
    assert not store.open_index()
    state = store.index_state()
    assert (state.kept, state.open, state.generation, state.indexed) == (False, False, 0, 0)
    assert store.index.examine() == ""
    assert not (store.folder / "index").exists()
    assert store.search("园区运营机构奖励", store.scorer([]))


def test_a_database_without_a_chroma_server_is_told_what_it_lacks(
    store: PolicyStore, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("park.txt", PARK)
    monkeypatch.setattr("vectorstore.index.SCAN_LIMIT", 1)
    place = Place(store.folder, database="postgresql://nobody@127.0.0.1/nowhere")
    assert "ZHICE_CHROMA_URL" in VectorIndex(place, store.catalog, store.lock).examine()
