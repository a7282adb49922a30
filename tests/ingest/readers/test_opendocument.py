"""OpenDocument files: sheets with repeated and merged cells, texts with headings, lists and tables."""

from __future__ import annotations

import pytest

from evaluation.scoreboard.office_files import opendocument, package
from ingest.errors import UnreadableDocument
from ingest.readers import read_document
from vectorstore.passage import Document

P = "<text:p>{}</text:p>"


def ods(body: str, styles: str = "") -> Document:
    return read_document(package(opendocument("spreadsheet", body, styles)), "标准.ods")


def odt(body: str, styles: str = "") -> Document:
    return read_document(package(opendocument("text", body, styles)), "办法.odt")


def tables(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.tables]


def cell(text: str, attributes: str = "") -> str:
    return f"<table:table-cell {attributes}>{P.format(text)}</table:table-cell>"


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


COVERED = "<table:covered-table-cell/>"


def test_sheets_are_headings_and_tables_with_merges_resolved() -> None:
    document = ods(
        '<table:table table:name="补贴标准"><table:table-header-rows>'
        + row(cell("地区"), cell("标准", 'table:number-columns-spanned="2"'), COVERED, cell("备注"))
        + "</table:table-header-rows>"
        + row(cell("东浦区", 'table:number-rows-spanned="2"'), cell("880元", 'table:number-columns-repeated="2"'))
        + row(COVERED, cell("770元"), '<table:table-cell table:number-columns-repeated="16381"/>')
        + row(
            '<table:table-cell table:number-columns-repeated="16384"/>',
            attributes='table:number-rows-repeated="1048573"',
        )
        + '</table:table><table:table table:name="Sheet2"/>'
    )
    assert document.text == "补贴标准\n地区 | 标准 |  | 备注\n东浦区 | 880元 | 880元\n东浦区 | 770元\n"
    assert tables(document) == ["地区 | 标准 |  | 备注\n东浦区 | 880元 | 880元\n东浦区 | 770元"]
    assert document.media_type == "application/vnd.oasis.opendocument.spreadsheet"


def test_values_are_as_shown_and_dates_in_one_form() -> None:
    document = ods(
        '<table:table table:name="值">'
        + row(
            cell("2016年8月29日", 'office:value-type="date" office:date-value="2016-08-29T00:00:00"'),
            cell("12.5%", 'office:value-type="percentage" office:value="0.125"'),
            '<table:table-cell office:value-type="float" office:value="20"/>',
            "<table:table-cell><office:annotation><text:p>批注</text:p></office:annotation><text:p>first</text:p><text:p>second</text:p></table:table-cell>",
        )
        + "</table:table>"
    )
    assert tables(document) == ["2016-08-29 | 12.5% | 20 | first second"]


def test_hidden_sheets_are_left_out_and_named() -> None:
    styles = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    document = ods(
        '<table:table table:name="公开">' + row(cell("甲"), cell("乙")) + "</table:table>"
        '<table:table table:name="草稿" table:style-name="ta2">' + row(cell("丙"), cell("丁")) + "</table:table>",
        styles,
    )
    assert (document.text, document.notes) == ("公开\n甲 | 乙\n", ("Hidden sheets left out: 1.",))


def test_a_filled_cell_repeated_without_measure_is_refused() -> None:
    body = '<table:table table:name="a">' + row(
        cell("x", 'table:number-columns-repeated="16384"'), attributes='table:number-rows-repeated="1048576"'
    )
    with pytest.raises(UnreadableDocument, match="filled cells"):
        ods(body + "</table:table>")


def test_a_text_has_headings_lines_and_tables_in_order() -> None:
    document = odt(
        '<text:h text:outline-level="2">第一章 总则</text:h>'
        '<text:p>第一条<text:s text:c="2"/>内容<text:note><text:p>脚注</text:p></text:note>。<text:line-break/>下一行'
        "<text:span>粗体</text:span></text:p>"
        "<text:tracked-changes><text:p>旧文</text:p></text:tracked-changes>"
        "<text:section><table:table>"
        + row(cell("地区"), cell("标准"))
        + row(cell("东浦区"), cell("880元"))
        + "</table:table></text:section><text:p>结束。</text:p>"
    )
    assert document.text == "第一章 总则\n第一条  内容。\n下一行粗体\n地区 | 标准\n东浦区 | 880元\n结束。\n"
    assert [(heading.start, heading.level) for heading in document.headings] == [(0, 2)]
    assert tables(document) == ["地区 | 标准\n东浦区 | 880元"]


def test_list_numbers_are_written_out() -> None:
    styles = (
        '<text:list-style style:name="L1">'
        '<text:list-level-style-number text:level="1" style:num-format="一, 二, 三, ..." style:num-prefix="第" style:num-suffix="条"/>'
        '<text:list-level-style-number text:level="2" style:num-format="1" style:num-suffix="." text:display-levels="1"/>'
        "</text:list-style>"
        '<text:list-style style:name="L2"><text:list-level-style-bullet text:level="1" text:bullet-char="-"/></text:list-style>'
    )
    document = odt(
        '<text:list text:style-name="L1"><text:list-item><text:p>总则。</text:p></text:list-item><text:list-item><text:p>对象。</text:p>'
        "<text:p>同条第二款。</text:p>"
        "<text:list><text:list-item><text:p>细目。</text:p></text:list-item></text:list></text:list-item></text:list>"
        '<text:list text:style-name="L1" text:continue-numbering="true"><text:list-item><text:p>附则。</text:p></text:list-item></text:list>'
        '<text:list text:style-name="L2"><text:list-item><text:p>要点</text:p></text:list-item></text:list>',
        styles,
    )
    assert document.text == "第一条 总则。\n第二条 对象。\n同条第二款。\n1. 细目。\n第三条 附则。\n• 要点\n"


def test_a_page_laid_out_in_a_table_is_text() -> None:
    inner = "<table:table>" + row(cell("地区"), cell("标准")) + row(cell("东浦区"), cell("880元")) + "</table:table>"
    document = odt(
        f"<table:table>{row('<table:table-cell><text:p>通知</text:p>' + inner + '</table:table-cell>')}</table:table>"
    )
    assert document.text == "通知\n地区 | 标准\n东浦区 | 880元\n"
    assert tables(document) == ["地区 | 标准\n东浦区 | 880元"]


def test_tables_within_tables_within_tables_lose_no_text() -> None:
    inner = "<text:p>最里层</text:p>"
    for name in ("里", "中", "外"):
        layout = row(f"<table:table-cell><text:p>{name}</text:p>{inner}</table:table-cell>", cell("旁"))
        inner = f"<table:table>{layout}</table:table>"
    assert odt(inner).text == "外\n中\n里 最里层 | 旁\n旁\n旁\n"


def test_parts_nested_without_measure_are_refused() -> None:
    depth = 100
    with pytest.raises(UnreadableDocument, match=r"nested|damaged"):
        odt("<text:section>" * depth + "<text:p>x</text:p>" + "</text:section>" * depth)


@pytest.mark.parametrize("content", ["<broken", "<a/>", ""])
def test_a_damaged_body_is_refused(content: str) -> None:
    parts = {**opendocument("text", ""), "content.xml": content}
    with pytest.raises(UnreadableDocument):
        read_document(package(parts), "a.odt")
