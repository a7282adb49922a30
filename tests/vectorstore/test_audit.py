"""The record of what was done: newest first, bounded, and never in the way of what is done."""

from __future__ import annotations

import logging

import pytest

from vectorstore import audit
from vectorstore.audit import Audit
from vectorstore.errors import StoreError
from vectorstore.store import PolicyStore


def test_the_newest_comes_first(store: PolicyStore) -> None:
    record = Audit(store.catalog)
    record.record("shell", "new key", "k1 chat")
    record.record("key k1 chat", "add", "park.txt", "added")
    told = [(entry.actor, entry.action, entry.target, entry.outcome) for entry in record.entries()]
    assert told == [("key k1 chat", "add", "park.txt", "added"), ("shell", "new key", "k1 chat", "done")]
    assert len(record.entries(limit=1)) == 1


def test_only_so_many_are_kept(store: PolicyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "KEPT", 3)
    record = Audit(store.catalog)
    for number in range(5):
        record.record("shell", "remove", f"d{number}")
    assert [entry.target for entry in record.entries()] == ["d4", "d3", "d2"]


def test_what_is_recorded_changes_nothing_that_is_searched(store: PolicyStore) -> None:
    before = store.catalog.revision()
    Audit(store.catalog).record("shell", "remove", "d1")
    assert store.catalog.revision() == before


def test_what_cannot_be_recorded_is_logged_and_does_not_fail(
    store: PolicyStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(**_: object) -> object:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(store.catalog, "transaction", full)
    with caplog.at_level(logging.ERROR):
        Audit(store.catalog).record("shell", "remove", "d1")
    assert "shell did remove to d1" in caplog.text
