"""Catalogs of other formats: an earlier one is brought up with all that is in it, a later one is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.conftest import PARK, Put
from vectorstore.engines import sqlite_schema
from vectorstore.engines.sqlite_schema import SCHEMA_VERSION
from vectorstore.errors import StoreDamaged
from vectorstore.links import Links
from vectorstore.store import PolicyStore


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_catalog_of_an_earlier_format_is_brought_up(
    store: PolicyStore, put: Put, tmp_path: Path, version: int
) -> None:
    record = put("park.txt", PARK.replace("海州", "青岛").replace("每年给予", "每年按1.5%给予"))
    places = store.places()
    assert len(places) == 1
    store.catalog.keep_answer("a1", {"status": "answered"})
    store.close()
    folder = tmp_path / "earlier"
    folder.mkdir()
    of_earlier_format(tmp_path / "kb" / "catalog.sqlite3", folder / "catalog.sqlite3", version)
    again = PolicyStore(folder)
    assert again.text(record.document_id, 1).startswith("青岛市产业园区")
    assert again.catalog.connection().execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    assert again.places() == places
    assert again.catalog.answer("a1") == {"status": "answered"}
    _, frequencies = again.document_frequencies(["3000", "1.5"])
    assert frequencies == {"3000": 1, "1.5": 1}  # a decimal number was two terms in earlier formats
    next_one = again.catalog.connection().execute("SELECT value FROM meta WHERE key = 'highest_passage_id'").fetchone()
    assert int(next_one[0]) == 70, "what was given before is not given again"
    links = Links(again.catalog)
    assert links.find(links.code(record.document_id, 1, 0, 4)) is not None
    again.close()


def of_earlier_format(file: Path, earlier: Path, version: int) -> None:
    """The documents, passages and answers of a catalog in one as that format had it; more passages were there once."""
    old = sqlite3.connect(earlier)
    for number, tables in {1: sqlite_schema._TABLES, **sqlite_schema._ADDED}.items():
        if number <= version:
            sqlite_schema._run(old, tables)
    old.execute(f"PRAGMA user_version = {version}")
    old.execute("ATTACH ? AS new", (str(file),))
    for table in ("meta", "documents", "versions", "passages", "answers"):
        columns = ", ".join(f'"{row[1]}"' for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")
    old.execute("DELETE FROM meta WHERE key = 'highest_passage_id'")
    old.execute("INSERT INTO passages_text (rowid, body, section, title) SELECT rowid, * FROM new.passages_text")
    old.execute("UPDATE sqlite_sequence SET seq = 70 WHERE name = 'passages'")
    old.commit()
    old.close()


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
