"""Files of the page: which may be chosen, and which an event may name: those that were uploaded, wherever they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

FILE_TYPES: Final = (
    ".txt .md .markdown .html .htm .mht .mhtml .pdf .jpg .jpeg .png .tif .tiff .bmp .gif .webp "
    ".docx .doc .wps .rtf .odt .xlsx .xls .ods .zip"
).split()
"""What the page lets be chosen."""


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
