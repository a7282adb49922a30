from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import PARK, TALENT, Put
from vectorstore import fulltext
from vectorstore.fulltext import Facet, Indexed, Scorer, Statistics, word_for_word
from vectorstore.segmentation import terms
from vectorstore.store import PolicyStore


def indexed(body: str, *, section: str = "", title: str = "") -> Indexed:
    return Indexed(" ".join(terms(body)), " ".join(terms(section)), " ".join(terms(title)), len(body))


def known(frequencies: dict[str, int], *, passages: int = 100, mean_length: float = 10.0) -> Statistics:
    return Statistics(passages, mean_length, {}, dict(frequencies))


def test_one_term_scores_as_bm25_says() -> None:
    statistics = known({"奖补": 3})
    scored = Scorer(statistics, [Facet((("奖补", 1.0),))]).score({1: indexed("园区奖补与奖补资金一览")})[1]
    slack = 1.2 * (1 - 0.75 + 0.75 * 11 / 10)
    expected = math.log(1 + 97.5 / 3.5) * 2 * 2.2 / (2 + slack)
    assert scored.bm25 == pytest.approx(expected)
    assert scored.coverage == pytest.approx(expected / (2.2 * math.log(1 + 97.5 / 3.5)))


def test_a_run_is_said_as_a_whole_or_by_most_of_its_pairs() -> None:
    scorer = Scorer(known({"管理": 9, "理机": 2, "机构": 9}), [Facet((("管理 理机 机构", 1.0),))])
    whole, pieces, nothing = scorer.shares(["管理机构的奖励", "管理和机构的奖励", "机构"])[:, 0]
    assert whole == 1.0
    assert pieces == pytest.approx(fulltext.PIECES_WORTH * 2 / 3)
    assert nothing == 0.0


def test_repeated_terms_are_all_counted() -> None:
    scorer = Scorer(known({"5": 1}), [Facet((("5", 1.0),))])
    once, twice = scorer.score({1: indexed("5 年"), 2: indexed("5 5 年")}).values()
    assert twice.bm25 > once.bm25 > 0
    assert Scorer(known({"5": 1}), [Facet((("5", 1.0),))]).score({1: indexed("15 年")})[1].bm25 == 0


def test_the_best_of_several_wordings_counts() -> None:
    statistics = known({"奖补": 5, "补贴": 5})
    facet = Facet((("奖补", 1.0), ("补贴", 0.5)))
    scores = Scorer(statistics, [facet]).score({1: indexed("奖补"), 2: indexed("补贴"), 3: indexed("奖补补贴")})
    assert scores[1].bm25 == pytest.approx(2 * scores[2].bm25)
    assert scores[3].bm25 < scores[1].bm25 < scores[1].bm25 + scores[2].bm25


def test_a_phrase_may_be_said_by_its_words() -> None:
    parts = (Facet((("园区", 1.0),)), Facet((("经理", 1.0),)))
    phrase = Facet((("园区 区经 经理", 1.0),), parts=parts)
    scorer = Scorer(known({"园区": 5, "区经": 1, "经理": 5}), [phrase])
    apart, none = scorer.shares(["经理在园区", "别的"])[:, 0]
    assert apart == pytest.approx(fulltext.PARTS_WORTH)
    assert none == 0
    assert scorer.score({1: indexed("经理在园区")})[1].bm25 > 0


def test_headings_and_titles_count_for_less() -> None:
    scorer = Scorer(known({"奖补": 5}), [Facet((("奖补", 1.0),))])
    passages = {1: indexed("奖补"), 2: indexed("别的", section="奖补"), 3: indexed("别的", title="奖补")}
    body, section, title = (scored.bm25 for scored in scorer.score(passages).values())
    assert body > section > title > 0


def test_a_question_of_unknown_words_covers_nothing() -> None:
    scorer = Scorer(known({}), word_for_word("没有见过"))
    assert scorer.score({1: indexed("奖补")})[1] == fulltext.Wording(0.0, 0.0)
    assert Scorer(known({}), []).shares(["奖补"]).shape == (1, 0)


@given(st.text("奖补园区5a ", max_size=12), st.text("奖补园区5a 。", min_size=1, max_size=40))
def test_coverage_is_a_share(question: str, body: str) -> None:
    scorer = Scorer(known(dict.fromkeys(terms(body), 2)), word_for_word(question))
    scored = scorer.score({1: indexed(body)})[1]
    assert 0 <= scored.coverage <= 1
    assert scored.bm25 >= 0
    assert ((scorer.shares([body]) >= 0) & (scorer.shares([body]) <= 1)).all()


def test_candidates_hold_the_rarest_terms(store: PolicyStore, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put("park.txt", PARK)
    put("talent.txt", TALENT)
    index = store.catalog.engine.fulltext
    with store.catalog.snapshot() as connection:
        statistics = fulltext.statistics(connection)
        asked = word_for_word("博士研究生安家补贴")
        whole = fulltext.candidates(index, connection, statistics, asked, 50)
        body = connection.execute("SELECT body FROM passages_text WHERE rowid = ?", (whole[0],)).fetchone()[0]
        assert "博士" in body
        assert fulltext.candidates(index, connection, statistics, asked, 1) == whole[:1]
        monkeypatch.setattr(fulltext, "WIDEST_TABLE", 0)
        assert fulltext.candidates(index, connection, statistics, asked, 50) == whole
        monkeypatch.setattr(fulltext, "MOST_POSTINGS", 1)
        assert 0 < len(fulltext.candidates(index, connection, statistics, asked, 50)) < len(whole)
        assert fulltext.candidates(index, connection, statistics, word_for_word("鑫淼"), 50) == []


def test_places_are_counted_by_document(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK.replace("海州", "青岛"))
    put("talent.txt", TALENT.replace("海州", "青岛"))
    assert sum(store.places().values()) == 2
    assert len(store.places()) == 1


def test_a_term_that_is_counted_and_stands_nowhere_gives_nothing(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    with store.catalog.snapshot() as connection:
        statistics = fulltext.statistics(connection)
        statistics.frequencies["鑫淼"] = 3
        assert (
            fulltext.candidates(store.catalog.engine.fulltext, connection, statistics, word_for_word("鑫淼"), 50) == []
        )
