"""The English-Chinese word table: what a question's words are called in official documents."""

from __future__ import annotations

import gzip
import re
from importlib import resources

import pytest

from assistant.lexicon import EnglishTable
from assistant.lexicon.cedict_table import TABLE, normal_form


@pytest.fixture(scope="module")
def table() -> EnglishTable:
    return EnglishTable.load()


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
    assert expected in table.lookup(phrase)


@pytest.mark.parametrize(
    ("phrase", "expected"), [("enterprise", "企业"), ("policy", "政策"), ("subsidy", "补贴"), ("talent", "人才")]
)
def test_the_usual_word_comes_first(table: EnglishTable, phrase: str, expected: str) -> None:
    assert table.lookup(phrase)[0] == expected


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
    assert expected in table.lookup(inflected)


@pytest.mark.parametrize("phrase", ["half-year", "Half a year", "half year", "the half-year"])
def test_hyphens_articles_and_case_make_no_difference(table: EnglishTable, phrase: str) -> None:
    assert table.lookup(phrase) == ("半年",)


def test_phrases_are_more_than_their_words(table: EnglishTable) -> None:
    assert table.lookup("industrial parks") == ("工业园区",)
    assert table.lookup("industrial") != table.lookup("industrial parks")


@pytest.mark.parametrize("phrase", ["", " ", "?", "a", "3000", "qwertyuiop", "企业", "s", "ing"])
def test_unknown_phrases_give_nothing(table: EnglishTable, phrase: str) -> None:
    assert table.lookup(phrase) == ()


def test_the_form_as_it_stands_comes_before_its_stem() -> None:
    table = EnglishTable({"news": "新闻", "new": "新", "house": "房屋 住房", "housing": "住房"})
    assert table.lookup("news") == ("新闻", "新")
    assert table.lookup("housing") == ("住房", "房屋")
    assert table.lookup("houses") == ("房屋", "住房")


def test_the_file_holds_what_it_promises() -> None:
    data = (resources.files("assistant.lexicon.cedict") / TABLE).read_bytes()
    lines = gzip.decompress(data).decode().splitlines()
    assert len(lines) == len({line.partition("\t")[0] for line in lines}) == len(EnglishTable.load()) > 10_000
    for line in lines:
        key, _, words = line.partition("\t")
        assert key == normal_form(key)
        assert 1 <= len(key.split()) <= 3
        assert 1 <= len(words.split(" ")) <= 6
        assert re.fullmatch(r"[\u4e00-\u9fff]+(?: [\u4e00-\u9fff]+)*", words), line
