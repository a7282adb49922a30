"""The English-Chinese word table: what a question's words are called in official documents."""

from __future__ import annotations

import gzip
import re
from importlib import resources

import pytest

from assistant.lexicon import EnglishTable
from assistant.lexicon.cedict_table import LONGEST_PHRASE, TABLE, normal_form


@pytest.fixture(scope="module")
def table() -> EnglishTable:
    return EnglishTable.load()


def words(table: EnglishTable, phrase: str) -> list[str]:
    return [word for word, _ in table.lookup(phrase)]


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("subsidy", "补贴"),
        ("subsidy", "补助"),
        ("enterprise", "企业"),
        ("talent", "人才"),
        ("housing", "住房"),
        ("application", "申请"),
        ("deadline", "期限"),
        ("indicator", "指标"),
        ("loan", "贷款"),
        ("insurance", "保险"),
        ("tax", "税"),
    ],
)
def test_words_of_policy_questions(table: EnglishTable, phrase: str, expected: str) -> None:
    assert expected in words(table, phrase)


@pytest.mark.parametrize(
    ("phrase", "expected"), [("enterprise", "企业"), ("policy", "政策"), ("subsidy", "补贴"), ("talent", "人才")]
)
def test_the_usual_word_comes_first(table: EnglishTable, phrase: str, expected: str) -> None:
    assert words(table, phrase)[0] == expected


@pytest.mark.parametrize(
    ("inflected", "expected"),
    [
        ("subsidies", "补贴"),
        ("Enterprises", "企业"),
        ("applied", "申请"),
        ("assesses", "评估"),
        ("submitted", "提交"),
        ("submitting", "提交"),
        ("approved", "批准"),
        ("investing", "投资"),
        ("hospitals", "医院"),
    ],
)
def test_endings_are_taken_off(table: EnglishTable, inflected: str, expected: str) -> None:
    assert expected in words(table, inflected)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("Norway", "挪威"), ("Danube", "多瑙河"), ("Beethoven", "贝多芬"), ("World Health Organization", "世界卫生组织")],
)
def test_names_of_people_places_and_organisations(table: EnglishTable, phrase: str, expected: str) -> None:
    assert expected in words(table, phrase)


@pytest.mark.parametrize("phrase", ["half-year", "Half a year", "half year", "the half-year"])
def test_hyphens_articles_and_case_make_no_difference(table: EnglishTable, phrase: str) -> None:
    assert words(table, phrase)[0] == "半年"


def test_accents_make_no_difference() -> None:
    assert EnglishTable({"cafe": "咖啡馆9"}).lookup("Café") == (("咖啡馆", 1.0),)


def test_phrases_are_more_than_their_words(table: EnglishTable) -> None:
    assert words(table, "industrial parks")[0] == "工业园区"
    assert table.lookup("industrial") != table.lookup("industrial parks")


@pytest.mark.parametrize("phrase", ["", " ", "?", "3000", "qwertyuiop", "企业", "zz"])
def test_unknown_phrases_give_nothing(table: EnglishTable, phrase: str) -> None:
    assert table.lookup(phrase) == ()


def test_the_form_as_it_stands_comes_before_its_lemma_and_its_family() -> None:
    table = EnglishTable({"farming": "耕作9务农5", "farm": "农场9", "farmland": "农田9", "farmer": "农民9种田4"})
    found = table.lookup("farming")
    assert [word for word, _ in found] == ["耕作", "农场", "农民", "务农", "种田"]
    assert [worth for _, worth in found] == sorted((worth for _, worth in found), reverse=True)


def test_every_row_is_found_among_its_neighbours() -> None:
    rows = {"a": "甲9", "ab": "乙9", "ab cd": "丙9", "abc": "丁9", "b": "戊9", "zeta": "己9"}
    table = EnglishTable(rows)
    assert {key: table.lookup(key)[0][0] + "9" for key in rows} == rows
    assert len(table) == len(rows)


def test_the_file_holds_what_it_promises() -> None:
    data = gzip.decompress((resources.files("assistant.lexicon.cedict") / TABLE).read_bytes())
    lines = data.decode().splitlines()
    assert sorted(line.encode() for line in lines) == data.splitlines()
    assert len(lines) == len({line.partition("\t")[0] for line in lines}) == len(EnglishTable.load()) > 50_000
    for line in lines:
        key, _, row = line.partition("\t")
        assert key == normal_form(key)
        assert 1 <= len(key.split()) <= LONGEST_PHRASE
        assert re.fullmatch(r"(?:[\u4e00-\u9fff]+[0-9])+", row), line
