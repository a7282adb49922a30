"""Questions over passages as the product cuts them: what encoder, reader and calibration are made from.

`documents` reads a corpus with the product's own readers, so that a model sees in training what it sees in use: title,
heading path and passage. `question_rows` joins everyday questions to those passages.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import log
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from ingest.preparing import prepare
from training import corpora
from vectorstore.making import heading
from vectorstore.passage import Span

OURS: Final = Path(__file__).parent / "data"
INVENTED: Final = ("invented.jsonl", "siblings.jsonl")  # the second for the second round of the reader

# The share of a quote that a passage has to hold to be the one that answers.
LEAST_COVERED: Final = 0.6

# Of every hundred documents, those that no model sees: confidence is calibrated on them.
CALIBRATION_PERCENT: Final = 15


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage of a document: heading (title｜heading path), text, and its place in the document's text."""

    heading: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as the product reads it."""

    title: str
    source: str  # what the corpus has, which our questions' offsets count in
    text: str
    passages: tuple[PassageRow, ...]

    def find(self, quote: str) -> Span | None:
        """Where a quote stands, white space aside."""
        letters = [index for index, letter in enumerate(self.text) if not letter.isspace()]
        start = "".join(self.text.split()).find("".join(quote.split()))
        if start < 0 or not quote.strip():
            return None
        return letters[start], letters[start + len("".join(quote.split())) - 1] + 1

    def holding(self, span: Span) -> PassageRow | None:
        """The passage that holds most of a span, if that is enough of it."""
        best = max(self.passages, key=lambda passage: _common((passage.start, passage.end), span), default=None)
        covers = best is not None and _common((best.start, best.end), span) >= LEAST_COVERED * (span[1] - span[0])
        return best if covers else None


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question with a passage and, if that answers it, the places of answer and evidence in the passage's text.

    `others` are passages of the same document that do not answer it, the likeliest to be taken for an answer first.
    """

    question: str
    language: str
    kind: str
    title: str
    passage: PassageRow
    answers: tuple[Span, ...]
    evidence: tuple[Span, ...]
    others: tuple[PassageRow, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the passage answers."""
        return bool(self.answers)


def joined(*parts: str) -> str:
    """A heading of its parts, as `vectorstore.making.heading` joins them."""
    return "｜".join(dict.fromkeys(part for part in parts if part))


def for_calibration(title: str) -> bool:
    """Whether a document is kept from every model."""
    return zlib.crc32(title.encode()) % 100 < CALIBRATION_PERCENT


def documents(data: Path, titles: Iterable[str]) -> dict[str, DocumentRow]:
    """The laws and policies of these titles, read as the product reads files; both cores."""
    wanted, files = set(titles), dict[str, str]()
    for name in ("laws", "policies_hebei"):
        for row in corpora.read_lines(data / f"{name}.jsonl.gz"):
            if row["title"] in wanted:
                files.setdefault(row["title"], row["text"])
    # A process forked beside onnxruntime's threads never ends.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return dict(zip(files, pool.map(_document, files, files.values(), chunksize=32), strict=True))


def _document(title: str, body: str) -> DocumentRow:
    file = body if body.startswith("#") else f"# {title}\n\n{body}"
    document, passages = prepare(file.encode(), "document.md")
    text = document.text
    rows = tuple(
        PassageRow(heading(title, text, each), text[each.start : each.end], each.start, each.end) for each in passages
    )
    return DocumentRow(title, body, text, rows)


class Overlap:
    """How much of a question's character pairs a passage holds, rare ones counting more: what tempts a word search."""

    def __init__(self, passages: Sequence[PassageRow]) -> None:
        self._passages = passages

    @cached_property
    def _pairs(self) -> list[set[str]]:
        return [_pairs(passage.heading + passage.text) for passage in self._passages]

    @cached_property
    def _idf(self) -> Mapping[str, float]:
        counts: dict[str, int] = defaultdict(int)
        for pairs in self._pairs:
            for pair in pairs:
                counts[pair] += 1
        return {pair: log(1 + len(self._passages) / count) for pair, count in counts.items()}

    def ranked(self, question: str) -> list[PassageRow]:
        """The passages, those that share most with the question first."""
        asked = _pairs(question)
        scores = [sum(self._idf[pair] for pair in asked & pairs) for pairs in self._pairs]
        order = sorted(range(len(scores)), key=lambda index: -scores[index])
        return [self._passages[index] for index in order]


def training_rows(data: Path) -> list[QuestionRow]:
    """Everything to train on: everyday questions over the corpora, ours over them and over invented documents."""
    titles = {row["title"] for row in corpora.read_lines(data / "lay_questions.jsonl.gz") if row["split"] == "train"}
    titles |= {row["title"] for row in read(OURS / "questions.jsonl")}
    return [*lay_rows(data, documents(data, titles), "train"), *invented_rows()]


def lay_rows(data: Path, found: Mapping[str, DocumentRow], split: str) -> Iterator[QuestionRow]:
    """The rows of lay_questions.jsonl.gz of a split, and of our questions over the same corpora (all of them train)."""
    rows = [row for row in corpora.read_lines(data / "lay_questions.jsonl.gz") if row["split"] == split]
    ours = list(read(OURS / "questions.jsonl")) if split == "train" else []
    rows += [_quoted(row, found[row["title"]].source) for row in ours if row["title"] in found]
    overlaps: dict[str, Overlap] = {}
    for row in rows:
        document = found.get(row["title"])
        if document is None:
            continue
        overlap = overlaps.setdefault(row["title"], Overlap(document.passages))
        yield from _located(row, document, overlap)


def _quoted(row: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A row of offsets as one of words."""
    return {
        **row,
        "passage": source[slice(*row["passage"])],
        "quote": [source[slice(*place)] for place in row["evidence"]],
        "span": [source[slice(*place)] for place in row["answer"]],
    }


def _located(row: Mapping[str, Any], document: DocumentRow, overlap: Overlap) -> Iterator[QuestionRow]:
    quotes, spans = _several(row["quote"]), _several(row["span"])
    asked = (row["question"], row["lang"], row["kind"], row["title"])
    if row["kind"] == "none":
        place = document.find(row["passage"])
        passage = place and document.holding(place)
        if passage:
            yield QuestionRow(*asked, passage, (), ())
        return
    places = [place for quote in quotes if (place := document.find(quote))]
    passage = document.holding(places[0]) if len(places) == len(quotes) else None
    if passage is None:
        return
    own = slice(passage.start, passage.end)
    answers, evidence = list[Span](), list[Span]()
    for span, place in zip(spans, places, strict=True):
        inside = _find(span, document.text, *place)
        for target, whole in ((answers, inside), (evidence, place)):
            start, end = (max(whole[0], own.start), min(whole[1], own.stop)) if whole else (0, 0)
            if end > start:
                target.append((start - own.start, end - own.start))
    if not answers:
        return
    others = [
        other
        for other in overlap.ranked(row["question"])[:8]
        if all(_common((other.start, other.end), place) == 0 for place in places)
    ]
    yield QuestionRow(*asked, passage, tuple(answers), tuple(evidence), tuple(others[:4]))


def invented_rows(names: Sequence[str] = INVENTED) -> Iterator[QuestionRow]:
    """Our questions over invented documents, whose passages stand in the files."""
    passages: dict[str, dict[str, PassageRow]] = defaultdict(dict)
    rows = [row for name in names for row in read(OURS / name)]
    for row in rows:
        above, _, text = row["passage"].rpartition("\n") if " | " in row["passage"] else ("", "", row["passage"])
        shown = joined(row["title"], *row["heading"].split(" > "), above)
        passages[row["title"]][row["passage"]] = PassageRow(shown, text, 0, len(text))
    overlaps = {title: Overlap(list(own.values())) for title, own in passages.items()}
    for row in rows:
        passage = passages[row["title"]][row["passage"]]
        quotes, spans = _several(row["quote"]), _several(row["span"])
        places = [place for quote in quotes if (place := _find(quote, passage.text, 0, len(passage.text)))]
        answers = [
            inside for span, place in zip(spans, places, strict=False) if (inside := _find(span, passage.text, *place))
        ]
        if row["kind"] != "none" and (len(answers) < len(spans) or len(places) < len(quotes)):
            continue
        ranked = overlaps[row["title"]].ranked(row["question"]) if row["kind"] != "none" else []
        others = tuple(other for other in ranked if other is not passage)[:4]
        yield QuestionRow(
            row["question"], row["lang"], row["kind"], row["title"], passage, tuple(answers), tuple(places), others
        )


def reading_rows(path: Path, count: int, seed: int) -> Iterator[QuestionRow]:
    """Questions of a reading set (CMRC, DRCD) on their paragraphs; another paragraph is the one that does not answer."""
    asked = [
        question for question in corpora.questions(path) if any(map(question.paragraph.__contains__, question.answers))
    ]
    chosen = random.Random(seed).sample(asked, min(count, len(asked)))
    for question in chosen:
        answer = next(answer for answer in question.answers if answer in question.paragraph)
        at = question.paragraph.index(answer)
        sentence = (question.paragraph.rfind("。", 0, at) + 1, question.paragraph.find("。", at + len(answer)) + 1)
        place = (sentence[0], sentence[1] or len(question.paragraph))
        passage = PassageRow("", question.paragraph, 0, len(question.paragraph))
        yield QuestionRow(question.text, "zh", "reading", "", passage, ((at, at + len(answer)),), (place,))


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of our own."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _find(part: str, text: str, start: int, end: int) -> Span | None:
    """Where a part stands in text[start:end], white space aside."""
    letters = [index for index in range(start, end) if not text[index].isspace()]
    plain = "".join(part.split())
    at = "".join(text[start:end].split()).find(plain)
    return (letters[at], letters[at + len(plain) - 1] + 1) if plain and at >= 0 else None


def _common(one: Span, other: Span) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def _pairs(text: str) -> set[str]:
    plain = "".join(text.split()).lower()
    return {plain[index : index + 2] for index in range(len(plain) - 1)}
