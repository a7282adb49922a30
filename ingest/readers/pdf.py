"""PDF files: pages with a text layer as they are, the others by text recognition; paragraphs, tables, a page map."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.errors import UnreadableDocument
from ingest.readers import ocr
from ingest.readers.building import MAX_TEXT_CHARACTERS
from ingest.readers.pdf_layout import Line, Table, running_lines, split_watermarks
from ingest.readers.pdf_pages import page_parts
from ingest.readers.pdf_writing import write_pages
from ingest.readers.recognition import recognised_pages
from vectorstore.passage import Document

# The longest compilations of policies have some hundreds of pages; reading takes about 15 ms a page.
MAX_PAGES = 3_000
# A text layer holds hundreds of characters a page; a scanner's stamp or a page number alone is none.
_SCANNED_CHARACTERS = 12
# Fonts without a character map give characters that mean nothing.
_UNMAPPED_SHARE = 0.3
# A page of official documents (A4) at this scale has lines of 20 to 40 pixels, as the models were trained on.
_SCALE = 2.0
# Posters are shown smaller, and small pages larger, but never beyond what their scans can hold.
_LONGEST_SIDE, _SHORTEST_SIDE, _LARGEST_SCALE = 2_400.0, 1_190.0, 4.0

# PDFium must not be entered by two threads at once.
_LOCK = threading.Lock()


@dataclass(slots=True)
class _TextLayer:
    """The parts of every page, and the numbers of pages that show something without saying it."""

    pages: list[list[Line | Table]] = field(default_factory=list)
    solid: int = 0  # characters of pages that are read well
    pictures: list[int] = field(default_factory=list)
    unmapped: list[int] = field(default_factory=list)

    @property
    def unread(self) -> list[int]:
        return sorted([*self.pictures, *self.unmapped])


def read_pdf(data: bytes, source: str) -> Document:
    """A document of the text layer, and of what text recognition reads on pages without one.

    Raises `UnreadableDocument` for a damaged or password-protected file, one of too many pages, and a scan where text
    recognition is not installed or finds nothing.
    """
    with _opened(data) as document:
        layer = _text_layer(document)
        pages, unread = layer.pages, layer.unread
        notes: tuple[str, ...] = ()
        if unread and ocr.is_installed():
            found = recognised_pages(unread, lambda number: _picture(document, number))
            for number, parts in found.parts.items():
                pages[number - 1] = parts
            notes = found.notes
        elif unread and layer.solid < _SCANNED_CHARACTERS * len(pages):
            raise UnreadableDocument(_why_unread(layer))
    if not any(pages):
        raise UnreadableDocument(
            f"No text was found on its {len(pages)} pages; add a clearer scan, or the original document."
        )
    told = set(unread) if ocr.is_installed() else set()
    empty = [number for number, parts in enumerate(pages, start=1) if not parts and number not in told]
    if empty:
        notes = (f"Pages without text (scanned?): {_ranges(empty)}.", *notes)
    pages = split_watermarks(pages)
    return write_pages(pages, running_lines(pages), source, notes)


def _why_unread(layer: _TextLayer) -> str:
    if layer.unmapped and len(layer.unmapped) >= len(layer.pictures):
        return f"Its fonts have no character map, so its text cannot be told, and reading it {ocr.MISSING}"
    return (
        f"Its {len(layer.pages)} pages are pictures without a text layer (a scan), and reading it {ocr.MISSING}, or add "
        "the original document."
    )


@contextmanager
def _opened(data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    try:
        with _LOCK:
            document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise UnreadableDocument(
                "It is protected with a password; save it without one and add it again."
            ) from error
        raise UnreadableDocument("It is damaged and cannot be opened as PDF; save or download it again.") from error
    try:
        yield document
    finally:
        with _LOCK:
            document.close()


def _text_layer(document: pypdfium2.PdfDocument) -> _TextLayer:
    with _LOCK:
        count = len(document)
        if not count:
            raise UnreadableDocument("It is a PDF without pages; save or download it again.")
        if count > MAX_PAGES:
            raise UnreadableDocument(f"It has {count:,} pages and the limit is {MAX_PAGES:,}; split it into parts.")
        layer = _TextLayer()
        characters = 0
        for number in range(1, count + 1):
            text = _take_page(layer, document, number)
            characters += len(text)
            if characters > MAX_TEXT_CHARACTERS:
                raise UnreadableDocument(
                    f"Its text has over {MAX_TEXT_CHARACTERS:,} characters, more than any document; split it into parts."
                )
        return layer


def _take_page(layer: _TextLayer, document: pypdfium2.PdfDocument, number: int) -> str:
    """Add one page to the layer and return its text; a page that cannot be loaded has none."""
    parts: list[Line | Table] = []
    text, shows = "", False
    try:
        page = document[number - 1]
        try:
            parts = page_parts(page)
            text = "".join(_text(part) for part in parts)
            if len(text) < _SCANNED_CHARACTERS:
                shows = _shows(page, pictures_only=bool(text))
        finally:
            page.close()
    except pypdfium2.PdfiumError:
        pass
    layer.pages.append(parts)
    strange = sum(character == "\ufffd" or "\ue000" <= character <= "\uf8ff" for character in text)
    if strange > len(text) * _UNMAPPED_SHARE:
        layer.unmapped.append(number)
        layer.pages[-1] = []
    elif shows:
        layer.pictures.append(number)
    else:
        layer.solid += len(text)
    return text


def _text(part: Line | Table) -> str:
    return part.text if isinstance(part, Line) else "".join(cell for row in part.rows for cell in row)


def _shows(page: pypdfium2.PdfPage, *, pictures_only: bool) -> bool:
    """Whether a page without text, or with a stamp's, shows something that may be text."""
    kinds = [pdfium.FPDF_PAGEOBJ_IMAGE] if pictures_only else None
    return next(page.get_objects(filter=kinds, max_depth=3), None) is not None


def _picture(document: pypdfium2.PdfDocument, number: int) -> Any:
    """A page as an array of height x width x 3, blue first."""
    with _LOCK:
        try:
            page = document[number - 1]
            try:
                width, height = page.get_size()
                scale = min(
                    max(_SCALE, min(_LARGEST_SCALE, _SHORTEST_SIDE / max(1.0, min(width, height)))),
                    _LONGEST_SIDE / max(1.0, width, height),
                )
                return page.render(scale=scale, rev_byteorder=False, prefer_bgrx=False).to_numpy()[:, :, :3].copy()
            finally:
                page.close()
        except pypdfium2.PdfiumError as error:
            raise UnreadableDocument(f"Page {number} is damaged and cannot be shown; save the file again.") from error


def _ranges(numbers: list[int]) -> str:
    """`1-3, 7` for 1, 2, 3, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
