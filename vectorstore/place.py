"""Where a knowledge base lies: in a folder, its catalog and its index on servers of their own where these are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A knowledge base.

    `folder` holds everything that no server is named for. `database` is a PostgreSQL URL, `chroma` the URL of a Chroma
    server, and `chroma_headers` go with every request to that. `repr` shows none of the three: secrets stand in them.
    """

    folder: Path
    database: str | None = field(default=None, repr=False)
    chroma: str | None = field(default=None, repr=False)
    chroma_headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def place_of(given: str | Path | Place) -> Place:
    """A place; a folder alone holds everything."""
    return given if isinstance(given, Place) else Place(Path(given))
