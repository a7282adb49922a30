"""The vector index on a Chroma server is as good as the one in a folder."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.services.chroma_bases import (
    COLLECTIONS,
    Drawn,
    Opening,
    becomes,
    found,
    in_use,
    names,
    nearest,
    put,
)
from tests.services.chroma_server import ChromaServer, Proxy
from vectorstore import chroma_server as served
from vectorstore import scanning
from vectorstore.fulltext import word_for_word
from vectorstore.place import Place
from vectorstore.store import PolicyStore

pytestmark = pytest.mark.services


def test_it_finds_what_the_index_in_a_folder_finds(opening: Opening, server: ChromaServer, tmp_path: Path) -> None:
    remote, local = opening(), PolicyStore(tmp_path / "local", encoder=Drawn())
    for store in (remote, local):
        put(store, "a", 3000)
        assert store.open_index()
    with local.catalog.snapshot() as connection:
        exact = scanning.Scan().of(connection, None)
    random, shared, right = np.random.default_rng(6), 0, 0
    for row in random.integers(0, 3000, 50):
        noise = 0.05 * random.normal(size=256).astype(np.float32)
        question = exact.matrix[row] + noise / np.linalg.norm(noise) * 0.5
        question /= np.linalg.norm(question)
        there, here = nearest(remote, question), nearest(local, question)
        shared += len({*there} & {*here})
        right += len({*there} & {exact.ids[place] for place in np.argsort(-(exact.matrix @ question))[:10]})
    local.close()
    assert shared >= 0.98 * 500
    assert right >= 0.9 * 500
    state = remote.index_state()
    assert (state.indexed, state.passages, state.open) == (3000, 3000, True)
    (name,) = names(server)
    assert name.endswith(f"-{state.generation}")
    assert not (tmp_path / "kb" / "index").exists()


def test_headers_go_with_every_request_and_the_path_is_kept(opening: Opening, proxy: Proxy) -> None:
    store = opening(url=proxy.url, **{"X-Token": "letmein"})
    put(store, "a", 1500)
    assert store.open_index()
    assert found(store, "a7")
    assert (proxy.refused, proxy.asked > 5) == (0, True)
    assert proxy.largest < 2**20  # what proxies take unless they are told otherwise


def test_what_is_newer_is_found_and_what_is_gone_is_not(opening: Opening) -> None:
    store = opening()
    put(store, "a", 300)
    put(store, "b", 5)
    store.open_index()
    put(store, "c", 5)
    store.remove(next(record.document_id for record in store.catalog.records() if record.key == "b"))
    assert in_use(store)
    assert found(store, "c3")
    assert not found(store, "b3")
    assert store.index_state().indexed == 300


def test_the_next_generation_takes_the_place_of_the_last(opening: Opening, server: ChromaServer) -> None:
    store = opening()
    put(store, "a", 50)
    store.open_index()
    first = names(server)
    put(store, "b", 50)
    assert store.refresh_index()
    assert len(names(server)) == 1
    assert names(server) != first
    assert in_use(store)
    assert store.index.strays() == []


def test_stores_follow_each_other(opening: Opening, server: ChromaServer) -> None:
    one, other = opening(), opening()
    put(one, "a", 300)
    assert one.open_index()
    assert other.open_index()
    assert other.index_state().generation == one.index_state().generation
    put(one, "b", 300)
    one.refresh_index()
    built = one.index_state().generation

    def has_followed() -> bool:
        assert found(other, "b7")
        held = other.index._open
        return held is not None and held.row["generation"] == built

    assert becomes(has_followed)
    assert len(names(server)) == 1
    other.refresh_index(force=True)
    assert becomes(lambda: found(one, "b7") and in_use(one) and one.index._open.row["generation"] > built)


def test_knowledge_bases_on_one_server_do_not_touch_each_other(opening: Opening, server: ChromaServer) -> None:
    foreign = {"name": "zhice-of-somebody-else", "metadata": {"zhice": "x"}}
    httpx.post(server.url + COLLECTIONS, json=foreign).raise_for_status()
    one, other = opening("one"), opening("other")
    put(one, "a", 50)
    put(other, "b", 60)
    assert one.open_index()
    assert other.open_index()
    others = [name for name in names(server) if other.catalog.meta("index_owner") in name]
    one.refresh_index(force=True)
    assert one.index.strays() == []
    assert others == [name for name in names(server) if other.catalog.meta("index_owner") in name]
    assert foreign["name"] in names(server)
    assert found(one, "a7")
    assert found(other, "b7")
    assert len(names(server)) == 3


def test_what_is_left_of_ours_is_a_stray_and_cleared(
    opening: Opening, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_PAGE", 1)
    store = opening()
    put(store, "a", 50)
    store.open_index()
    (name,) = names(server)
    owner = store.catalog.meta("index_owner")
    left = {"name": f"zhice-{owner}-999", "metadata": {"zhice": owner, "generation": 999}}
    httpx.post(server.url + COLLECTIONS, json=left).raise_for_status()
    (store.folder / "index" / "3").mkdir(parents=True)  # from before there was a server
    assert store.index.strays() == ["3", left["name"]]
    assert store.index.clear_strays() == 2
    assert store.index.strays() == []
    assert names(server) == [name]
    assert in_use(store)


def test_a_folder_moves_to_a_server_and_back(opening: Opening, server: ChromaServer, tmp_path: Path) -> None:
    local = PolicyStore(tmp_path / "kb", encoder=Drawn())
    put(local, "a", 50)
    assert local.open_index()
    local.close()
    remote = opening()
    assert "was not built" in remote.index.examine()
    assert remote.open_index()
    assert list((tmp_path / "kb" / "index").iterdir()) == []
    remote.close()
    back = PolicyStore(tmp_path / "kb", encoder=Drawn())
    assert back.open_index()
    assert found(back, "a7")
    back.close()


def test_above_the_limit_nothing_is_scanned_and_the_wording_answers(
    opening: Opening, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "SCAN_LIMIT", 100)
    store = opening()
    put(store, "a", 150)
    question = store.encoder.encode(["a7"])[0]
    assert nearest(store, question) == []
    matches = store.search("a7", store.scorer(word_for_word("a7")))
    assert max(match.cosine for match in matches) > 0.99
    store.open_index()
    assert found(store, "a7")
    put(store, "b", 5)
    assert found(store, "b3")
    put(store, "c", 120)  # more than is scanned beside the index
    assert found(store, "a7")
    assert not found(store, "c7")
    store.refresh_index()
    assert found(store, "c7")


def test_it_serves_a_catalog_on_postgresql(server: ChromaServer, place: Place, tmp_path: Path) -> None:
    machines = [replace(place, folder=tmp_path / name, chroma=server.url) for name in ("one", "other")]
    with contextlib.ExitStack() as opened:
        one, other = (opened.enter_context(contextlib.closing(PolicyStore(each, encoder=Drawn()))) for each in machines)
        put(one, "a", 300)
        assert one.open_index()
        assert other.open_index()
        put(other, "b", 300)
        assert other.refresh_index()
        assert becomes(lambda: found(one, "b7") and in_use(one))
        (name,) = names(server)
        httpx.delete(f"{server.url}{COLLECTIONS}/{name}").raise_for_status()
        assert becomes(lambda: names(server) not in ([], [name]) and in_use(one) and in_use(other))
        assert found(one, "a7")
        assert found(other, "a7")
        assert one.index.examine() == other.index.examine() == ""
