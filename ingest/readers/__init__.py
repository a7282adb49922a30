"""One reader a format: bytes in, a `Document` out."""

from __future__ import annotations

from ingest.readers.detect import MAX_BYTES, read_document

__all__ = ["MAX_BYTES", "read_document"]
