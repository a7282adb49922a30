"""The question sets: passages, questions, and the texts that answer them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from evaluation import load_questions
from ingest.places import level_of, region_of
from ingest.preparing import prepare
from ingest.titles import kind_of
from training import corpora
from training.corpora import Article
from vectorstore.passage import Document, Metadata, Passage

# What `--quick` keeps: questions of a group, and of the passages besides those that answer them one in so many.
QUICK_QUESTIONS: Final = 50
QUICK_SHARE: Final = 70

UNANSWERABLE: Final = "unanswerable"


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what has to be found: every entry of `gold`, each by one of its alternatives; none can be
    found if it is empty. `group` names the part of the set it belongs to.
    """

    text: str
    gold: tuple[tuple[str, ...], ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Passages and questions over them.

    `quoted`: gold is a quote that stands inside a passage, white space aside; otherwise it is the `article_key` of
    the passage. `documents` are the whole texts where the passages are our own splitter's.
    """

    passages: tuple[Article, ...]
    questions: tuple[Question, ...]
    quoted: bool = False
    documents: tuple[str, ...] = ()

    def matched(self, question: Question, text: str) -> tuple[int, ...]:
        """Which entries of a question's gold a passage is."""
        plain, key = "".join(text.split()), corpora.article_key(text)
        return tuple(
            number
            for number, alternatives in enumerate(question.gold)
            if any(wanted in plain if self.quoted else wanted == key for wanted in alternatives)
        )

    def texts(self) -> list[str]:
        """The passages' texts, identical ones once."""
        return list({"".join(passage.text.split()): passage.text for passage in self.passages}.values())

    def group(self, *names: str) -> list[int]:
        """The numbers of the questions of some groups; of all without a name."""
        return [number for number, asked in enumerate(self.questions) if not names or asked.group in names]


def seeds(shared: Path, *, quick: bool = False) -> QuestionSet:
    """The five seed documents; follow-up questions need their history and are left to the evaluation."""
    passages, documents = [], []
    for path in sorted((shared / "seeds").iterdir()):
        document, pieces = prepare(path.read_bytes(), path.name)
        documents.append(document.text)
        passages += [Article("", "", document.text[piece.start : piece.end]) for piece in pieces]
    questions = [
        Question(asked.question, (tuple("".join(quote.split()) for quote in asked.quotes),), asked.lang)
        for asked in load_questions(shared / "questions" / "seeds_dev.jsonl")
        if asked.answerable and asked.quotes and not asked.history
    ]
    return QuestionSet(tuple(passages), _some(questions, quick), quoted=True, documents=tuple(documents))


def xquad(shared: Path, *, quick: bool = False) -> QuestionSet:
    """XQuAD's Chinese paragraphs, asked in Chinese and in English."""
    rows = list(corpora.read_lines(shared / "data" / "bench" / "xquad_zh_en.jsonl.gz"))
    questions = [
        Question(asked[language], ((corpora.article_key(row["context_zh"]),),), language)
        for language in ("zh", "en")
        for row in rows
        for asked in row["qas"]
    ]
    passages = tuple(Article("", "", row["context_zh"]) for row in rows)
    return QuestionSet(passages, _some(questions, quick))


def cmrc(shared: Path, *, quick: bool = False) -> QuestionSet:
    """The development set of CMRC 2018."""
    rows = list(corpora.questions(shared / "data" / "bench" / "cmrc2018_dev.jsonl.gz"))
    questions = _some([Question(row.text, ((corpora.article_key(row.paragraph),),)) for row in rows], quick)
    paragraphs = list(dict.fromkeys(row.paragraph for row in rows))
    passages = [Article("", "", paragraph) for paragraph in (paragraphs[:200] if quick else paragraphs)]
    return QuestionSet(tuple(passages), questions)


def laws(shared: Path, *, quick: bool = False) -> QuestionSet:
    """All articles of the laws, asked STARD's everyday questions; CMRC's questions have no answer in them.

    A question is `seen` when one of its articles answers a question that the encoder was trained on, too.
    """
    train = corpora.lay_questions(shared / "data" / "train" / "stard_train.jsonl.gz")
    known = {corpora.article_key(text) for _, statutes in train for text in statutes}
    questions = []
    for text, statutes in corpora.lay_questions(shared / "data" / "bench" / "stard_dev.jsonl.gz"):
        keys = tuple(corpora.article_key(statute) for statute in statutes)
        questions.append(Question(text, tuple((key,) for key in keys), "unseen" if known.isdisjoint(keys) else "seen"))
    kept = _some([*questions, *_foreign(shared)], quick)
    articles = list(corpora.articles(shared / "data" / "train"))
    if quick:
        wanted = {key for question in kept for (key,) in question.gold}
        articles = [
            article
            for number, article in enumerate(articles)
            if number % QUICK_SHARE == 0 or corpora.article_key(article.text) in wanted
        ]
    return QuestionSet(tuple(articles), kept)


def documents(passages: Iterable[Article]) -> Iterator[tuple[Document, list[Passage]]]:
    """Passages as the product stores them: a law is a document with its title, an article a passage under its chapter.

    Paragraphs without a title are documents of their own.
    """
    titled = ((0 if passage.title else number, passage) for number, passage in enumerate(passages))
    for number, ((_, name), run) in enumerate(groupby(titled, key=lambda pair: (pair[0], pair[1].title))):
        articles = [article for _, article in run]
        start, pieces = len(name) + 1 if name else 0, []
        for position, article in enumerate(articles):
            section = (article.chapter,) if article.chapter else ()
            pieces.append(Passage(position, start, start + len(article.text), section))
            start += len(article.text) + 1
        text = "\n".join([*([name] if name else []), *(article.text for article in articles)])
        region = region_of(name or None)
        metadata = Metadata(
            title=name or None,
            region=region,
            level=level_of(region, None, name or None),
            kind=kind_of(name, "", None) if name else None,
            spans={"title": (0, len(name))} if name else {},
        )
        yield Document(f"{number:06}.txt", "text/plain", text, metadata=metadata), pieces


SETS: Final[dict[str, Callable[..., QuestionSet]]] = {"seeds": seeds, "xquad": xquad, "cmrc": cmrc, "laws": laws}


def _foreign(shared: Path) -> list[Question]:
    """The first question on every paragraph of CMRC, as one that nothing answers."""
    rows = corpora.questions(shared / "data" / "bench" / "cmrc2018_dev.jsonl.gz")
    first = {row.paragraph: row.text for row in reversed(list(rows))}
    return [Question(text, group=UNANSWERABLE) for text in reversed(first.values())]


def _some(questions: Sequence[Question], quick: bool) -> tuple[Question, ...]:
    if not quick:
        return tuple(questions)
    kept: dict[str, list[Question]] = {}
    for question in questions:
        kept.setdefault(question.group, []).append(question)
    return tuple(question for group in kept.values() for question in group[:QUICK_QUESTIONS])
