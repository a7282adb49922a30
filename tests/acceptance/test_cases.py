"""Small inputs that other document assistants answer wrongly: value, place and the absence of the wrong value; `make accept`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant import Answer, Assistant
from ingest import ingest_paths
from tests.acceptance.seeds import SHARED, needs_seeds
from vectorstore.store import PolicyStore

pytestmark = needs_seeds

CASES = SHARED / "cases"


@dataclass(frozen=True, slots=True)
class Right:
    """What an answer must say and quote, what it must not say, and the last heading of its first citation."""

    said: tuple[str, ...]
    not_said: tuple[str, ...] = ()
    place: str = ""


RIGHT: dict[str, tuple[Right, ...]] = {
    "01": (Right(("88万元",), ("42万元",)), Right(("88万元",), ("42万元",))),
    "02": (Right(("身份证、无房证明和租赁合同",), ("？",)), Right(("18000元",), ("有上限吗",))),
    "03": (Right(("（一）", "（二）", "（三）", "（四）", "（五）", "（六）", "（七）", "（八）"), place="第三条"),),
    "07": (Right(("可以：", "年满十二周岁"), ("不符",)),),
    "09": (Right(("政府部门主办", "不足三天", "保健品")), Right(("不予补助",))),
    "10": (Right(("5元",)), Right(("首两小时免费",), ("5元",))),
    "12": (Right(("八百元",)), Right(("八百元",))),
    "14": (Right(("7%",), ("10%", "350万元", "260万元")),),
    "17": (Right(()), Right(("枫桥3酱园", "枫桥6酱园", "枫桥9酱园", "枫桥12酱园"), ("南浦区",))),
    "43": (Right(("2900",), ("1250",)), Right(("2750",), ("1150",)), Right(("2750",), ("1150",))),
    "45": (Right(("70万元", "45万元"), ("90万元", "60万元")),),
    "46": (Right(("133",), ("103",)),),
    "48": (Right(("12%",), ("9%",)), Right(("9%",), ("12%",))),
}


@pytest.mark.parametrize("number", RIGHT)
def test_a_case_is_answered_right(number: str, tmp_path: Path) -> None:
    (folder,) = CASES.glob(f"{number}-*")
    asked = json.loads((folder / "case.json").read_text(encoding="utf-8"))["ask"]
    ingest_paths([file for file in folder.iterdir() if file.suffix != ".json"], data_dir=tmp_path)
    with Assistant(PolicyStore(tmp_path)) as assistant:
        history: list[str] = []
        for question, right in zip([asked] if isinstance(asked, str) else asked, RIGHT[number], strict=True):
            follows = question.startswith("+")
            answer = assistant.ask(question.removeprefix("+"), history=history if follows else ())
            assert wrong(answer, right, assistant) == ""
            history.append(question)


def wrong(answer: Answer, right: Right, assistant: Assistant) -> str:
    """What is wrong with an answer, nothing if all is right; where nothing must be said, a refusal is right as well."""
    quoted = " ".join(citation.quote for citation in answer.citations)
    for words in right.said:
        if words not in answer.text or (words.rstrip("：") not in quoted and not words.endswith("：")):
            return f"{words} is not in {answer.text!r}"
    for words in right.not_said:
        if words in answer.text:
            return f"{words} is in {answer.text!r}"
    if right.place and not answer.citations[0].section[-1].startswith(right.place):
        return f"it is placed at {answer.citations[0].section}"
    exact = all(
        assistant.document_text(each.document_id, each.version)[each.start : each.end] == each.quote
        for each in answer.citations
    )
    return "" if exact else "a quote is not exact"
