"""Invariant 1, from bytes to answer: whatever the document, a citation is exactly the characters it points at."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant import Assistant
from ingest.errors import UnreadableDocument
from ingest.preparing import prepare
from vectorstore.store import PolicyStore

PIECES = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=st.characters(categories=["Lo", "Nd", "Po", "Zs"]), max_size=60),
    st.sampled_from(
        [
            "第一条 对园区运营机构每年给予最高３０００万元奖励。",
            "（一）奖励申请表；",
            "申请奖励应当提交下列材料：",
            "# 园区奖励办法",
            "| 等次 | 金额 |",
            "| 优秀 | 3000万元 |",
            "园区𠮷野家\u200b奖励\u3000５０％",
            "推荐阅读",
            "- 别的新闻",
            "来源:商报",
        ]
    ),
)
BREAKS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "。", "，", " ", "\u3000", "\u2028", "\x0b"])
QUESTIONS = [
    "园区运营机构每年最高能拿到多少奖励？",
    "申请奖励要提交哪些材料？",
    "优秀的园区奖励多少？",
    "What reward does a park get?",
]


@st.composite
def documents(draw: st.DrawFn) -> str:
    pieces = draw(st.lists(st.tuples(PIECES, BREAKS), min_size=1, max_size=12))
    return "".join(piece + gap for piece, gap in pieces)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return Assistant(PolicyStore(tmp_path_factory.mktemp("kb")))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=documents(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
def test_every_passage_and_citation_is_verbatim(assistant: Assistant, text: str, encoding: str) -> None:
    data = text.encode(encoding, "replace")
    try:
        document, passages = prepare(data, "policy.txt")
    except UnreadableDocument:
        return
    for passage in passages:
        assert 0 <= passage.start < passage.end <= len(document.text)
        assert document.text[passage.start : passage.end].strip()
    assert all(before.end <= after.start for before, after in pairwise(passages))
    record = assistant.store.put(document, passages, key="policy.txt", sha256=hashlib.sha256(data).hexdigest())
    stored = assistant.document_text(record.document_id, record.version)
    assert stored == document.text
    for question in QUESTIONS:
        answer = assistant.ask(question)
        for citation in (*answer.citations, *answer.nearest):
            assert stored[citation.start : citation.end] == citation.quote
            assert 0 < len(citation.quote) <= 200
        assert all(claim.checks.quote and claim.checks.numbers for claim in answer.claims)


def test_the_fixture_answers_at_all(assistant: Assistant, tmp_path: Path) -> None:
    data = "园区奖励办法\n\n第一条 对园区运营机构每年给予最高３０００万元奖励。\n".encode()
    document, passages = prepare(data, "policy.txt")
    assistant.store.put(document, passages, key="policy.txt", sha256="x")
    assert "３０００万元" in assistant.ask(QUESTIONS[0]).citations[0].quote
