"""What a document says about itself: title, issuer, 文号, dates, validity, place, kind, what it repeals.

A field is read where it stands and keeps the place; what stands nowhere stays None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ingest.dates import DATE, iso, period, stated_period, valid_from, valid_until
from vectorstore.passage import Document, Metadata, Span

_HEAD = 1200  # characters in which a document introduces itself
_TAIL = 600  # characters in which it is signed

_DOC_NO = re.compile(r"[㐀-鿿]{1,12}\s*[〔\[［(（【]\s*(?:19|20)\d{2}\s*[〕\]］)）】]\s*(?:第\s*)?\d{1,5}\s*号")
_DECREE = re.compile(r"(?:[㐀-鿿]{2,16})?令\s*[（(]?第\s*[\d一二三四五六七八九十百]{1,4}\s*号[）)]?|第\s*\d{1,4}\s*号令")
_ORGAN = re.compile(
    r"(?:[㐀-鿿]{2,20}(?:人民政府(?:办公[厅室])?|办公[厅室]|委员会(?:办公室)?|常务委员会|[局厅部署院会]|管委会|领导小组)|国务院(?:办公厅)?)"
    r"(?:[\s、]+[㐀-鿿]{2,20}(?:人民政府|办公[厅室]|委员会|[局厅部署院会]))*"
)
_FROM_TITLE = re.compile(r"^(?P<issuer>[㐀-鿿]{2,24}?(?:人民政府(?:办公[厅室])?|委员会|[局厅部院]|办公[厅室]))(?:关于|印发)")
_SOURCE = re.compile(r"来源\s*[:：]\s*(?P<source>[^\s|｜,，。]{2,20})")
_PUBLISHED = re.compile(rf"(?:发布|印发|公布|成文|发文|签发)?(?:时间|日期)\s*[:：]\s*(?P<date>{DATE})")
_ISSUED = re.compile(rf"(?P<date>{DATE})[^。\n]{{0,40}}?(?:公布|发布|印发|通过)")
_DATE_LINE = re.compile(rf"[\s（(]*(?P<date>{DATE})[\s）)]*")
_MASTHEAD = re.compile(r"[㐀-鿿]{2,8}(?:日报|晚报|时报|早报|周刊|晨报|都市报|新闻网|发布)(?:\s.{0,8})?")
_ORIGINAL = re.compile(r"原创\s+")
_BOOK = re.compile(r"《([^《》]{2,80})》")
_PLACE = re.compile(r"(?P<place>(?:[㐀-鿿]{2,8}?(?:省|自治区))?(?:[㐀-鿿]{2,6}?[市州盟])?(?:[㐀-鿿]{2,6}?[区县旗])?)")
_NO_PLACE = re.compile(r"园区|城市|开发区|集聚区|都市|示范区|社区|地区|市区|超市|上市|门市|保税区|高新区|工业区|自贸区|^关于|^印发")
_SITE = re.compile(r"\s*[_|｜]\s*[^_|｜]{2,24}$|\s+[-—–]+\s+[^-—–]{2,24}$")
_REPEAL = re.compile(r"[^。\n]*(?:同时废止|予以废止|即行废止|自行废止|停止执行)")
_KINDS = (
    ("解读", r"解读|问答|图解"),
    ("规划", r"规划|计划|纲要"),
    ("办法", r"办法"),
    ("细则", r"细则"),
    ("条例", r"条例"),
    ("规定", r"规定|规则|规范"),
    ("意见", r"意见"),
    ("方案", r"方案"),
    ("通知", r"通知|通告"),
    ("公告", r"公告|公示"),
    ("政策", r"政策|措施"),
    ("指南", r"指南|指引"),
)
_NEWS = re.compile(r"记者|通讯员|本报讯|来源\s*[:：]|采访人员|审稿人")


def describe(document: Document) -> Document:
    """The document with its metadata filled in as far as the text states it."""
    reader = _Reader(document)
    return replace(document, metadata=reader.metadata())


class _Reader:
    """Reads the fields of one document, the ones that others depend on first."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = document.text
        self._spans: dict[str, Span] = dict(document.metadata.spans)

    def metadata(self) -> Metadata:
        title = self._title()
        doc_no = self._doc_no()
        published = self._published()
        issuer = self._issuer(title)
        start, until = self._validity(title, published)
        region = _region(title, issuer)
        return Metadata(
            title=title,
            issuer=issuer,
            doc_no=doc_no,
            published=published,
            valid_from=start,
            valid_until=until,
            region=region,
            level=_level(region, issuer, title),
            kind=self._kind(title),
            repeals=self._repeals(),
            spans=self._spans,
        )

    def _title(self) -> str | None:
        given = self._document.metadata.title
        if given:
            return _SITE.sub("", given).strip() or given
        for heading in self._document.headings:
            if heading.level == 1:
                return self._keep("title", heading.start, heading.end)
        for start, end in self._lines(0, _HEAD):
            line = self._text[start:end]
            if not 4 <= len(line) <= 80 or any(other.fullmatch(line) for other in (_DOC_NO, _DATE_LINE, _MASTHEAD)):
                continue
            if line.endswith(("。", "；", ";", "，")):
                return None
            original = _ORIGINAL.match(line)
            return self._keep("title", start + (original.end() if original else 0), end)
        return None

    def _doc_no(self) -> str | None:
        for start, end in (*self._lines(0, _HEAD), *self._lines(max(0, len(self._text) - _TAIL), len(self._text))):
            line = self._text[start:end]
            for pattern in (_DOC_NO, _DECREE):
                match = pattern.search(line)
                # In a line of its own, perhaps with the issuer or brackets; elsewhere it names another document.
                if match and len(line) - len(match.group()) <= 24 and "《" not in line and "根据" not in line:
                    return self._keep("doc_no", start + match.start(), start + match.end())
        return None

    def _published(self) -> str | None:
        head = self._text[:_HEAD]
        for pattern in (_PUBLISHED, _ISSUED):
            match = pattern.search(head)
            if match and iso(match["date"]):
                self._keep("published", *match.span("date"))
                return iso(match["date"])
        tail = max(0, len(self._text) - _TAIL)
        for start, end in (*self._lines(0, _HEAD), *reversed(list(self._lines(tail, len(self._text))))):
            match = _DATE_LINE.fullmatch(self._text[start:end])
            if match and iso(match["date"]):
                self._keep("published", start + match.start("date"), start + match.end("date"))
                return iso(match["date"])
        return None

    def _issuer(self, title: str | None) -> str | None:
        tail = max(0, len(self._text) - _TAIL)
        for start, end in (*self._lines(0, 400), *reversed(list(self._lines(tail, len(self._text))))):
            line = self._text[start:end]
            if len(line) <= 40 and _ORGAN.fullmatch(line) and line != title:
                return self._keep("issuer", start, end)
        named = _FROM_TITLE.match(title or "")
        if named:
            place = self._text.find(named["issuer"])
            return self._keep("issuer", place, place + len(named["issuer"])) if place >= 0 else named["issuer"]
        source = _SOURCE.search(self._text, 0, _HEAD)
        return self._keep("issuer", *source.span("source")) if source else None

    def _validity(self, title: str | None, published: str | None) -> tuple[str | None, str | None]:
        start = valid_from(self._text, published)
        until = valid_until(self._text, start.value if start else published)
        if start:
            self._keep("valid_from", start.start, start.end)
        if until:
            self._keep("valid_until", until.start, until.end)
        if start or until:
            return (start.value if start else None), (until.value if until else None)
        planned = stated_period(self._text)
        if planned:
            self._keep("valid_from", *planned[2:])
            self._keep("valid_until", *planned[2:])
            return planned[0], planned[1]
        planned = period(title or "")
        if planned:
            return planned[0], planned[1]
        # A reading of one plan speaks of that plan's years; it names the plan where it introduces itself.
        for match in _BOOK.finditer(self._text[:300]):
            planned = period(match[1])
            if planned:
                span = match.start(1) + planned[2], match.start(1) + planned[3]
                self._keep("valid_from", *span)
                self._keep("valid_until", *span)
                return planned[0], planned[1]
        return None, None

    def _kind(self, title: str | None) -> str | None:
        outside = _BOOK.sub("", title or "")
        if re.search(_KINDS[0][1], outside):
            return "解读"
        found = next((kind for kind, words in _KINDS if re.search(words, outside)), None)
        if _NEWS.search(self._text[:_HEAD] + self._text[-_TAIL:]) and not self._spans.get("doc_no"):
            return "新闻"
        return found

    def _repeals(self) -> tuple[str, ...]:
        found: list[str] = []
        for sentence in _REPEAL.finditer(self._text):
            found += _BOOK.findall(sentence.group())
            found += [match.group() for match in _DOC_NO.finditer(sentence.group())]
        return tuple(dict.fromkeys(found))

    def _keep(self, name: str, start: int, end: int) -> str:
        self._spans[name] = (start, end)
        return self._text[start:end]

    def _lines(self, start: int, end: int) -> Iterator[Span]:
        """The lines of a stretch outside boilerplate, without the white space and Markdown marks at their edges."""
        position = self._text.rfind("\n", 0, start) + 1 if start else 0
        for line in self._text[position:end].splitlines(keepends=True):
            first, last = position, position + len(line)
            position = last
            while first < last and (self._text[first].isspace() or self._text[first] in "#　"):
                first += 1
            while last > first and self._text[last - 1].isspace():
                last -= 1
            marked = any(begin <= first < stop for begin, stop in self._document.boilerplate)
            if first < last and not marked:
                yield first, last


def _region(title: str | None, issuer: str | None) -> str | None:
    for name in (title, issuer):
        match = _PLACE.match(name or "")
        place = match["place"] if match else ""
        if place and not _NO_PLACE.search(place):
            return place
    return None


def _level(region: str | None, issuer: str | None, title: str | None) -> str | None:
    if re.match(r"国务院|中华人民共和国|国家|全国", issuer or "") or re.match(r"中华人民共和国|国务院", title or ""):
        return "国家"
    endings = {"省": "省", "自治区": "省", "市": "市", "州": "市", "盟": "市", "区": "区县", "县": "区县", "旗": "区县"}
    for ending, level in endings.items():
        if region and region.endswith(ending):
            return level
    return None
