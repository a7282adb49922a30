"""The page in a real browser: asking, evidence, documents, keyboard, phone, dark, and nothing hostile ever running."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.channels.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    # Gradio counts its queue with options that pandas is about to drop.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]

PASSWORD = "correct horse battery staple"
QUESTION = "园区管理机构每年最高能拿到多少奖补？"
expect.set_options(timeout=15_000)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def address(shelf: Any, serving: Callable[[Any], str]) -> str:
    return serving(shelf.app())


@pytest.fixture(scope="module")
def locked_address(shelf: Any, serving: Callable[[Any], str]) -> str:
    return serving(shelf.app(PASSWORD))


def ask(page: Page, question: str) -> Any:
    """Ask by keyboard and wait for the whole answer; its turn."""
    turns = page.locator(".turn")
    before = turns.count()
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    expect(turns).to_have_count(before + 1)
    expect(turns.last).to_have_attribute("data-state", re.compile("done|failed"))
    return turns.last


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def violations(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]} {node['any'][0]['message'][:160] if node['any'] else ''}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


# asking


def test_an_answer_leads_to_its_evidence_and_on_to_the_source(open_page: OpenPage) -> None:
    page = open_page()
    turn = ask(page, QUESTION)
    expect(turn.locator(".said")).to_contain_text("最高800万元")
    turn.locator(".said .marker").first.click()
    panel = page.locator("#evidence")
    expect(panel).to_be_visible()
    expect(panel.locator("mark")).to_contain_text("每年给予最高800万元奖补")
    for known in ("云川市产业园区管理机构奖励办法", "云川市人民政府办公室", "云政办〔2024〕12号", "第二章 奖励标准"):
        expect(panel).to_contain_text(known)
    expect(panel.locator(".around").first).to_contain_text("为调动园区管理机构的积极性")
    with page.context.expect_page() as opened:
        panel.get_by_role("link", name="在原文中查看").click()
    viewer = opened.value
    viewer.wait_for_load_state()
    assert viewer.url.endswith("#quote")
    expect(viewer.locator("#quote")).to_contain_text("每年给予最高800万元奖补")
    expect(viewer.locator("#quote")).to_be_in_viewport()


def test_the_viewer_scrolls_to_the_quote_of_a_long_document_without_javascript(open_page: OpenPage, shelf: Any) -> None:
    text = "\n".join(f"第{number}段，内容为空。" for number in range(400)) + "\n要找的那一句。"
    document_id = shelf.holdings.put("long.txt", text)
    start = text.index("要找的")
    page = open_page(f"/d/{document_id}?start={start}&end={len(text)}#quote", java_script_enabled=False)
    expect(page.locator("mark")).to_be_in_viewport()


def test_an_answer_from_an_expired_policy_warns(open_page: OpenPage) -> None:
    page = open_page()
    turn = ask(page, "专业展览每场最高补贴多少？")
    expect(turn.locator(".said")).to_contain_text("30万元")
    expect(turn.locator(".warnings .expired")).to_contain_text("现已届满")
    expect(page.locator("#evidence .warning")).to_contain_text("现已届满")


def test_what_has_no_basis_is_refused_with_the_nearest_passages(open_page: OpenPage) -> None:
    turn = ask(open_page(), "珠穆朗玛峰有多高？")
    expect(turn.locator(".badge")).to_have_text("未找到依据")
    expect(turn.locator(".said")).to_contain_text("没有找到")
    assert turn.locator(".said .marker").count() == 0
    for near in turn.locator(".near").all():
        expect(near.locator(".near-mark")).to_have_text(re.compile("请核对原文|没有写明数字"))


def test_a_follow_up_uses_the_questions_before_it_and_a_new_conversation_forgets_them(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "园区管理机构有什么奖补？")
    expect(ask(page, "那考核指标有哪些？").locator(".said")).to_contain_text("主营业务收入")
    page.get_by_role("button", name="新对话").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#evidence mark")).to_have_count(0)
    assert "主营业务收入" not in ask(page, "那呢？").locator(".said").inner_text()


def test_two_browsers_do_not_share_a_conversation(open_page: OpenPage) -> None:
    ask(open_page(), QUESTION)
    expect(open_page().locator(".turn")).to_have_count(0)


def test_examples_can_be_clicked(open_page: OpenPage) -> None:
    page = open_page()
    page.locator(".example").first.click()
    expect(page.locator(".turn .said")).to_contain_text("800万元")


def test_a_question_can_be_edited_and_asked_again(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "珠穆朗玛峰有多高？")
    ask(page, "专业展览每场最高补贴多少？")
    first = page.locator(".turn").first
    first.get_by_role("button", name="修改").click()
    field = first.locator(".editing textarea")
    expect(field).to_be_focused()
    field.fill(QUESTION)
    field.press("Enter")
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".turn .asked")).to_have_text(QUESTION)
    expect(page.locator(".turn .said")).to_contain_text("800万元")
    answer = page.locator("[data-act=copy]").get_attribute("data-copy")
    page.get_by_role("button", name="重新提问").click()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator("[data-act=copy]")).to_have_attribute("data-copy", str(answer))


def test_an_answer_can_be_stopped(open_page: OpenPage, shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    whole = shelf.assistant.stream

    def slow(question: str, **options: Any) -> Iterator[Any]:
        for snapshot in whole(question, **options):
            yield snapshot
            time.sleep(1.5)

    monkeypatch.setattr(shelf.assistant, "stream", slow)
    page = open_page()
    page.fill("#question textarea", QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".turn .said")).to_contain_text("800万元")
    expect(page.locator(".turn .waiting")).to_be_visible()
    page.get_by_role("button", name="停止").click()
    expect(page.locator(".turn")).to_have_attribute("data-state", "stopped")
    expect(page.get_by_role("button", name="发送", exact=True)).to_be_visible()
    monkeypatch.undo()
    expect(ask(page, "专业展览每场最高补贴多少？").locator(".said")).to_contain_text("30万元")


def test_a_question_that_is_too_long_is_refused_with_a_message(open_page: OpenPage) -> None:
    turn = ask(open_page(), "问" * 2500)
    expect(turn.get_by_role("alert")).to_contain_text("2000")


def test_copying_takes_the_answer_with_its_sources(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    turn = ask(page, QUESTION)
    turn.get_by_role("button", name="复制").click()
    expect(turn.locator(".thanks")).to_have_text("已复制")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "800万元" in copied
    assert "《云川市产业园区管理机构奖励办法》" in copied


def test_a_verdict_is_stored_with_its_reason(open_page: OpenPage, shelf: Any) -> None:
    page = open_page()
    turn = ask(page, QUESTION)
    turn.get_by_role("button", name="有问题").click()
    turn.locator(".reason input").fill("金额<b>不对</b>")
    turn.locator(".reason button").click()
    expect(turn.locator(".thanks")).to_have_text("已记录，谢谢。")
    ask(page, QUESTION).get_by_role("button", name="有帮助").click()
    expect(page.locator(".thanks").last).to_have_text("已记录，谢谢。")
    page.wait_for_timeout(300)
    kept = shelf.assistant.store.catalog.feedback()
    assert [(row["rating"], row["reason"]) for row in kept[-2:]] == [(-1, "金额<b>不对</b>"), (1, "")]


# languages, screens, keys


def test_the_page_speaks_english_and_remembers_the_switch(open_page: OpenPage) -> None:
    page = open_page(language="en-US")
    expect(page.get_by_role("tab", name="Ask")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
    turn = ask(page, "What subsidy does a park manager get?")
    expect(turn.locator(".said")).to_contain_text("8 million yuan")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("tab", name="问答")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(1)
    page.reload()
    expect(page.get_by_role("tab", name="问答")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_a_phone_shows_everything_without_scrolling_sideways(open_page: OpenPage, shelf: Any) -> None:
    page = open_page(width=390)
    assert overflow(page) == 0
    turn = ask(page, QUESTION)
    assert overflow(page) == 0
    expect(page.locator("#evidence")).to_be_hidden()
    turn.locator(".said .marker").first.click()
    expect(page.locator("#evidence mark")).to_be_in_viewport()
    assert overflow(page) == 0
    page.locator("[data-act=close-evidence]").click()
    expect(page.locator("#evidence")).to_be_hidden()
    page.get_by_role("tab", name="文件").click()
    expect(page.locator(".documents")).to_be_visible()
    assert overflow(page) == 0
    page.goto(page.url.rstrip("/") + f"/d/{shelf.hostile}?start=0&end=20#quote")
    assert overflow(page) == 0


def test_the_theme_follows_the_system_and_can_be_switched(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="切换深色或浅色").click()
    light = page.evaluate(background)
    assert dark != light
    page.reload()
    page.locator("#question textarea").wait_for()
    expect(page.locator("body")).not_to_have_class(re.compile("dark"))


def test_everything_can_be_reached_by_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator("#question textarea")).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_attribute("data-state", "done")
    page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    page.locator(".masthead .theme").focus()
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.act || document.activeElement.id"))
        if reached[-1] == "cite":
            break
    assert reached[-1] == "cite"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#evidence")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".said .marker").first).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: OpenPage, shelf: Any, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    assert violations(page) == []
    ask(page, QUESTION)
    ask(page, "专业展览每场最高补贴多少？").get_by_role("button", name="有问题").click()
    ask(page, "珠穆朗玛峰有多高？").get_by_role("button", name="修改").click()
    page.locator(".said .marker").first.click()
    assert violations(page) == []
    page.get_by_role("tab", name="文件").click()
    page.locator(".confirm summary").first.click()
    assert violations(page) == []
    viewer = open_page(f"/d/{shelf.fairs}?start=0&end=20#quote", color_scheme=scheme)
    assert violations(viewer) == []


# documents


def test_an_uploaded_file_can_be_asked_about_and_removed(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("tab", name="文件").click()
    page.locator("#upload input[type=file]").set_input_files(
        [
            {"name": "云川市夜间经济办法.txt", "mimeType": "text/plain", "buffer": "对夜间经济示范街区，一次性给予最高45万元扶持资金。".encode()},
            {"name": "bad.txt", "mimeType": "text/plain", "buffer": b"\xff\x00"},
            {"name": "broken.txt", "mimeType": "text/plain", "buffer": b"x"},
        ]
    )  # fmt: skip
    outcomes = page.locator("#outcomes li")
    expect(outcomes).to_have_count(3)
    expect(outcomes.nth(0)).to_have_text(re.compile("云川市夜间经济办法.txt.*已添加", re.DOTALL))
    expect(outcomes.nth(1)).to_contain_text("Save it as UTF-8")
    assert "secret" not in outcomes.nth(2).inner_text()
    row = page.locator(".documents tr", has_text="云川市夜间经济办法.txt")
    expect(row).to_contain_text("未注明期限")
    page.get_by_role("tab", name="问答").click()
    expect(ask(page, "夜间经济示范街区最高扶持多少资金？").locator(".said")).to_contain_text("45万元")
    page.get_by_role("tab", name="文件").click()
    row.get_by_role("button", name="重新读取").click()
    expect(page.locator("#outcomes")).to_contain_text("内容没有变化")
    row.locator("summary").click()
    row.get_by_role("button", name="确认移出").click()
    expect(page.locator("#outcomes")).to_contain_text("已移出")
    expect(row).to_have_count(0)


def test_documents_stay_behind_the_password(open_page: OpenPage, locked_address: str) -> None:
    page = open_page(at=locked_address)
    page.get_by_role("tab", name="文件").click()
    expect(page.locator(".sign-in")).to_be_visible()
    expect(page.locator("#upload")).to_be_hidden()
    assert page.locator(".documents").count() == 0
    page.get_by_label("管理员口令").fill("guess")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_have_text("口令不对，请重新输入。")
    page.get_by_label("管理员口令").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.locator(".documents")).to_be_visible()
    expect(page.locator("#upload")).to_be_visible()
    assert PASSWORD not in page.content()
    page.get_by_role("button", name="退出").click()
    expect(page.locator(".sign-in")).to_be_visible()
    expect(page.locator("#upload")).to_be_hidden()


# hostile text


def test_no_hostile_text_ever_runs(open_page: OpenPage, shelf: Any) -> None:
    page = open_page()
    for question in (
        "海绵城市示范项目每个最高奖励多少万元？",
        "<img src=x onerror=window.hacked=11>海绵城市示范项目最高奖励多少？",
        "<script>window.hacked=12</script>${window.hacked=13}{{window.hacked=14}}[x](javascript:window.hacked=15)",
    ):
        turn = ask(page, question)
        expect(turn.locator(".asked")).to_have_text(question)
    expect(page.locator(".turn").first.locator(".said")).to_contain_text("66万元")
    page.locator(".said .marker").first.click()
    expect(page.locator("#evidence h3")).to_contain_text("<img src=x onerror=window.hacked=1>")
    page.get_by_role("button", name="修改").first.click()
    page.get_by_role("tab", name="文件").click()
    name = "<img src=x onerror=window.hacked=16>.txt"
    page.locator("#upload input[type=file]").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": b"<script>window.hacked=17</script>"}]
    )
    expect(page.locator("#outcomes li")).to_contain_text("已添加")
    expect(page.locator(".documents")).to_contain_text("onerror=window.hacked=10")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("tab", name="Documents")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    viewer = open_page(f"/d/{shelf.hostile}?start=0&end=60#quote")
    assert viewer.evaluate("window.hacked") is None
    expect(viewer.locator("h1")).to_contain_text("<script>")
