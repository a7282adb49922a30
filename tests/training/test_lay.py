"""How an answer to an everyday question is judged."""

from __future__ import annotations

import numpy as np
import pytest

from training.lay import auc, calibration_error, covers

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
