"""The scoreboard's line about altered model outputs, and that it sees a check that is not made."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.support import Support
from evaluation.scoreboard import outputs
from evaluation.scoreboard.misbehaving import WRONGS, Knowing

KNOWN = Knowing(
    "对海州市新材料企业每年给予最高1103万元奖励，单个项目享受13.5%的补助，2033年4月5日前申请，其中考核优秀的给予20万元",
    "ab1",
    "ab2",
    "云川市检验检测机构考核合格的给予2211万元，申请材料在2031年9月8日前提交",
)


def test_the_quick_form_passes(tmp_path: Path) -> None:
    line = outputs.run(tmp_path, quick=True)
    assert line.passed, line.figure


@pytest.mark.parametrize("left_out", ["figures", "handles", "all"])
def test_without_a_check_altered_sentences_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    if left_out == "figures":
        monkeypatch.setattr("assistant.support.unsupported", lambda text, quotes: [])
    elif left_out == "all":
        monkeypatch.setattr(Support, "problems", lambda *_: [])
    else:
        monkeypatch.setattr("assistant.writer.Writer._checked", _without_handles)
    line = outputs.run(tmp_path, quick=True)
    assert not line.passed
    assert "shown: " in line.figure


def _without_handles(self: object, said: object, issued: dict[str, object], language: str) -> object:
    """Every sentence is taken to be borne out by the first of the evidence."""
    from assistant.writer import Written

    return Written(said.text, (next(iter(issued.values())),), ())  # type: ignore[attr-defined, arg-type]


def test_a_check_that_refuses_everything_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Support, "problems", lambda *_: ["no"])
    line = outputs.run(tmp_path, quick=True)
    assert not line.passed
    assert "120 of 120 true ones refused" in line.figure


@pytest.mark.parametrize("wrong", WRONGS)
def test_an_alteration_alters(wrong: str) -> None:
    said = WRONGS[wrong](KNOWN)
    if wrong == "flipped_negation":
        assert said is not None
        assert "不给予" in said
    assert said not in (None, f"{KNOWN.words}。[{KNOWN.right}]")


def test_no_two_policies_share_a_figure_of_a_kind() -> None:
    shelf = outputs.policies(outputs.POLICIES)
    sources = [clause.source for policy in shelf for clause in policy.clauses]
    assert len(set(sources)) == len(sources)
    assert len({policy.who for policy in shelf}) == len(shelf)
