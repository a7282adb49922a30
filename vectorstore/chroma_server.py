"""Generations on a Chroma server: each an immutable collection that is proven against the catalog before it is used.

A collection is called `zhice-<knowledge base>-<generation>`, so that several knowledge bases may share a server. It is
ours if its metadata say so as well, and the generation's if it has the identifier that the server gave it when it was
built; no other is opened. None names an embedding function, and none is made from what a server says (CVE-2026-45833).

Chroma's `HttpClient` asks the server several times while it is made, and waits for ever. So the client inside it is made
without it here, and is given its time-outs before it asks for anything.
"""

from __future__ import annotations

import base64
import io
import json
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from vectorstore import vectors
from vectorstore.catalog import INDEX_OWNER, Catalog
from vectorstore.errors import StoreError
from vectorstore.generations import InFolder
from vectorstore.rows import Vectors, unpacked
from vectorstore.sql import Row
from vectorstore.vectors import Built, Collected, GenerationDamaged, IndexUnavailable

if TYPE_CHECKING:
    from chromadb.api.fastapi import FastAPI
    from chromadb.types import Collection as Described

SEARCH_SECONDS: Final = 1.0
"""What a search waits for each step of a request: an answer from 150,000 vectors took 6 ms, and a scan is there at once."""

BUILD_SECONDS: Final = 60.0
"""The same for building and proving; the longest request while 100,000 vectors were stored took 0.9 s."""

REFUSALS: Final = 3
"""Proofs in a row that Chroma itself breaks off before a collection counts as damaged: it refuses everything about one that
it was writing when it was killed, and about a sound one for as long as it is short of room."""

_BATCH: Final = 400
"""Vectors in a request: 800 KB in JSON, and the proxies in front of such servers take 1 MB unless they are told."""

_PAGE: Final = 1000  # collections that are listed at once

# So many passages from each of so many random places in the catalog have to find themselves when a generation is proven.
_PLACES: Final = 10
_NEIGHBOURS: Final = 20

_SAID: Final = 300  # characters of what a server, or a proxy before it, says of an error


class OnServer:
    """Generations on a Chroma server, of which nothing is asked while this is made.

    Args:
        url: the server's, with a path if it has one; a user and a password in it are sent and never shown.
        headers: sent with every request.
        catalog: what the generations are made of.
        before: the folder that held them before there was a server; what is left in it is not needed.
    """

    advice = "Check that it runs and has room, and ZHICE_CHROMA_URL and ZHICE_CHROMA_HEADERS"
    remote = True

    def __init__(self, url: str, headers: Mapping[str, str], catalog: Catalog, before: InFolder) -> None:
        parts = urlsplit(url)
        self._url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._user = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._headers = dict(headers)
        self._catalog = catalog
        self._before = before
        self._guard = threading.Lock()
        self._clients: dict[float, FastAPI] = {}
        self._refusals = 0
        self.where = f"the Chroma server at {self._url}"

    def ready(self, passages: int) -> None:  # noqa: ARG002 - the room on a server is not known here
        with self._asked(SEARCH_SECONDS) as client:
            client.heartbeat()

    def build(self, number: int, ids: Sequence[int], matrix: NDArray[np.float32]) -> Built:
        axes = vectors.principal_axes(matrix)
        stored, along, bare = vectors.split(ids, vectors.along(matrix, axes))
        owner = self._owner()
        with self._asked(BUILD_SECONDS) as client:
            described = client.create_collection(
                _name(owner, number),
                metadata=_metadata(owner, number),
                configuration=vectors.configuration(len(stored), _BATCH),
            )
            collected = _collected(client, described, axes)
            collected.put(stored, along)
            strays = collected.unfound(stored, along)
            kept = collected.count()
        if kept != len(stored):
            raise IndexUnavailable(
                f"The index was not built: {self.where} keeps {kept} of {len(stored)} passages. {self.advice}."
            )
        return Built({"collection": str(described.id), "axes": _packed(axes)}, (*strays, *bare), len(stored))

    def check(self, row: Row) -> None:
        self._axes(row)
        with self._asked(SEARCH_SECONDS) as client:
            self._described(client, row)

    def prove(self, row: Row) -> None:
        axes = self._axes(row)
        ids, matrix = self._sample(row)
        along = vectors.along(matrix, axes) if ids else matrix
        try:
            with self._asked(BUILD_SECONDS) as client:
                collected = _collected(client, self._described(client, row), axes)
                kept, unfound = collected.count(), len(collected.unfound(ids, along))
            with self._asked(SEARCH_SECONDS) as client:  # a server that is too slow for searches is none for them
                _collected(client, self._described(client, row), axes).unfound(ids[:1], along[:1])
        except IndexUnavailable as error:
            self._refusals = self._refusals + 1 if _broken_off(error) else 0
            if self._refusals < REFUSALS:
                raise
            self._refusals = 0
            raise GenerationDamaged(str(error)) from error
        self._refusals = 0
        if kept != row["stored"]:
            raise GenerationDamaged(f"Of the index, {kept} of {row['stored']} passages are on {self.where}.")
        if unfound > len(ids) // 10:  # the few that a sound graph does not find are known and scanned
            raise GenerationDamaged(f"Of the index, {unfound} of {len(ids)} passages are not found on {self.where}.")

    def open(self, row: Row) -> Collected:
        with self._asked(SEARCH_SECONDS) as client:
            return _collected(client, self._described(client, row), self._axes(row))

    def others(self, keep: int) -> list[str]:
        names, owner = self._before.others(0), self._catalog.meta(INDEX_OWNER)
        if owner is None:
            return names
        found: list[Described] = []
        with self._asked(BUILD_SECONDS) as client:
            while page := client.list_collections(limit=_PAGE, offset=len(found)):
                found += page
        return names + sorted(
            each.name
            for each in found
            if each.name.startswith(_name(owner, "")) and _belongs(each, owner) and each.name != _name(owner, keep)
        )

    def remove(self, names: Sequence[str]) -> None:
        owner = self._catalog.meta(INDEX_OWNER)
        collections = [name for name in names if owner is not None and name.startswith(_name(owner, ""))]
        self._before.remove([name for name in names if name not in collections])
        with suppress(IndexUnavailable), self._asked(BUILD_SECONDS) as client:
            for name in collections:
                client.delete_collection(name)

    def drop(self, number: int) -> None:
        self.remove([_name(self._owner(), number)])

    def close(self) -> None:
        with self._guard:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client._session.close()

    @contextmanager
    def _asked(self, seconds: float) -> Iterator[FastAPI]:
        """The client that waits so long; whatever goes wrong with it comes out as one error.

        Raises:
            IndexUnavailable: the server, or what is between, does not answer as it should.
        """
        try:
            yield self._client(seconds)
        except StoreError:
            raise
        except Exception as error:
            said = " ".join(str(error).split())[:_SAID]
            raise IndexUnavailable(
                f"For the index, {self.where} does not answer as it should: {said or type(error).__name__}. {self.advice}."
            ) from error

    def _client(self, seconds: float) -> FastAPI:
        import httpx
        from chromadb.api.fastapi import FastAPI
        from chromadb.config import Settings, System

        with self._guard:
            if seconds not in self._clients:
                settings = Settings(
                    chroma_api_impl="chromadb.api.fastapi.FastAPI",
                    chroma_server_host=self._url,  # a whole one is taken as it is, its port and its path included
                    chroma_server_http_port=0,
                    chroma_server_headers=dict(self._headers),
                    anonymized_telemetry=False,
                )
                client = System(settings).instance(FastAPI)
                # The one place that reaches into Chroma's client, which has a setting for neither.
                client._session.timeout = httpx.Timeout(seconds)
                if self._user:
                    client._session.auth = self._user
                self._clients[seconds] = client
            return self._clients[seconds]

    def _described(self, client: FastAPI, row: Row) -> Described:
        """The collection of a generation as the server describes it.

        Raises:
            GenerationDamaged: there is none, or it is another.
        """
        from chromadb.errors import NotFoundError

        owner = self._owner()
        name = _name(owner, row["generation"])
        try:
            described = client.get_collection(name)
        except NotFoundError as error:
            raise GenerationDamaged(f"The index {name} is not on {self.where}.") from error
        if not _belongs(described, owner) or str(described.id) != json.loads(row["manifest"])["collection"]:
            raise GenerationDamaged(f"The index {name} on {self.where} is not the one that was built.")
        return described

    def _axes(self, row: Row) -> NDArray[np.float32]:
        """Raises: GenerationDamaged, if the generation was built elsewhere, or they cannot be read."""
        try:
            packed = json.loads(row["manifest"])["axes"]
            axes: NDArray[np.float32] = np.load(io.BytesIO(base64.b64decode(packed)), allow_pickle=False)
        except (ValueError, KeyError, TypeError, EOFError) as error:
            raise GenerationDamaged(f"The index was not built on {self.where}.") from error
        return axes

    def _sample(self, row: Row) -> Vectors:
        """Some passages that a generation has to find, as the catalog has them."""
        highest, strays = row["highest_passage_id"], frozenset(json.loads(row["strays"]))
        found: dict[int, bytes] = {}
        with self._catalog.snapshot() as connection:
            for _ in range(_PLACES if highest else 0):
                rows = connection.execute(
                    "SELECT passage_id, vector FROM passages WHERE passage_id >= ? AND passage_id <= ? "
                    "ORDER BY passage_id LIMIT ?",
                    (1 + secrets.randbelow(highest), highest, _NEIGHBOURS),
                ).fetchall()
                found |= {number: vector for number, vector in rows if number not in strays}
        return unpacked(found.items())

    def _owner(self) -> str:
        """What this knowledge base's collections are called by, chosen once."""
        owner = self._catalog.meta(INDEX_OWNER)
        if owner is None:
            with self._catalog.transaction(searched=False) as connection:
                connection.execute(
                    "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO NOTHING", (INDEX_OWNER, secrets.token_hex(8))
                )
            owner = self._catalog.meta(INDEX_OWNER)
        return str(owner)


def _name(owner: str, number: int | str) -> str:
    return f"zhice-{owner}-{number}"


def _metadata(owner: str, number: int) -> dict[str, str | int]:
    return {"zhice": owner, "generation": number}


def _belongs(described: Described, owner: str) -> bool:
    return (described.metadata or {}).get("zhice") == owner


def _collected(client: FastAPI, described: Described, axes: NDArray[np.float32]) -> Collected:
    from chromadb.api.models.Collection import Collection

    largest = client.get_max_batch_size()
    return Collected(
        Collection(client=client, model=described, embedding_function=None),
        axes,
        batch=min(_BATCH, largest) if largest > 0 else _BATCH,
    )


def _packed(axes: NDArray[np.float32]) -> str:
    file = io.BytesIO()
    np.save(file, axes, allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode()


def _broken_off(error: IndexUnavailable) -> bool:
    """Whether it was Chroma itself that could not do it."""
    from chromadb.errors import InternalError

    return isinstance(error.__cause__, InternalError)
