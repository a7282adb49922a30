"""Web pages: visible text in order, menus as boilerplate, tables as rows."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from ingest.errors import UnreadableDocument
from ingest.readers import read_document
from vectorstore.passage import Document


def page(body: str, head: str = "") -> Document:
    return read_document(f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode(), "page.html")


def lines(document: Document) -> list[str]:
    return document.text.splitlines()


def marked(document: Document) -> str:
    return "\n".join(document.text[start:end] for start, end in document.boilerplate)


def rows(document: Document) -> list[str]:
    return [line for start, end in document.tables for line in document.text[start:end].split("\n")]


def test_blocks_become_lines_and_inline_markup_does_not() -> None:
    document = page("<p>给予<b>最高</b><span>300万元</span>奖励。</p><div>第二段<br>第三段</div>")
    assert lines(document) == ["给予最高300万元奖励。", "第二段", "第三段"]


def test_line_breaks_of_the_source_put_no_space_into_chinese() -> None:
    assert lines(page("<p>企业应当\n    按时申报\n  2024 plan\n  of work。</p>")) == [
        "企业应当按时申报 2024 plan of work。"
    ]


def test_headings_keep_their_level_and_place() -> None:
    document = page("<h1>海州市办法</h1><h2>第一章 总则</h2><p>正文在这里。</p>")
    found = [(document.text[heading.start : heading.end], heading.level) for heading in document.headings]
    assert found == [("海州市办法", 1), ("第一章 总则", 2)]


def test_scripts_styles_and_hidden_parts_are_no_text() -> None:
    document = page(
        "<script>var a='脚本'</script><style>p{}</style><p style='display: none'>隐藏</p><p hidden>也隐藏</p>"
        "<!-- 注释 --><noscript>请启用脚本</noscript><p>只有这一句可见。</p>"
    )
    assert lines(document) == ["只有这一句可见。"]


def test_menus_stay_in_the_text_as_boilerplate() -> None:
    document = page(
        "<nav>首页 新闻</nav><div class='breadcrumb'>首页 &gt; 政策</div><p>企业可以申请补贴，每户最高10万元。</p>"
        "<ul><li><a href='/1'>关于召开会议的通知</a></li><li><a href='/2'>另一条新闻的标题</a></li></ul>"
        "<footer>海州市政府办公室主办</footer>"
    )
    assert "首页 新闻" in document.text
    for furniture in ("首页 新闻", "首页 > 政策", "关于召开会议的通知", "另一条新闻的标题", "主办"):
        assert furniture in marked(document)
    assert "最高10万元" not in marked(document)


def test_links_to_attachments_stay() -> None:
    document = page("<p>详见附件，请遵照执行。</p><p><a href='/f/1.docx'>附件1：申报表</a></p>")
    assert "申报表" not in marked(document)


def test_a_wrapper_named_like_a_menu_does_not_hide_the_page() -> None:
    document = page("<div class='nav-wrap menu'><p>" + "企业按照本办法申请补贴。" * 20 + "</p></div>")
    assert marked(document) == ""


def test_a_page_of_links_alone_has_no_text_of_its_own() -> None:
    with pytest.raises(UnreadableDocument, match="without a text of its own"):
        page("".join(f"<p><a href='/{number}'>新闻标题{number}</a></p>" for number in range(5)))


def test_a_data_table_becomes_rows() -> None:
    document = page("<table><tr><th>地区</th><th>标准</th></tr><tr><td>东浦区</td><td>每月<br>880元</td></tr></table>")
    assert rows(document) == ["地区 | 标准", "东浦区 | 每月 880元"]


def test_a_short_merged_label_is_repeated_in_its_rows() -> None:
    document = page(
        "<table><tr><td rowspan=3 colspan=2>低收入家庭</td><td>1人</td><td>500元</td></tr>"
        "<tr><td>2人</td><td>900元</td></tr><tr><td>3人</td><td rowspan=x>1200元</td></tr></table>"
    )
    assert rows(document) == ["低收入家庭 | 1人 | 500元", "低收入家庭 | 2人 | 900元", "低收入家庭 | 3人 | 1200元"]


def test_a_layout_table_is_no_table() -> None:
    document = page("<table><tr><td>栏目</td><td><table><tr><td>第一段。</td></tr></table></td></tr></table>")
    assert document.tables == ()
    assert lines(document) == ["栏目", "第一段。"]


def test_title_and_meta_tags_go_into_the_metadata_without_a_place() -> None:
    metadata = page(
        "<p>正文只有这一句话。</p>",
        "<title>办法 - 海州市政府</title><meta name='PubDate' content='2024-3-5 10:00'>"
        "<meta name='ContentSource' content='海州市财政局'>",
    ).metadata
    assert (metadata.title, metadata.published, metadata.issuer) == ("办法 - 海州市政府", "2024-03-05", "海州市财政局")
    assert not metadata.spans


def test_deep_nesting_and_unclosed_tags_are_survived() -> None:
    assert "最里面" in page("<div>" * 200 + "最里面的一句话。").text
    with suppress(UnreadableDocument):
        read_document(("<html>" + "<div><table><tr><td>" * 20_000 + "深").encode(), "deep.html")


def test_long_runs_of_white_space_take_no_time() -> None:
    started = time.perf_counter()
    document = page("<p>开始" + " " * 300_000 + "结束。</p>")
    assert lines(document) == ["开始 结束。"]
    assert time.perf_counter() - started < 5


def test_a_page_beyond_the_parser_is_refused_with_the_limit() -> None:
    with pytest.raises(UnreadableDocument, match="limit is 4,194,304"):
        page("<p>" + "补贴" * 2_100_000 + "</p>")
