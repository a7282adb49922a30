"""What a document says about itself, read where it stands."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cleaning import mark_boilerplate
from ingest.metadata import describe
from ingest.origin import DOC_NO
from ingest.places import level_of, region_of
from ingest.readers import read_document
from vectorstore.passage import Document, Metadata

NOTICE = """海州市人民政府办公室文件

海政办发〔2024〕12号

海州市人民政府办公室关于印发
《海州市人才安居办法（试行）》的通知

各区、县人民政府，市政府各部门：

《海州市人才安居办法（试行）》已经市政府同意，现印发给你们，请认真贯彻执行。

海州市人民政府办公室
2024年3月5日

海州市人才安居办法（试行）

第一条 为了吸引人才，根据《中华人民共和国就业促进法》，制定本办法。

第二条 博士每人一次性补贴15万元。

第三条 本办法自2024年4月1日起施行，有效期2年。《海州市人才公寓管理办法》（海政办发〔2019〕41号）同时废止。

抄送：市委各部门。
"""


def described(text: str, source: str = "文件.txt") -> Document:
    return describe(mark_boilerplate(read_document(text.encode(), source)))


def metadata(text: str, source: str = "文件.txt") -> Metadata:
    return described(text, source).metadata


def test_a_notice_with_the_policy_it_brings() -> None:
    document = described(NOTICE)
    assert document.metadata == Metadata(
        title="海州市人才安居办法（试行）",
        issuer="海州市人民政府办公室",
        doc_no="海政办发〔2024〕12号",
        signed="2024-03-05",
        published="2024-03-05",
        valid_from="2024-04-01",
        valid_until="2026-03-31",
        region="海州市",
        level="市",
        kind="办法",
        repeals=("海州市人才公寓管理办法", "海政办发〔2019〕41号"),
        spans=document.metadata.spans,
    )
    stands = {name: document.text[start:end] for name, (start, end) in document.metadata.spans.items()}
    assert stands == {
        "title": "海州市人才安居办法（试行）",
        "issuer": "海州市人民政府办公室",
        "doc_no": "海政办发〔2024〕12号",
        "signed": "2024年3月5日",
        "published": "2024年3月5日",
        "valid_from": "自2024年4月1日起施行",
        "valid_until": "有效期2年",
    }


def test_nothing_is_invented() -> None:
    empty = metadata("今天天气很好，我们去公园散步，看见了许多花。\n明天也是如此。\n")
    assert empty == Metadata()


def test_a_decree() -> None:
    found = metadata(
        "海州市人民政府令\n第 38 号\n《海州市公园条例》已经2024年2月1日市政府第5次常务会议通过，现予公布，自2024年5月1日起施行。\n"
        "市长 王某\n2024年2月10日\n海州市公园管理规定\n第一条 为了保护公园，制定本规定。\n"
    )
    assert found.doc_no == "海州市人民政府令第38号"
    assert found.issuer == "海州市人民政府"
    assert (found.published, found.valid_from) == ("2024-02-10", "2024-05-01")
    assert (found.title, found.kind) == ("海州市公园管理规定", "规定")


def test_a_reading_takes_over_the_period_of_the_plan_it_interprets() -> None:
    found = metadata(
        "解读海州园区提升计划\n\n——解读《海州市园区提升三年行动计划(2022-2024年)》\n\n  日前，行动计划出台，提出建设十个园区。\n"
    )
    assert found.kind == "解读"
    assert (found.valid_from, found.valid_until) == ("2022-01-01", "2024-12-31")


def test_a_policy_does_not_take_over_the_period_of_a_plan_it_rests_on() -> None:
    found = metadata(
        "海州市公园管理办法\n\n第一条 根据《海州市绿化规划（2010—2020年）》，制定本办法。\n第二条 公园免费开放。\n"
    )
    assert (found.valid_from, found.valid_until) == (None, None)


def test_years_that_a_title_is_about_are_no_period() -> None:
    found = metadata("海州市关于2020-2021年度捐资助学情况的公告\n\n现将有关情况公告如下。\n")
    assert found.valid_until is None


def test_a_title_that_does_not_fit_on_a_line() -> None:
    found = metadata(
        "海州市园林局文件\n海园林〔2026〕21号\n关于海州市城区内各公园夜间开放时段和照明\n费用分担办法的补充通知\n"
        "各区人民政府：\n为了方便市民夜间游园，现就有关事项通知如下。\n"
    )
    assert found.title == "关于海州市城区内各公园夜间开放时段和照明费用分担办法的补充通知"


def test_news_have_a_source_and_a_day() -> None:
    found = metadata(
        "海州再动员：加快建设专业园区\n\n来源：海州日报  发布时间：2024-05-06 10:20\n\n□海州日报记者 王某\n\n全市大会昨天召开。\n"
    )
    assert (found.title, found.issuer, found.published, found.kind) == (
        "海州再动员：加快建设专业园区",
        "海州日报",
        "2024-05-06",
        "新闻",
    )


def test_a_picture_credit_is_no_source() -> None:
    assert metadata("海州建设新园区，原创报道\n\n图片来源：海州新闻\n\n园区已经开工，预计明年完工。\n").issuer is None


def test_labelled_fields_of_a_page() -> None:
    found = metadata(
        "【法规标题】海州省生育保险规定\n【发布部门】海州省人民政府 【发文字号】海府令第203号\n【发布日期】2014-11-06 【实施日期】2015-01-01\n"
        "海州省生育保险规定\n第一条 为了保障职工，制定本规定。\n"
    )
    assert (found.issuer, found.published, found.valid_from) == ("海州省人民政府", "2014-11-06", "2015-01-01")
    assert found.title == "海州省生育保险规定"


def test_a_page_title_loses_the_name_of_its_site() -> None:
    document = described(
        "<html><head><title>海州市人才安居办法_海州市政府网</title></head><body><p>首页</p><p>海州市人才安居办法</p>"
        "<p>第一条 博士每人补贴15万元，硕士每人补贴5万元。</p></body></html>",
        "page.html",
    )
    assert document.metadata.title == "海州市人才安居办法"
    assert document.text[slice(*document.metadata.spans["title"])] == "海州市人才安居办法"


def test_front_matter_counts() -> None:
    found = metadata("---\ntitle: 海州市公园条例\ndate: 2020-01-02\n---\n\n## 第一章 总则\n\n第一条 说明。\n", "a.md")
    assert (found.title, found.published) == ("海州市公园条例", "2020-01-02")


def test_a_date_cut_by_a_page_number_is_whole() -> None:
    found = metadata(
        "海州市办法\n第一条 本办法自2024年1月1日起施行，有效期至2026年\n— 6 —\n12月31日。\n第二条 略。\n第三条 略。\n"
    )
    assert found.valid_until == "2026-12-31"


@pytest.mark.parametrize(
    "line",
    [
        "海政办发〔2024〕12号",
        "海政规[2024]3号",
        "海发改（2024）7号",
        "海教〔 2024 〕 45 号",
        "海府〔2024〕第8号",
        "海工信规【2024】9号",
        "国发〔2015〕23号",
        "穗府办规〔2024〕13号",
        "海人社字〔2009〕211号",
        "海财〔2024〕5 号",
        "青政办发〔2019〕12号",
        "京政办发[2016]39号",
        "渝府令〔2002〕139号",
        "泉教初﹝2016﹞2号",
        "粤教考〔2015〕14号",
        "海政办函{2024}6号",
        "海政发<2024>6号",
    ],
)
def test_document_numbers_in_real_shapes(line: str) -> None:
    assert DOC_NO.fullmatch(line)
    found = metadata(f"海州市公园管理办法\n{line}\n第一条 公园免费开放，全年无休。\n")
    assert found.doc_no == re.sub(r"\s", "", line)


@pytest.mark.parametrize(
    "line",
    [
        "根据《办法》（海政办发〔2019〕41号），制定本办法。",
        "按照海政办发〔2019〕41号文件要求，做好各项工作，现就有关事项通知如下，请遵照执行。",
        "海政发〔2018〕2号同时废止。",
    ],
)
def test_numbers_of_other_documents_are_not_its_own(line: str) -> None:
    assert metadata(f"海州市公园管理办法\n{line}\n第一条 公园免费开放，全年无休。\n").doc_no is None


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("海州市公园条例", "条例"),
        ("海州市公园管理暂行办法", "办法"),
        ("海州市人才补贴实施细则（试行）", "细则"),
        ("海州市园区提升三年行动计划(2022-2024年)", "规划"),
        ("海州市关于支持企业发展的若干意见", "意见"),
        ("海州市关于做好招生工作的通知", "通知"),
        ("《海州市人才安居办法》政策解读", "解读"),
        ("一图读懂海州市人才安居办法", "解读"),
        ("海州市支持人才若干措施", "政策"),
    ],
)
def test_kinds(title: str, kind: str) -> None:
    assert metadata(f"{title}\n\n为了促进发展，现就有关事项说明如下，请各单位遵照执行。\n").kind == kind


@pytest.mark.parametrize(
    ("name", "region", "level"),
    [
        ("海州市公园条例", "海州市", "市"),
        ("海州市东浦区人才安居办法", "海州市东浦区", "区县"),
        ("广东省职工生育保险规定", "广东省", "省"),
        ("北京市积分落户管理办法", "北京市", "省"),
        ("内蒙古自治区草原条例", "内蒙古自治区", "省"),
        ("惠州市惠城区人民政府办公室", "惠州市惠城区", "区县"),
        ("解读青岛产业集聚区创建三年计划", "青岛市", "市"),
        ("关于印发《泉州市小学招生意见》的通知", "泉州市", "市"),
        ("关于开展全省专项整治的通知", None, None),
        ("城市社区建设的意见", None, None),
        ("产业园区建设办法", None, None),
    ],
)
def test_regions_and_levels(name: str, region: str | None, level: str | None) -> None:
    assert region_of(name) == region
    assert level_of(region, None, name) == level


def test_the_central_government_is_the_highest_level() -> None:
    assert level_of(None, "国务院办公厅", None) == "国家"
    assert level_of(None, "教育部", None) == "国家"


@given(
    st.text(
        alphabet="海州市政府办公室关于印发通知〔2024〕1号第一条本办法自年月日起施行有效期《》。\n （）：|同时废止至-",
        max_size=300,
    )
)
def test_spans_hold_for_any_text(text: str) -> None:
    document = describe(Document(source="a.txt", media_type="text/plain", text=text))
    for start, end in document.metadata.spans.values():
        assert 0 <= start < end <= len(text)
    if document.metadata.title and "title" in document.metadata.spans:
        written = document.text[slice(*document.metadata.spans["title"])]
        assert "".join(written.split()) == "".join(document.metadata.title.split())
