"""What changed between two versions, sentence by sentence, with the numbers that changed."""

from __future__ import annotations

from assistant.comparing import compare
from vectorstore.passage import Document

OLD = """第一条 对考核优秀的园区，每年给予最高3000万元奖励。
第二条 申请应当在每年3月底前提出。
第三条 奖励由市财政局拨付。
第四条 本办法由市工信局解释。
"""
NEW = """第一条 对考核优秀的园区，每年给予最高3500万元奖励。
第二条 申请应当在每年3月底前提出。
第四条 本办法由市工信局负责解释。
第五条 骗取奖励的，追回资金，五年内不得申请。
"""


def document(text: str, **layout: object) -> Document:
    return Document("rules.txt", "text/plain", text, **layout)  # type: ignore[arg-type]


def test_sentences_that_changed_came_or_went() -> None:
    changes = compare(document(OLD), document(NEW))
    told = [
        (
            change.kind,
            OLD[slice(*change.old)][:3] if change.old else None,
            NEW[slice(*change.new)][:3] if change.new else None,
        )
        for change in changes
    ]
    assert told == [
        ("changed", "第一条", "第一条"),
        ("removed", "第三条", None),
        ("changed", "第四条", "第四条"),
        ("added", None, "第五条"),
    ]


def test_the_numbers_that_changed_are_marked() -> None:
    first = compare(document(OLD), document(NEW))[0]
    assert ["".join(OLD[slice(*span)]) for span in first.old_numbers] == ["3000万元"]
    assert ["".join(NEW[slice(*span)]) for span in first.new_numbers] == ["3500万元"]


def test_the_same_number_in_other_words_is_no_change() -> None:
    (change,) = compare(document("补贴标准为每月5千元。"), document("补贴标准是每月5000元。"))
    assert (change.old_numbers, change.new_numbers) == ((), ())


def test_white_space_and_boilerplate_make_no_change() -> None:
    old, new = "浏览次数：15\n第一条 给予奖励。", "浏览次数：99\n第一条　给予奖励。"
    assert compare(document(old, boilerplate=((0, 7),)), document(new, boilerplate=((0, 7),))) == []
