"""Inverting a dictionary."""

from __future__ import annotations

from training.corpora import Entry
from training.lexicon import invert

COUNTS = {"申请": 1000, "应用": 600, "敷": 5000, "企业": 3000, "汪": 900, "画蛇添足": 900, "税": 150, "纳税": 100}


def table(*entries: Entry) -> dict[str, list[str]]:
    return invert(entries, COUNTS)


def test_frequent_words_in_their_first_sense_come_first() -> None:
    found = table(
        Entry("应用", "ying4 yong4", ("to put to use", "to apply")),
        Entry("申请", "shen1 qing3", ("to apply for (a job etc)", "application (form etc)")),
    )
    assert found["apply"] == ["申请", "应用"]
    assert found["apply for"] == ["申请"]
    assert found["application"] == ["申请"]


def test_words_nobody_looks_for_are_left_out() -> None:
    found = table(
        Entry("汪", "Wang1", ("surname Wang",)),
        Entry("画蛇添足", "hua4", ("to overdo it (idiom)", "overdo")),
        Entry("企业", "qi3 ye4", ("company", "variant of 公司", "CL:家[jia1]", "(archaic) guild")),
        Entry("罕见", "han3 jian4", ("rare",)),
    )
    assert found == {"company": ["企业"]}


def test_single_characters_count_in_their_first_sense_only() -> None:
    found = table(Entry("敷", "fu1", ("to spread", "to apply")), Entry("申请", "shen1 qing3", ("to apply",)))
    assert found["spread"] == ["敷"]
    assert found["apply"] == ["申请"]


def test_words_that_stand_in_the_plural_or_in_phrases_only_are_found() -> None:
    found = table(Entry("税", "shui4", ("taxes", "duties")), Entry("企业", "qi3 ye4", ("business enterprise",)))
    assert found["tax"] == ["税"]
    assert found["enterprise"] == ["企业"]
