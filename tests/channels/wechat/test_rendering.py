"""Answers as WeChat shows them: nothing too long, nothing broken, every link leading to its quote."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from assistant import Assistant
from assistant.answer import Warning
from channels.viewer import viewer
from channels.wechat.rendering import LARGEST_MARKDOWN, LARGEST_TEXT, Rendering, more, split
from tests.conftest import PARK, Put
from vectorstore.links import Links
from vectorstore.store import PolicyStore

PUBLIC = "https://policy.example.cn"
LINK = re.compile(r"https://policy\.example\.cn(/s/[A-Za-z0-9]+)")


@pytest.fixture
def assistant(store: PolicyStore, put: Put) -> Assistant:
    put("park.txt", PARK)
    return Assistant(store)


def test_a_citation_is_a_line_with_title_clause_and_link(assistant: Assistant) -> None:
    answer = assistant.ask("园区运营机构每年最高能拿到多少奖励？")
    (part,) = Rendering(Links(assistant.store.catalog), PUBLIC).parts(answer)
    said, cited = part.split("\n\n")
    assert said == answer.text
    assert re.fullmatch(
        r"\[1\] 《海州市产业园区运营机构奖励办法》\S* https://policy\.example\.cn/s/[A-Za-z0-9]{11}",
        cited.splitlines()[0],
    )


def test_every_link_opens_the_source_at_the_quote(assistant: Assistant) -> None:
    answer = assistant.ask("申请园区运营机构奖励要提交哪些材料？")
    rendering = Rendering(Links(assistant.store.catalog), PUBLIC)
    app = FastAPI()
    app.include_router(viewer(assistant))
    with TestClient(app) as client:
        for rendered in ("\n".join(rendering.parts(answer)), rendering.markdown(answer)):
            paths = LINK.findall(rendered)
            assert len(paths) == len(answer.citations) > 1
            for path, citation in zip(paths, answer.citations, strict=True):
                opened = client.get(path)
                assert opened.history[0].headers["location"].endswith("#quote")
                marked = re.search(r'<mark id="quote">(.*?)</mark>', opened.text, re.DOTALL)
                assert marked is not None
                assert citation.quote.startswith(marked[1])


def test_what_is_near_is_said_to_be_near(assistant: Assistant) -> None:
    answer = assistant.ask("园区运营机构的注册资本最低多少？")
    assert answer.nearest
    text = "\n".join(Rendering(Links(assistant.store.catalog), PUBLIC).parts(answer))
    assert "请自行核对" in text
    assert len(LINK.findall(text)) == len(answer.nearest)


def test_a_long_answer_comes_in_parts(assistant: Assistant) -> None:
    answer = assistant.ask("园区运营机构每年最高能拿到多少奖励？")
    answer = replace(answer, text="\n".join([f"第{n}句话说明奖励的条件，{'很长' * 60}。[1]" for n in range(40)]))
    answer = replace(answer, warnings=(Warning("expired", "已经过期。"),))
    rendering = Rendering(Links(assistant.store.catalog), PUBLIC)
    parts = rendering.parts(answer)
    assert len(parts) > 2
    assert all(len((part + more("zh")).encode()) <= LARGEST_TEXT for part in parts)
    assert parts[-1].endswith("提示：已经过期。")
    assert "".join("".join(parts).split()) == "".join(f"{answer.text}{_rest(parts)}".split())
    assert len(rendering.markdown(answer).encode()) <= LARGEST_MARKDOWN


def _rest(parts: list[str]) -> str:
    return "\n".join(parts).rpartition("[1]\n\n")[2] or "\n".join(parts).rpartition("。[1]\n")[2]


def test_markdown_of_the_source_stays_text(assistant: Assistant) -> None:
    answer = assistant.ask("园区运营机构每年最高能拿到多少奖励？")
    said = Rendering(Links(assistant.store.catalog), PUBLIC).markdown(
        replace(answer, text="**[点击](https://evil.example)** # 标题[1]")
    )
    assert "](https://evil" not in said
    assert said.startswith("＊＊［点击］(https://evil.example)＊＊ ＃ 标题[1]")


@given(st.text(alphabet="政策文件。，！abc 123[]\n/:%", max_size=900), st.integers(60, 300))
def test_nothing_is_lost_or_broken(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(len(part.encode()) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    markers = re.findall(r"\[\d+\]", text)
    assert [marker for part in parts for marker in re.findall(r"\[\d+\]", part)] == markers


def test_a_link_ends_when_its_time_is_over_or_it_is_revoked(tmp_path: Path) -> None:
    now = [1000.0]
    with_store = PolicyStore(tmp_path / "kb")
    links = Links(with_store.catalog, clock=lambda: now[0])
    kept, lent = links.code("d1", 1, 0, 5), links.code("d1", 1, 0, 5, days=30)
    assert kept != lent
    assert links.code("d1", 1, 0, 5) == kept
    assert links.code("d1", 1, 0, 5, days=30) == lent
    now[0] += 16 * 24 * 3600
    later = links.code("d1", 1, 0, 5, days=30)
    assert later != lent
    now[0] += 15 * 24 * 3600
    assert links.find(lent) is None
    found = links.find(later)
    assert found is not None
    assert (found.document_id, found.version, found.start, found.end) == ("d1", 1, 0, 5)
    assert links.revoke(later)
    assert links.find(later) is None
    assert links.find("nosuchcode1") is None
    assert links.find(kept) is not None
    with_store.close()
