"""PDF files: paragraphs, pages, running lines, and what cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from fpdf import FPDF
from fpdf.enums import AccessPermission

from ingest.errors import UnreadableDocument
from ingest.readers import pdf as reader
from ingest.readers import read_document
from vectorstore.passage import Document

CJK_FONTS = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
    Path("/System/Library/Fonts/PingFang.ttc"),
)


def made(pages: Sequence[Sequence[str]], *, head: str = "", number: bool = False, password: str = "") -> bytes:
    """A PDF of these pages, each a list of lines set as one paragraph."""

    class Set(FPDF):
        def header(self) -> None:
            self.set_font("helvetica", size=9)
            self.cell(0, 6, head, new_x="LMARGIN", new_y="NEXT")

        def footer(self) -> None:
            if number:
                self.set_y(-14)
                self.cell(0, 6, f"- {self.page_no()} -", align="C")

    document = Set()
    if password:
        document.set_encryption(owner_password="owner", user_password=password, permissions=AccessPermission.none())
    for page in pages:
        document.add_page()
        document.set_font("helvetica", size=12)
        for paragraph in page:
            document.multi_cell(0, 7, paragraph, align="L", new_x="LMARGIN", new_y="NEXT")
            document.ln(6)
    return bytes(document.output())


def paragraphs(document: Document) -> list[str]:
    marked = {start for start, _ in document.boilerplate}
    found, position = [], 0
    for line in document.text.split("\n"):
        if line and position not in marked:
            found.append(line)
        position += len(line) + 1
    return found


LONG = "The park operator receives a yearly reward of up to five million yuan when the assessment is passed. " * 3


def test_lines_of_a_paragraph_are_joined() -> None:
    document = read_document(made([[LONG, "Second paragraph."]]), "a.pdf")
    assert paragraphs(document) == [LONG.strip(), "Second paragraph."]


def test_pages_are_mapped_and_running_lines_marked() -> None:
    pages = [[f"Text of page {word}."] for word in ("one", "two", "three", "four")]
    document = read_document(made(pages, head="Notice of the city", number=True), "a.pdf")
    assert len(document.pages) == 4
    assert document.pages[0] == 0
    assert [document.text[start:].split("\n")[0] for start in document.pages] == [page[0] for page in pages]
    marked = [document.text[start:end] for start, end in document.boilerplate]
    assert marked.count("Notice of the city") == 4
    assert {"- 1 -", "- 4 -"} <= set(marked)
    assert paragraphs(document) == [page[0] for page in pages]


def test_a_short_document_keeps_lines_that_stand_twice() -> None:
    document = read_document(made([["Same line."], ["Same line."]]), "a.pdf")
    assert paragraphs(document) == ["Same line.", "Same line."]


def test_a_paragraph_over_the_page_end_stays_whole() -> None:
    body = (
        "Every company that builds a new hall files its request in writing and names the day on which work begins, "
        * 100
    )
    document = read_document(made([[body]], head="Notice of the city", number=True), "a.pdf")
    assert len(document.pages) == 3
    assert paragraphs(document) == [body.strip()]
    assert 0 < document.pages[1] < document.pages[2] < len(body)


@pytest.mark.skipif(not any(font.exists() for font in CJK_FONTS), reason="needs a font with Chinese characters")
def test_chinese_lines_are_joined_without_a_space() -> None:
    document = FPDF()
    document.add_page()
    document.add_font("cjk", fname=next(font for font in CJK_FONTS if font.exists()))
    document.set_font("cjk", size=12)
    sentence = "园区管理机构通过年度考核的，由市财政局在每年六月底以前拨付奖励资金，奖励资金专款专用，不得挪作他用，并接受审计部门的监督。"
    document.multi_cell(0, 8, sentence * 2, align="L", new_x="LMARGIN", new_y="NEXT")
    assert paragraphs(read_document(bytes(document.output()), "a.pdf")) == [sentence * 2]


def test_a_password_is_named_as_the_reason() -> None:
    with pytest.raises(UnreadableDocument, match="protected with a password"):
        read_document(made([["Secret."]], password="secret"), "a.pdf")


def test_a_scan_needs_text_recognition() -> None:
    document = FPDF()
    for _ in range(2):
        document.add_page()
        document.rect(20, 20, 100, 100, style="F")
    with pytest.raises(UnreadableDocument, match=r"2 pages are pictures .*OCR"):
        read_document(bytes(document.output()), "a.pdf")


def test_pages_without_text_are_noted() -> None:
    document = read_document(made([[LONG], [], [], [LONG], []]), "a.pdf")
    assert document.notes == ("Pages without text (scanned?): 2-3, 5.",)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_read_or_refused(keep: float) -> None:
    data = made([[LONG]] * 3)
    with suppress(UnreadableDocument):
        assert "yearly reward" in read_document(data[: int(len(data) * keep)], "a.pdf").text


def test_a_damaged_file_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="damaged"):
        read_document(b"%PDF-1.4\n1 0 obj\n<<>>\nnothing more", "a.pdf")


def test_too_many_pages_are_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_PAGES", 3)
    with pytest.raises(UnreadableDocument, match="4 pages and the limit is 3"):
        read_document(made([["A line."]] * 4), "a.pdf")


def test_too_much_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_TEXT_CHARACTERS", 100)
    with pytest.raises(UnreadableDocument, match="over 100 characters"):
        read_document(made([[LONG]]), "a.pdf")
