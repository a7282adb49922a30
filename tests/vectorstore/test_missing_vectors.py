"""Vectors that follow: found by words at once, by meaning when they are made, whoever makes them."""

from __future__ import annotations

import hashlib
import threading

import numpy as np
import pytest

from ingest.preparing import prepare
from tests.conftest import PARK, TALENT
from vectorstore.fulltext import word_for_word
from vectorstore.place import Place
from vectorstore.rows import missing_vectors
from vectorstore.store import PolicyStore


def put_later(store: PolicyStore, name: str, text: str) -> None:
    document, passages = prepare(text.encode(), name)
    store.put(document, passages, key=name, sha256=hashlib.sha256(text.encode()).hexdigest(), later=True)


def missing(store: PolicyStore) -> int:
    with store.catalog.snapshot() as connection:
        return len(missing_vectors(connection))


def test_words_are_found_before_the_vectors_are_made(store: PolicyStore) -> None:
    put_later(store, "park.txt", PARK)
    assert missing(store) > 0
    found = store.read(store.search("奖励", store.scorer(word_for_word("最高3000万元奖励"))))
    assert any("3000万元" in hit.text for hit in found)
    assert all(hit.cosine == 0 for hit in found)
    assert not store.refresh_index()


def test_made_later_they_are_those_made_at_once(store: PolicyStore, place: Place) -> None:
    put_later(store, "park.txt", PARK)
    count = missing(store)
    told: list[tuple[int, int]] = []
    assert store.encode_missing(lambda done, total: told.append((done, total))) == count
    assert told == [(count, count)]
    assert missing(store) == 0
    assert store.encode_missing() == 0
    document, passages = prepare(PARK.encode(), "park.txt")
    store.put(document, passages, key="again", sha256="0")
    with store.catalog.snapshot() as connection:
        rows = connection.execute("SELECT vector FROM passages ORDER BY passage_id").fetchall()
    vectors = np.stack([np.frombuffer(row[0], dtype=np.float16).astype(np.float32) for row in rows])
    np.testing.assert_allclose((vectors[:count] * vectors[count:]).sum(axis=1), 1, atol=0.01)


def test_a_store_that_is_opened_again_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vectorstore.store.ENCODED_AT_ONCE", 1)
    store = PolicyStore(place)
    put_later(store, "park.txt", PARK)
    put_later(store, "talent.txt", TALENT)
    stopped = threading.Event()
    store.encode_missing(lambda *_: stopped.set(), stopped)
    left = missing(store)
    store.close()
    assert left > 0
    again = PolicyStore(place)
    assert again.encode_missing() == left
    assert again.refresh_index()
    again.close()


def test_a_forced_index_makes_them_first(store: PolicyStore) -> None:
    put_later(store, "park.txt", PARK)
    assert store.refresh_index(force=True)
    assert missing(store) == 0
    assert store.index_state().indexed == store.index_state().passages
