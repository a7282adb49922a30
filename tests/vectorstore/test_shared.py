"""What processes over one catalog have to agree on: tries, allowances, conversations."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from vectorstore import conversations
from vectorstore.allowances import Allowance
from vectorstore.catalog import Catalog
from vectorstore.conversations import Asked, Conversations
from vectorstore.tries import FORGOTTEN_SECONDS, Tries

OpenCatalog = Callable[[], Catalog]


def test_a_try_keeps_others_of_its_name_out_at_every_process(open_catalog: OpenCatalog) -> None:
    one, other = Tries(open_catalog()), Tries(open_catalog())
    assert one.begin("a", 100.0, 0.5) == 0
    assert other.begin("a", 100.1, 0.5) == pytest.approx(0.4)
    assert other.begin("b", 100.1, 0.5) == 0
    assert [one.failed("a"), other.failed("a"), one.failed("b")] == [1, 2, 1]
    other.wait("a", 101.0, 60)
    assert one.begin("a", 102.0, 0.5) == 59
    assert one.begin("a", 161.0, 0.5) == 0
    one.succeeded("a")
    assert other.begin("a", 161.0, 0.5) == 0
    assert other.failed("a") == 1


def test_tries_are_forgotten_after_a_day(open_catalog: OpenCatalog) -> None:
    tries = Tries(open_catalog())
    for name in ("a", "b"):
        tries.begin(name, 100.0, 0.5)
        tries.failed(name)
    tries.wait("b", 101.0 + FORGOTTEN_SECONDS, 1)
    later = 102.0 + FORGOTTEN_SECONDS
    assert tries.begin("a", later, 0.5) == 0
    assert tries.failed("a") == 1
    assert tries.begin("b", later, 0.5) == 0
    assert tries.failed("b") == 2


def test_of_tries_at_once_one_is_looked_at(open_catalog: OpenCatalog) -> None:
    every = [Tries(open_catalog()) for _ in range(4)]
    begun: list[float] = []
    threads = [threading.Thread(target=lambda tries=tries: begun.append(tries.begin("a", 100.0, 1))) for tries in every]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(begun) == [0, 1, 1, 1]


def test_an_allowance_is_counted_where_its_processes_share_a_database(open_catalog: OpenCatalog) -> None:
    now = 0.0
    one, other = (Allowance(3, 60, catalog=open_catalog(), what="x", clock=lambda: now) for _ in range(2))
    shared = open_catalog().engine.shared
    assert [one.wait("a"), other.wait("a"), one.wait("a")] == [0, 0, 0]
    now = 10.0
    assert [other.wait("a"), one.wait("b")] == [50 if shared else 0, 0]
    assert Allowance(1, 60, catalog=open_catalog(), what="y", clock=lambda: now).wait("a") == 0
    now = 60.0
    assert one.wait("a") == 0


def test_a_conversation_is_gone_on_with_by_any_process(open_catalog: OpenCatalog) -> None:
    one, other = Conversations(open_catalog()), Conversations(open_catalog())
    turns = [Asked("园区奖励多少？", "a1", "{}"), Asked("那考核呢？", "a2", '{"year": "2025"}')]
    one.keep("tab", turns)
    assert (other.of("tab"), other.of("another")) == (turns, [])
    other.keep("tab", turns[:1])
    assert one.of("tab") == turns[:1]
    one.keep("tab", [])
    assert other.of("tab") == []


def test_conversations_are_forgotten_after_a_day(open_catalog: OpenCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    kept = Conversations(open_catalog(), clock=lambda: now)
    kept.keep("old", [Asked("甲", "a1", "{}")])
    now += conversations.KEPT_SECONDS + 1
    kept.keep("new", [Asked("乙", "a2", "{}")])
    assert (kept.of("old"), len(kept.of("new"))) == ([], 1)
