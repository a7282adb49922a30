"""Passages along the structure of a document, and what holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cleaning import mark_boilerplate
from ingest.errors import UnreadableDocument
from ingest.metadata import describe
from ingest.numbering import ANNEX, ARTICLE, CHAPTER, FIRST, FOURTH, SECOND, THIRD, marker_of
from ingest.readers import read_document
from ingest.readers.building import merge_spans
from ingest.splitting import PARAGRAPH_CHARACTERS, PIECE_CHARACTERS, SENTENCE_CHARACTERS, sentence_spans, split
from vectorstore.passage import Document, Passage

STATUTE = """海州市公园条例

第一章 总则

第一条 为了保护公园，制定本条例。

第二条 公园免费开放，但是下列情形除外：

（一）举办大型活动的；

（二）进行维护的。

第二章 管理

第三条 市园林局负责管理公园。

区园林局协助管理。

附件1

收费标准
"""

PLAN = """海州市产业规划

一、总体要求

坚持创新驱动，推动产业集聚发展，到2028年建成十个专业园区，形成研发、制造、服务一体的格局。

二、主要任务

（一）培育龙头企业。每年新增5家营业收入过百亿元的企业，给予最高500万元奖励。

1.支持企业上市。对上市企业给予一次性奖励，按照上市的阶段分期拨付，最高为300万元。

（二）建设园区

每个园区明确一个主导产业，由管理机构负责招商和服务，年度考核结果与奖励挂钩，连续两年不合格的退出。
"""


def passages(text: str, source: str = "文件.txt") -> list[tuple[str, tuple[str, ...]]]:
    document = describe(mark_boilerplate(read_document(text.encode(), source)))
    return [(document.text[passage.start : passage.end], passage.section) for passage in split(document)]


def plain(text: str, **fields: object) -> Document:
    return Document(source="a", media_type="text/plain", text=text, **fields)  # type: ignore[arg-type]


def test_articles_stand_under_their_chapter_and_take_their_clauses_along() -> None:
    found = passages(STATUTE)
    assert found[0][0].startswith("海州市公园条例")
    by_text = dict(found)
    chapter = next(text for text in by_text if "第一章 总则" in text)
    assert "第一条 为了保护公园" in chapter
    assert by_text[chapter] == ("第一章 总则", "第一条")
    exceptions = next(text for text in by_text if text.startswith("第二条"))
    assert exceptions.endswith("（二）进行维护的。")
    assert by_text[exceptions] == ("第一章 总则", "第二条")
    third = next(text for text in by_text if "第三条" in text)
    assert third.startswith("第二章 管理")
    assert third.endswith("区园林局协助管理。")
    assert by_text[third] == ("第二章 管理", "第三条")
    annex = next(text for text in by_text if "收费标准" in text)
    assert by_text[annex] == ("附件1",)


def test_numbered_headings_nest() -> None:
    sections = dict(passages(PLAN))
    leader = next(text for text in sections if "过百亿元" in text)
    assert sections[leader] == ("二、主要任务", "（一）培育龙头企业")
    listing = next(text for text in sections if text.startswith("1.支持企业上市"))
    assert sections[listing] == ("二、主要任务", "（一）培育龙头企业", "1.支持企业上市")
    park = next(text for text in sections if "主导产业" in text)
    assert sections[park] == ("二、主要任务", "（二）建设园区")
    assert park.startswith("（二）建设园区")


def test_markup_headings_nest_and_lose_their_marks() -> None:
    text = "# 海州市办法\n\n## 总则\n\n公园免费开放。\n\n### 例外 ###\n\n活动期间除外。\n\n## 附则\n\n由市局解释。\n"
    sections = dict(passages(text, "a.md"))
    assert sections["### 例外 ###\n\n活动期间除外。"] == ("总则", "例外")
    assert sections["## 附则\n\n由市局解释。"] == ("附则",)


def test_a_short_line_over_a_paragraph_is_a_heading() -> None:
    body = "产业集聚区只有发挥集群效应，才能真正推动产业转型升级，为此提出实施产业集群提升行动。"
    other = "园区管理机构负责招商和服务，年度考核结果与奖励挂钩，连续两年考核不合格的园区退出名单。"
    sections = dict(
        passages(f"海州园区观察\n\n记者 王某\n\n探索新模式，引导产业集聚\n\n{body}\n\n创建“千亿园区”\n\n{other}\n")
    )
    assert sections[f"探索新模式，引导产业集聚\n\n{body}"] == ("探索新模式，引导产业集聚",)
    assert sections[f"创建“千亿园区”\n\n{other}"] == ("创建“千亿园区”",)


def test_the_number_of_a_document_is_no_heading() -> None:
    body = "《海州市公园办法》已经市人民政府同意，现印发给你们，请结合本单位实际认真组织实施。"
    assert {section for _, section in passages(f"海州市公园办法\n\n海政办〔2015〕9号\n\n{body}\n")} == {()}


def test_a_list_of_short_entries_is_no_row_of_headings() -> None:
    found = passages("海州市办法\n\n一、申请材料\n\n1.身份证\n\n2.户口簿\n\n3.学历证书\n\n二、受理\n\n市局受理。\n")
    assert ("一、申请材料\n\n1.身份证\n\n2.户口簿\n\n3.学历证书", ("一、申请材料",)) in found


def test_a_row_is_a_passage_and_never_merged() -> None:
    text = "标准\n地区 | 每月\n东浦 | 880元\n其他说明。\n"
    found = split(plain(text, tables=((3, 20),)))
    assert [(text[passage.start : passage.end], passage.kind) for passage in found] == [
        ("标准", "text"),
        ("地区 | 每月", "row"),
        ("东浦 | 880元", "row"),
        ("其他说明。", "text"),
    ]


def test_kinds_of_items() -> None:
    text = "• 第一项的内容。\n• 第二项的内容。\n"
    assert [passage.kind for passage in split(plain(text))] == ["item"]


def test_a_paragraph_of_moderate_length_stays_whole() -> None:
    text = "园区给予奖励。" * 49
    assert [passage.end - passage.start for passage in split(plain(text))] == [343]


def test_a_long_paragraph_is_cut_after_sentences_into_balanced_pieces() -> None:
    text = "园区管理机构通过考核的，每年给予最高五百万元奖励。" * 31
    found = split(plain(text))
    assert all(text[passage.end - 1] == "。" for passage in found)
    assert all(PIECE_CHARACTERS <= passage.end - passage.start <= PARAGRAPH_CHARACTERS for passage in found)


def test_a_sentence_is_not_cut_below_the_limit() -> None:
    text = "甲，" * 250 + "止。"
    assert len(split(plain(text))) == 1


def test_a_sentence_beyond_the_limit_is_cut_after_a_comma() -> None:
    text = "园区建设，" * 200 + "止。"
    found = split(plain(text))
    assert len(found) > 1
    assert all(text[passage.end - 1] in "，。" for passage in found)


def test_boilerplate_lies_in_no_passage_and_is_not_bridged() -> None:
    text = "前面一句。\n广告\n后面一句。"
    found = split(plain(text, boilerplate=((6, 8),)))
    assert [text[passage.start : passage.end] for passage in found] == ["前面一句。", "后面一句。"]


def test_pages_count_from_one() -> None:
    text = "第一页的内容。\n第二页的内容。\n"
    assert [passage.page for passage in split(plain(text, pages=(0, 8)))] == [1, 2]


def test_lines_wrapped_by_an_editor_are_one_paragraph() -> None:
    sentence = "园区管理机构通过年度考核的由市财政局在每年六月底以前拨付奖励资金专款专用并且接受审计部门的监督"
    text = f"{sentence}\n{sentence}\n不得挪作他用。\n"
    assert len(split(plain(text))) == 1


@pytest.mark.parametrize(
    ("line", "depth", "label"),
    [
        ("第十二条 园区", ARTICLE, "第十二条"),
        ("第 十二 条　园区", ARTICLE, "第十二条"),
        ("第十二条之一 园区", ARTICLE, "第十二条之一"),
        ("第3条【适用范围】", ARTICLE, "第3条"),
        ("**第一条** 园区", ARTICLE, "第一条"),
        ("第一章　总　则", CHAPTER, "第一章"),
        ("一、总体要求", FIRST, "一、"),
        ("（一）目标", SECOND, "（一）"),
        ("(十二)目标", SECOND, "(十二)"),
        ("1.目标", THIRD, "1."),
        ("1．目标", THIRD, "1．"),
        ("（3）目标", FOURTH, "（3）"),
        ("附件2", ANNEX, "附件2"),
        ("附件：申报表", ANNEX, "附件"),
    ],
)
def test_markers(line: str, depth: int, label: str) -> None:
    marker = marker_of(line)
    assert marker is not None
    assert (marker.depth, marker.label) == (depth, label)


@pytest.mark.parametrize(
    "line", ["第三条第二款规定的情形", "第一条、第二条规定", "1.5万元", "一般规定", "附加费用", "3个月", "十二月"]
)
def test_references_and_figures_are_no_markers(line: str) -> None:
    assert marker_of(line) is None


def test_sentences_end_after_closing_quotes() -> None:
    text = "他说：“可以。”然后离开。没有了"
    assert [text[start:end] for start, end in sentence_spans(text, 0, len(text))] == [
        "他说：“可以。”",
        "然后离开。",
        "没有了",
    ]


PARTS = st.sampled_from(
    ["第一章 总则", "第一条 ", "（一）", "一、", "1.", "附件1", "园区给予奖励。", "最高，", "５００万元", "\r\n", "\n", "\n\n", " ", "　", "\ufeff",
     "\u200b", "\x85", "\u2028", " | ", "！？”", "；", "A sentence. Another", "𠮷", "e\u0301", "长" * 130, "长句，" * 120, "- ", "# ", "发表评论"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=400), st.lists(PARTS, max_size=40).map("".join))


def holds(document: Document, found: tuple[Passage, ...]) -> None:
    """What is true of the passages of any document."""
    text = document.text
    covered = bytearray(len(text))
    for start, end in document.boilerplate:
        covered[start:end] = b"b" * (end - start)
    previous = 0
    for position, passage in enumerate(found):
        assert passage.position == position
        assert previous <= passage.start < passage.end <= len(text)
        piece = text[passage.start : passage.end]
        assert piece == piece.strip()
        assert b"b" not in covered[passage.start : passage.end]
        covered[passage.start : passage.end] = b"p" * len(piece)
        assert len(piece) <= SENTENCE_CHARACTERS
        assert all(part == part.strip() and part for part in passage.section)
        assert all(0 <= start < end <= len(text) for start, end in passage.context)
        assert all(passage.start <= place < passage.end for place, _ in passage.clauses)
        assert sorted(passage.clauses) == list(passage.clauses)
        previous = passage.end
    assert all(text[index].isspace() or text[index] == "|" for index, state in enumerate(covered) if not state)


@settings(max_examples=300)
@given(TEXTS, st.data())
def test_invariants_over_any_document(text: str, data: st.DataObject) -> None:
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(lambda pair: (min(pair), max(pair)))
    boilerplate = merge_spans(data.draw(st.lists(places, max_size=3)))
    tables = merge_spans(data.draw(st.lists(places, max_size=2)))
    pages = (0, *sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=3))))
    document = plain(text, boilerplate=boilerplate, tables=tables, pages=pages)
    found = split(document)
    holds(document, found)
    assert found == split(document)


@settings(max_examples=150)
@given(TEXTS, st.sampled_from(["a.txt", "a.md", "a.html"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_invariants_from_bytes_to_passages(text: str, source: str, encoding: str) -> None:
    if source.endswith("html"):
        text = f"<p>{text}</p><p>园区给予奖励，最高五百万元，由市财政局拨付。</p>"
    try:
        document = read_document(text.encode(encoding, "replace"), source)
    except UnreadableDocument:
        return
    document = describe(mark_boilerplate(document))
    holds(document, split(document))
