"""What every file, however damaged, has to keep to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ingest.errors import UnreadableDocument
from ingest.readers import read_document

SECONDS = 5.0


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    started = time.perf_counter()
    yield
    assert time.perf_counter() - started < seconds


def survives(data: bytes, source: str) -> bool:
    """Whether the file was read; a refusal has to end with what to do."""
    reason = ""
    try:
        document = read_document(data, source)
    except UnreadableDocument as error:
        reason = str(error)
    if reason:
        assert reason.endswith(".")
        return False
    document.text.encode()
    assert all(0 <= start <= end <= len(document.text) for start, end in document.tables)
    return True
