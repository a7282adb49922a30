"""A Chroma server that is away or damaged: answers come all the while, and the index comes back by itself."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import numpy as np
import pytest

from tests.services.chroma_bases import (
    AT_ONCE,
    COLLECTIONS,
    PATIENCE,
    TIMED_OUT,
    Opening,
    becomes,
    collection,
    found,
    in_use,
    names,
    put,
    refused,
    timed,
)
from tests.services.chroma_server import ChromaServer, Proxy
from vectorstore import chroma_server as served
from vectorstore import lookout
from vectorstore.errors import StoreError
from vectorstore.lock import WriterLock

pytestmark = pytest.mark.services


def test_a_refused_header_is_told_with_the_setting_and_without_the_secret(
    opening: Opening, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    url = proxy.url.replace("http://", "http://user:hidden@")
    store = opening(url=url, **{"X-Token": "wrong-secret"})
    put(store, "a", 20)
    with pytest.raises(StoreError, match="ZHICE_CHROMA_HEADERS") as told:
        store.open_index()
    assert "not you" in str(told.value)
    assert proxy.refused
    assert found(store, "a7")
    assert not any(secret in f"{told.value}{caplog.text}" for secret in ("hidden", "wrong-secret"))


def test_a_collection_that_is_gone_is_built_anew(opening: Opening, server: ChromaServer) -> None:
    store = opening()
    put(store, "a", 300)
    store.open_index()
    (name,) = names(server)
    httpx.delete(f"{server.url}{COLLECTIONS}/{name}").raise_for_status()
    assert found(store, "a7")
    assert becomes(lambda: names(server) not in ([], [name]) and in_use(store))
    assert found(store, "a8")
    assert store.index.examine() == ""


@pytest.mark.parametrize("damage", ["fewer", "more", "moved", "another"])
def test_what_is_not_as_it_was_built_is_told_and_built_anew(
    opening: Opening, server: ChromaServer, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opening()
    put(store, "a", 300)
    store.refresh_index()
    (name,) = names(server)
    described = collection(server, name)
    within = f"{server.url}{COLLECTIONS}/{described['id']}"
    if damage == "fewer":
        httpx.post(f"{within}/delete", json={"ids": [str(number) for number in range(1, 9)]}).raise_for_status()
    elif damage == "more":
        row = {"ids": ["9999"], "embeddings": [[1.0] * 96]}
        httpx.post(f"{within}/upsert", json=row).raise_for_status()
    elif damage == "moved":
        random = np.random.default_rng(1).normal(size=(150, 96)).tolist()
        rows = {"ids": [str(number) for number in range(1, 151)], "embeddings": random}
        httpx.post(f"{within}/upsert", json=rows).raise_for_status()
    else:
        rows = httpx.post(f"{within}/get", json={"include": ["embeddings"]}).raise_for_status().json()
        httpx.delete(f"{server.url}{COLLECTIONS}/{name}").raise_for_status()
        again = {key: described[key] for key in ("name", "metadata")} | {"configuration": {"hnsw": {"space": "cosine"}}}
        made = httpx.post(server.url + COLLECTIONS, json=again).raise_for_status().json()
        rows = {key: rows[key] for key in ("ids", "embeddings")}
        httpx.post(f"{server.url}{COLLECTIONS}/{made['id']}/upsert", json=rows).raise_for_status()
    assert store.index.examine() != ""
    monkeypatch.setattr(lookout, "RETRY_SECONDS", PATIENCE)
    assert store.open_index()
    assert names(server) != [name]
    assert store.index.examine() == ""
    assert found(store, "a7")


def test_an_open_index_that_is_damaged_is_noticed_by_itself(opening: Opening, server: ChromaServer) -> None:
    store = opening()
    put(store, "a", 300)
    store.open_index()
    (name,) = names(server)
    within = f"{server.url}{COLLECTIONS}/{collection(server, name)['id']}"
    httpx.post(f"{within}/delete", json={"ids": [str(number) for number in range(1, 9)]}).raise_for_status()
    assert becomes(lambda: names(server) not in ([], [name]) and in_use(store))


def test_who_cannot_write_leaves_the_rebuilding_to_who_can(opening: Opening, server: ChromaServer) -> None:
    store = opening()
    put(store, "a", 300)
    store.open_index()
    (name,) = names(server)
    with WriterLock(store.folder).held():
        httpx.delete(f"{server.url}{COLLECTIONS}/{name}").raise_for_status()
        assert becomes(lambda: not in_use(store))
        time.sleep(1)  # several looks
        assert names(server) == []
        assert found(store, "a7")
    assert becomes(lambda: in_use(store))
    assert len(names(server)) == 1


def test_a_server_that_is_killed_holds_up_nothing_and_is_gone_back_to(
    opening: Opening, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 2 * PATIENCE)  # a search that fails is what sends it to look
    store = opening()
    put(store, "a", 300)
    store.open_index()
    generation = store.index_state().generation
    stopped, slowest, wrong = threading.Event(), [0.0], []

    def search() -> None:
        while not stopped.is_set():
            slowest[0] = max(slowest[0], timed(lambda: found(store, "a7") or wrong.append("a7")))
            time.sleep(0.01)

    searching = threading.Thread(target=search)
    searching.start()
    try:
        time.sleep(1)  # the first look
        server.kill()
        assert becomes(lambda: not in_use(store))
        time.sleep(0.5)
    finally:
        stopped.set()
        searching.join()
        server.start()
    assert not wrong
    assert slowest[0] < AT_ONCE
    assert becomes(lambda: in_use(store))
    assert store.index_state().generation == generation
    assert found(store, "a8")


def test_a_server_that_is_away_is_told_and_not_taken_for_damaged(opening: Opening, server: ChromaServer) -> None:
    store = opening()
    put(store, "a", 300)
    store.open_index()
    (name,) = names(server)
    store.close()
    server.kill()
    try:
        again = opening()
        with pytest.raises(StoreError, match="ZHICE_CHROMA_URL"):
            again.open_index()
        with pytest.raises(StoreError, match="ZHICE_CHROMA_URL"):
            again.refresh_index(force=True)
        assert "ZHICE_CHROMA_URL" in again.index.examine()
        assert again.index.strays() == []
        assert found(again, "a7")
    finally:
        server.start()
    assert becomes(lambda: in_use(again))
    assert names(server) == [name]


def test_a_server_that_never_answers_costs_one_time_out(
    opening: Opening, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "RETRY_SECONDS", 2 * PATIENCE)
    store = opening(url=proxy.url, **{"X-Token": "letmein"})
    put(store, "a", 300)
    store.open_index()
    proxy.silent.set()
    asked = proxy.asked
    waited = [timed(lambda: found(store, "a7")) for _ in range(20)]
    assert sorted(waited)[-2] < AT_ONCE
    assert max(waited) < TIMED_OUT
    assert proxy.asked == asked + 1
    store.close()
    again = opening("new", url=proxy.url, **{"X-Token": "letmein"})
    put(again, "a", 20)
    assert timed(lambda: refused(again.refresh_index)) < TIMED_OUT


def test_who_opens_a_server_that_never_answers_is_told_soon(opening: Opening, proxy: Proxy) -> None:
    store = opening(url=proxy.url, **{"X-Token": "letmein"})
    put(store, "a", 300)
    store.refresh_index()
    proxy.silent.set()
    assert timed(lambda: refused(store.open_index)) < TIMED_OUT
    proxy.silent.clear()
    assert becomes(lambda: in_use(store))


def test_what_chroma_breaks_off_counts_as_damaged_in_time(
    opening: Opening, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collection that Chroma was writing when it was killed can be described, and nothing else."""
    from chromadb.api.fastapi import FastAPI
    from chromadb.errors import InternalError

    store = opening()
    put(store, "a", 300)
    store.refresh_index()
    (name,) = names(server)
    wedged, counting, times = collection(server, name)["id"], FastAPI._count, []

    def count(self: FastAPI, collection_id: Any, **options: Any) -> int:
        if str(collection_id) == wedged:
            times.append(time.monotonic())
            raise InternalError("Failed to apply logs to the hnsw segment writer")
        return counting(self, collection_id, **options)

    monkeypatch.setattr(FastAPI, "_count", count)
    with pytest.raises(StoreError, match="Failed to apply"):
        store.open_index()
    assert becomes(lambda: in_use(store))
    assert len(times) == served.REFUSALS
    assert names(server) != [name]


def test_both_notice_a_loss_and_one_builds(opening: Opening, server: ChromaServer) -> None:
    one, other = opening(), opening()
    put(one, "a", 300)
    one.open_index()
    other.open_index()
    (name,) = names(server)
    before = one.index_state().generation
    httpx.delete(f"{server.url}{COLLECTIONS}/{name}").raise_for_status()
    assert becomes(lambda: names(server) not in ([], [name]) and in_use(one) and in_use(other))
    time.sleep(1)  # several looks
    assert one.index_state().generation == before + 1
    assert len(names(server)) == 1
