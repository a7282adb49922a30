"""Workbooks: sheets as headings and tables, values as shown, merges as in every table."""

from __future__ import annotations

import pytest

from evaluation.scoreboard.office_files import inline, ole, package, sheet, xls, xlsx_parts
from ingest.errors import UnreadableDocument
from ingest.readers import read_document, spreadsheet
from ingest.readers.spreadsheet import date_text, number_text
from vectorstore.passage import Document

FORMATS = (
    '<numFmts><numFmt numFmtId="170" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="10"/><xf numFmtId="170"/></cellXfs>'
)


def read(*sheets: tuple[str, str], **options: str) -> Document:
    return read_document(package(xlsx_parts(*sheets, styles=FORMATS, **options)), "标准.xlsx")  # type: ignore[arg-type]


def tables(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.tables]


def test_a_sheet_is_a_heading_and_a_table() -> None:
    document = read(
        (
            "补贴标准",
            sheet(
                {
                    1: [inline("A1", "地区"), inline("B1", "标准")],
                    2: [inline("A2", "东浦区"), '<c r="B2"><v>880</v></c>'],
                }
            ),
        ),
        ("Sheet2", sheet({1: [inline("A1", "甲"), inline("B1", "乙")]})),
        ("空表", sheet({})),
    )
    assert document.text == "补贴标准\n地区 | 标准\n东浦区 | 880\n甲 | 乙\n"
    assert tables(document) == ["地区 | 标准\n东浦区 | 880", "甲 | 乙"]
    assert [(document.text[h.start : h.end], h.level) for h in document.headings] == [("补贴标准", 1)]


@pytest.mark.parametrize("name", ["Sheet1", "sheet 3", "工作表1", "Sheet1 (2)", "表1", "12"])
def test_names_that_say_nothing_are_no_headings(name: str) -> None:
    assert not read((name, sheet({1: [inline("A1", "地区"), inline("B1", "标准")]}))).headings


def test_hidden_sheets_are_left_out_and_named() -> None:
    shown = sheet({1: [inline("A1", "地区"), inline("B1", "标准")]})
    document = read(("公开", shown), ("草稿", sheet({1: [inline("A1", "内部"), inline("B1", "测算")]})), state="hidden")
    assert "内部" not in document.text
    assert document.notes == ("Hidden sheets left out: 1.",)


def test_a_label_merged_over_rows_is_repeated_and_over_columns_it_is_not() -> None:
    rows = {
        1: [inline("A1", "2024年补贴标准")],
        2: [inline("A2", "地区"), inline("B2", "标准")],
        3: [inline("B3", "城镇"), inline("C3", "农村")],
        4: [inline("A4", "东浦区"), inline("B4", "880元"), inline("C4", "660元")],
        5: [inline("B5", "890元"), inline("C5", "670元")],
    }
    document = read(("标准", sheet(rows, ["A1:C1", "A2:A3", "B2:C2", "A4:A5"])))
    assert tables(document) == [
        "2024年补贴标准\n地区 | 标准\n地区 | 城镇 | 农村\n东浦区 | 880元 | 660元\n东浦区 | 890元 | 670元"
    ]


def test_a_long_text_merged_over_rows_stands_once() -> None:
    condition = "申请人应当在本市连续缴纳社会保险满三年。" * 5
    rows = {1: [inline("A1", condition), inline("B1", "甲类")], 2: [inline("B2", "乙类")]}
    assert read(("条件", sheet(rows, ["A1:A2"]))).text.count(condition) == 1


@pytest.mark.parametrize("reference", ["1:1", "A:A", "A1:XFD1048576", "$A$1:$C$2", "A1", "", "nonsense", "C3:A1"])
def test_merges_of_whole_rows_and_columns_do_no_harm(reference: str) -> None:
    document = read(
        ("标准", sheet({1: [inline("A1", "补贴标准")], 2: [inline("A2", "地区"), inline("B2", "标准")]}, [reference]))
    )
    assert "地区 | 标准" in document.text


def test_a_text_of_many_paragraphs_in_a_cell_survives_on_one_line() -> None:
    text = "\n".join(f"第{number}条 申请人应当如实提交材料。" for number in range(1, 400))
    document = read(
        (
            "条例",
            sheet({1: [inline("A1", "名称"), inline("B1", "条文")], 2: [inline("A2", "办法"), inline("B2", text)]}),
        )
    )
    assert " ".join(text.split()) in document.text
    assert len(document.text.splitlines()) == 3


def test_values_are_written_as_the_sheet_shows_them() -> None:
    cells = [
        '<c r="A1" s="1"><v>42611</v></c>',
        '<c r="B1" s="2"><v>0.125</v></c>',
        '<c r="C1" s="3"><v>42611</v></c>',
        '<c r="D1"><v>1200000</v></c>',
        '<c r="E1"><v>0.1</v></c>',
        '<c r="F1" t="b"><v>1</v></c>',
        '<c r="G1" t="e"><v>#REF!</v></c>',
        '<c r="H1" t="str"><v>合计</v></c>',
        '<c r="I1"><v>1.2E-2</v></c>',
    ]
    assert (
        read(("值", sheet({1: cells}))).text
        == "值\n2016-08-29 | 12.5% | 2016-08-29 | 1200000 | 0.1 | TRUE | 合计 | 0.012\n"
    )


def test_shared_strings_leave_out_readings_and_join_runs() -> None:
    parts = xlsx_parts(
        ("标准", sheet({1: ['<c r="A1" t="s"><v>0</v></c>', '<c t="s"><v>0</v></c>', '<c t="s"><v>9</v></c>']}))
    )
    strings = str(parts["xl/sharedStrings.xml"]).replace(
        "></sst>", "><si><r><t>每月</t></r><r><t>880元</t></r><rPh><t>mei yue</t></rPh></si></sst>"
    )
    document = read_document(package({**parts, "xl/sharedStrings.xml": strings}), "a.xlsx")
    assert document.text == "标准\n每月880元 | 每月880元\n"


def test_cells_without_references_stand_one_after_another() -> None:
    content = (
        "<sheetData><row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c><c/><c><v>4</v></c></row></sheetData>"
    )
    assert read(("数", content)).text == "数\n1 | 2\n3 |  | 4\n"


def test_text_in_one_column_is_no_table() -> None:
    document = read(("说明", sheet({1: [inline("A1", "申领说明")], 2: [inline("A2", "每月十日前申报。")]})))
    assert (document.text, document.tables) == ("说明\n申领说明\n每月十日前申报。\n", ())


def test_rows_far_apart_are_tables_of_their_own() -> None:
    rows = {number: [inline(f"A{number}", "地区"), inline(f"B{number}", "标准")] for number in (1, 2, 4, 9)}
    assert len(read(("标准", sheet(rows))).tables) == 2


def test_a_workbook_of_more_cells_than_any_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet.Budget.__init__, "__defaults__", (5, 1_000))
    rows = {number: [inline(f"A{number}", "甲"), inline(f"B{number}", "乙")] for number in range(1, 5)}
    with pytest.raises(UnreadableDocument, match="filled cells"):
        read(("标准", sheet(rows)))


@pytest.mark.parametrize(
    ("value", "code", "identifier", "text"),
    [
        (42611.0, "", 14, "2016-08-29"),
        (42611.5, "yyyy/m/d h:mm", 170, "2016-08-29 12:00"),
        (0.375, "h:mm", 20, "09:00"),
        (42611.0, '"共"0"天"', 170, "42611"),
        (42611.0, "[$-804]aaaa;@", 170, "42611"),
        (0.8, "0.00%", 170, "80%"),
        (1234.5, "#,##0.00", 4, "1234.5"),
        (12.0, "000000", 170, "000012"),
        (1e20, "", 0, "100000000000000000000"),
        (-5.0, "yyyy-mm-dd", 170, "-5"),
        (float("inf"), "", 0, ""),
    ],
)
def test_number_formats(value: float, code: str, identifier: int, text: str) -> None:
    assert number_text(value, code, identifier) == text


def test_days_may_count_from_1904() -> None:
    assert date_text(41149, since_1904=True) == "2016-08-29"


def test_an_old_workbook_reads_like_a_new_one() -> None:
    document = read_document(
        xls(
            [
                (0, 0, "海州市补贴标准"),
                (1, 0, "东浦区"),
                (1, 1, 0.125),
                (2, 1, 20.0),
                (3, 0, "起始日期"),
                (3, 1, 42611.0),
            ],
            merges=[(0, 0, 0, 1), (1, 2, 0, 0)],
            formats=[9, 0, 14],
        ),
        "没有意义的名字.xls",
    )
    assert document.text == "补贴\n海州市补贴标准\n东浦区 | 12.5%\n东浦区 | 20\n起始日期 | 2016-08-29\n"
    assert document.media_type == "application/vnd.ms-excel"


def test_an_encrypted_old_workbook_is_refused_with_the_reason() -> None:
    head = b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(12) + b"\x2f\x00\x36\x00\x01\x00" + bytes(52)
    with pytest.raises(UnreadableDocument, match="password"):
        read_document(ole({"Workbook": head}), "a.xls")
