"""Reading, segmenting and encoding on a Ray cluster; storing stays with the process that runs the command."""

from __future__ import annotations

from ingest.cluster.reader import ClusterReader

__all__ = ["ClusterReader"]
