"""API keys: random, shown once, kept as digests in the catalog, each revocable by itself."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from vectorstore.catalog import Catalog
from vectorstore.errors import StoreError

PREFIX: Final = "zk_"
RANDOM_BYTES: Final = 32
# What each scope allows.
SCOPES: Final[Mapping[str, frozenset[str]]] = {"ask": frozenset({"ask"}), "admin": frozenset({"admin", "ask"})}
LONGEST_NAME: Final = 100


class Keys:
    """The keys of one catalog; safe to use from several threads and processes."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def new(self, name: str, scopes: Iterable[str]) -> tuple[str, str]:
        """A new key's id and the key itself, which is not kept and cannot be shown again.

        Raises:
            StoreError: the name is empty or too long, or there is no such scope.
        """
        name, wanted = name.strip(), sorted(set(scopes))
        if not 0 < len(name) <= LONGEST_NAME:
            raise StoreError(f"A key needs a name of at most {LONGEST_NAME} characters; say what the key is for.")
        if not wanted or not set(wanted) <= set(SCOPES):
            raise StoreError(f"There is no scope {', '.join(wanted) or '(none given)'}; there are {', '.join(SCOPES)}.")
        key_id, key = f"k{secrets.token_hex(6)}", PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
        with self.catalog.transaction(searched=False) as connection:
            connection.execute(
                "INSERT INTO keys (key_id, digest, name, scopes, made) VALUES (?, ?, ?, ?, ?)",
                (key_id, digest(key), name, " ".join(wanted), _now()),
            )
        return key_id, key

    def scopes_of(self, key: str) -> frozenset[str]:
        """What a key allows: nothing if it is unknown or revoked."""
        row = (
            self.catalog.connection()
            .execute("SELECT scopes FROM keys WHERE digest = ? AND revoked IS NULL", (digest(key),))
            .fetchone()
        )
        if row is None:
            return frozenset()
        return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in row["scopes"].split()))

    def name_of(self, key: str) -> str:
        """The id and the name of a key in force, empty for others."""
        row = (
            self.catalog.connection()
            .execute("SELECT key_id, name FROM keys WHERE digest = ? AND revoked IS NULL", (digest(key),))
            .fetchone()
        )
        return "" if row is None else f"{row['key_id']} {row['name']}"

    def rows(self) -> list[dict[str, Any]]:
        """All keys, oldest first: key_id, name, scopes, made and revoked (UTC, or None); never the keys themselves."""
        rows = self.catalog.connection().execute(
            "SELECT key_id, name, scopes, made, revoked FROM keys ORDER BY made, key_id"
        )
        return [{**dict(row), "scopes": row["scopes"].split()} for row in rows]

    def revoke(self, key_id: str) -> bool:
        """End a key; whether there was one in force."""
        with self.catalog.transaction(searched=False) as connection:
            ended = connection.execute(
                "UPDATE keys SET revoked = ? WHERE key_id = ? AND revoked IS NULL", (_now(), key_id)
            )
            return bool(ended.rowcount)


def digest(key: str) -> str:
    """What is kept of a key. Keys are looked up by it, so the time of a look-up says nothing about a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
