"""Reading in a process of its own: what a file does to its reader, it does not do to the service."""

from __future__ import annotations

from ingest.isolation.reader import IsolatedReader, PageProgress, Prepared

__all__ = ["IsolatedReader", "PageProgress", "Prepared"]
