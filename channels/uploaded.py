"""Which files an event of the page may name: those that were uploaded to it, wherever in its data they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def names_elsewhere(data: Any, folder: Path) -> bool:
    """Whether data names a file that is not inside a folder, links followed; an address on the net is none that is."""
    if isinstance(data, dict):
        path = data.get("path")
        return (isinstance(path, str) and not _is_inside(path, folder)) or any(
            names_elsewhere(each, folder) for each in data.values()
        )
    return isinstance(data, list | tuple) and any(names_elsewhere(each, folder) for each in data)


def _is_inside(path: str, folder: Path) -> bool:
    try:
        return Path(path).is_absolute() and Path(path).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # too long, with a NUL, or links in a circle
        return False
