"""Laying a document out: every character once, the quote marked wherever it runs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.layout import Part, Piece, lay_out
from vectorstore.passage import Document, Heading


def pieces(parts: list[Part]) -> list[Piece]:
    found: list[Piece] = []
    for part in parts:
        found += part.pieces
        found += [piece for row in part.rows for cell in row for piece in cell]
        found += pieces(list(part.parts))
    return found


def marked(parts: list[Part]) -> str:
    return "".join(piece.text for piece in pieces(parts) if piece.marked)


def solid(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(st.text("ab甲乙 \n\r\u3000。|<", max_size=60), st.data())
def test_every_character_is_shown_and_exactly_the_quote_is_marked(text: str, data: st.DataObject) -> None:
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    cut = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    boilerplate = ((cut[0], cut[1]),) if cut[0] < cut[1] else ()
    parts = lay_out(Document("a", "text/plain", text, boilerplate=boilerplate), (start, end))
    assert solid("".join(piece.text for piece in pieces(parts))) == solid(text)
    assert solid(marked(parts)) == solid(text[start:end])
    assert [piece.first for piece in pieces(parts) if piece.marked][:1] in ([], [True])
    assert sum(piece.first for piece in pieces(parts)) <= 1


def test_a_quote_may_run_over_lines_cells_and_headings() -> None:
    text = "标题\n第一行的话\n甲 | 乙 | 丙\n最后一行"
    document = Document("a", "text/plain", text, headings=(Heading(0, 2, 1),), tables=((9, 18),))
    parts = lay_out(document, (5, 15))
    assert [part.kind for part in parts] == ["heading", "text", "table", "text"]
    assert marked(parts) == "行的话甲乙"
    assert [piece.text for piece in pieces(parts) if piece.first] == ["行的话"]


def test_tables_keep_rows_and_cells() -> None:
    text = "表\n甲 | 乙\n1 | 2\n完"
    (table,) = [part for part in lay_out(Document("a", "text/html", text, tables=((2, 13),))) if part.kind == "table"]
    assert [[cell[0].text for cell in row] for row in table.rows] == [["甲", "乙"], ["1", "2"]]


def test_neighbouring_lines_of_furniture_fold_into_one() -> None:
    text = "正文\n分享\n推荐阅读\n正文二"
    parts = lay_out(Document("a", "text/html", text, boilerplate=((3, 5), (6, 10))))
    assert [(part.kind, len(part.parts)) for part in parts] == [("text", 0), ("furniture", 2), ("text", 0)]


def test_pages_are_counted_from_one_and_marked_where_they_turn() -> None:
    parts = lay_out(Document("a", "application/pdf", "一\n二\n三", pages=(0, 2, 4)))
    assert [(part.kind, part.level) for part in parts if part.kind == "page"] == [("page", 2), ("page", 3)]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("第一章 总则", 2),
        ("第二节 奖励标准", 3),
        ("一、总体要求", 3),
        ("（一）培育龙头企业", 4),
        ("第五条 对园区给予奖励。", 0),
        ("（一）对园区给予奖励；", 0),
        ("普通的一行", 0),
    ],
)
def test_headings_without_markup_are_told_by_their_numbers(line: str, level: int) -> None:
    (part,) = lay_out(Document("a", "text/plain", line))
    assert (part.kind, part.level) == ("heading" if level else "text", level)


def test_markdown_marks_are_not_shown() -> None:
    text = "## 第一章\n| 甲 | 乙 |\n| --- | --- |\n| 1 | 2 |"
    parts = lay_out(Document("a", "text/markdown", text, headings=(Heading(0, 6, 2),), tables=((7, 40),)))
    assert [piece.text for piece in pieces(parts)] == ["第一章", "甲", "乙", "1", "2"]
