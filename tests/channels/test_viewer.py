"""The source viewer: the right text of the right version, the quote marked, and nothing of a document as markup."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import segno
from starlette.testclient import TestClient

from assistant.doctor import examine
from assistant.settings import Settings
from vectorstore.links import Links
from vectorstore.passage import Metadata

QUOTE = "每年给予最高800万元奖补"


@pytest.fixture(scope="module")
def app(shelf: Any) -> Any:
    return shelf.app()


@pytest.fixture(scope="module")
def client(app: Any) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://127.0.0.1") as opened:
        yield opened


def marks(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r"<mark[^>]*>(.*?)</mark>", page, re.DOTALL)]


def test_a_document_is_shown_with_what_is_known_of_it(client: TestClient, shelf: Any) -> None:
    page = client.get(f"/d/{shelf.rewards}").text
    for known in (
        "云川市产业园区管理机构奖励办法",
        "云川市人民政府办公室",
        "云政办〔2024〕12号",
        "2024-05-20",
        "自2024-07-01起",
    ):
        assert known in page
    assert "<h3>第二章 奖励标准</h3>" in page
    assert QUOTE in page
    assert marks(page) == []


def test_the_quote_is_marked_and_can_be_linked_to(client: TestClient, shelf: Any) -> None:
    text = shelf.assistant.document_text(shelf.rewards, 1)
    start = text.index(QUOTE)
    page = client.get(f"/d/{shelf.rewards}?version=1&start={start}&end={start + len(QUOTE)}").text
    assert marks(page) == [QUOTE]
    assert page.count('id="quote"') == 1


def test_a_quote_over_several_lines_is_marked_in_each(client: TestClient, shelf: Any) -> None:
    text = shelf.assistant.document_text(shelf.rewards, 1)
    start, end = text.index("最高800万元"), text.index("主营业务收入")
    page = client.get(f"/d/{shelf.rewards}?start={start}&end={end}").text
    assert "".join(marks(page)) == text[start:end].replace("\n", "")
    assert len(marks(page)) == 2
    assert page.count('id="quote"') == 1


@pytest.mark.parametrize(
    "query",
    ["start=5", "end=5", "start=-1&end=5", "start=9&end=5", "start=0&end=99999", "start=x&end=y", "start=1e1&end=2e1",
     "start=５&end=９", "start=5&end=5", "start=&end=", "start=0&end=" + "9" * 400],
)  # fmt: skip
def test_wrong_offsets_mark_nothing(client: TestClient, shelf: Any, query: str) -> None:
    response = client.get(f"/d/{shelf.rewards}?{query}")
    assert response.status_code == 200
    assert marks(response.text) == []


@pytest.mark.parametrize(
    "path",
    ["nothing", "%00", "..%2f..%2fetc%2fpasswd", "{id}?version=2", "{id}?version=0", "{id}?version=x", "' OR 1=1 --"],
)
def test_what_is_not_there_is_a_friendly_404(client: TestClient, shelf: Any, path: str) -> None:
    response = client.get("/d/" + path.format(id=shelf.rewards))
    assert response.status_code == 404
    assert "没有这一页" in response.text


def test_an_expired_document_says_so(client: TestClient, shelf: Any) -> None:
    page = client.get(f"/d/{shelf.fairs}").text
    assert "2017-01-01至2020-12-31，现已届满" in page
    english = client.get(f"/d/{shelf.fairs}", headers={"accept-language": "en"}).text
    assert "ran from 2017-01-01 to 2020-12-31 and has ended" in english


def test_an_old_version_links_to_the_newest_and_shows_its_own_text(client: TestClient, shelf: Any) -> None:
    old = shelf.holdings.put("plan.txt", "旧版的内容。", Metadata(title="规划"))
    new = shelf.holdings.put("plan.txt", "新版的内容。", Metadata(title="规划"))
    assert old == new
    page = client.get(f"/d/{old}?version=1").text
    assert "旧版的内容" in page
    assert f'<a href="/d/{old}">' in page
    current = client.get(f"/d/{old}").text
    assert "新版的内容" in current
    assert "旧版本" not in current


def test_a_removed_document_still_opens_with_a_note(client: TestClient, shelf: Any) -> None:
    document_id = shelf.holdings.put("gone.txt", "将被移出的内容。", Metadata(title="旧文"))
    shelf.holdings.remove(document_id)
    page = client.get(f"/d/{document_id}").text
    assert "将被移出的内容" in page
    assert "已移出知识库" in page


def test_a_replaced_document_names_its_successor(client: TestClient, shelf: Any) -> None:
    first = shelf.holdings.put("old.txt", "关于甲的规定。", Metadata(title="云川市甲办法", doc_no="云政〔2019〕3号"))
    shelf.holdings.put("new.txt", "关于乙的规定。", Metadata(title="云川市乙办法", repeals=("云政〔2019〕3号",)))
    assert "《云川市甲办法》已被《云川市乙办法》废止或替代" in client.get(f"/d/{first}").text


def test_no_document_text_becomes_markup(client: TestClient, shelf: Any) -> None:
    text = shelf.assistant.document_text(shelf.hostile, 1)
    page = client.get(f"/d/{shelf.hostile}?start=0&end={len(text)}").text
    for tag in ("<script", "<img src=x", "<svg onload", "<iframe", "<b>某局"):
        assert tag not in page
    assert "".join(marks(page)) == text.replace("\n", "")


def test_tables_and_furniture_are_told_apart(client: TestClient, shelf: Any) -> None:
    text = "分享到\n标准 | 金额\n优秀 | 800万元\n结束"
    document_id = shelf.holdings.put("table.txt", text, tables=((4, 25),), boilerplate=((0, 3),))
    page = client.get(f"/d/{document_id}").text
    assert "<td>优秀</td><td>800万元</td>" in page
    assert re.search(r"<details class=\"furniture\"><summary>.*?</summary>\s*<p>分享到</p>", page)


# short links and QR codes


@pytest.fixture(scope="module")
def place(shelf: Any) -> tuple[str, int, int, int]:
    start = shelf.assistant.document_text(shelf.rewards, 1).index(QUOTE)
    return shelf.rewards, 1, start, start + len(QUOTE)


@pytest.fixture(scope="module")
def code(shelf: Any, place: tuple[str, int, int, int]) -> str:
    return Links(shelf.assistant.store.catalog).code(*place)


@pytest.fixture(scope="module")
def keyed(shelf: Any) -> Iterator[TestClient]:
    app = shelf.app("a password", keyed=True, public_url="https://policy.example.cn")
    with TestClient(app, base_url="https://policy.example.cn") as opened:
        yield opened


def test_a_short_link_leads_to_the_marked_quote(client: TestClient, code: str) -> None:
    reply = client.get(f"/s/{code}", follow_redirects=False)
    assert (reply.status_code, reply.headers["location"]) == (302, f"/s/{code}/source#quote")
    assert marks(client.get(f"/s/{code}").text) == [QUOTE]


def test_a_short_link_shows_the_version_that_was_cited(client: TestClient, shelf: Any) -> None:
    document_id = shelf.holdings.put("changing.txt", "每年给予100万元。")
    code = Links(shelf.assistant.store.catalog).code(document_id, 1, 4, 8)
    shelf.holdings.put("changing.txt", "每年给予900万元。")
    assert marks(client.get(f"/s/{code}").text) == ["100万"]


@pytest.mark.parametrize("path", ["/s/nosuchcode1", "/s/nosuchcode1/source", "/s/nosuchcode1/qr.svg"])
def test_a_link_that_does_not_lead_anywhere_says_so(client: TestClient, path: str) -> None:
    reply = client.get(path, headers={"accept-language": "zh-CN"})
    assert reply.status_code == 404
    assert "已经失效" in reply.text


def test_where_asking_is_keyed_a_link_opens_one_version_of_one_document(
    keyed: TestClient, shelf: Any, place: tuple[str, int, int, int]
) -> None:
    links = Links(shelf.assistant.store.catalog)
    code = links.code(*place, days=30)
    assert marks(keyed.get(f"/s/{code}").text) == [QUOTE]
    assert f'href="/d/{shelf.rewards}' not in keyed.get(f"/s/{code}").text
    for closed in (f"/d/{shelf.rewards}", f"/d/{shelf.rewards}/qr.svg", f"/d/{shelf.fairs}?version=1"):
        assert keyed.get(closed).status_code == 403
    links.revoke(code)
    assert keyed.get(f"/s/{code}").status_code == 404
    assert keyed.post("/admin/sign-in", data={"password": "a password"}).status_code == 204
    assert keyed.get(f"/d/{shelf.rewards}").status_code == 200


def test_a_place_has_a_qr_code_where_the_outside_address_is_known(
    keyed: TestClient, client: TestClient, shelf: Any, place: tuple[str, int, int, int], code: str
) -> None:
    page = keyed.get(f"/s/{code}").text
    (image,) = re.findall(r'<img src="([^"]+qr\.svg)"', page)
    drawn = keyed.get(image)
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert drawn.text == _drawn(f"https://policy.example.cn/s/{code}")
    assert "qr.svg" not in client.get(f"/s/{code}").text
    assert client.get(f"/s/{code}/qr.svg").status_code == 404


def _drawn(address: str) -> str:
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", scale=4, border=4)
    return drawn.getvalue().decode()


def test_the_doctor_opens_a_link_from_outside(shelf: Any, serving: Any, app: Any, tmp_path: Path) -> None:
    address = serving(app)
    folder = shelf.assistant.store.folder
    for url, good, words in (
        (address, True, "opens its source"),
        (f"{address}/zhice", False, "cannot be opened"),
        ("http://127.0.0.1:9", False, "is the server running"),
    ):
        settings = Settings(folder, public_url=url)
        (found,) = [finding for finding in examine(settings) if finding.subject == "public address"]
        assert (found.good, words in found.detail) == (good, True), found.detail
