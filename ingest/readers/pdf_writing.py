"""Pages of paragraphs to a document: a paragraph that runs over a page's end stays whole."""

from __future__ import annotations

from ingest.readers.building import TextBuilder
from ingest.readers.pdf_layout import Paragraph, join
from vectorstore.passage import Document


def write_pages(pages: list[list[Paragraph]], running: set[int], source: str, notes: tuple[str, ...]) -> Document:
    """The document of these pages.

    Where the last paragraph of a page reads on, the next page begins inside it, and the running lines that stood
    between follow it; so its sentences can be found and quoted whole.
    """
    writer = _Writer()
    for paragraphs in pages:
        body, furniture = _separated(paragraphs, running)
        writer.page(body, furniture)
    return writer.finish(source, notes)


def _separated(paragraphs: list[Paragraph], running: set[int]) -> tuple[list[Paragraph], list[str]]:
    body: list[Paragraph] = []
    furniture: list[str] = []
    for paragraph in paragraphs:
        lines = tuple(line for line in paragraph.lines if id(line) not in running)
        furniture += [line.text for line in paragraph.lines if id(line) in running]
        if lines:
            body.append(Paragraph(lines, paragraph.opened, paragraph.open))
    return body, furniture


class _Writer:
    def __init__(self) -> None:
        self._builder = TextBuilder()
        self._pending = ""  # a paragraph that may go on, not yet written
        self._breaks: list[int] = []  # where in it pages begin
        self._furniture: list[str] = []
        self._may_continue = False

    def page(self, body: list[Paragraph], furniture: list[str]) -> None:
        if body and self._may_continue and body[0].opened:
            joined = join(self._pending, body[0].text)
            self._breaks.append(len(joined) - len(body[0].text))
            self._pending, self._may_continue = joined, body[0].open and len(body) == 1
            body = body[1:]
        else:
            self._flush()
            self._builder.page()
        self._furniture += furniture
        for paragraph in body:
            self._flush_paragraph()
            self._pending, self._may_continue = paragraph.text, paragraph.open
        if not self._may_continue:
            self._flush()

    def finish(self, source: str, notes: tuple[str, ...]) -> Document:
        self._flush()
        return self._builder.document(source, "application/pdf", notes=notes)

    def _flush_paragraph(self) -> None:
        start = self._builder.length
        for offset in self._breaks:
            self._builder.page(start + offset)
        self._builder.line(self._pending)
        self._pending, self._breaks, self._may_continue = "", [], False

    def _flush(self) -> None:
        self._flush_paragraph()
        for text in self._furniture:
            self._builder.line(text, boilerplate=True)
        self._furniture = []
