from __future__ import annotations

import pytest

from assistant.lexicon import AskingWords, EnglishTable, Glossary, Regions
from assistant.question import Understanding
from assistant.words import Words, vocabulary


@pytest.fixture(scope="module")
def words() -> Words:
    asking = AskingWords.load()
    terms = (*Glossary.load(), *Regions.load())
    return Words(vocabulary(), asking.particles, verbs=asking.verbs, terms=terms)


@pytest.fixture(scope="module")
def understanding(words: Words) -> Understanding:
    return Understanding(words, AskingWords.load(), Glossary.load(), Regions.load(), EnglishTable.load)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("园区管理机构的奖补", ["园区", "管理机构", "的", "奖补"]),
        ("在土地上建宿舍", ["在", "土地", "上", "建", "宿舍"]),
        ("跨市配套率", ["跨市", "配套率"]),
        ("GDP增长27.48%", ["gdp", "增长", "27.48%"]),
    ],
)
def test_words(words: Words, text: str, expected: list[str]) -> None:
    assert words.split(text) == expected


def test_an_unknown_name_stays_whole(words: Words) -> None:
    assert "卡奥斯" in words.split("卡奥斯在海州有多少企业")


@pytest.mark.parametrize(
    ("question", "language"),
    [("奖补多少？", "zh"), ("What subsidy?", "en"), ("GDP是多少？", "zh"), ("What does 奖补 mean?", "en")],
)
def test_the_language(understanding: Understanding, question: str, language: str) -> None:
    assert understanding.understand(question).language == language


def test_years_places_and_titles_are_constraints_not_terms(understanding: Understanding) -> None:
    query = understanding.understand("2025年深圳市按照《园区奖励办法》给多少奖补？")
    assert query.years == ("2025",)
    assert query.regions == ("深圳",)
    assert query.titles == ("园区奖励办法",)
    assert {term.text for term in query.terms if term.role == "topic"} == {"奖补"}
    assert [term.text for term in query.terms if term.role == "place"] == ["深圳"]


def test_an_unlisted_county_is_a_place(understanding: Understanding) -> None:
    assert "临潮市" in understanding.understand("临潮市的购房补贴是多少？").regions
    assert understanding.understand("工业园区的补贴是多少？").regions == ()


def test_english_terms_carry_chinese_wordings(understanding: Understanding) -> None:
    wordings = {
        term.text: term.wordings for term in understanding.understand("What subsidy does a park manager get?").terms
    }
    assert "奖补" in wordings["subsidy"]
    assert "园区" in wordings["park"]
    assert "管理机构" in wordings["manager"]


def test_an_unknown_english_name_is_looked_for_by_sound(understanding: Understanding) -> None:
    (name,) = [
        term for term in understanding.understand("What is the subsidy in Dongpu?").terms if term.text == "dongpu"
    ]
    assert name.sounds
    assert name.role == "name"


def test_english_wordings_carry_their_worths_and_the_glossary_comes_first(understanding: Understanding) -> None:
    (term,) = [t for t in understanding.understand("How is a teacher assessed?").terms if t.text == "assessed"]
    assert len(term.worths) == len(term.wordings)
    assert term.wordings[0] == "考核"
    assert term.worths[0] == 1.0
    assert all(0 < worth <= 1 for worth in term.worths)


def test_an_english_phrase_keeps_its_words_as_parts(understanding: Understanding) -> None:
    terms = understanding.understand("Who runs the nuclear power station?").terms
    (phrase,) = [term for term in terms if " " in term.text]
    assert "核电" in phrase.wordings
    assert [part.text for part in phrase.parts] == phrase.text.split()


@pytest.mark.parametrize(
    ("question", "text", "wording"),
    [
        ("Which firm got 5 million yuan?", "5 million", "500万"),
        ("What was built in the 18th century?", "18th century", "18世纪"),
        ("What opens in March?", "march", "3月"),
    ],
)
def test_english_numbers_are_looked_for_in_chinese_notation(
    understanding: Understanding, question: str, text: str, wording: str
) -> None:
    assert wording in {term.text: term.wordings for term in understanding.understand(question).terms}[text]


def test_an_english_quotation_is_translated(understanding: Understanding) -> None:
    terms = understanding.understand('What does the plan say about "industrial parks"?').terms
    assert "工业园区" in {wording for term in terms for wording in term.wordings}


def test_chinese_terms_have_no_worths(understanding: Understanding) -> None:
    assert not any(term.worths or term.parts for term in understanding.understand("园区的补贴是多少？").terms)


def test_a_follow_up_takes_over_the_subject_of_the_question_before(understanding: Understanding) -> None:
    query = understanding.understand("那考核指标有哪些？", ["集聚区管理机构有什么奖励？"])
    assert "管理机构" in query.standalone
    assert {term.text for term in query.terms if term.role == "history"} >= {"管理机构"}
    assert not query.dangling


def test_a_follow_up_to_nothing_dangles(understanding: Understanding) -> None:
    assert understanding.understand("那它的考核指标有哪些？").dangling
    assert not understanding.understand("园区的考核指标有哪些？").dangling


def test_a_figure_to_confirm_is_a_premise_not_a_term(understanding: Understanding) -> None:
    query = understanding.understand("园区管理机构最高能拿8000万元奖补，对吗？")
    assert [str(figure.value) for figure in query.premise] == ["80000000"]


def test_counted_things_are_counted_with_their_noun(understanding: Understanding) -> None:
    (term,) = [term for term in understanding.understand("三个专业园区是哪几个？").terms if term.counts]
    assert "3个" in term.wordings
    assert "专业" in term.counts


@pytest.mark.parametrize(
    ("question", "regions"),
    [
        ("What reward does Haizhou pay?", ("海州",)),
        ("What reward does Haizhou District pay?", ("海州区",)),
        ("What does Qingdao plan?", ("青岛",)),
    ],
)
def test_a_district_in_english_is_meant_when_it_is_said(
    understanding: Understanding, question: str, regions: tuple[str, ...]
) -> None:
    named = understanding.understand(question, ()).regions
    assert tuple(name.removesuffix("市") for name in named) == regions
