"""Text recognition page by page: progress told, pages that read badly named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.errors import UnreadableDocument
from ingest.readers.effort import supervisor
from ingest.readers.ocr import MAX_RECOGNISED_PAGES, recognise
from ingest.readers.ocr_page import page_parts
from ingest.readers.pdf_layout import Line, Table

LOW_CONFIDENCE = 0.9


@dataclass(slots=True)
class Recognition:
    """The parts of every page by its number, from 1; pages on which nothing was found are left out."""

    parts: dict[int, list[Line | Table]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def recognised_pages(numbers: Sequence[int], picture_of: Callable[[int], Any]) -> Recognition:
    """Recognise these pages; `picture_of` gives each as an array of height x width x 3.

    Raises:
        UnreadableDocument: there are too many, or text recognition is not installed.
    """
    if len(numbers) > MAX_RECOGNISED_PAGES:
        raise UnreadableDocument(
            f"{len(numbers):,} of its pages are pictures, and text recognition (OCR) takes {MAX_RECOGNISED_PAGES} at "
            "most; split it into parts, or add the original document."
        )
    found, notes = Recognition(), []
    for done, number in enumerate(numbers, start=1):
        recognised = recognise(picture_of(number))
        if parts := page_parts(recognised):
            found.parts[number] = parts
            if recognised.confidence < LOW_CONFIDENCE:
                notes.append(
                    f"Page {number} was read with low confidence ({recognised.confidence:.2f}); "
                    "check it against the original."
                )
        else:
            notes.append(f"No text could be recognised on page {number}; check it against the original.")
        supervisor().page(done, len(numbers))
    found.notes = tuple(notes)
    return found
