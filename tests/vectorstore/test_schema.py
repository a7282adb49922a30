"""Catalogs of other formats: an earlier one is brought up with all that is in it, a later one is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.conftest import Put
from vectorstore.errors import StoreDamaged
from vectorstore.links import Links
from vectorstore.schema import SCHEMA_VERSION
from vectorstore.store import PolicyStore

ADDED = ("links", "keys", "turns", "messages", "corrections", "audit", "sessions")
COLUMNS = (("passages", "context"), ("passages", "clauses"), ("versions", "as_read"))


def test_a_catalog_of_the_first_format_is_brought_up(store: PolicyStore, put: Put, tmp_path: Path) -> None:
    record = put("park.txt", "园区管理机构每年最高得到3000万元。")
    store.close()
    with sqlite3.connect(tmp_path / "kb" / "catalog.sqlite3") as old:
        for table in ADDED:
            old.execute(f"DROP TABLE {table}")
        for table, column in COLUMNS:
            old.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        old.execute("PRAGMA user_version = 1")
    old.close()
    again = PolicyStore(tmp_path / "kb")
    assert again.text(record.document_id, 1).startswith("园区管理机构")
    assert again.catalog.connection().execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    links = Links(again.catalog)
    assert links.find(links.code(record.document_id, 1, 0, 4)) is not None
    again.close()


def test_a_catalog_of_a_later_format_is_refused(store: PolicyStore, tmp_path: Path) -> None:
    store.close()
    with sqlite3.connect(tmp_path / "kb" / "catalog.sqlite3") as later:
        later.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    later.close()
    with pytest.raises(StoreDamaged, match=f"format {SCHEMA_VERSION + 1}"):
        PolicyStore(tmp_path / "kb")


def test_a_link_does_not_count_as_a_change_of_what_is_searched(store: PolicyStore) -> None:
    before = store.catalog.revision()
    Links(store.catalog).code("d1", 1, 0, 4)
    assert store.catalog.revision() == before
