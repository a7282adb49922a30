"""Correcting what is known of a document: what is stored, what is shown again, and who may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from channels.admin import Gate
from channels.correcting import ASKED
from channels.shelf import Shelf
from vectorstore.audit import Audit
from vectorstore.errors import StoreLocked
from vectorstore.passage import Metadata
from vectorstore.sessions import Sessions
from vectorstore.tries import Tries

READ = Metadata(
    title="云川市氢能办法",
    issuer="云川市发展和改革委员会",
    published="2024-01-02",
    valid_from="2024-02-01",
    valid_until="2027-01-31",
    region="云川市",
    level="市",
    kind="办法",
)
AS_READ = {name: getattr(READ, name) or "" for name in ASKED}


def _over(shelf: Any, password: str | None) -> Shelf:
    holdings, catalog = shelf.holdings, shelf.assistant.store.catalog
    gate = Gate(password, Sessions(catalog), Tries(catalog))
    return Shelf(shelf.assistant, gate, holdings.add, holdings.read_again, holdings.remove, Audit(catalog))


@pytest.fixture
def desk(shelf: Any) -> Shelf:
    return _over(shelf, None)


@pytest.fixture
def document_id(shelf: Any) -> Iterator[str]:
    made = shelf.holdings.put("hydrogen.txt", "每站补助12万元。", READ)
    yield made
    shelf.assistant.store.correct(made, {})


def stored(shelf: Any, document_id: str) -> dict[str, str | None]:
    return dict(shelf.assistant.store.catalog.corrections(document_id, "desk"))


def values(form: str) -> dict[str, str]:
    found = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    level = re.search(r'<option selected value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found.items()} | {"level": level[1] if level else ""}


def test_the_form_holds_every_field_as_it_stands(desk: Shelf, document_id: str) -> None:
    form = desk.correction(None, document_id, "zh")
    assert values(form) == AS_READ
    assert re.findall(r'class="field (\w+) corrected"', form) == []
    assert desk.correction(None, "nothing", "zh") == ""


def test_exactly_what_differs_from_what_was_read_is_stored(desk: Shelf, shelf: Any, document_id: str) -> None:
    given = {
        **AS_READ,
        "title": " 云川市氢能  产业办法 ",
        "valid_until": "2028-12-31",
        "doc_no": "云发改〔2024〕1号",
        "region": "",
    }
    form, done = desk.correct(None, document_id, given, "zh")
    assert form == ""
    assert "信息已更正" in done
    assert stored(shelf, document_id) == {
        "title": "云川市氢能 产业办法", "valid_until": "2028-12-31", "doc_no": "云发改〔2024〕1号", "region": None,
    }  # fmt: skip
    row = next(row for row in shelf.assistant.documents() if row["document_id"] == document_id)
    assert (row["title"], row["region"], row["issuer"]) == ("云川市氢能 产业办法", None, READ.issuer)


def test_setting_a_field_back_undoes_its_correction_alone(desk: Shelf, shelf: Any, document_id: str) -> None:
    desk.correct(None, document_id, {**AS_READ, "title": "另一个名称", "kind": "细则"}, "zh")
    form = desk.correction(None, document_id, "zh")
    assert values(form) == {**AS_READ, "title": "另一个名称", "kind": "细则"}
    assert re.findall(r'class="field (\w+) corrected"', form) == ["title", "kind"]
    assert "读到的是：云川市氢能办法" in form
    desk.correct(None, document_id, {**AS_READ, "kind": "细则"}, "zh")
    assert stored(shelf, document_id) == {"kind": "细则"}
    _, done = desk.correct(None, document_id, {**AS_READ, "kind": "细则"}, "zh")
    assert "没有变化" in done
    desk.correct(None, document_id, AS_READ, "zh")
    assert stored(shelf, document_id) == {}


def test_what_the_file_beside_the_document_says_is_no_correction_of_the_desk(
    desk: Shelf, shelf: Any, document_id: str
) -> None:
    catalog = shelf.assistant.store.catalog
    catalog.correct(document_id, {"issuer": "云川市能源局"}, origin="sidecar")
    try:
        given = values(desk.correction(None, document_id, "zh"))
        assert given["issuer"] == "云川市能源局"
        desk.correct(None, document_id, {**given, "kind": "细则"}, "zh")
        assert stored(shelf, document_id) == {"kind": "细则"}
        desk.correct(None, document_id, {**given, "issuer": READ.issuer or ""}, "zh")
        assert stored(shelf, document_id) == {"issuer": READ.issuer}
    finally:
        catalog.correct(document_id, {}, origin="sidecar")


def test_a_correction_of_a_field_that_the_form_does_not_have_stays(desk: Shelf, shelf: Any, document_id: str) -> None:
    shelf.assistant.store.correct(document_id, {"signed": "2023-12-30"})
    desk.correct(None, document_id, {**AS_READ, "kind": "细则"}, "zh")
    assert stored(shelf, document_id) == {"signed": "2023-12-30", "kind": "细则"}


@pytest.mark.parametrize(
    ("given", "said", "fields"),
    [
        ({"valid_until": "2027-02-30"}, "“有效期至”不是一个日期", ["valid_until"]),
        ({"published": "去年"}, "“发布日期”不是一个日期", ["published"]),
        ({"valid_until": "2024-01-31"}, "结束日期早于开始日期", ["valid_until"]),
        ({"valid_from": "2027-02-01"}, "结束日期早于开始日期", ["valid_from"]),
        ({"title": "长" * 301}, "最多300个字", ["title"]),
        ({"title": ["x"]}, "“标题”不能这样填写", ["title"]),
        ({"repeals": "x"}, "There is no field", []),
    ],
)
def test_what_cannot_be_is_said_at_the_form_with_the_input_kept(
    desk: Shelf, shelf: Any, document_id: str, given: dict[str, Any], said: str, fields: list[str]
) -> None:
    form, done = desk.correct(None, document_id, {**AS_READ, "issuer": "改过的机关", **given}, "zh")
    assert done == ""
    assert said in unescape(re.search(r'role="alert"[^>]*>(.*?)</p>', form)[1])  # type: ignore[index]
    texts = {name: value for name, value in given.items() if isinstance(value, str) and name in ASKED}
    assert values(form) == {**AS_READ, "issuer": "改过的机关", **texts}
    assert re.findall(r'name="(\w+)"[^>]*aria-invalid', form) == fields
    assert stored(shelf, document_id) == {}


def test_a_failure_of_the_store_is_said_at_the_form_too(
    desk: Shelf, shelf: Any, document_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> bool:
        raise StoreLocked("Another process writes; try again.")

    monkeypatch.setattr(shelf.assistant.store, "correct", locked)
    form, _ = desk.correct(None, document_id, {**AS_READ, "title": "新名称"}, "zh")
    assert "Another process writes" in form
    assert values(form)["title"] == "新名称"


def test_without_signing_in_nothing_is_shown_or_changed(shelf: Any, document_id: str) -> None:
    locked = _over(shelf, "a password")
    for token in (None, "", "guess"):
        assert locked.correction(token, document_id, "zh") == ""
        form, done = locked.correct(token, document_id, {"title": "新名称"}, "zh")
        assert (form, "请先登录" in done) == ("", True)
        assert "氢能" not in done
    assert stored(shelf, document_id) == {}
    token = locked.gate.sign_in("a password", "here")
    locked.correct(token, document_id, {"title": "新名称"}, "zh")
    assert stored(shelf, document_id) == {"title": "新名称"}
    last = Audit(shelf.assistant.store.catalog).entries()[0]
    assert (last.action, last.target) == ("correct", document_id)
    assert last.actor.startswith("session ")
    assert token not in last.actor


def test_corrected_fields_never_become_markup(desk: Shelf, shelf: Any, document_id: str) -> None:
    hostile = '"><script>window.hacked=1</script><img src=x onerror=window.hacked=2>'
    desk.correct(
        None, document_id, {**AS_READ, **dict.fromkeys(("title", "issuer", "kind", "level", "region"), hostile)}, "zh"
    )
    for shown in (desk.correction(None, document_id, "zh"), desk.listed(None, "zh"), desk.filters("zh")):
        assert "window.hacked=1" in shown
        assert "<script" not in shown
        assert "<img" not in shown


def test_notes_from_reading_are_hinted_at_in_the_list(desk: Shelf, shelf: Any) -> None:
    listed = desk.listed(None, "zh")
    assert "读取时有" not in listed
    shelf.holdings.put("scan.txt", "看不清的内容。", notes=("Page 3 was read with low confidence (0.41).",))
    assert "读取时有1条提示" in desk.listed(None, "zh")
    shelf.holdings.put("scan.txt", "看清了的内容。")
    assert "读取时有" not in desk.listed(None, "zh")


def test_versions_lead_to_what_changed(desk: Shelf, shelf: Any) -> None:
    document_id = shelf.holdings.put("versions.txt", "旧的。")
    assert f"/d/{document_id}/changes" not in desk.listed(None, "zh")
    shelf.holdings.put("versions.txt", "新的。")
    assert f"/d/{document_id}/changes" in desk.listed(None, "zh")
