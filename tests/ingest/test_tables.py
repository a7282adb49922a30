"""What a table's rows are read with: caption, unit, header of several levels, labels; what only looks like a header."""

from __future__ import annotations

import pytest

from ingest.preparing import prepare
from ingest.readers import read_document
from ingest.splitting import split
from vectorstore.passage import Document, Passage
from vectorstore.tables import cell_spans


def page(table: str, before: str = "<p>海州市补贴办法规定了下列标准，请各单位遵照执行。</p>") -> Document:
    return read_document(f"<html><body><h1>海州市补贴办法</h1>{before}{table}</body></html>".encode(), "page.html")


def rows(document: Document) -> dict[str, list[str]]:
    """Each row with the lines that it is read with."""
    return {
        document.text[passage.start : passage.end]: [document.text[slice(*span)] for span in passage.context]
        for passage in split(document)
        if passage.kind == "row"
    }


def table(*lines: str) -> str:
    cells = [[f"<td>{cell}</td>" for cell in line.split("|")] for line in lines]
    return "<table>" + "".join(f"<tr>{''.join(row)}</tr>" for row in cells) + "</table>"


def test_a_row_is_read_with_the_names_of_the_columns() -> None:
    found = rows(page(table("地区|补贴标准", "东浦区|每月880元", "西岭区|每月760元")))
    assert found["东浦区 | 每月880元"] == ["地区 | 补贴标准"]
    assert found["西岭区 | 每月760元"] == ["地区 | 补贴标准"]
    assert found["地区 | 补贴标准"] == []


def test_caption_and_unit_stand_above_the_table_or_in_its_first_row() -> None:
    above = "<p>表1 各区补贴标准</p><p>单位：元/月</p>"
    found = rows(page(table("地区|补贴标准", "东浦区|880"), before=above))
    assert found["东浦区 | 880"] == ["表1 各区补贴标准", "单位：元/月", "地区 | 补贴标准"]
    inside = "<table><tr><td colspan=2>各区补贴标准</td></tr><tr><td>地区</td><td>标准</td></tr>"
    inside += "<tr><td>东浦区</td><td>880元</td></tr></table>"
    assert rows(page(inside))["东浦区 | 880元"][0] == "各区补贴标准"


def test_a_paragraph_above_is_no_caption() -> None:
    found = rows(page(table("地区|补贴标准", "东浦区|880元")))
    assert found["东浦区 | 880元"] == ["地区 | 补贴标准"]


def test_a_header_of_two_levels_belongs_to_every_row() -> None:
    html = (
        "<table><tr><td rowspan=2>对象</td><td colspan=2>收入限额</td></tr><tr><td>年</td><td>月</td></tr>"
        "<tr><td>1人户</td><td>35000元</td><td>2900元</td></tr></table>"
    )
    found = rows(page(html))
    assert found["1人户 | 35000元 | 2900元"] == ["对象 | 收入限额", "对象 | 年 | 月"]


def test_a_line_across_heads_the_rows_below_it() -> None:
    html = (
        "<table><tr><td>指标</td><td>分值</td><td>材料</td></tr><tr><td colspan=3>一、基础分</td></tr>"
        "<tr><td>本科</td><td>80分</td><td>毕业证</td></tr><tr><td colspan=3>二、加分</td></tr>"
        "<tr><td>献血</td><td>2分</td><td>献血证</td></tr></table>"
    )
    found = rows(page(html))
    assert found["本科 | 80分 | 毕业证"] == ["指标 | 分值 | 材料", "一、基础分"]
    assert found["献血 | 2分 | 献血证"] == ["指标 | 分值 | 材料", "二、加分"]


@pytest.mark.parametrize(
    "lines",
    [
        ("东浦区|880元", "西岭区|760元"),  # values
        (
            "以服务地申请|父母在同一区|积一方的分",
            "以服务地申请|父母在不同区|积申请地的分",
        ),  # a label that goes on below
        (
            "申请条件的说明文字很长，长到谁也不会把它当作一列的名字，因为列名总是很短的，不会写成这样一段话|内容",
            "甲|乙",
        ),
    ],
)
def test_a_first_row_that_names_nothing_is_no_header(lines: tuple[str, ...]) -> None:
    found = rows(page(table(*lines)))
    assert all(context == [] for context in found.values())


def test_years_may_name_columns() -> None:
    found = rows(page(table("地区|2024年|2025年", "东浦区|880元|900元")))
    assert found["东浦区 | 880元 | 900元"] == ["地区 | 2024年 | 2025年"]


def test_columns_stay_where_they_are_beside_empty_cells() -> None:
    document = page(table("镇街|学校|计划数|备注", "|第一小学|20|", "桥东||30|停招"))
    lines = document.text[slice(*document.tables[0])].split("\n")
    assert lines == ["镇街 | 学校 | 计划数 | 备注", "| 第一小学 | 20", "桥东 |  | 30 | 停招"]
    start = document.text.index("| 第一小学")
    cells = [document.text[slice(*cell)] for cell in cell_spans(document.text, (start, start + len(lines[1])))]
    assert cells == ["", "第一小学", "20"]


def test_words_set_apart_and_bars_in_cells() -> None:
    document = page(table("科 目|满 分 值|说 明", "语 文|120分|闭 卷（含听写）", "甲|乙|a|b"))
    assert "科目 | 满分值 | 说明\n语文 | 120分 | 闭卷（含听写）" in document.text


def test_a_long_row_is_read_cell_by_cell_with_its_label_and_the_column() -> None:
    long = "具有本市户籍的学生由户籍所在地的学校安排入学。" * 30
    found = page(table("城市|小学入学|初中入学", f"海州市|{long}|按片区入学", "云川市|随到随读|就近入学"))
    pieces = [
        passage
        for passage in split(found)
        if passage.context and found.text[passage.start : passage.end].startswith("具有")
    ]
    assert len(pieces) > 1
    for passage in pieces:
        assert passage.kind == "text"
        assert [found.text[slice(*span)] for span in passage.context] == ["小学入学", "海州市"]


def test_a_table_that_goes_on_keeps_the_header() -> None:
    text = "地区 | 标准\n东浦区 | 880元\n— 1 —\n西岭区 | 760元\n南屿区 | 700元\n"
    mark = text.index("— 1")
    document = Document(
        "a.txt", "text/plain", text, tables=((0, mark - 1), (mark + 6, len(text))), boilerplate=((mark, mark + 5),)
    )
    assert rows(document)["南屿区 | 700元"] == ["地区 | 标准"]


def clause_of(found: tuple[Passage, ...], place: int) -> str:
    return next(passage for passage in found if passage.start <= place < passage.end).clause(place)


ARTICLES = """海州市园区奖励办法

第一章 总则

第一条 为了支持园区，制定本办法。

第二条 本办法所称园区，是指市级园区。

市级园区由市政府认定。具备下列条件的可以申请：

（一）面积不少于100亩；

（二）入驻企业不少于20家，包括：

1. 工业企业；

2. 服务企业；

（三）其他条件。

第三条 申请奖励应当提交：

（一）申请表；

（二）审计报告。

第二章 附则

第四条 本办法自发布之日起施行。
"""


@pytest.mark.parametrize(
    ("words", "clause"),
    [
        ("为了支持园区", "第一条"),
        ("本办法所称园区", "第二条第一款"),
        ("市级园区由市政府认定", "第二条第二款"),
        ("面积不少于", "第二条第二款第（一）项"),
        ("服务企业；", "第二条第二款第（二）项第2目"),
        ("其他条件", "第二条第二款第（三）项"),
        ("审计报告", "第三条第（二）项"),
        ("自发布之日起", "第四条"),
        ("总则", ""),
    ],
)
def test_the_clause_that_words_stand_in(words: str, clause: str) -> None:
    document, passages = prepare(ARTICLES.encode(), "rules.txt")
    assert clause_of(passages, document.text.index(words)) == clause


def test_items_outside_articles_are_named_under_their_heading() -> None:
    text = "海州市园区通知\n\n一、支持措施\n\n（一）给予租金补贴，每年不超过100万元，由区财政承担。\n\n（二）给予设备补贴。\n"
    document, passages = prepare(text.encode(), "notice.txt")
    assert clause_of(passages, document.text.index("设备补贴")) == "第（二）项"
