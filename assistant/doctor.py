"""What `zhice doctor` looks at: installation, data folder, encoder, index, language model, room on the disk."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Iterator

from assistant.model import ModelClient, ModelSettings
from assistant.reading.passage_reader import OnnxPassageReader
from assistant.reranker import CrossEncoderReranker
from assistant.settings import Settings
from vectorstore import checking
from vectorstore.catalog import Record
from vectorstore.checking import Finding
from vectorstore.encoder import load_encoder
from vectorstore.errors import ZhiceError
from vectorstore.links import Links
from vectorstore.store import PolicyStore

URL_SECONDS = 10
LARGEST_PAGE = 10 * 2**20  # bytes of a source's page that are looked at
LOWEST_ROOM = 500 * 2**20  # bytes; the next generation of an index stands beside the present one while it is built


def examine(settings: Settings, *, fix: bool = False) -> Iterator[Finding]:
    """Look at everything, one finding after the other; with `fix`, repair in the data folder what can be repaired."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version)
    yield Finding("data folder", True, str(settings.data_dir))
    try:
        encoder = load_encoder(settings.encoder)
        yield Finding("encoder", True, f"{encoder.name}, {encoder.dimension} dimensions")
        OnnxPassageReader()
        yield Finding("reader", True, "the bundled one")
        if settings.reranker:
            CrossEncoderReranker(settings.reranker)
            yield Finding("reranker", True, settings.reranker)
        store = PolicyStore(settings.place, encoder=encoder, check_encoder=False, accept_loss=True)
    except ZhiceError as error:
        yield Finding("store", False, str(error))
        return
    try:
        records = store.catalog.records()
        own = sum(record.collection == "own" for record in records)
        yield Finding(
            "catalog", True, f"{store.catalog.engine.describe()}; {own} documents, {len(records) - own} samples"
        )
        sound = True
        for finding in checking.examine(store, fix=fix):
            sound = sound and finding.good
            yield finding
        yield _index(store, sound=sound)
        if settings.public_url and records:
            yield _public_url(settings.public_url, store, records[0])
    except (sqlite3.DatabaseError, ZhiceError) as error:
        yield Finding("catalog", False, f"{error}; restore a backup, or move the folder away and ingest again")
    finally:
        store.close()
    if settings.model is not None:
        yield _model(settings.model)
    room = shutil.disk_usage(settings.data_dir).free
    yield Finding("disk", room >= LOWEST_ROOM, f"{room / 2**30:.1f} GiB free")
    guarded = settings.admin_password is not None
    yield Finding("admin password", True, "set" if guarded else "not set; only this machine can be served")


def _index(store: PolicyStore, *, sound: bool) -> Finding:
    """Whether searches are answered from the index."""
    state = store.index_state()
    if not state.kept:
        return Finding("Chroma index", True, "none, as ZHICE_CHROMA_URL is not set; searches go without it")
    detail = f"generation {state.generation} holds {state.indexed} of {state.passages} passages"
    opened = store.open_index() if sound and state.passages else not state.passages
    return Finding(
        "Chroma index", opened, detail + ("" if opened else "; it is not open; see above, or run `zhice reindex`")
    )


def _public_url(public_url: str, store: PolicyStore, record: Record) -> Finding:
    """Whether a short link opens its document from the address that the outside uses."""
    links = Links(store.catalog)
    code = links.code(record.document_id, record.version, 0, 1, days=1)
    url = f"{public_url}/s/{code}"
    try:
        with urllib.request.urlopen(url, timeout=URL_SECONDS) as reply:  # noqa: S310 - settings take http and https only
            shown = b'id="quote"' in reply.read(LARGEST_PAGE)
        detail = f"{url} opens its source" if shown else f"{url} is answered, but not by this server; check the proxy"
        return Finding("public address", shown, detail)
    except (OSError, ValueError) as error:
        detail = f"{url} cannot be opened ({error}); is the server running, and does the proxy lead to it?"
        return Finding("public address", False, detail)
    finally:
        links.revoke(code)


def _model(settings: ModelSettings) -> Finding:
    """Whether the model answers one real request."""
    client = ModelClient(settings)
    started = time.perf_counter()
    try:
        client.ping()
        return Finding("language model", True, f"{settings.name} answered after {time.perf_counter() - started:.1f} s")
    except ZhiceError as error:
        return Finding("language model", False, f"{settings.name}: {error}")
    finally:
        client.close()
