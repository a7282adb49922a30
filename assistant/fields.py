"""Questions about a document as such: since when it applies, for how long, who issued it, under which number.

What the document says of itself was found when it was read, with its place, so the answer is a quote like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from assistant.figures import find_figures
from assistant.question import Query, Term
from assistant.quoting import LONGEST_QUOTE, trim
from assistant.reading.candidates import Candidate
from assistant.retrieval import term_match
from assistant.validity import Standing, authority
from vectorstore.catalog import Record
from vectorstore.passage import Hit, Span
from vectorstore.segmentation import normalise, sentence_spans

_WHEN: Final = r"(?:什么时候|何时|哪一?天|哪日|几号|哪年|啥时候|什么日期|什么时间|多久)"
_BEGINS: Final = r"(?:施行|实施|生效|执行|实行)"
_WHO: Final = r"(?:谁|哪个(?:部门|单位|机关|机构)|哪些(?:部门|单位|机关)|什么(?:部门|单位|机关)|哪家单位)"
_ISSUED: Final = r"(?:发布|印发|出台|颁布|公布|下发|制定)"
_ASKED: Final = tuple(
    (field, re.compile(pattern, re.IGNORECASE))
    for field, pattern in (
        (
            "valid_until",
            rf"(?:有效期|试行期|试行)(?:限)?(?:是|为|有|到)?(?:{_WHEN}|几年|多少年|多长(?:时间)?|几个月)|{_WHEN}(?:到期|失效|废止|过期)"
            r"|(?:还|是否|现在|仍)(?:然|在)?有效(?:吗|$|？)|(?:过期|失效)了?(?:吗|没有)|有效期(?:限)?(?:是)?(?:几年|多少)?\W*$"
            r"|\b(?:how long|until when)\b.*\b(?:valid|in force|effect)\b|\bwhen\b.*\bexpires?\b|\bperiod of validity\b",
        ),
        (
            "valid_from",
            rf"{_WHEN}(?:起|开始|正式)*{_BEGINS}|{_BEGINS}(?:的)?(?:时间|日期)|(?:从|自){_WHEN}(?:起|开始)*(?:正式)?{_BEGINS}"
            rf"|{_BEGINS}(?:是)?(?:从)?{_WHEN}"
            r"|\bwhen\b.*\b(?:take effect|takes effect|come into force|comes into force|effective)\b",
        ),
        ("doc_no", r"(?:文号|发文字号|文件编号)|\bdocument number\b"),
        ("issuer", rf"{_WHO}(?:联合)?{_ISSUED}|(?:发文|制定|发布)(?:机关|单位|部门)|\bwho (?:issued|published)\b"),
        (
            "published",
            rf"{_WHEN}(?:正式)?{_ISSUED}|{_ISSUED}(?:的)?(?:时间|日期)|\bwhen\b.*\b(?:issued|published|released)\b",
        ),
    )
)
# Who asks about a document names it: by what it is, in title marks, or by its number.
_NAMED: Final = re.compile(
    r"办法|规定|条例|细则|通知|意见|方案|政策|计划|规划|措施|公告|通告|决定|指南|标准|文件|规则|纲要|《|号|"
    r"\b(?:measures|rules|regulations?|notice|plan|policy|provisions|opinions|document)\b",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(
    r"(?P<organ>[\u4e00-\u9fff]{2,24})[〔\[（(【]?(?P<year>\d{4})?[〕\]）)】]?年?第?(?P<number>\d{1,5})号"
)
# How much of what a question names must stand in a title; the rest are words such as 这个 and 关于.
_COVERED: Final = 0.8

# Asks the store for the passage that holds a place of a document.
HitAt = Callable[[str, int, int], Hit | None]


def asked_field(question: str) -> tuple[str, str] | None:
    """The field of a document that a question asks for, and the words that ask."""
    if not _NAMED.search(question):
        return None
    for field, pattern in _ASKED:
        found = pattern.search(question)
        if found:
            return field, found.group()
    return None


class Fields:
    """Answers from what documents say of themselves; `text_of` gives a document's text by id and version."""

    def __init__(self, hit_at: HitAt, text_of: Callable[[str, int], str]) -> None:
        self._hit_at = hit_at
        self._text_of = text_of

    def read(self, query: Query, standing: Standing, day: str, *, documents: frozenset[str] | None) -> Candidate | None:
        """The words that state the field asked for, in the one document that the question names; None otherwise."""
        asked = asked_field(query.question)
        if asked is None or query.several or query.dangling:
            return None
        field, words = asked
        named = [
            record
            for record in standing.records
            if field in record.metadata.spans and (documents is None or record.document_id in documents)
        ]
        record = _numbered(query.question, named) or _titled(query, words, named, standing, day)
        if record is None:
            return None
        span = record.metadata.spans[field]
        hit = self._hit_at(record.document_id, record.version, span[0])
        return None if hit is None else self._candidate(hit, span)

    def _candidate(self, hit: Hit, span: Span) -> Candidate:
        text = self._text_of(hit.document_id, hit.version)
        sentence = next(
            (found for found in sentence_spans(text, hit.passage.start, hit.passage.end) if found[1] > span[0]),
            span,
        )
        window = trim(text, *sentence)
        if window[1] < span[1] or window[1] - window[0] > LONGEST_QUOTE or sentence[0] > span[0]:
            window = span
        figures = tuple(figure for figure in find_figures(text[slice(*span)]))
        return Candidate(hit, sentence, window, figures, " ".join(text[slice(*span)].split()), 1.0)


def _numbered(question: str, records: list[Record]) -> Record | None:
    """The document whose number the question gives, with or without its year."""
    for match in _NUMBER.finditer(question):
        for record in records:
            number = normalise(record.metadata.doc_no or "")
            digits = re.findall(r"\d+", number)
            same = digits[-1:] == [str(int(match["number"]))] and (not match["year"] or match["year"] in digits)
            # 请问海政办发12号: the letters of the number may have other words before them.
            letters = re.match(r"[\u4e00-\u9fff]+?(?=第?\d|[^\u4e00-\u9fff])", number)
            if same and letters and match["organ"].removesuffix("第").endswith(letters.group()):
                return record
    return None


def _titled(query: Query, words: str, records: list[Record], standing: Standing, day: str) -> Record | None:
    terms = [term for term in _naming(query, words) if not term.text.isascii() or term.wordings]
    total = sum(len(term.text) for term in terms)
    if not terms or not any(term.role in ("topic", "name") for term in terms):
        return None
    best: tuple[float, bool, tuple[int, int, str]] | None = None
    found: Record | None = None
    for record in records:
        metadata = record.metadata
        title = normalise(metadata.title or record.source)
        around = normalise(" ".join(filter(None, (metadata.title or record.source, metadata.issuer, metadata.region))))
        covered = sum(len(term.text) * term_match(term, around) for term in terms) / total
        if covered < _COVERED:
            continue
        state = standing.state(record.document_id, metadata.valid_from, metadata.valid_until, day)
        rank = (-covered / (1 + len(title) / 100), state not in ("in_force", "undated"), authority(metadata))
        if best is None or rank < best:
            best, found = rank, record
    return found


def _naming(query: Query, words: str) -> Iterator[Term]:
    """The terms of a question that name the document, without those that ask for the field."""
    for term in query.terms:
        if term.text not in words and not any(wording in words for wording in term.wordings):
            yield term
