"""The title of a document, and the kind of document it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from ingest.numbering import marker_of
from ingest.origin import ORGAN
from ingest.repetition import TextLine
from vectorstore.passage import Document, Span

_KIND_WORDS = (
    "实施细则 细则 条例 办法 规定 规则 规范 规划 计划 纲要 意见 方案 通知 通告 通报 公告 公示 决定 决议 指南 指引 措施 政策 标准 批复 复函 函 清单 目录 "
    "要点 说明 汇编 解读 问答 令 守则 章程 制度 程序 表 报告"
).split()
_KINDS = {
    "实施细则": "细则",
    "细则": "细则",
    "条例": "条例",
    "办法": "办法",
    "规定": "规定",
    "规则": "规定",
    "规范": "规定",
    "规划": "规划",
    "计划": "规划",
    "纲要": "规划",
    "意见": "意见",
    "方案": "方案",
    "通知": "通知",
    "通告": "通知",
    "通报": "通知",
    "公告": "公告",
    "公示": "公告",
    "决定": "决定",
    "决议": "决定",
    "指南": "指南",
    "指引": "指南",
    "措施": "政策",
    "政策": "政策",
    "标准": "标准",
    "批复": "批复",
    "复函": "批复",
    "要点": "规划",
    "清单": "清单",
    "目录": "清单",
    "说明": "解读",
    "解读": "解读",
    "问答": "解读",
}
_NOTE = r"(?:\s*+[（(][^（）()]{1,24}[）)])*"
# "…管理办法（试行）", "…行动计划(2019-2021年)", "…的通知"
_TITLE_END = re.compile(rf"(?:{'|'.join(_KIND_WORDS)})》?(?:的通知|的公告|的决定)?{_NOTE}\s*+(?:20\d\d)?$")
_READING = re.compile(r"解读|问答|图解|一图读懂|答记者问|一问一答|政策说明")
_NEWS = re.compile(
    r"记者|通讯员|本报讯|采访人员|审稿|撰文|原创|本文作者|新华社|讯[（(]|客户端|[□■]\S{2,8}(?:日报|网|社)"
)
_SOURCE = re.compile(r"来源[^\S\n]*+[:：][^\S\n]*+[^\s法省市县区]")
_BOOK = re.compile(r"《([^《》]{2,120})》")
_SITE = re.compile(r"[_|｜]|\s[-–—]+\s|[-–—]+(?=[^-–—]{2,24}$)")
_FIELD_LINE = re.compile(
    r"^[【\[]?(?:来源|作者|发布|发文|成文|关键[字词]|时间|日期|信息|索引?|索取号|文\s*+号|标题|责任|责编|编辑|浏览|点击|访问|主题|分类|字体|字号|公开|效力|时效|"
    r"法规|名\s*+称|当前位置|您的位置|颁布|实施日期|有效性|类别|标签|编者按|导读|摘要)[^，。]{0,12}[:：】\]]"
)
_ADDRESS = re.compile(r"^各.{2,60}[:：]$|.{2,60}[:：]$")
_ORGAN_HEAD = re.compile(r"(?P<organ>.{4,40}?)(?:文件|令|公告|通告|函件|函|公报|会议纪要)")
_NOT_TITLE = re.compile(
    r"[。；，,;]$|^第[一二三四五六七八九十\d\s]+[章节条号]|^[—–-]{2}|^目\s*+录$|^前\s*+言$|^附件|@|https?:|^[\d\s.:/年月日-]+$"
)
_ORIGINAL = re.compile(r"^原创\s+|^[■□●◆▍]\s*+|^[【\[](?=[^】\]]*[】\]]$)|^(?:转发|置顶)\s*+[:：]\s*+")
# A name that is the title of a document, and not of somebody's table of notes (…表2016).
_NAMED = re.compile(
    rf"[\u4e00-\u9fff《》“”、（）()〔〕\d—－-]*(?:{'|'.join(word for word in _KIND_WORDS if word != '表')})》?(?:的通知|的公告|的决定)?{_NOTE}"
)
_LONG_NAME = 10
SPREADSHEETS = frozenset(
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.ms-excel",
        "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
        "application/vnd.oasis.opendocument.spreadsheet",
    )
)
# Above its first table a sheet has its title, a unit, a date.
_SHEET_LINES = 6
_HEAD_LINES = 30
_LONGEST = 120
_SHORTEST = 7
_LONGEST_GIVEN = 300


def title_of(document: Document, lines: Sequence[TextLine], given: str | None) -> tuple[str, Span | None] | None:
    """The title and where it stands. `given` is the title of a page's markup, which may name the site as well.

    In order: the part of the markup's title that stands in the text; a top heading; a line (or two) near the top that
    is worded like a title, where a notice goes before the text it brings only when that has no line of its own; the
    first line that is no field, no masthead and no sentence; the markup's title by itself.
    """
    head = list(lines[:_HEAD_LINES])
    given = given[:_LONGEST_GIVEN] if given else None
    if document.media_type in SPREADSHEETS:
        return _of_sheet(document, head) or _of_name(document.source)
    found = _by_markup(head, given) or _by_heading(document, head) or _by_wording(head) or _first_line(head)
    if found:
        return _trimmed(document.text, _with_note(head, found))
    parts = [part.strip() for part in _SITE.split(given or "") if len(part.strip()) >= 6]
    longest = max(parts, key=len, default="")
    return (longest, None) if _TITLE_END.search(longest) else _of_name(document.source)


def _of_sheet(document: Document, head: Sequence[TextLine]) -> tuple[str, Span] | None:
    """The line over a spreadsheet's first table; the names of its sheets and columns are none."""
    headings = {heading.start for heading in document.headings}
    for line in head[:_SHEET_LINES]:
        if "|" in line.text:
            return None
        if line.start not in headings and _TITLE_END.search(line.text) and len(_plain(line.text)) >= _SHORTEST:
            # Each sheet of a workbook says which part it is: … （小学）
            end = re.sub(r"\s+[（(][^（）()]{1,12}[）)]$", "", line.text)
            return end, (line.start, line.start + len(end))
    return None


def _of_name(source: str) -> tuple[str, None] | None:
    """A file's name, where it is worded like the title of a document and the text has none."""
    stem = "".join(PurePath(source).stem.split())
    named = _NAMED.fullmatch(stem)
    return (stem, None) if named and len(_plain(stem)) >= _LONG_NAME else None


def kind_of(title: str | None, text: str, doc_no: str | None) -> str | None:
    """解读, 新闻, or what the title says the document is; None where nothing tells."""
    outside = _BOOK.sub("", title or "")
    if _READING.search(outside):
        return "解读"
    ends = list(re.finditer("|".join(_KIND_WORDS), re.sub(_NOTE + "$", "", (title or "").strip().rstrip("》"))))
    stem = re.sub(_NOTE + r"\s*+$", "", (title or "").strip()).rstrip("》")
    word = ends[-1].group() if ends and stem.endswith(ends[-1].group()) else None
    if doc_no is None and (_NEWS.search(text[:800]) or _NEWS.search(text[-400:])) and "第一条" not in text:
        return "新闻"
    if word and word in _KINDS:
        return _KINDS[word]
    if doc_no is None and _SOURCE.search(text[:600]) and "第一条" not in text:
        return "新闻"
    return None


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _by_markup(head: Sequence[TextLine], given: str | None) -> Span | None:
    if not given:
        return None
    parts = [given, *(part for part in _SITE.split(given))]
    for part in sorted({_plain(part) for part in parts}, key=len, reverse=True):
        if len(part) < 6:
            continue
        for line in head:
            words = _plain(line.text) if len(line.text) <= _LONGEST_GIVEN else ""
            if part in words and len(words) <= len(part) + 24 and not _FIELD_LINE.match(line.text):
                return line.start, line.end
    return None


def _by_heading(document: Document, head: Sequence[TextLine]) -> Span | None:
    by_start = {line.start: line for line in head}
    for heading in document.headings:
        line = next((line for start, line in by_start.items() if start <= heading.start < line.end), None)
        if heading.level == 1 and line and not _is_organ_head(line.text) and not _FIELD_LINE.match(line.text):
            return heading.start, heading.end
    return None


def _by_wording(head: Sequence[TextLine]) -> Span | None:
    """The first line that ends like a title, alone or with the line before it; what a notice brings goes first."""
    notice: Span | None = None
    for index, line in enumerate(head):
        if index and _is_sentence(head[index - 1].text) and notice is None and index > 6:
            break
        if re.fullmatch(r"目\s*+录|\[?[Tt]able of contents\]?", line.text):
            break
        if (
            marker_of(line.text) is not None
            or not _could_be(line.text)
            or not _TITLE_END.search(line.text)
            or len(_plain(line.text)) < _SHORTEST
        ):
            continue
        start = line.start
        before = head[index - 1] if index else None
        if before and _could_be(before.text) and _splits(before.text, line.text) and before.end + 3 > line.start:
            start = before.start
        span = (start, line.end)
        whole = line.text if start == line.start else f"{before.text if before else ''}{line.text}"
        if re.search(r"印发|转发(?![:：])", whole) and notice is None:
            notice = span
        elif notice is None or not re.search(r"的(?:通知|意见)$", whole):
            return span
    return notice


def _splits(before: str, line: str) -> bool:
    """Whether two lines are one title that did not fit on a line."""
    if _TITLE_END.search(before) or re.search(r"号\s*+$|[:：]", before):
        return False
    return (
        bool(re.match(r"《|的|关于", line))
        or before.endswith(("关于", "印发", "的", "》", "和", "、"))
        or (before.startswith("关于") and not re.search(r"[，。；]", before))
        or (len(_plain(line)) <= 14 and len(_plain(before)) >= 10 and not re.search(r"[，。\s]|\d日?$", before))
    )


def _could_be(line: str) -> bool:
    if not 4 <= len(line) <= _LONGEST or _NOT_TITLE.search(line) or _FIELD_LINE.match(line) or _ADDRESS.match(line):
        return False
    return not _is_organ_head(line) and " | " not in line


def _is_organ_head(line: str) -> bool:
    """Whether a line only names a body, as the red head of a file does: 海州市人民政府文件."""
    words = "".join(line.split())
    head = _ORGAN_HEAD.fullmatch(words)
    return ORGAN.fullmatch(head["organ"] if head else words) is not None


def _is_sentence(line: str) -> bool:
    return line.endswith(("。", "；")) and len(line) > 30


def _first_line(head: Sequence[TextLine]) -> Span | None:
    for line in head[:12]:
        if _is_sentence(line.text):
            return None
        masthead = re.fullmatch(r"\S{2,8}(?:日报|晚报|时报|早报|周刊|晨报|都市报|新闻网|发布)(?:\s.{0,8})?", line.text)
        if _could_be(line.text) and masthead is None and len(_plain(line.text)) >= 6 and not line.text.startswith("□"):
            return line.start, line.end
    return None


def _with_note(head: Sequence[TextLine], span: Span) -> Span:
    """The title with the note in brackets, （征求意见稿）, that stands on a line below it."""
    below = next((line for line in head if line.start >= span[1]), None)
    if below and re.fullmatch(
        r"[（(](?:征求意见稿|试行|暂行|草案|修订[^（()）]{0,8}|送审稿|\d{4}年[^（()）]{0,8})[）)]", below.text
    ):
        return span[0], below.end
    return span


def _trimmed(text: str, span: Span) -> tuple[str, Span]:
    """The title's own words: without the site's ornaments, and without the site's name behind it."""
    start, end = span
    ornament = _ORIGINAL.match(text[start:end])
    if ornament:
        start += ornament.end()
        if text[end - 1] in "】]" and text[start - 1] in "【[":
            end -= 1
    number = re.search(r"\s*+[（(](?:[^（）()]*(?:令|号)[^（）()]*|(?:19|20)\d{2}年?)[）)]$", text[start:end])
    if number and number.start() > _SHORTEST:
        end = start + number.start()
    written = text[start:end]
    if "\n" in written or re.search(r"[\u4e00-\u9fff] [\u4e00-\u9fff] [\u4e00-\u9fff]", written):
        written = re.sub(r"\s+", "", written)
    return " ".join(written.split()), (start, end)
