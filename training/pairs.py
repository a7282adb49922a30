"""The texts that belong together, one list for each way of belonging."""

from __future__ import annotations

import logging
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

import numpy as np

from training import corpora
from training.bm25 import Bm25
from training.corpora import Article, Paragraph, Question
from training.glossing import gloss_table, in_english, short_glosses
from vectorstore.segmentation import terms

logger = logging.getLogger(__name__)

# A question, the text that answers it and, where there is one, a text that is close and does not.
Texts = tuple[str, ...]
Translate = Callable[[str], str]

# 300 characters are about 200 tokens; a mean over more says little about any one of them.
LONGEST_TEXT: Final = 300

# A clause cut from a text serves as a question about the rest. Questions have about this many characters.
SHORTEST_CLAUSE: Final = 8
LONGEST_CLAUSE: Final = 40
# A text keeps the clause taken from it this often, so that words in common are not taken for a bad sign.
WHOLE_SHARE: Final = 0.3
CLAUSE_MARK: Final = re.compile(r"[，。；：、！？\s（）()《》“”\"]+")

# How often the small sets are seen in one pass, so that they are not lost among 140,000 articles. The copies of lay
# questions are lists of their own: in a batch no text occurs twice, and the questions are fewer than a batch holds.
LAY_QUESTION_COPIES: Final = 24
READING_QUESTION_COPIES: Final = 2

# Every how-manyth copy of the lay questions is in English.
ENGLISH_COPY: Final = 8

# A text that does not answer a question on an article is taken from the articles about this far from it.
NEIGHBOURS: Final = 8
# And from as many that BM25 finds for it.
LOOKALIKES: Final = 10

# A gloss that more words share is too general to make them alike.
MOST_SYNONYMS: Final = 8


def all_pairs(folder: Path, bench: Path, *, seed: int, whole: bool = True) -> dict[str, list[Texts]]:
    """Make the training pairs from the corpora in `folder`, by the name of their kind.

    Articles that answer a question of the benchmark in `bench` are left out of the pairs made from laws. Unless `whole`,
    the questions held out (`corpora.held_out`, of reading questions those on a paragraph held out) are left out, too.
    """
    chance = random.Random(seed)
    table = gloss_table(folder)

    def translate(text: str) -> str:
        return in_english(text, table, chance)

    held_out = held_out_keys(bench)
    articles = list(unique_articles(corpora.articles(folder), held_out))
    paragraphs = list({paragraph.text: paragraph for paragraph in corpora.paragraphs(folder)}.values())
    questions = [
        question
        for name in ("drcd_traditional.jsonl.gz", "cmrc2018_trial.jsonl.gz")
        for question in corpora.questions(folder / name)
    ]
    questions = [question for question in questions if whole or not corpora.held_out(question.paragraph)]
    lay = [
        (question, statutes)
        for question, statutes in corpora.lay_questions(folder / "stard_train.jsonl.gz")
        if whole or not corpora.held_out(question)
    ]
    pairs = {
        "law_heading": ((heading_of(article), article.text) for article in articles),
        "law_clause": law_clauses(articles, chance),
        "law_neighbour": islice(law_neighbours(articles), None, None, 2),
        "law_english": ((translate(clause_of(article.text, chance)[0]), article.text) for article in articles[::2]),
        "policy_heading": policy_headings(paragraphs),
        "policy_clause": policy_clauses(paragraphs, chance),
        "policy_english": policy_english(paragraphs, translate, chance),
        **lay_questions(lay, articles, translate, chance),
        "reading": reading_pairs(questions),
        "reading_english": (
            (translate(question), passage)
            for _ in range(READING_QUESTION_COPIES)
            for question, passage in reading_pairs(questions)
        ),
        "sentence": sentence_pairs(folder),
        "word": word_pairs(folder, chance),
        "synonym": synonyms(folder, chance),
    }
    made = {name: [cut(pair) for pair in some if all(pair)] for name, some in pairs.items()}
    for name, some in made.items():
        logger.info("%s: %d pairs, such as %s", name, len(some), " <-> ".join(part[:40] for part in some[-1]))
    return made


def held_out_keys(bench: Path) -> set[str]:
    """The keys of the articles that answer the benchmark's questions."""
    return {
        corpora.article_key(text)
        for _, statutes in corpora.lay_questions(bench / "stard_dev.jsonl.gz")
        for text in statutes
    }


def unique_articles(articles: Iterable[Article], held_out: set[str]) -> Iterator[Article]:
    """Yield each text once, without those held out."""
    seen = set(held_out)
    for article in articles:
        key = corpora.article_key(article.text)
        if key not in seen:
            seen.add(key)
            yield article


def heading_of(article: Article) -> str:
    """The title of an article's law, with the chapter."""
    return f"{article.title} {article.chapter}".strip()


def clause_of(text: str, chance: random.Random) -> Texts:
    """Take some neighbouring clauses out of a text: those, and what is left ("" where nothing would be)."""
    text = text[:LONGEST_TEXT]
    clauses = [part for part in CLAUSE_MARK.split(text) if part]
    if not clauses:
        return "", ""
    first = chance.randrange(len(clauses))
    taken = clauses[first][:LONGEST_CLAUSE]
    for clause in clauses[first + 1 :]:
        if len(taken) >= SHORTEST_CLAUSE and (len(taken) + len(clause) > LONGEST_CLAUSE or chance.random() < 0.5):
            break
        taken += "，" + clause
    rest = "，".join(clause for clause in clauses if clause not in taken)
    return (taken, rest) if len(rest) >= SHORTEST_CLAUSE else (taken, text)


def law_clauses(articles: list[Article], chance: random.Random) -> Iterator[Texts]:
    """A clause with the rest of its article, or now and then with the article itself, and with an article nearby.

    As in a store, half of the articles stand behind their law's title and chapter.
    """
    for place, article in enumerate(articles):
        clause, rest = clause_of(article.text, chance)
        text = article.text if chance.random() < WHOLE_SHARE else rest
        yield clause, f"{heading_of(article)} {text}" if place % 2 else text, nearby(articles, place, chance)


def nearby(articles: list[Article], place: int, chance: random.Random) -> str:
    """Another article, not far before or behind a place."""
    step = chance.choice([number for number in range(-NEIGHBOURS, NEIGHBOURS + 1) if number])
    return articles[(place + step) % len(articles)].text


def law_neighbours(articles: list[Article]) -> Iterator[Texts]:
    """An article with the next one of its chapter."""
    for article, following in pairwise(articles):
        if (article.title, article.chapter) == (following.title, following.chapter):
            yield article.text, following.text


def policy_headings(paragraphs: list[Paragraph]) -> Iterator[Texts]:
    """A policy's title, and a paragraph's own heading, with the paragraph."""
    for paragraph in paragraphs:
        yield paragraph.title, paragraph.heading + paragraph.text
        if paragraph.heading:
            yield paragraph.heading, paragraph.text


def policy_clauses(paragraphs: list[Paragraph], chance: random.Random) -> Iterator[Texts]:
    """A clause with its paragraph, and two others with the rest of it."""
    for paragraph in paragraphs:
        yield clause_of(paragraph.text, chance)[0], paragraph.text
        yield clause_of(paragraph.text, chance)
        yield clause_of(paragraph.text, chance)


def policy_english(paragraphs: list[Paragraph], translate: Translate, chance: random.Random) -> Iterator[Texts]:
    """The heading or a clause of a paragraph, word by word in English, with the paragraph."""
    for paragraph in paragraphs:
        yield translate(clause_of(paragraph.text, chance)[0]), paragraph.text
        if paragraph.heading:
            yield translate(paragraph.heading), paragraph.text


def lay_questions(
    lay: list[tuple[str, Texts]], articles: list[Article], translate: Translate, chance: random.Random
) -> dict[str, Iterable[Texts]]:
    """Everyday questions with a statute that answers them and one that does not; some in English.

    The other one lies near the right one in every second copy; in the rest it is one of those that BM25 puts first.
    """
    places = {corpora.article_key(article.text): place for place, article in enumerate(articles)}
    lookalikes = similar([article.text for article in articles], [question for question, _ in lay])

    def another(statutes: Texts, chosen: str, alike: Texts | None) -> str:
        place = places.get(corpora.article_key(chosen), chance.randrange(len(articles)))
        text = chance.choice(alike) if alike else nearby(articles, place, chance)
        return chance.choice(articles).text if text.strip() in statutes else text

    copies: dict[str, Iterable[Texts]] = {}
    for copy in range(LAY_QUESTION_COPIES):
        rows = list[Texts]()
        for (question, statutes), alike in zip(lay, lookalikes, strict=True):
            chosen = chance.choice(statutes)
            asked = translate(question) if copy % ENGLISH_COPY == 0 else question
            rows.append((asked, chosen, another(statutes, chosen, alike if copy % 2 else None)))
        copies[f"lay_question_{copy + 1}"] = rows
    return copies


def similar(texts: list[str], questions: list[str]) -> list[Texts]:
    """For every question the texts that BM25 over character pairs puts first."""
    bm25 = Bm25(texts, terms)
    best = (np.argpartition(-bm25.scores(question), LOOKALIKES)[:LOOKALIKES] for question in questions)
    return [tuple(texts[place] for place in some.tolist()) for some in best]


def reading_pairs(questions: list[Question]) -> Iterator[Texts]:
    """A question with the sentence that answers it, and with the text around that sentence."""
    for question in questions:
        answer = next((text for text in question.answers if text in question.paragraph), None)
        if answer is not None:
            place = question.paragraph.index(answer)
            start = max(0, place - LONGEST_TEXT // 2)
            yield question.text, question.paragraph[start : start + LONGEST_TEXT]
            sentence = next((text for text in corpora.sentences(question.paragraph) if answer in text), "")
            yield question.text, sentence


def sentence_pairs(folder: Path) -> Iterator[Texts]:
    """Translated sentences, in both directions."""
    for english, chinese in corpora.translations(folder):
        yield english, chinese
        yield chinese, english


def word_pairs(folder: Path, chance: random.Random) -> Iterator[Texts]:
    """The dictionary's words with all their glosses, or one of their glosses with the word."""
    for entry in corpora.dictionary(folder):
        glosses = short_glosses(entry.glosses)
        if glosses:
            yield (entry.word, "; ".join(glosses)) if chance.random() < 0.5 else (chance.choice(glosses), entry.word)


def synonyms(folder: Path, chance: random.Random) -> Iterator[Texts]:
    """Chinese words that share a gloss: 老板 and 雇主 are both employers."""
    words: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for entry in corpora.dictionary(folder):
        for gloss in short_glosses(entry.glosses):
            words[gloss.lower()][entry.word] = None
    for some in words.values():
        if 2 <= len(some) <= MOST_SYNONYMS:
            for _ in some:
                first, second = chance.sample(list(some), 2)
                yield first, second


def cut(pair: Texts) -> Texts:
    """The texts, no longer than the longest that is trained on."""
    return tuple(text[:LONGEST_TEXT] for text in pair)
