"""Making training pairs, and the words they are cut into."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from training.corpora import Article
from training.glossing import inflected, short_glosses
from training.pairs import LONGEST_CLAUSE, clause_of, unique_articles
from training.vocabulary import character_class


@given(st.text("甲乙丙丁，。；", max_size=200), st.integers(0, 99))
def test_a_clause_stands_in_its_text_and_is_short(text: str, seed: int) -> None:
    clause, rest = clause_of(text, random.Random(seed))
    assert all(part in text for part in clause.split("，"))
    assert len(clause) <= LONGEST_CLAUSE + 1
    assert all(part in text for part in rest.split("，"))


def test_articles_of_the_benchmark_are_held_out() -> None:
    articles = [Article("法", "", text) for text in ("甲。", "乙。", "乙 。", "丙。")]
    assert [article.text for article in unique_articles(articles, {"甲。"})] == ["乙。", "丙。"]


def test_glosses_that_explain_are_left_out() -> None:
    glosses = [
        "to apply for (a job)",
        "CL:份[fen4]",
        "a long story of what it meant",
        "to give sb sth",
        "企業|企业",
    ]
    assert short_glosses(glosses) == ["apply for", "give"]


def test_endings_are_english() -> None:
    seen = {inflected(word, random.Random(seed)) for word in ("subsidy", "approve", "park") for seed in range(99)}
    assert {"subsidies", "subsidied", "approving", "approves", "parks", "park"} <= seen
    assert "subsidys" not in seen


def test_a_character_class_holds_its_characters() -> None:
    assert character_class(sorted("一丁七万丈区")) == "一-丁七万-丈区"
