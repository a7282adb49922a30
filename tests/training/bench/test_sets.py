"""Question sets from their files."""

from __future__ import annotations

from pathlib import Path

from training.bench import sets
from training.bench.sets import Question, QuestionSet
from training.corpora import Article


def test_laws_know_what_the_encoder_has_seen(shared: Path) -> None:
    asked = sets.laws(shared)
    assert [question.group for question in asked.questions] == ["unseen", "seen", "unanswerable", "unanswerable"]
    assert [len(question.gold) for question in asked.questions] == [1, 2, 0, 0]
    assert [question.text for question in asked.questions[2:]] == ["丙剧何时首演？", "丁鱼生活在哪里？"]
    assert (len(asked.passages), len(asked.texts())) == (4, 3)
    assert asked.group("seen", "unseen") == [0, 1]


def test_a_gold_article_is_known_by_its_beginning(shared: Path) -> None:
    asked = sets.laws(shared)
    assert asked.matched(asked.questions[1], "园区由市\n人民政府设立。") == (1,)
    assert asked.matched(asked.questions[1], "此处园区由市人民政府设立。") == ()


def test_a_gold_quote_stands_anywhere_in_its_passage(shared: Path) -> None:
    asked = sets.seeds(shared)
    assert len(asked.questions) == 2  # neither the follow-up nor the one without an answer
    right = [passage.text for passage in asked.passages if asked.matched(asked.questions[0], passage.text)]
    assert len(right) == 1
    assert "3000万元" in right[0]
    assert len(asked.documents) == 2


def test_one_alternative_is_enough() -> None:
    asked = QuestionSet((), (), quoted=True)
    assert asked.matched(Question("?", (("甲", "乙"), ("丙",))), "说的是 乙。") == (0,)


def test_xquad_is_asked_in_both_languages(shared: Path) -> None:
    asked = sets.xquad(shared)
    assert [question.group for question in asked.questions] == ["zh", "zh", "en", "en"]
    assert len(sets.cmrc(shared).questions) == 3


def test_quick_sets_hold_the_gold_passages(shared: Path) -> None:
    kept = sets.laws(shared, quick=True)
    texts = {passage.text for passage in kept.passages}
    assert {"园区内禁止焚烧垃圾。", "养犬应当登记。", "园区由市人民政府设立。"} <= texts


def test_a_law_is_a_document_and_an_article_a_passage() -> None:
    articles = [
        Article("海州市园区条例", "总则", "甲。"),
        Article("海州市园区条例", "", "乙\n丙。"),
        Article("丁法", "", "戊。"),
    ]
    (first, passages), (second, others) = sets.documents(articles)
    assert [first.text[piece.start : piece.end] for piece in passages] == ["甲。", "乙\n丙。"]
    assert [piece.section for piece in passages] == [("总则",), ()]
    assert (first.metadata.title, first.metadata.region, first.metadata.level) == ("海州市园区条例", "海州市", "市")
    assert first.text[slice(*first.metadata.spans["title"])] == first.metadata.title
    assert second.text[others[0].start : others[0].end] == "戊。"
    assert first.source != second.source


def test_paragraphs_without_a_title_are_documents_of_their_own() -> None:
    stored = list(sets.documents([Article("", "", "甲。"), Article("", "", "乙。")]))
    assert [(document.text, len(passages)) for document, passages in stored] == [("甲。", 1), ("乙。", 1)]
    assert stored[0][0].metadata.title is None
