"""Markdown: kept as it stands, with the places of its parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import UnreadableDocument
from ingest.readers import read_document

SOURCE = """---
title: 海州市安居办法
date: 2024-05-01
---
# 海州市安居办法 #

第一章 总则
-----------

第一条 每月补贴800元。

<!-- 内部备注 -->

| 对象 | 标准 |
| --- | ---: |
| 博士 | 15万元 |

```
# 不是标题
```
"""


def test_the_text_stays_as_it_is() -> None:
    assert read_document(SOURCE.encode(), "a.md").text == SOURCE


def test_headings_of_both_styles_are_found_without_their_marks() -> None:
    document = read_document(SOURCE.replace("\n", "\r\n").encode(), "a.md")
    found = [(document.text[heading.start : heading.end], heading.level) for heading in document.headings]
    assert found == [("海州市安居办法", 1), ("第一章 总则", 2)]


def test_front_matter_comments_and_table_rules_are_boilerplate() -> None:
    document = read_document(SOURCE.encode(), "a.md")
    marked = [document.text[start:end] for start, end in document.boilerplate]
    assert [text.strip() for text in marked] == [
        SOURCE[: SOURCE.index("# 海")].strip(),
        "<!-- 内部备注 -->",
        "| --- | ---: |",
    ]


def test_a_table_is_found_whole() -> None:
    document = read_document(SOURCE.encode(), "a.md")
    assert [document.text[start:end] for start, end in document.tables] == [
        "| 对象 | 标准 |\n| --- | ---: |\n| 博士 | 15万元 |"
    ]


@given(st.text(alphabet="#-=|*>`\n \t1.ab条[]()!<>", max_size=200))
def test_spans_lie_within_any_text(text: str) -> None:
    try:
        document = read_document(f"x{text}".encode(), "a.md")
    except UnreadableDocument:
        return
    size = len(document.text)
    for heading in document.headings:
        assert 0 <= heading.start < heading.end <= size
        assert document.text[heading.start : heading.end].strip() == document.text[heading.start : heading.end]
    for start, end in (*document.tables, *document.boilerplate):
        assert 0 <= start < end <= size
