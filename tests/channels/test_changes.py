"""What changed between two versions: which sentences, which numbers, and who may see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from channels import changes
from vectorstore.passage import Metadata

HERE = "http://127.0.0.1"
OLD = "第一章 奖励\n对优秀园区，每年给予最高3000万元奖励。\n奖励资金由市财政承担。\n本办法由市工信局解释。"
NEW = "第一章 奖励\n对优秀园区，每年给予最高5000万元奖励。\n本办法由市工信局解释。\n申请应当在每年3月底前提出。"


@pytest.fixture(scope="module")
def client(shelf: Any) -> Iterator[TestClient]:
    with TestClient(shelf.app(), base_url=HERE) as opened:
        yield opened


@pytest.fixture(scope="module")
def grown(shelf: Any) -> str:
    document_id = ""
    for text in (OLD, NEW, NEW.replace("5000", "6000")):
        document_id = shelf.holdings.put("grown.txt", text, Metadata(title="园区奖励"), headings=("第一章 奖励",))
    return document_id


def sides(page: str, mark: str) -> list[str]:
    """The sentences of one side, with the marks around what changed in them."""
    found = re.findall(rf'<div class="side {mark}">.*?</p>\s*<p[^>]*>(.*?)</p>', page, re.DOTALL)
    return [unescape(each).strip() for each in found]


def test_sentences_stand_side_by_side_with_the_numbers_that_changed(client: TestClient, grown: str) -> None:
    page = client.get(f"/d/{grown}/changes?from=1&to=2", headers={"accept-language": "zh-CN"}).text
    assert sides(page, "del") == ["对优秀园区，每年给予最高<del>3000万元</del>奖励。", "奖励资金由市财政承担。"]
    assert sides(page, "ins") == ["对优秀园区，每年给予最高<ins>5000万元</ins>奖励。", "申请应当在每年3月底前提出。"]
    assert re.findall(r'<li class="(\w+)">', page) == ["changed", "removed", "added"]
    assert "第一章 奖励" in page
    assert "解释" not in page


def test_each_side_leads_to_its_place_in_its_version(client: TestClient, grown: str) -> None:
    page = client.get(f"/d/{grown}/changes?from=1&to=2").text
    links = [unescape(link) for link in re.findall(r'href="([^"]+#quote)"', page)]
    quoted = [re.findall(r"<mark[^>]*>(.*?)</mark>", client.get(link).text)[0] for link in links]
    assert [re.sub(r"</?(?:del|ins)>", "", side) for side in sides(page, "del")] == [quoted[0], quoted[2]]
    assert "version=1" in links[0]
    assert "version=2" in links[1]


def test_the_last_two_versions_are_compared_unless_others_are_named(client: TestClient, grown: str) -> None:
    page = client.get(f"/d/{grown}/changes").text
    assert sides(page, "ins") == ["对优秀园区，每年给予最高<ins>6000万元</ins>奖励。"]
    assert set(re.findall(r'href="(/d/[^"]+changes\?[^"]+)"', page)) == {
        f"/d/{grown}/changes?from={old}&amp;to={new}" for old, new in ((1, 3), (2, 3), (3, 3), (2, 1), (2, 2))
    }
    assert "正文没有变化" in client.get(f"/d/{grown}/changes?from=2&to=2").text
    assert "正文没有变化" in client.get(f"/d/{grown}/changes?to=1").text


def test_a_single_version_says_so(client: TestClient, shelf: Any) -> None:
    assert "只有一个版本" in client.get(f"/d/{shelf.rewards}/changes").text


@pytest.mark.parametrize(
    "query", ["?from=9", "?to=9", "?from=x", "?to=-1", "?from=１", "?to=" + "9" * 400, "?from=1%00"]
)
def test_versions_that_are_not_there_are_a_friendly_404(client: TestClient, grown: str, query: str) -> None:
    response = client.get(f"/d/{grown}/changes{query}")
    assert response.status_code == 404
    assert "没有这一页" in response.text


def test_unknown_documents_are_a_friendly_404(client: TestClient) -> None:
    assert client.get("/d/nothing/changes").status_code == 404
    assert client.get("/d/nothing/changes/more").status_code == 404


def test_an_old_version_leads_to_what_changed_since(client: TestClient, grown: str) -> None:
    old, current = client.get(f"/d/{grown}?version=1").text, client.get(f"/d/{grown}").text
    assert f'href="/d/{grown}/changes?from=1&amp;to=3"' in old
    assert "/changes" not in current


def test_documents_too_long_to_be_compared_say_so(
    client: TestClient, grown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "LONGEST", 10)
    page = client.get(f"/d/{grown}/changes?from=1&to=3").text
    assert "文件太长" in page
    assert sides(page, "ins") == []


def test_a_long_list_of_changes_is_cut_and_says_so(
    client: TestClient, grown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_SHOWN", 1)
    page = client.get(f"/d/{grown}/changes?from=1&to=2").text
    assert len(sides(page, "ins")) == 1
    assert "另有2处未列出" in page


def test_comparing_again_costs_nothing(shelf: Any, grown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    def compare(*documents: Any) -> list[Any]:
        counted.append(documents)
        return []

    monkeypatch.setattr(changes, "compare", compare)
    with TestClient(shelf.app(), base_url=HERE) as client:
        for _ in range(3):
            client.get(f"/d/{grown}/changes?from=1&to=3")
    assert len(counted) == 1


def test_no_text_of_a_version_becomes_markup(client: TestClient, shelf: Any) -> None:
    hostile = "<script>window.hacked=1</script>给予{}万元奖励<img src=x onerror=window.hacked=2>。"
    title = "</title><script>window.hacked=3</script>"
    for amount in (10, 20):
        text = "<b>第一章</b>\n" + hostile.format(amount)
        document_id = shelf.holdings.put(
            "hostile-versions.txt", text, Metadata(title=title), headings=("<b>第一章</b>",)
        )
    page = client.get(f"/d/{document_id}/changes").text
    assert "<ins>20万元</ins>" in page
    for tag in ("<script", "<img src=x", "<b>第一章"):
        assert tag not in page
    strict = client.get(f"/d/{document_id}/changes").headers["content-security-policy"]
    assert "script-src" not in strict
    assert "unsafe" not in strict
    assert "style=" not in page


@pytest.mark.parametrize(("keyed", "signed_in", "status"), [(False, False, 200), (True, False, 403), (True, True, 200)])
def test_who_may_open_documents_may_see_what_changed(
    shelf: Any, grown: str, keyed: bool, signed_in: bool, status: int
) -> None:
    with TestClient(shelf.app("a password", keyed=keyed), base_url=HERE) as client:
        if signed_in:
            assert client.post("/admin/sign-in", data={"password": "a password"}).status_code == 204
        for path in (f"/d/{grown}/changes", f"/d/{grown}/changes?from=1&to=2", f"/d/{grown}"):
            response = client.get(path)
            assert response.status_code == status
            assert ("万元" in response.text) == (status == 200)


def test_the_heading_is_the_last_one_before_the_sentence(shelf: Any, client: TestClient) -> None:
    def text(amount: int) -> str:
        return f"# 总则\n为了发展。\n## 标准\n给予{amount}万元奖励。"

    for amount in (1, 2):
        document_id = shelf.holdings.put("headed.md", text(amount), headings=("# 总则", "## 标准"))
    page = client.get(f"/d/{document_id}/changes").text
    assert '<span class="place" lang="zh-CN">标准</span>' in page
