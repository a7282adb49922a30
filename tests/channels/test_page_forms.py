"""The page's forms in a real browser: filters that apply and show, corrections that are made, refused, undone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.channels.conftest import OpenPage
from tests.channels.test_page import ask, overflow, violations
from vectorstore.passage import Metadata

pytestmark = [
    pytest.mark.browser,
    # Gradio counts its queue with options that pandas is about to drop.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]

EXPIRED = "专业展览每场最高补贴多少？"
HOSTILE = '"><img src=x onerror=window.hacked=31><script>window.hacked=32</script>'
TABLE = "补贴标准\n类别 | 每月标准\n硕士 | 1500元\n博士 | 2500元"
expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def address(shelf: Any, serving: Callable[[Any], str]) -> str:
    return serving(shelf.app())


def filters(page: Page) -> Any:
    """The filters, opened."""
    found = page.locator("#filters")
    found.locator("summary").click()
    expect(found.locator("[data-filter=validity]")).to_be_visible()
    return found


def corrected(page: Page, title: str) -> Any:
    """The form for a document, opened."""
    page.get_by_role("tab", name="文件").click()
    page.get_by_role("button", name=f"更正信息: {title}").click()
    form = page.get_by_role("dialog", name="更正信息")
    expect(form).to_be_visible()
    return form


# filters


def test_filters_apply_to_typed_chosen_and_edited_questions_and_show_while_closed(open_page: OpenPage) -> None:
    page = open_page()
    found = filters(page)
    found.locator("[data-filter=validity]").select_option("expired")
    found.locator("[data-filter=as_of]").fill("2018-05-01")
    found.locator("summary").click()
    expect(found.locator(".filter-fields")).to_be_hidden()
    expect(found.locator(".chip")).to_have_text(["已失效（到期或被替代）", "按2018-05-01作答"])
    turn = ask(page, EXPIRED)
    expect(turn.locator(".badge")).to_have_text("未找到依据")
    expect(turn.locator(".narrowed .chip")).to_have_text(["已失效（到期或被替代）", "按2018-05-01作答"])
    found.locator(".chip", has_text="已失效").click()
    expect(found.locator(".chip")).to_have_text(["按2018-05-01作答"])
    turn.get_by_role("button", name="修改").click()
    turn.locator(".editing textarea").press("Enter")
    expect(page.locator(".turn .said")).to_contain_text("30万元")
    expect(page.locator(".turn .narrowed .chip")).to_have_text(["按2018-05-01作答"])
    expect(page.locator(".turn .warnings .expired")).to_have_count(0)
    page.get_by_role("button", name="新对话").click()
    page.locator(".example").first.click()
    expect(page.locator(".turn .narrowed .chip")).to_have_text(["按2018-05-01作答"])
    expect(page.locator(".turn")).to_have_attribute("data-state", "done")
    found.get_by_role("button", name="清除筛选").click()
    expect(found.locator(".chip")).to_have_count(0)
    turn = ask(page, EXPIRED)
    expect(turn.locator(".narrowed")).to_have_count(0)
    expect(turn.locator(".warnings .expired")).to_be_visible()


def test_what_is_chosen_survives_the_other_language_and_new_documents(open_page: OpenPage, shelf: Any) -> None:
    page = open_page()
    found = filters(page)
    found.locator("[data-filter=issuer]").select_option("云川市人民政府办公室")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#filters summary")).to_have_text("Filters")
    expect(found.locator(".chip")).to_have_text(["云川市人民政府办公室"])
    shelf.holdings.put("new-issuer.txt", "内容。", Metadata(title="新文", issuer="云川市新局"))
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("[data-filter=issuer] option[value=云川市新局]")).to_have_count(1)
    page.get_by_role("tab", name="Ask").click()
    expect(found.locator(".chip")).to_have_text(["云川市人民政府办公室"])


def test_half_a_date_is_said_and_the_question_stays(open_page: OpenPage) -> None:
    page = open_page()
    day = filters(page).locator("[data-filter=as_of]")
    day.focus()
    page.keyboard.type("05")
    page.fill("#question textarea", EXPIRED)
    page.keyboard.press("Enter")
    expect(page.get_by_text("不是一个完整的日期")).to_be_visible()
    expect(page.locator("#question textarea")).to_have_value(EXPIRED)
    expect(page.locator(".turn")).to_have_count(0)


# corrections


def test_a_correction_is_made_with_the_keyboard_and_undone(open_page: OpenPage, shelf: Any) -> None:
    title = "云川市氢能加注站办法"
    document_id = shelf.holdings.put("stations.txt", "对氢能加注站给予77万元补助。", Metadata(title=title, kind="办法"))
    page = open_page()
    form = corrected(page, title)
    expect(form.get_by_label("标题", exact=True)).to_be_focused()
    page.keyboard.type("新：")
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(page.get_by_role("button", name=f"更正信息: {title}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(form.get_by_label("标题", exact=True)).to_have_value(title)
    form.get_by_label("有效期自", exact=True).fill("2025-01-01")
    form.get_by_label("有效期至", exact=True).fill("2024-12-31")
    expect(form.locator(".field.corrected")).to_have_count(2)
    form.get_by_label("有效期至", exact=True).press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("早于开始日期")
    expect(form.get_by_label("有效期自", exact=True)).to_be_focused()
    expect(form.get_by_label("有效期自", exact=True)).to_have_value("2025-01-01")
    form.get_by_label("有效期至", exact=True).fill("2025-12-31")
    form.get_by_role("button", name="保存").click()
    expect(form).to_be_hidden()
    expect(page.locator("#outcomes")).to_contain_text("信息已更正")
    expect(page.locator(".documents tr", has_text="stations.txt")).to_contain_text("2025-01-01 – 2025-12-31")
    expect(page.get_by_role("button", name=f"更正信息: {title}")).to_be_focused()
    form = corrected(page, title)
    form.get_by_role("button", name="改回: 有效期自").click()
    form.get_by_role("button", name="改回: 有效期至").click()
    form.get_by_role("button", name="保存").click()
    expect(form).to_be_hidden()
    assert shelf.assistant.store.catalog.corrections(document_id) == {}


def test_hostile_corrections_never_run(open_page: OpenPage, shelf: Any) -> None:
    shelf.holdings.put("victim.txt", "对示范菜市场给予88万元奖励。", Metadata(title="云川市菜市场办法"))
    page = open_page()
    form = corrected(page, "云川市菜市场办法")
    for label in ("标题", "发文机关", "文号", "地区", "文种"):
        form.get_by_label(label, exact=True).fill(HOSTILE)
    form.get_by_role("button", name="保存").click()
    expect(page.locator("#outcomes")).to_contain_text("信息已更正")
    row = page.locator(".documents tr", has_text="victim.txt")
    expect(row).to_contain_text("onerror=window.hacked=31")
    row.get_by_role("button", name=re.compile("更正信息")).click()
    expect(page.get_by_role("dialog").get_by_label("标题", exact=True)).to_have_value(HOSTILE)
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="问答").click()
    found = filters(page)
    found.locator("[data-filter=kind]").select_option(HOSTILE)
    expect(found.locator(".chip")).to_have_text([HOSTILE])
    turn = ask(page, "示范菜市场奖励多少？")
    expect(turn.locator(".said")).to_contain_text("88万元")
    turn.locator(".said .marker").first.click()
    expect(page.locator("#evidence h3")).to_contain_text("onerror")
    assert page.evaluate("window.hacked") is None


# evidence


def test_a_quoted_row_is_shown_cell_by_cell(open_page: OpenPage, shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.preparing import prepare

    source = "| 人才类别 | 租房补贴（每月） |\n| --- | --- |\n| 硕士研究生 | 1470元 |\n| 博士研究生 | 2470元 |\n"
    document, passages = prepare(f"# 云川市人才租房办法\n\n标准如下：\n\n{source}".encode(), "housing.md")
    document_id = shelf.assistant.store.put(document, passages, key="housing.md", sha256="housing").document_id
    page = open_page()
    turn = ask(page, "云川市硕士研究生租房补贴每月多少钱？")
    expect(turn.locator(".said")).to_contain_text("1470元")
    turn.locator(".said .marker").first.click()
    row = page.locator("#evidence .context.row")
    expect(row.locator("dt")).to_have_text(["人才类别", "租房补贴（每月）"])
    expect(row.locator("mark")).to_have_text(["硕士研究生", "1470元"])
    start = document.text.index("硕士研究生")
    viewer = open_page(f"/d/{document_id}?start={start}&end={start + 13}#quote")
    expect(viewer.locator("tr.quoted")).to_have_count(1)
    expect(viewer.locator("tr.quoted td")).to_have_text(["硕士研究生", "1470元"])
    expect(viewer.locator("table")).to_have_count(1)
    expect(viewer.locator(".furniture")).to_have_count(0)


def test_a_news_report_is_marked_as_one(open_page: OpenPage, shelf: Any) -> None:
    shelf.holdings.put("news.txt", "云川市将为共享书屋一次性补助5万元。", Metadata(title="书屋来了", kind="新闻"))
    page = open_page()
    turn = ask(page, "共享书屋一次性补助多少？")
    turn.locator(".said .marker").first.click()
    expect(page.locator("#evidence .second-hand")).to_have_text("新闻报道")


# screens


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_forms_fit_the_screen_and_axe_finds_nothing_serious(
    open_page: OpenPage, shelf: Any, scheme: str, width: int
) -> None:
    for text in ("给予10万元。\n旧的一句话。", "给予20万元。\n另外新增加的内容。"):
        changed = shelf.holdings.put("axe.txt", text, Metadata(title="云川市对照办法"))
    page = open_page(color_scheme=scheme, width=width)
    found = filters(page)
    found.locator("[data-filter=validity]").select_option("in_force")
    found.locator("[data-filter=year]").select_option(index=1)
    ask(page, EXPIRED)
    assert (violations(page), overflow(page)) == ([], 0)
    form = corrected(page, "云川市对照办法")
    form.get_by_label("标题", exact=True).fill("")
    form.get_by_label("标题", exact=True).fill("改了")
    assert (violations(page), overflow(page)) == ([], 0)
    expect(form.get_by_role("button", name="保存")).to_be_in_viewport()
    viewer = open_page(f"/d/{changed}/changes", color_scheme=scheme, width=width)
    assert (violations(viewer), overflow(viewer)) == ([], 0)
