"""PDF files with a text layer: lines joined to paragraphs, running lines marked, a page map."""

from __future__ import annotations

import ctypes
import threading

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.errors import UnreadableDocument
from ingest.readers.building import MAX_TEXT_CHARACTERS
from ingest.readers.pdf_layout import Line, page_paragraphs, running_lines, split_watermarks
from ingest.readers.pdf_writing import write_pages
from vectorstore.passage import Document

# The longest compilations of policies have some hundreds of pages; reading takes about 15 ms a page.
MAX_PAGES = 3_000
# A text layer holds hundreds of characters a page; a scanner's stamp or a page number alone is none.
_SCANNED_CHARACTERS = 12
_LOOKED_AT = 5
# Fonts without a character map give characters that mean nothing.
_UNMAPPED_SHARE = 0.3

# PDFium must not be entered by two threads at once.
_LOCK = threading.Lock()


def read_pdf(data: bytes, source: str) -> Document:
    """A document of the text layer; pages without one are named in the notes.

    Raises `UnreadableDocument` for a damaged or password-protected file, one of too many pages, and a scan.
    """
    with _LOCK:
        pages, pictures = _pages(data)
    empty = [number for number, lines in enumerate(pages, start=1) if not lines]
    solid = sum(len(line.text) for lines in pages for line in lines)
    if not solid or (pictures and solid < _SCANNED_CHARACTERS * len(pages)):
        raise UnreadableDocument(
            f"Its {len(pages)} pages are pictures without a text layer (a scan), and reading it needs text recognition "
            "(OCR); run OCR on it, or add the original document."
        )
    unmapped = sum(
        1
        for lines in pages
        for line in lines
        for character in line.text
        if character == "\ufffd" or "\ue000" <= character <= "\uf8ff"
    )
    if unmapped > solid * _UNMAPPED_SHARE:
        raise UnreadableDocument(
            "Its fonts have no character map, so its text cannot be told; run text recognition (OCR) on it, or add the "
            "original document."
        )
    pages = split_watermarks(pages)
    running = running_lines(pages)
    notes = (f"Pages without text (scanned?): {_ranges(empty)}.",) if empty else ()
    return write_pages([page_paragraphs(lines) for lines in pages], running, source, notes)


def _pages(data: bytes) -> tuple[list[list[Line]], bool]:
    """The lines of every page, and whether the first pages show pictures."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise UnreadableDocument(
                "It is protected with a password; save it without one and add it again."
            ) from error
        raise UnreadableDocument("It is damaged and cannot be opened as PDF; save or download it again.") from error
    try:
        count = len(document)
        if not count:
            raise UnreadableDocument("It is a PDF without pages; save or download it again.")
        if count > MAX_PAGES:
            raise UnreadableDocument(f"It has {count:,} pages and the limit is {MAX_PAGES:,}; split it into parts.")
        pages: list[list[Line]] = []
        characters = 0
        for index in range(count):
            lines = _page(document, index)
            characters += sum(len(line.text) for line in lines)
            if characters > MAX_TEXT_CHARACTERS:
                raise UnreadableDocument(
                    f"Its text has over {MAX_TEXT_CHARACTERS:,} characters, more than any document; split it into parts."
                )
            pages.append(lines)
        return pages, any(_has_picture(document, index) for index in range(min(count, _LOOKED_AT)))
    finally:
        document.close()


def _page(document: pypdfium2.PdfDocument, index: int) -> list[Line]:
    """The lines of one page in the order of its content; a page that cannot be loaded has none."""
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return []
    try:
        height = page.get_height() or 1.0
        text_page = page.get_textpage()
        try:
            return _lines(text_page, height)
        finally:
            text_page.close()
    except pypdfium2.PdfiumError:
        return []
    finally:
        page.close()


def _has_picture(document: pypdfium2.PdfDocument, index: int) -> bool:
    try:
        page = document[index]
        try:
            return next(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=2), None) is not None
        finally:
            page.close()
    except pypdfium2.PdfiumError:
        return False


def _lines(text_page: pypdfium2.PdfTextPage, height: float) -> list[Line]:
    lines: list[Line] = []
    units: list[int] = []
    first = last = -1
    for index in range(max(0, pdfium.FPDFText_CountChars(text_page.raw))):
        unit = pdfium.FPDFText_GetUnicode(text_page.raw, index)
        if unit in (10, 13):
            _close(lines, text_page, units, first, last, height)
            units, first, last = [], -1, -1
        elif unit and unit != 2:  # PDFium's mark for a hyphen it took out at a line's end
            units.append(unit)
            if not chr(unit).isspace():
                first, last = index if first < 0 else first, index
    _close(lines, text_page, units, first, last, height)
    return lines


def _close(
    lines: list[Line], text_page: pypdfium2.PdfTextPage, units: list[int], first: int, last: int, height: float
) -> None:
    if first < 0:
        return
    text = "".join(map(chr, units)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    left, _, bottom, top = _box(text_page, first)
    _, right, _, _ = _box(text_page, last)
    lines.append(Line(text.rstrip(), left, right, (bottom + top) / 2, height))


def _box(text_page: pypdfium2.PdfTextPage, index: int) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a character in points, the origin at the page's lower left."""
    values = [ctypes.c_double() for _ in range(4)]
    if not pdfium.FPDFText_GetCharBox(text_page.raw, index, *values):
        return 0.0, 0.0, 0.0, 0.0
    left, right, bottom, top = (value.value for value in values)
    return left, right, bottom, top


def _ranges(numbers: list[int]) -> str:
    """`1-3, 7` for 1, 2, 3, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
