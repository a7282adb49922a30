"""Inverting a dictionary, and writing the table."""

from __future__ import annotations

from training.corpora import Entry
from training.inversion import Weights, base_form, gloss_words, invert
from training.lexicon import digit, merge, rows

COUNTS = {"申请": 1000, "应用": 600, "企业": 3000, "汪": 900, "税": 150, "公司": 10}


def whole(*entries: Entry) -> Weights:
    return invert(entries, COUNTS)[0]


def best(row: dict[str, float]) -> list[str]:
    return sorted(row, key=lambda word: -row[word])


def test_usual_words_in_their_first_sense_come_first() -> None:
    found = whole(
        Entry("应用", "ying4 yong4", ("to put to use", "to apply")),
        Entry("申请", "shen1 qing3", ("to apply for (a job etc)", "application (form etc)")),
        Entry("敷", "fu1", ("to apply",)),
    )
    assert best(found["apply"]) == ["申请", "应用", "敷"]
    assert set(found["application"]) == {"申请"}


def test_words_glossed_in_the_plural_answer_for_the_singular() -> None:
    assert set(whole(Entry("税", "shui4", ("taxes",)), Entry("课", "ke4", ("tax",)))["tax"]) == {"税", "课"}


def test_surnames_variants_and_measure_words_are_left_out() -> None:
    found = whole(
        Entry("汪", "Wang1", ("surname Wang",)),
        Entry("企业", "qi3 ye4", ("company", "variant of 公司", "CL:家[jia1]")),
    )
    assert set(found) == {"company"}


def test_names_stay_without_their_explanations() -> None:
    assert list(gloss_words("Bergen, city in Norway")) == [["bergen"]]
    assert list(gloss_words("abbr. for Ministry of Works (Ruritania)")) == [["ministry", "works"]]
    assert list(gloss_words("to inform, to tell")) == [["inform"], ["tell"]]


def test_a_gloss_says_something_of_each_of_its_words() -> None:
    _, part = invert(
        [Entry("企业", "qi3 ye4", ("business enterprises",)), Entry("公司", "gs", ("enterprise",))], COUNTS
    )
    assert set(part) == {"business", "enterprise"}
    assert base_form("enterprises", {"enterprise"}) == "enterprise"
    assert base_form("enterprises", {"enterprises", "enterprise"}) == "enterprises"


def test_rows_carry_worths_and_leave_explanations_out() -> None:
    table = merge(
        {"tax": {"税": 4.0, "公司": 0.4}, "grow very rich": {"暴富": 1.0}}, {"tax": {"公司": 0.4}}, {}, COUNTS
    )
    assert rows(table, COUNTS, frozenset()) == {"tax": "税9公司6"}
    assert set(rows(table, COUNTS, frozenset({"grow very rich"}))) == {"tax", "grow very rich"}


def test_worths_are_tenths() -> None:
    assert [digit(share) for share in (1.0, 0.5, 0.01, 1e-9)] == ["9", "8", "3", "0"]
