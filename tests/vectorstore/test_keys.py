"""API keys: what they allow, that they end, and that they are not kept."""

from __future__ import annotations

import pytest

from vectorstore.errors import StoreError
from vectorstore.keys import Keys
from vectorstore.store import PolicyStore


@pytest.fixture
def keys(store: PolicyStore) -> Keys:
    return Keys(store.catalog)


@pytest.mark.parametrize(("scope", "allowed"), [("ask", {"ask"}), ("admin", {"ask", "admin"})])
def test_a_key_allows_what_it_was_made_for(keys: Keys, scope: str, allowed: set[str]) -> None:
    _, key = keys.new("a bot", [scope])
    assert key.startswith("zk_")
    assert keys.scopes_of(key) == allowed


@pytest.mark.parametrize("unknown", ["", "zk_", "zk_nothing", "' OR 1=1 --", "\x00", "密钥"])
def test_an_unknown_key_allows_nothing(keys: Keys, unknown: str) -> None:
    keys.new("a bot", ["admin"])
    assert keys.scopes_of(unknown) == frozenset()


def test_a_revoked_key_allows_nothing_and_the_others_stay(keys: Keys) -> None:
    key_id, key = keys.new("a bot", ["admin"])
    _, other = keys.new("another", ["ask"])
    assert keys.revoke(key_id)
    assert keys.scopes_of(key) == frozenset()
    assert keys.scopes_of(other) == {"ask"}
    assert not keys.revoke(key_id)
    assert not keys.revoke("knothing")


def test_every_key_is_another(keys: Keys) -> None:
    made = [keys.new("the same name", ["ask"]) for _ in range(50)]
    assert len({key_id for key_id, _ in made}) == len({key for _, key in made}) == 50
    assert min(len(key) for _, key in made) >= 40


def test_the_rows_tell_about_keys_and_the_folder_holds_none(store: PolicyStore, keys: Keys) -> None:
    key_id, key = keys.new(" a bot ", ["admin"])
    keys.revoke(key_id)
    (row,) = keys.rows()
    assert (row["key_id"], row["name"], row["scopes"]) == (key_id, "a bot", ["admin"])
    assert row["made"] <= row["revoked"]
    assert not any(key.encode() in file.read_bytes() for file in store.folder.iterdir() if file.is_file())


def test_making_keys_does_not_disturb_searching(store: PolicyStore, keys: Keys) -> None:
    before = store.catalog.revision()
    keys.revoke(keys.new("a bot", ["ask"])[0])
    assert store.catalog.revision() == before


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["ask"]), (" ", ["ask"]), ("n" * 101, ["ask"]), ("n", ["root"]), ("n", [])]
)
def test_a_key_that_cannot_be_made_says_why(keys: Keys, name: str, scopes: list[str]) -> None:
    with pytest.raises(StoreError, match=r"name|scope"):
        keys.new(name, scopes)
    assert keys.rows() == []
