"""Documents in."""

from ingest.pipeline import Report, ingest_paths

__all__ = ["Report", "ingest_paths"]
