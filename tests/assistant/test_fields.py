"""Questions about a document as such are answered from where it says so of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Assistant
from assistant.fields import asked_field
from ingest.preparing import prepare
from tests.conftest import PARK
from vectorstore.store import PolicyStore

DECREE = """海州市人民政府令
第 38 号
《海州市公园管理规定》已经2024年2月1日市政府第5次常务会议通过，现予公布，自2024年5月1日起施行。
市长 王某
2024年2月10日
海州市公园管理规定
第一条 为了保护公园，制定本规定。
第二条 游客应当爱护花木，违者处50元以上200元以下罚款。
第三条 游园证有效期为一年。
"""


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    opened = Assistant(PolicyStore(tmp_path / "kb"))
    for name, text in (("park.txt", PARK), ("decree.txt", DECREE)):
        document, passages = prepare(text.encode(), name)
        opened.store.put(document, passages, key=name, sha256=name)
    return opened


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ("海州市公园管理规定从什么时候起施行？", "valid_from"),
        ("这个办法的施行日期是哪天？", "valid_from"),
        ("运营机构奖励办法的有效期到什么时候？", "valid_until"),
        ("运营机构奖励办法还有效吗？", "valid_until"),
        ("公园管理规定是谁发布的？", "issuer"),
        ("公园管理规定是哪个部门制定的？", "issuer"),
        ("公园管理规定的文号是什么？", "doc_no"),
        ("公园管理规定什么时候公布的？", "published"),
        ("When did the park rules take effect?", "valid_from"),
        ("居住证有效期多久？", None),
        ("园区运营机构每年能拿多少奖励？", None),
    ],
)
def test_which_field_a_question_asks_for(question: str, field: str | None) -> None:
    found = asked_field(question)
    assert (found[0] if found else None) == field


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("海州市公园管理规定从什么时候起施行？", "自2024年5月1日起施行"),
        ("海州市产业园区运营机构奖励办法的有效期到什么时候？", "有效期至2029年2月28日"),
        ("海州市公园管理规定是哪个部门制定的？", "海州市人民政府"),
        ("海州市人民政府令第38号从哪天起施行？", "自2024年5月1日起施行"),
    ],
)
def test_the_document_says_it_of_itself(assistant: Assistant, question: str, said: str) -> None:
    answer = assistant.ask(question)
    assert said in answer.text
    (citation,) = answer.citations
    assert said in citation.quote
    text = assistant.document_text(citation.document_id, citation.version)
    assert text[citation.start : citation.end] == citation.quote
    assistant.close()


def test_what_a_document_speaks_of_is_not_the_document(assistant: Assistant) -> None:
    assert "200元" in assistant.ask("海州市公园里不爱护花木罚多少钱？").text
    assert asked_field("海州市游园证的有效期多久？") is None
    assistant.close()


def test_a_document_that_is_not_there_is_not_answered_for(assistant: Assistant) -> None:
    answer = assistant.ask("海州市地铁票价管理办法从什么时候起施行？")
    assert answer.status == "not_found"
    assistant.close()
