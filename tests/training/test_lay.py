"""How an answer to an everyday question is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.answer import Answer
from training.lay import LayQuestion, Outcome, auc, calibration_error, covers, figures, write_report

TEXT = "第一条 总则。\n第二条 在人行道上停放机动车的，\n处二百元罚款。第三条 附则。"
QUOTE = "在人行道上停放机动车的，处二百元罚款。"


@pytest.mark.parametrize(
    ("cited", "right"),
    [
        ("第二条 在人行道上停放机动车的，\n处二百元罚款。", True),
        ("在人行道上停放机动车的", False),  # too short to be evidence, and too little of it
        ("在人行道上停放机动车的，\n处", True),
        ("处二百元罚款。第三条 附则。", False),
        ("第一条 总则。", False),
    ],
)
def test_most_of_the_quote_or_a_good_piece_of_it(cited: str, right: bool) -> None:
    start = TEXT.index(cited)
    assert covers(TEXT, (start, start + len(cited)), QUOTE) is right


def test_a_quote_of_another_document_is_covered_by_nothing() -> None:
    assert not covers("别的文件。", (0, 5), QUOTE)


def test_the_area_under_the_curve() -> None:
    right = np.array([True, True, False, False])
    assert auc(np.array([0.9, 0.8, 0.2, 0.1]), right) == 1
    assert auc(np.array([0.5, 0.5, 0.5, 0.5]), right) == 0.5


def test_sure_and_wrong_is_an_error() -> None:
    assert calibration_error(np.array([0.95] * 10), np.array([True] * 10)) == pytest.approx(0.05)
    assert calibration_error(np.array([0.95] * 10), np.array([False] * 10)) == pytest.approx(0.95)


def outcome(confidence: float, *, right: bool, said: bool = True, answerable: bool = True) -> Outcome:
    answer = Answer(
        id="a", as_of="2026-01-01", status="answered" if said else "not_found", text="", claims=(), citations=(), warnings=(),
        nearest=(), question="", standalone_question="", language="zh", generator="extractive", confidence=confidence,
    )  # fmt: skip
    asked = LayQuestion("多少？", "zh", "number" if answerable else "none", "甲", "", "二百元" if answerable else "")
    return Outcome(asked, answer, right and said, right, 1 if right else None)


OUTCOMES = [
    outcome(0.95, right=True),
    outcome(0.85, right=True),
    outcome(0.75, right=False),
    outcome(0.15, right=True, said=False),
    outcome(0.05, right=False, said=False, answerable=False),
]


def test_what_was_refused_counts_for_the_confidence_as_what_it_would_have_been() -> None:
    told = figures(OUTCOMES)
    assert (told["right_zh"], told["wrong"], told["none_refused"]) == (0.5, 0.25, 1)
    assert told["auc"] == pytest.approx(5 / 6)


def test_the_report_has_a_line_a_bin_and_two_charts(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write_report(OUTCOMES, tmp_path)
    page = (tmp_path / "calibration.md").read_text(encoding="utf-8")
    assert "| 0.9 to 1.0 | 1 | 0.95 | 1.00 |" in page
    assert sum(line.startswith("| 0.") for line in page.splitlines()) == 5
    for name in ("calibration", "risk-coverage"):
        assert (tmp_path / "images" / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")
