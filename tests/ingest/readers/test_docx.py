"""Word documents: body order, headings, numbers of lists, tables, and packages that must not be opened."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from ingest.errors import UnreadableDocument
from ingest.readers import package, read_document
from ingest.readers.docx_numbering import chinese_numeral, numeral
from vectorstore.passage import Document

Word = docx.document.Document


def made(write: Callable[[Word], None]) -> bytes:
    opened = docx.Document()
    write(opened)
    buffer = io.BytesIO()
    opened.save(buffer)
    return buffer.getvalue()


def read(write: Callable[[Word], None]) -> Document:
    return read_document(made(write), "办法.docx")


def repacked(data: bytes, **changes: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, changes.get(part.filename, old.read(part)))
        for name in changes.keys() - set(old.namelist()):
            new.writestr(name, changes[name])
    return buffer.getvalue()


def test_paragraphs_and_tables_keep_the_order_of_the_body() -> None:
    def write(word: Word) -> None:
        word.add_paragraph("表格之前。")
        table = word.add_table(rows=2, cols=2)
        for cell, text in zip(table._cells, ("地区", "标准", "东浦区", "每月880元"), strict=True):
            cell.text = text
        word.add_paragraph("表格之后。")

    document = read(write)
    assert document.text == "表格之前。\n地区 | 标准\n东浦区 | 每月880元\n表格之后。\n"
    assert [document.text[start:end] for start, end in document.tables] == ["地区 | 标准\n东浦区 | 每月880元"]


def test_headings_are_told_by_their_style() -> None:
    def write(word: Word) -> None:
        word.add_heading("海州市办法", level=0)
        word.add_heading("第一章 总则", level=1)
        word.add_heading("适用范围", level=2)
        word.add_paragraph("正文。")

    document = read(write)
    found = [(document.text[heading.start : heading.end], heading.level) for heading in document.headings]
    assert found == [("海州市办法", 1), ("第一章 总则", 1), ("适用范围", 2)]


def test_a_merged_label_is_repeated_downwards_and_counts_once_across() -> None:
    def write(word: Word) -> None:
        table = word.add_table(rows=3, cols=3)
        table.cell(0, 0).merge(table.cell(1, 0)).text = "低收入"
        table.cell(0, 1).text, table.cell(0, 2).text = "1人", "500元"
        table.cell(1, 1).text, table.cell(1, 2).text = "2人", "900元"
        table.cell(2, 0).merge(table.cell(2, 2)).text = "备注"

    assert read(write).text == "低收入 | 1人 | 500元\n低收入 | 2人 | 900元\n备注\n"


def test_a_body_inside_a_layout_table_is_read_as_paragraphs() -> None:
    def write(word: Word) -> None:
        cell = word.add_table(rows=1, cols=1).cell(0, 0)
        cell.text = "第一段。"
        cell.add_paragraph("第二段。")
        cell.add_table(rows=1, cols=1).cell(0, 0).text = "里面的第三段。"

    document = read(write)
    assert document.text == "第一段。\n第二段。\n里面的第三段。\n"
    assert document.tables == ()


def test_insertions_count_and_deletions_do_not() -> None:
    def write(word: Word) -> None:
        paragraph = word.add_paragraph("每年给予")._p
        for xml in (
            f"<w:del {nsdecls('w')}><w:r><w:delText>三百万</w:delText></w:r></w:del>",
            f"<w:ins {nsdecls('w')}><w:r><w:t>五百万元奖励。</w:t></w:r></w:ins>",
        ):
            paragraph.append(parse_xml(xml))

    assert read(write).text == "每年给予五百万元奖励。\n"


def test_numbers_that_word_makes_are_written_out() -> None:
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{shape}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for level, (shape, text) in enumerate([("chineseCounting", "第%1条"), ("chineseCounting", "（%2）")])
    )

    def write(word: Word) -> None:
        root = word.part.numbering_part.element
        root.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{levels}</w:abstractNum>'))
        root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))
        for level, text in [(0, "总的要求。"), (1, "甲。"), (1, "乙。"), (0, "附则。"), (1, "丙。")]:
            properties = word.add_paragraph(text)._p.get_or_add_pPr().get_or_add_numPr()
            properties.get_or_add_numId().set(qn("w:val"), "77")
            properties.get_or_add_ilvl().set(qn("w:val"), str(level))

    assert read(write).text.split("\n")[:-1] == [
        "第一条 总的要求。",
        "（一）甲。",
        "（二）乙。",
        "第二条 附则。",
        "（一）丙。",
    ]


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (101, "一百零一"), (110, "一百一十"), (1010, "一千零一十")],
)
def test_chinese_numerals(number: int, written: str) -> None:
    assert chinese_numeral(number) == written


@pytest.mark.parametrize(
    ("number", "shape", "written"),
    [
        (3, "upperLetter", "C"),
        (28, "lowerLetter", "bb"),
        (9, "upperRoman", "IX"),
        (4, "lowerRoman", "iv"),
        (2, "decimalEnclosedCircle", "②"),
        (7, "decimalZero", "07"),
        (5, "something", "5"),
    ],
)
def test_other_numerals(number: int, shape: str, written: str) -> None:
    assert numeral(number, shape) == written


def test_a_truncated_package_is_refused() -> None:
    data = made(lambda word: word.add_paragraph("正文。"))
    with pytest.raises(UnreadableDocument, match="damaged or incomplete"):
        read_document(data[: len(data) // 2], "a.docx")


def test_a_package_with_a_broken_part_is_refused() -> None:
    data = made(lambda word: word.add_paragraph("正文。"))
    with pytest.raises(UnreadableDocument, match="damaged"):
        read_document(repacked(data, **{"word/document.xml": b"<w:document><unclosed"}), "a.docx")


def test_a_zip_bomb_is_refused_before_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_UNPACKED_BYTES", 4_000_000)
    data = repacked(made(lambda word: word.add_paragraph("正文。")), **{"word/media/image1.bin": bytes(5_000_000)})
    assert len(data) < 100_000
    with pytest.raises(UnreadableDocument, match="unpacks to 6 MiB"):
        read_document(data, "a.docx")


def test_a_text_part_that_unpacks_beyond_the_limit_is_refused() -> None:
    bomb = repacked(
        made(lambda word: word.add_paragraph("正文。")),
        **{"word/document.xml": b" " * (package.MAX_PART_BYTES + 1)},
    )
    with pytest.raises(UnreadableDocument, match="text part unpacks"):
        read_document(bomb, "a.docx")


def test_xml_entities_are_refused() -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    with pytest.raises(UnreadableDocument, match="entities"):
        read_document(
            repacked(made(lambda word: word.add_paragraph("正文。")), **{"word/document.xml": laughs}), "a.docx"
        )


def test_names_that_climb_out_of_the_package_do_no_harm() -> None:
    data = repacked(made(lambda word: word.add_paragraph("正文。")), **{"../../outside.txt": b"x"})
    assert read_document(data, "a.docx").text == "正文。\n"


def test_a_document_without_text_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="no text"):
        read(lambda word: None)
