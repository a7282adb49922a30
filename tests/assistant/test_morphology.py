"""English word forms."""

from __future__ import annotations

import pytest

from assistant.lexicon.morphology import family, lemmas


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ("subsidies", "subsidy"),
        ("hired", "hire"),
        ("planned", "plan"),
        ("growing", "grow"),
        ("bigger", "big"),
        ("went", "go"),
        ("children", "child"),
        ("analyses", "analysis"),
    ],
)
def test_a_form_leads_to_its_word(form: str, word: str) -> None:
    assert word in lemmas(form)


@pytest.mark.parametrize("word", ["as", "is", "the", "glass", "policy"])
def test_words_that_only_end_like_forms_stay(word: str) -> None:
    assert not {"a", "th", "glas", "polic"} & set(lemmas(word))


@pytest.mark.parametrize(
    ("one", "other"),
    [("colony", "colonialism"), ("invest", "investments"), ("teach", "teachers"), ("nation", "national")],
)
def test_relatives_have_one_stem(one: str, other: str) -> None:
    assert family(one) == family(other)


def test_strangers_have_not() -> None:
    assert family("subsidy") != family("subway")
