"""PDF files: paragraphs, pages, running lines, and what cannot be read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from fpdf import FPDF
from fpdf.enums import AccessPermission

from ingest.errors import UnreadableDocument
from ingest.readers import ocr, read_document
from ingest.readers import pdf as reader
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


def test_a_scan_needs_text_recognition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "is_installed", lambda: False)
    document = FPDF()
    for _ in range(2):
        document.add_page()
        document.rect(20, 20, 100, 100, style="F")
    with pytest.raises(UnreadableDocument, match=r'2 pages are pictures .*pip install "zhice\[ocr\]"'):
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


def rows(document: Document) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split("|")]
        for start, end in document.tables
        for line in document.text[start:end].split("\n")
    ]


class Ruled(FPDF):
    """Pages on which tables are drawn cell by cell."""

    def __init__(self, **options: Any) -> None:
        super().__init__(unit="pt", **options)
        self.add_page()
        self.set_font("helvetica", size=11)

    def put(self, left: float, top: float, right: float, bottom: float, text: str) -> None:
        self.rect(left, top, right - left, bottom - top)
        for number, line in enumerate(text.split("\n")):
            self.text(left + 4, top + 14 + 14 * number, line)

    def read(self) -> Document:
        return read_document(bytes(self.output()), "a.pdf")


def test_a_ruled_table_is_read_by_its_cells_at_its_place() -> None:
    page = Ruled()
    page.text(60, 60, "The yearly allowances are these.")
    for row, cells in enumerate([("Group", "Yuan a month"), ("Children", "880"), ("Students of\nall schools", "1200")]):
        for column, text in enumerate(cells):
            page.put(60 + 200 * column, 80 + 40 * row, 260 + 200 * column, 120 + 40 * row, text)
    page.text(60, 240, "They are paid in June.")
    document = page.read()
    assert rows(document) == [["Group", "Yuan a month"], ["Children", "880"], ["Students of all schools", "1200"]]
    assert paragraphs(document)[0] == "The yearly allowances are these."
    assert paragraphs(document)[-1] == "They are paid in June."


def test_merged_cells_keep_the_columns_and_repeat_short_labels() -> None:
    page = Ruled()
    page.put(60, 60, 460, 90, "Allowances of the year")
    page.put(60, 90, 160, 150, "Children")
    page.put(160, 90, 360, 120, "under six")
    page.put(360, 90, 460, 120, "880")
    page.put(160, 120, 360, 150, "six and older")
    page.put(360, 120, 460, 150, "990")
    page.put(60, 150, 360, 180, "All others")
    page.put(360, 150, 460, 180, "100")
    assert rows(page.read()) == [
        ["Allowances of the year"],
        ["Children", "under six", "880"],
        ["Children", "six and older", "990"],
        ["All others", "", "100"],
    ]


def test_a_long_merged_cell_stands_once() -> None:
    page = Ruled()
    long = "Every applicant files the form\nin writing with the bureau\nbefore the end of June"
    page.put(60, 60, 260, 140, long)
    page.put(260, 60, 360, 100, "first")
    page.put(360, 60, 460, 100, "880")
    page.put(260, 100, 360, 140, "second")
    page.put(360, 100, 460, 140, "990")
    assert rows(page.read()) == [[long.replace("\n", " "), "first", "880"], ["", "second", "990"]]


def test_sides_left_open_are_columns_too() -> None:
    page = Ruled()
    for top in (60, 90, 120, 150):
        page.line(60, top, 460, top)
    page.line(260, 60, 260, 150)
    for row, (label, value) in enumerate([("Group", "Yuan"), ("Children", "880"), ("Students", "1200")]):
        page.text(64, 80 + 30 * row, label)
        page.text(264, 80 + 30 * row, value)
    assert rows(page.read()) == [["Group", "Yuan"], ["Children", "880"], ["Students", "1200"]]


def test_a_table_over_the_page_end_is_one_with_one_heading() -> None:
    page = Ruled()
    for number in range(3):
        if number:
            page.add_page()
        for row, cells in enumerate([("No.", "Matter"), (f"{number}1", "Permit"), (f"{number}2", "Licence")]):
            page.put(60, 60 + 30 * row, 160, 90 + 30 * row, cells[0])
            page.put(160, 60 + 30 * row, 460, 90 + 30 * row, cells[1])
    document = page.read()
    assert len(document.tables) == 1
    assert [row[0] for row in rows(document)] == ["No.", "01", "02", "11", "12", "21", "22"]
    assert [document.text[start:].split(" ")[0] for start in document.pages] == ["No.", "11", "21"]


def test_a_row_over_the_page_end_is_put_together() -> None:
    page = Ruled()
    for cells in (
        [("No.", "Matter", "Basis"), ("1", "Permit to build", "Rules of the")],
        [("", "", "city"), ("2", "Licence", "Law")],
    ):
        for row, texts in enumerate(cells):
            for column, text in enumerate(texts):
                page.put(60 + 130 * column, 60 + 30 * row, 190 + 130 * column, 90 + 30 * row, text)
        page.add_page()
    assert rows(page.read()) == [
        ["No.", "Matter", "Basis"],
        ["1", "Permit to build", "Rules of the city"],
        ["2", "Licence", "Law"],
    ]


def test_a_frame_around_the_page_is_no_table() -> None:
    page = Ruled()
    page.rect(40, 40, 500, 700)
    page.rect(60, 600, 100, 60)
    page.text(60, 80, "Text in a frame.")
    page.text(64, 620, "A box.")
    document = page.read()
    assert document.tables == ()
    assert paragraphs(document) == ["Text in a frame.", "A box."]


def test_a_slanting_watermark_stays_out_of_cells() -> None:
    page = Ruled()
    page.add_page()
    page.add_page()
    for number in (1, 2, 3):
        page.page = number
        for row in range(3):
            page.put(60, 60 + 60 * row, 260, 120 + 60 * row, f"Matter {number}{row}")
            page.put(260, 60 + 60 * row, 460, 120 + 60 * row, f"{number}{row}0 yuan")
        with page.rotation(45, 260, 150):
            page.text(200, 150, "DRAFT")
    document = page.read()
    assert [row for row in rows(document) if len(row) != 2] == []
    assert all("D" not in cell and "T" not in cell for row in rows(document) for cell in row)


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_read_as_it_is_to_be_held(turn: int, said: bool) -> None:
    page = Ruled(format=(600, 600))
    with page.rotation(turn, 300, 300):
        page.text(60, 60, "The yearly allowances are these.")
        for row, cells in enumerate([("Group", "Yuan a month"), ("Children", "880"), ("Students", "1200")]):
            for column, text in enumerate(cells):
                page.put(60 + 100 * column, 80 + 30 * row, 160 + 100 * column, 110 + 30 * row, text)
    data = bytes(page.output())
    if said:
        document = pypdfium2.PdfDocument(data)
        document[0].set_rotation(turn)
        output = io.BytesIO()
        document.save(output)
        data = output.getvalue()
    read = read_document(data, "a.pdf")
    assert rows(read) == [["Group", "Yuan a month"], ["Children", "880"], ["Students", "1200"]]
    assert "The yearly allowances are these." in paragraphs(read)


def test_a_page_of_ten_thousand_is_refused_at_once() -> None:
    kids = " ".join("3 0 R" for _ in range(10_000))
    data = (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        f"2 0 obj<</Type/Pages/Count 10000/Kids[{kids}]>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>endobj\ntrailer<</Root 1 0 R>>\n"
    ).encode()
    with pytest.raises(UnreadableDocument, match="10,000 pages and the limit is 3,000"):
        read_document(data, "a.pdf")


LEFT = [
    "The park rules of the city say that a", "manager gets a yearly award of up to", "thirty million yuan after an annual",
    "assessment by the bureau of industry.", "Applications go to the bureau before", "the end of March of every single year.",
]  # fmt: skip
RIGHT = [
    "Doctors who come to work in the city", "receive a settlement allowance of one", "hundred and fifty thousand yuan in all",
    "and a rent subsidy for three full years", "which the bureau of human resources", "pays every month to their accounts.",
]  # fmt: skip


def two_columns(left: list[str], right: list[str], *, by_rows: bool) -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=10)
    pdf.text(20, 25, "The rules of the city of Haizhou for its parks and for people of talent who come to work there")
    lines = [(20, row, text) for row, text in enumerate(left)] + [(110, row, text) for row, text in enumerate(right)]
    for x, row, text in sorted(lines, key=lambda line: line[1] if by_rows else 0):
        pdf.text(x, 40 + 6 * row, text)
    pdf.text(
        20, 100, "The bureau of industry of the city of Haizhou explains these rules to whoever wants to know them"
    )
    return bytes(pdf.output())


@pytest.mark.parametrize("by_rows", [True, False])
def test_columns_are_read_one_after_the_other(by_rows: bool) -> None:
    text = " ".join(read_document(two_columns(LEFT, RIGHT, by_rows=by_rows), "a.pdf").text.split())
    places = [text.index(words) for words in ("The rules of the city", *LEFT, *RIGHT, "The bureau of industry of")]
    assert places == sorted(places)


def test_the_cells_of_a_table_without_lines_stay_beside_each_other() -> None:
    names = ["District", "East", "West", "North", "South", "Centre"]
    sums = ["Yuan a month", "880", "760", "700", "640", "900"]
    text = read_document(two_columns(names, sums, by_rows=True), "a.pdf").text
    assert text.index("East") < text.index("880") < text.index("West") < text.index("760")
