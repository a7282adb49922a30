"""What is marked as boilerplate, and, more important, what is not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cleaning import is_furniture, mark_boilerplate
from vectorstore.passage import Document, Span


def marked(text: str, *, tables: tuple[Span, ...] = ()) -> list[str]:
    document = mark_boilerplate(Document(source="a.txt", media_type="text/plain", text=text, tables=tables))
    assert document.text == text
    return [text[start:end] for start, end in document.boilerplate]


@pytest.mark.parametrize(
    "line",
    [
        "发表评论",
        "展开全文",
        "【打印本页】 【关闭窗口】",
        "字体：【大 中 小】",
        "分享到：微信 新浪微博 QQ空间",
        "Baidu",
        "map",
        "本文插图",
        "图片来源：海州新闻",
        "关注海州发布微信公众号，更多精彩等你来看……",
        "客户端：海州观 客户端：观海新闻",
        "主编 赵某 美编 李某 排版 王某某",
        "责任编辑：张某",
        "审稿人/张某",
        "版权所有：海州市人民政府办公室",
        "海ICP备05000001号-1",
        "Copyright © 2016 海州市教育局 All Rights Reserved.",
        "未经授权不得转载",
        "上一篇：关于公园管理的通知",
        "当前位置：首页 > 政策法规 > 规章",
        "主办单位：海州市人民政府办公室 承办单位：海州市政府网站",
        "建议使用 IE7.0 以上浏览器",
        "浏览次数：128",
        "— 26 —",
        "第 3 页 共 10 页",
        "（全文结束）",
        "Skip to content",
    ],
)
def test_furniture(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "请关注海州人社微信公众号查询办理结果，逾期不再受理。",
        "申请人登录市政务服务网，提交下列材料。",
        "主办单位：海州市科技局",
        "编辑出版单位应当建立责任制度。",
        "（一）分享企业数据的，给予最高10万元奖励；",
        "版权登记费用按照实际支出的50%给予补贴。",
        "联系电话：0532-85911111",
        "附件：1.申报表",
        "来源：海州日报 发布时间：2024-05-06",
        "地图编制单位应当取得测绘资质。",
        "中",
        "更多",
        "2024",
        "第一章 总则",
        "小微企业",
        "未经批准不得改变用途",
        "海州市人民政府办公室",
        "2024年3月5日",
    ],
)
def test_text_is_not_furniture(line: str) -> None:
    assert not is_furniture(line)
    assert marked(f"海州市公园管理办法\n{line}\n公园免费开放。\n") == []


def test_recommended_articles_go_up_to_the_next_sentence() -> None:
    text = "公园免费开放。\n推荐阅读\n- 海州|园区建设加快\n- 两针价格不到1000元!\n第二条 公园全年无休。\n"
    assert marked(text) == ["推荐阅读", "- 海州|园区建设加快", "- 两针价格不到1000元!"]


def test_a_list_of_a_policy_is_no_recommendation() -> None:
    assert marked("申请材料如下：\n- 身份证\n- 户口簿\n") == []


def test_a_copyright_note_at_the_end_of_a_paragraph_is_marked_alone() -> None:
    assert marked("园区明年完工。本文为作者原创，未经授权不得转载\n") == ["本文为作者原创，未经授权不得转载"]


def test_a_headline_that_the_page_repeats_stays_once() -> None:
    headline = "旧厂房改造提速，三条街区同时开工！"
    text = f"原创 {headline}\n园区加快建设。\n{headline}\n项目已经落地。\n{headline}\n结束了。\n{headline}\n"
    assert marked(text) == [headline, headline]


PARAGRAPH = "修缮老旧厂房和配套宿舍，九月底以前交付28栋，年终再招租物流仓库6座，由区里统一安排管护人员并公布电话。"
SHORTER = "修缮老旧厂房和配套宿舍，九月底以前交付28栋，由区里统一安排管护人员并公布电话。"


def test_a_sidebar_that_repeats_paragraphs_is_marked_and_the_longer_copy_stays() -> None:
    assert marked(f"厂房修缮简报\n{PARAGRAPH}\n动员大会昨天召开。\n{PARAGRAPH}\n") == [PARAGRAPH]
    assert marked(f"厂房修缮简报\n{SHORTER}\n动员大会昨天召开。\n{PARAGRAPH}\n") == [SHORTER]


def test_a_changed_figure_is_no_copy() -> None:
    assert marked(f"厂房修缮简报\n{PARAGRAPH}\n动员大会昨天召开。\n{PARAGRAPH.replace('28栋', '38栋')}\n") == []


def test_clauses_that_repeat_each_other_stay() -> None:
    material = "申请人应当在每年六月底以前向所在地的区人民政府提交下列材料的原件和复印件。"
    text = f"第一条 博士补贴。\n{material}\n第二条 硕士补贴。\n{material}\n第三条 本科补贴。\n{material}\n"
    assert marked(text) == []


def test_rows_of_a_table_stay() -> None:
    text = "标准如下\n打印 | 10元\n— 1 —\n收藏 | 20元\n"
    assert marked(text, tables=((5, len(text) - 1),)) == []


def test_what_the_reader_marked_stays_marked() -> None:
    document = Document(
        source="a", media_type="text/html", text="菜单\n公园免费开放。\n发表评论\n", boilerplate=((0, 2),)
    )
    assert mark_boilerplate(document).boilerplate == ((0, 2), (11, 15))


@given(
    st.lists(
        st.sampled_from([PARAGRAPH, SHORTER, "发表评论", "推荐阅读", "- 一", "厂房修缮简报", "短句。", "第一条 一。"]),
        max_size=12,
    )
)
def test_one_copy_of_every_paragraph_stays(lines: list[str]) -> None:
    text = "\n".join(lines)
    document = mark_boilerplate(Document(source="a", media_type="text/plain", text=text))
    spans = document.boilerplate
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    left = "".join(
        text[end:start]
        for end, start in zip([0, *(end for _, end in spans)], [*(s for s, _ in spans), len(text)], strict=True)
    )
    if PARAGRAPH in lines:
        assert PARAGRAPH in left
    elif SHORTER in lines:
        assert SHORTER in left
    assert left.count("短句。") == text.count("短句。")
