from __future__ import annotations

import pytest

from prompts import load_wording


def test_both_languages_have_the_same_phrases_with_the_same_placeholders() -> None:
    chinese, english = load_wording("zh"), load_wording("en")
    assert chinese.names() == english.names()
    assert all(chinese.placeholders(name) == english.placeholders(name) for name in chinese.names())


def test_placeholders_are_filled_in() -> None:
    assert (
        load_wording("en")
        .say("warning_expired", title="A plan", date="2021-12-31")
        .startswith("The period of validity of 《A plan》 ended on 2021-12-31")
    )


@pytest.mark.parametrize("values", [{}, {"title": "A"}, {"title": "A", "date": "B", "more": "C"}])
def test_a_missing_or_unknown_placeholder_is_an_error(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="takes"):
        load_wording("en").say("warning_expired", **values)


def test_an_unknown_phrase_is_an_error() -> None:
    with pytest.raises(KeyError):
        load_wording("zh").say("farewell")
