"""What a document says about itself: title, issuer, 文号, dates, validity, place, kind, what it repeals.

A field is read where it stands and keeps the place; what stands nowhere stays None.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ingest.dates import period, stated_period, valid_from, valid_until
from ingest.origin import DOC_NO, Value, doc_no_of, issuer_of, published_of, signed_of
from ingest.places import level_of, region_of
from ingest.repetition import TextLine
from ingest.titles import kind_of, title_of
from vectorstore.passage import Document, Metadata, Span

# A reading names the plan it interprets in its headline or its first sentences.
_HEAD_CHARACTERS = 300
_BOOK = re.compile(r"《([^《》]{2,120})》")
_REPEAL = re.compile("同时废止|予以废止|即行废止|停止执行|即予废止|相应废止|一并废止")
# A sentence that repeals a list of documents is no longer than this.
_SENTENCE_CHARACTERS = 800
# In such a sentence these clauses name what the document rests on, not what it ends.
_RESTS_ON = re.compile(
    r"[^，,；;]*(?:根据|依据|依照|按照)[^，,；;]*[，,；;]|.*?(?:施行|实施|执行|生效)(?:[，,；;]|(?=[《原]))"
)
_FRONT_MATTER = re.compile(r"^(?P<key>title|date|issuer)\s*+:\s*+[\"']?(?P<value>[^\"'\n]+)", re.MULTILINE)


def describe(document: Document) -> Document:
    """The document with its metadata filled in as far as the text states it, each field with its place."""
    spans: dict[str, Span] = dict(document.metadata.spans)
    given = document.metadata
    text = _without_boilerplate(document)
    lines = _lines(document, text)

    def kept(name: str, value: Value | None) -> str | None:
        if value is None:
            return None
        spans[name] = value[1]
        return value[0]

    front = _front_matter(document)
    title = _title(document, lines, front, spans)
    doc_no = kept("doc_no", doc_no_of(lines, text))
    kind = kind_of(title, text, doc_no)
    news = kind in ("新闻", "解读")
    issuer = kept("issuer", issuer_of(lines, text, title, news=news, site=document.text)) or given.issuer
    published = kept("published", published_of(lines) or _front_date(front)) or given.published
    start, until = _validity(text, published, spans, reading=kind == "解读")
    region = region_of(title if news else issuer, title, issuer)
    return replace(
        document,
        metadata=Metadata(
            title=title,
            issuer=issuer,
            doc_no=doc_no,
            signed=kept("signed", signed_of(lines)),
            published=published,
            valid_from=start,
            valid_until=until,
            region=region,
            level=level_of(region, issuer, title),
            kind=kind,
            repeals=_repeals(text),
            spans=spans,
        ),
    )


def _without_boilerplate(document: Document) -> str:
    """The text with its boilerplate blanked, character by character, so that offsets hold."""
    pieces: list[str] = []
    position = 0
    for start, end in document.boilerplate:
        pieces += [document.text[position:start], re.sub(r"[^\n]", " ", document.text[start:end])]
        position = end
    return "".join([*pieces, document.text[position:]])


def _lines(document: Document, text: str) -> list[TextLine]:
    """The non-blank lines, without the marks of lists and of Markdown at their beginning."""
    lines: list[TextLine] = []
    position = 0
    headings = {heading.start for heading in document.headings}
    for raw in text.split("\n"):
        line = raw.rstrip().rstrip("*")
        start = len(line) - len(line.lstrip(" \t\r\u3000\xa0#>*•·■●◆▍"))
        if line[start:].strip():
            begin = position + start
            lines.append(TextLine(begin, position + len(line), line[start:], begin in headings))
        position += len(raw) + 1
    return lines


def _title(document: Document, lines: list[TextLine], front: dict[str, Value], spans: dict[str, Span]) -> str | None:
    if "title" in front:
        value, spans["title"] = front["title"]
        return value
    found = title_of(document, lines, document.metadata.title)
    if found is None:
        return None
    if found[1] is not None:
        spans["title"] = found[1]
    return found[0]


def _front_matter(document: Document) -> dict[str, Value]:
    """Title and date from the front matter of a Markdown file, where it has one."""
    if document.media_type != "text/markdown" or not document.boilerplate or document.boilerplate[0][0] != 0:
        return {}
    end = document.boilerplate[0][1]
    return {
        match["key"]: (
            match["value"].strip(),
            (match.start("value"), match.start("value") + len(match["value"].strip())),
        )
        for match in _FRONT_MATTER.finditer(document.text, 0, end)
    }


def _front_date(front: dict[str, Value]) -> Value | None:
    if "date" not in front:
        return None
    match = re.match(r"\d{4}-\d{2}-\d{2}", front["date"][0])
    return (match.group(), (front["date"][1][0], front["date"][1][0] + 10)) if match else None


def _validity(
    text: str, published: str | None, spans: dict[str, Span], *, reading: bool
) -> tuple[str | None, str | None]:
    start = valid_from(text, published)
    until = valid_until(text, start.value if start else published)
    if start:
        spans["valid_from"] = (start.start, start.end)
    if until and not (start and until.value < start.value):
        spans["valid_until"] = (until.start, until.end)
        return start.value if start else None, until.value
    planned = stated_period(text)
    if planned is None:
        # The years of a plan stand in its title; a reading of one plan speaks of that plan's years.
        planned = _named_period(text, spans.get("title"), reading=reading)
    if planned is None:
        return start.value if start else None, None
    spans["valid_until"] = planned[2:]
    if start is None:
        spans["valid_from"] = planned[2:]
    return start.value if start else planned[0], planned[1]


def _named_period(text: str, title: Span | None, *, reading: bool) -> tuple[str, str, int, int] | None:
    if title is not None:
        planned = _planned(text[slice(*title)])
        if planned:
            return planned[0], planned[1], title[0] + planned[2], title[0] + planned[3]
    if not reading:
        return None
    begin = title[0] if title else 0
    named = [(match, _planned(match[1])) for match in _BOOK.finditer(text, begin, begin + _HEAD_CHARACTERS)]
    plans = {planned[:2] for _, planned in named if planned}
    if len(plans) != 1:
        return None
    match, planned = next((match, planned) for match, planned in named if planned)
    return planned[0], planned[1], match.start(1) + planned[2], match.start(1) + planned[3]


def _planned(name: str) -> tuple[str, str, int, int] | None:
    """The years in the name of a plan; 2020-2021年度 in another name says what a document is about."""
    return (
        period(name) if re.search("规划|计划|方案|纲要|行动|攻坚|意见|政策|措施", name) and "年度" not in name else None
    )


def _repeals(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for match in _REPEAL.finditer(text):
        begin = max(0, match.start() - _SENTENCE_CHARACTERS)
        begin = max(text.rfind("。", begin, match.start()), text.rfind("\n", begin, match.start()), begin - 1) + 1
        words = _RESTS_ON.sub("", text[begin : match.start()])
        found += _BOOK.findall(words)
        found += ["".join(number.group().split()) for number in DOC_NO.finditer(_BOOK.sub("", words))]
    return tuple(dict.fromkeys(found))
