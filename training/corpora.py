"""The public corpora that the encoder and the word table are made from, read from a folder of .jsonl.gz files."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

ARTICLE_START: Final = re.compile(
    r"^\s*(?:\*\*)?第[零〇一二三四五六七八九十百千0-9]+条(?:之[一二三四五六七八九十]+)?(?:\*\*)?[\s:：]*", re.MULTILINE
)
MARKUP_HEADING: Final = re.compile(r"^#+[ \u3000]*(.*)$", re.MULTILINE)
BODY_MARK: Final = "<!-- INFO END -->"

# Where a paragraph of an official document may begin when the line breaks were lost: after a full stop.
PARAGRAPH_START: Final = re.compile(
    r"[\n\r]+|\u3000\u3000+|(?<=[。；：])(?=[一二三四五六七八九十]{1,3}、|（[一二三四五六七八九十]{1,3}）|第[一二三四五六七八九十百]+条)"
)
ENUMERATION: Final = re.compile(
    r"^\s*(?:第[一二三四五六七八九十百]+[章节条]|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[）)]|\d{1,2}[.．、])\s*"
)
SENTENCE_END: Final = re.compile(r"(?<=[。！？；!?])")

# Two texts are the same article when they agree in this many characters without white space: the published gold
# texts and the statutes differ in line breaks and in trailing headings.
KEY_LENGTH: Final = 40

HELD_OUT_EVERY: Final = 5


class Converter(Protocol):
    """Turns traditional characters into simplified ones."""

    def convert(self, text: str) -> str:
        """Return the text in simplified characters."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a law: the law's title, the chapter heading above it ("" if none) and its text."""

    title: str
    chapter: str
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a policy; `heading` is the short clause it opens with ("" if none)."""

    title: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a paragraph, with the answers that stand in it."""

    text: str
    paragraph: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A dictionary entry: the word in simplified characters, its reading, its English glosses."""

    word: str
    reading: str
    glosses: tuple[str, ...]


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a gzipped JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def held_out(text: str) -> bool:
    """Whether a training question is in the fifth that a ranker learns from, for which the encoder must not know it."""
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), 16) % HELD_OUT_EVERY == 0


def article_key(text: str) -> str:
    """The first characters of a text without white space; equal for two printings of one article."""
    return "".join(text.split())[:KEY_LENGTH]


def sentences(text: str) -> list[str]:
    """Split a text after its sentence marks; marks stay with their sentence, blank ones are dropped."""
    return [part.strip() for part in SENTENCE_END.split(text) if part.strip()]


@cache
def converter() -> Converter:
    """The traditional-to-simplified converter, built once (it takes a second)."""
    from opencc import OpenCC

    built: Converter = OpenCC("t2s")
    return built


def articles(folder: Path) -> Iterator[Article]:
    """Yield every article of the laws, in order; identical texts are yielded as often as they occur."""
    for law in read_lines(folder / "laws.jsonl.gz"):
        body = law["text"].split(BODY_MARK)[-1]
        starts = list(ARTICLE_START.finditer(body))
        chapter, end = "", 0
        for number, start in enumerate(starts):
            for heading in MARKUP_HEADING.finditer(body, end, start.start()):
                chapter = ENUMERATION.sub("", " ".join(heading.group(1).split()))
            end = starts[number + 1].start() if number + 1 < len(starts) else len(body)
            text = MARKUP_HEADING.sub("", body[start.end() : end]).strip()
            if text:
                yield Article(law["title"], chapter, text)
            end = start.end()


def paragraphs(folder: Path) -> Iterator[Paragraph]:
    """Yield the paragraphs of the provincial policies that are long enough to say something (30 characters)."""
    for policy in read_lines(folder / "policies_hebei.jsonl.gz"):
        title = policy["title"].strip().rstrip(".")
        for piece in PARAGRAPH_START.split(policy["text"]):
            text = ENUMERATION.sub("", piece.strip())
            heading, mark, rest = text.partition("。")
            if mark and 4 <= len(heading) <= 28 and len(rest) >= 20:
                yield Paragraph(title, heading, rest.strip())
            elif len(text) >= 30:
                yield Paragraph(title, "", text)


def questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file of paragraphs, in simplified characters, those without an answer left out."""
    traditional = "traditional" in path.name
    for row in read_lines(path):
        context = converter().convert(row["context"]) if traditional else row["context"]
        for item in row["qas"]:
            if not item.get("is_impossible"):
                text = converter().convert(item["question"]) if traditional else item["question"]
                given = (answer["text"] if isinstance(answer, dict) else answer for answer in item["answers"])
                answers = (converter().convert(answer) if traditional else answer for answer in given)
                yield Question(text, context, tuple(dict.fromkeys(answers)))


def lay_questions(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield everyday legal questions with the texts of the statutes that answer them."""
    for row in read_lines(path):
        yield row["question"], tuple(text.strip() for text in row["statutes"].values())


def translations(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield sentence pairs: English, and Chinese in simplified characters."""
    for row in read_lines(folder / "tatoeba_en_zh.jsonl.gz"):
        yield row["en"], converter().convert(row["zh"])


def dictionary(folder: Path) -> Iterator[Entry]:
    """Yield the entries of CC-CEDICT (`traditional simplified [reading] /gloss/gloss/`)."""
    with gzip.open(folder / "cedict_ts.u8.gz", "rt", encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                words, _, rest = line.partition(" [")
                reading, _, glosses = rest.partition("] /")
                parts = tuple(gloss for gloss in glosses.strip().strip("/").split("/") if gloss)
                yield Entry(words.split(" ")[-1], reading, parts)
