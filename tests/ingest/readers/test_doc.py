"""Old Word documents: the text as Word shows it, whatever else the file still holds."""

from __future__ import annotations

import struct

import pytest

from evaluation.scoreboard.office_files import IN_TABLE, Paragraph, Piece, cell, change, ole, row_end, word
from ingest.errors import UnreadableDocument
from ingest.readers import read_document
from vectorstore.passage import Document

DELETED, HIDDEN = change(0x0800, b"\x01"), change(0x083C, b"\x01")


def read(*paragraphs: Paragraph | str, **options: object) -> Document:
    made = [Paragraph(part) if isinstance(part, str) else part for part in paragraphs]
    return read_document(word(made, **options), "办法.doc")  # type: ignore[arg-type]


def tables(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.tables]


def test_paragraphs_are_lines_and_styles_are_headings() -> None:
    document = read(Paragraph("第一章 总则", style=1), "第一条 本办法适用于海州市。", Paragraph("附件说明", style=2))
    assert document.text == "第一章 总则\n第一条 本办法适用于海州市。\n附件说明\n"
    assert [(heading.start, heading.level) for heading in document.headings] == [(0, 1), (22, 1)]
    assert document.media_type == "application/msword"


def test_an_outline_level_makes_a_heading_and_takes_one_back() -> None:
    levels = {2: change(0x2640, b"\x01"), 0: change(0x2640, b"\x09")}
    document = read(
        Paragraph("（一）对象", changes=levels[2]), Paragraph("不是标题", style=1, changes=levels[0]), "正文。"
    )
    assert [(heading.start, heading.level) for heading in document.headings] == [(0, 2)]


def test_what_a_fast_save_left_behind_is_not_read() -> None:
    document = read(
        "第一条 补贴标准为每月880元。",
        pieces=[
            Piece("第一条 补贴"),
            Piece("标准为每月", leftover="已删除的旧标准".encode("utf-16-le")),
            Piece("880"),
            Piece("元。\r"),
        ],
    )
    assert document.text == "第一条 补贴标准为每月880元。\n"


def test_text_beyond_the_main_one_is_not_read() -> None:
    assert read("正文。", after="页眉和脚注\r").text == "正文。\n"


def test_pieces_may_be_western_or_chinese_bytes() -> None:
    document = read(
        "正文 caf\xe9 “quoted” 海州市人民政府办公室\r"[:-1],
        pieces=[Piece("正文 "), Piece("caf\xe9 “quoted” ", "cp1252"), Piece("海州市人民政府办公室\r", "gbk")],
    )
    assert document.text == "正文 caf\xe9 “quoted” 海州市人民政府办公室\n"


def test_characters_beyond_the_basic_plane_are_whole() -> None:
    assert read("𠮷林路5号").text == "𠮷林路5号\n"


def test_fields_show_their_results_only() -> None:
    text = "见\x13 HYPERLINK \x13 REF a \x14b\x15 \x14《海州市办法》\x15第\x13 PAGE \x15页，未完\x13 QUOTE"
    assert read(text).text == "见《海州市办法》第页，未完 QUOTE\n"


def test_hidden_and_deleted_text_is_left_out() -> None:
    document = read("每月880元，旧为660元，内部测算。", character_changes=[(7, 14, DELETED), (14, 18, HIDDEN)])
    assert document.text == "每月880元，。\n"


def test_signs_of_symbol_fonts_are_written_out() -> None:
    box = change(0x6A09, struct.pack("<HH", 5, 0xF0A8))
    assert read("(同意", character_changes=[(0, 1, box)]).text == "□同意\n"


def test_pictures_breaks_and_notes_leave_no_marks() -> None:
    assert read("上\x01图\x02注\x08形\x0b下行\x1e连\x1f字").text == "上图注形\n下行-连字\n"


def test_a_table_is_read_by_rows_with_merges_resolved() -> None:
    document = read(
        "表格之前。",
        *(cell("2024年补贴标准"), row_end([0, 6000])),
        *(cell("地区"), cell("人群"), cell("标准"), row_end([0, 2000, 4000, 6000])),
        *(cell("东浦区"), cell("城镇"), cell("880元"), row_end([10, 2000, 4010, 6000], [3, 0, 0])),
        *(cell(""), cell("农村"), cell("660元"), row_end([0, 1990, 4000, 6000], [1, 0, 0])),
        *(cell("西浦区"), cell("不分人群，一律770元"), row_end([0, 2000, 6000])),
        "表格之后。",
    )
    assert tables(document) == [
        "2024年补贴标准\n地区 | 人群 | 标准\n东浦区 | 城镇 | 880元\n东浦区 | 农村 | 660元\n西浦区 | 不分人群，一律770元"
    ]
    assert document.text.startswith("表格之前。\n")
    assert document.text.endswith("\n表格之后。\n")


def test_a_cell_over_two_columns_leaves_the_second_empty() -> None:
    document = read(
        *(cell("地区"), cell("标准"), cell("备注"), row_end([0, 2000, 4000, 6000])),
        *(cell("全市统一"), cell("含补助"), row_end([0, 4000, 6000])),
    )
    assert tables(document) == ["地区 | 标准 | 备注\n全市统一 |  | 含补助"]


def test_a_cell_of_several_paragraphs_is_one_cell() -> None:
    document = read(
        Paragraph("一、城镇居民", changes=IN_TABLE),
        cell("二、农村居民"),
        cell("880元"),
        row_end([0, 2000, 4000]),
        cell("三、其他"),
        cell("660元"),
        row_end([0, 2000, 4000]),
    )
    assert tables(document) == ["一、城镇居民 二、农村居民 | 880元\n三、其他 | 660元"]


def test_a_page_laid_out_in_a_table_is_text() -> None:
    lines = [Paragraph(f"第{number}条 内容。", changes=IN_TABLE) for number in range(1, 12)]
    document = read(*lines, cell("完。"), row_end([0, 6000]))
    assert not document.tables
    assert document.text.startswith("第1条 内容。\n第2条 内容。\n")


def test_nested_tables_keep_their_rows() -> None:
    inner = change(0x2416, b"\x01") + change(0x6649, struct.pack("<I", 2))
    inner_cell, inner_row = inner + change(0x244B, b"\x01"), inner + change(0x244B, b"\x01") + change(0x244C, b"\x01")
    document = read(
        Paragraph("外层说明", changes=IN_TABLE),
        *(
            Paragraph("地区", changes=inner_cell),
            Paragraph("标准", changes=inner_cell),
            Paragraph("", changes=inner_row),
        ),
        *(
            Paragraph("东浦区", changes=inner_cell),
            Paragraph("880元", changes=inner_cell),
            Paragraph("", changes=inner_row),
        ),
        cell("外层结尾"),
        row_end([0, 6000]),
    )
    assert tables(document) == ["地区 | 标准\n东浦区 | 880元"]
    assert document.text.startswith("外层说明\n")
    assert document.text.endswith("外层结尾\n")


def test_list_numbers_are_written_out() -> None:
    def level(start: int, shape: int, text: str) -> bytes:
        return struct.pack("<iB19xBBH", start, shape, 0, 0, 0) + struct.pack("<H", len(text)) + text.encode("utf-16-le")

    lists = struct.pack("<H", 1) + struct.pack("<i22xBB", 77, 0, 0)
    lists += level(1, 39, "第\x00条") + level(1, 0, "\x00.\x01") + b"".join(level(1, 0, "") for _ in range(7))
    overrides = struct.pack("<I", 1) + struct.pack("<i12x", 77)
    first, second = change(0x460B, b"\x01\x00"), change(0x460B, b"\x01\x00") + change(0x260A, b"\x01")
    document = read(
        *(
            Paragraph("总则。", changes=first),
            Paragraph("对象。", changes=first),
            Paragraph("细目。", changes=second),
            "无号。",
        ),
        lists=lists,
        overrides=overrides,
    )
    assert document.text == "第一条 总则。\n第二条 对象。\n二.1 细目。\n无号。\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (word([Paragraph("密文")], flags=0x0300), "password"),
        (ole({"WordDocument": struct.pack("<HH", 0xA5DC, 0x65) + bytes(2000)}), "Word 6 or 95"),
        (ole({"WordDocument": struct.pack("<HH", 0xA5EC, 0x65) + bytes(2000)}), "Word 6 or 95"),
        (ole({"WordDocument": bytes(2000)}), "damaged"),
        (ole({"PowerPoint Document": b"x"}), r"\.ppt"),
        (ole({"EncryptedPackage": b"x", "EncryptionInfo": b"x"}), "password"),
        (ole({"其他": b"x"}), "old Office program"),
        (word([]), "without text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        read_document(data, "办法.doc")


def test_the_same_bytes_under_a_kingsoft_name_are_read() -> None:
    assert read_document(word([Paragraph("第一条 说明。")]), "办法.wps").text == "第一条 说明。\n"


@pytest.mark.parametrize("data", [rb"{\rtf1\ansi text}", "<html><body><p>第一条 说明。</p></body></html>".encode()])
def test_a_file_with_the_wrong_name_goes_by_its_content(data: bytes) -> None:
    assert read_document(data, "办法.doc").media_type in ("application/rtf", "text/html")
