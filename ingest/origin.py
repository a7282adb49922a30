"""Where a document comes from: its 文号, who issued it, and when."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.dates import DATE, iso
from ingest.repetition import TextLine
from vectorstore.passage import Span

Value = tuple[str, Span]
"""What was read, and where it stands."""

_HAN = r"[\u4e00-\u9fff]"
DOC_NO = re.compile(
    rf"{_HAN}{{1,12}}(?:[（(]{_HAN}{{1,6}}[）)])?(?:字|办|函|规|发)?\s*+[〔\[［（(【﹝{{｛<＜〈]\s*+(?:19|20)\d{{2}}\s*+年?\s*+[〕\]］)）】﹞}}｝>＞〉]\s*+(?:第\s*+)?\d{{1,5}}\s*+号"
)
"""青政办发〔2019〕12号 with any kind of bracket."""

_LOOSE_NO = re.compile(rf"{_HAN}{{2,10}}(?:19|20)\d{{2}}\s*+年?\s*+第?\s*+\d{{1,5}}\s*+号(?!楼|线|令)")
_DECREE = re.compile(
    rf"(?P<organ>{_HAN}[\u4e00-\u9fff\s]{{0,40}}?)?\s*+令\s*+[（(]?\s*+第?\s*+[\d一二三四五六七八九十百〇零\s]{{1,8}}\s*+号\s*+[）)]?"
    rf"|(?:{_HAN}{{2,16}})?第\s*+\d{{1,4}}\s*+号令|(?:{_HAN}{{4,24}})公告\s*+[（(]?第?\s*+\d{{1,4}}\s*+号[）)]?"
)
_ORGAN_WORDS = (
    r"(?:人民政府办公[厅室]|人民政府|人民代表大会常务委员会|人民代表大会|国务院办公厅|国务院|委员会办公室|领导小组办公室|领导小组|管理委员会|管委会|委员会|"
    r"办公[厅室]|监督管理局|管理局|税务局|总局|[局厅部署院会委]|中心|党委|市委|省委|区委|县委|法院|检察院|银行|联合会)"
)
ORGAN = re.compile(
    rf"{_HAN}{{1,24}}{_ORGAN_WORDS}(?:[\s、　]+{_HAN}{{2,24}}{_ORGAN_WORDS})*(?:\s*+[（(](?:代章|印章|盖章|章)[）)])?"
)
"""One or more bodies that sign, and nothing else."""

_NO_ORGAN = re.compile(
    r"联系|地点|报名|第.{1,4}章|社会$|大会$|协会会员|各.{0,12}$|[组部]成部|全部|内部|外部|本部|机会|学会会员|公司|项目部|学院|医院|以上|科$"
)
_HEAD_OF_FILE = re.compile(
    rf"(?P<organ>(?:{_HAN}\s*+){{4,30}}?)\s*+(?:文\s*+件|令|公\s*+告|通\s*+告)\s*+(?:[（(]?第?\s*+\d.*)?$"
)
_AMENDED_BY = re.compile(rf"《(?P<organ>{_HAN}{{2,20}}?(?:人民政府|委员会|[厅局部委]))关于(?:修改|修订|废止)")
_ASSEMBLY = re.compile(
    rf"(?:^|日|[^\u4e00-\u9fff\d])(?P<place>{_HAN}{{2,8}}?(?:省|市|自治区|自治州|县)|全国)第[一二三四五六七八九十]+届(?P<organ>人民代表大会(?:常务委员会)?)"
)
_FROM_TITLE = re.compile(
    rf"^(?P<organ>{_HAN}{{2,24}}?{_ORGAN_WORDS}(?:[\s、]{_HAN}{{2,24}}?{_ORGAN_WORDS})*)\s*+(?:办公室)?(?:关于|印发|转发|公告|通告)"
)
_ORGAN_LABEL = re.compile(
    rf"(?:发布(?:部门|机关|机构|单位)|发文(?:机关|单位|机构)|制定机关|颁布(?:机关|单位|部门)|责任部门|印发机关|公开单位|所属机构|信息来源)[】\]:：|\s]*+"
    rf"(?P<organ>{_HAN}{{2,30}}(?:[\s、]{_HAN}{{4,30}}{_ORGAN_WORDS})*)"
)
_SOURCE = re.compile(
    r"来源\s*+[:：]\s*+(?P<organ>[^\s|｜,，。；【\[（(:：]{2,20}?)(?=\s|$|[|｜,，。；【\[（(]|发表|发布|时间|日期|作者|浏览|访问|点击|阅读|字体|编辑)"
)
_OWNER = re.compile(
    rf"(?:主办(?:单位)?|版权所有|Copyright\s*+(?:©|\(c\))?\s*+(?:\d{{4}}[-–—\d]*)?)\s*+[:：]?\s*+(?P<organ>{_HAN}{{4,30}})",
    re.I,
)
_FOOT_CHARACTERS = 1500
_NO_SOURCE = re.compile(r"图片来源|视频来源|网络$|本站$|^(?:法规处|办公室)$")
_PERSON = re.compile(rf"(?:代)?(?:市|省|区|县|州|部|署|主|局|厅)\s*+(?:长|任)\s*+[:：]?\s*+(?:{_HAN}\s*+){{0,4}}")

_DATE_LINE = re.compile(rf"[\s（(]*(?P<date>{DATE})[\s）)]*(?:印发|发布|公布)?")
_WRITTEN_DATE = re.compile(r"年")
_SIGNED = re.compile(rf"(?:成文|发文|签发|印发)(?:日期|时间)[】\]:：|\s]*+(?P<date>{DATE})")
_DRAFTED = re.compile(rf"(?:成文|发文|签发|颁布|公布|发布日期|发布】)(?:日期|时间)?[】\]:：|\s]*+(?P<date>{DATE})")
_PUBLISHED = re.compile(
    rf"(?:发布|发表|印发|公布|公开|更新|上传|添加|录入|生成)?(?:时间|日期|于)\s*+[】\]]?\s*+[:：|]+\s*+(?P<date>{DATE})"
)
_PRINTED = re.compile(rf"(?P<date>{DATE})\s*+印发")
_ENACTED = re.compile(rf"(?P<date>{DATE})[^。；\n]{{0,60}}?(?:公布|发布|颁布|修订|修正|通过)")
_POSTED = re.compile(rf"^(?P<date>{DATE})(?:\s+\d{{1,2}}:\d{{2}}(?::\d{{2}})?)?(?:\s|$)")
# A document introduces itself in its first lines; what stands below names other documents.
_HEAD_LINES = 40
_REFERRING = re.compile(r"根据|依据|按照|依照|《|转发|废止|参照|精神|有关规定|执行")


def doc_no_of(lines: Sequence[TextLine], text: str) -> Value | None:
    """The document's own 文号, or the number of the decree that brings it; brackets as they stand."""
    head = lines[:_HEAD_LINES]
    for line, after in zip(head, [*head[1:], None], strict=False):
        decree = re.fullmatch(rf"(?:{_HAN}\s*+){{4,30}}令", line.text)
        if (
            decree
            and after
            and re.fullmatch(r"[（(]?\s*+第\s*+[\d一二三四五六七八九十百〇零]{1,6}\s*+号\s*+[）)]?", after.text)
        ):
            return _folded(text, (line.start, after.end))
    for line in (*head, *lines[-8:]):
        if len(line.text) > 120 or (_REFERRING.search(line.text[:30]) and "文号" not in line.text):
            continue
        for pattern in (DOC_NO, _DECREE):
            match = pattern.search(line.text)
            # In a line of its own or after its label; elsewhere it names another document.
            if match and (
                len(line.text) - len(match.group()) <= 12 or re.search(r"[文字]\s*+号", line.text[: match.start()])
            ):
                start, end = match.span()
                label = re.match(
                    r"(?:发文)?(?:文|字)\s*+号\s*+[】\]]?\s*+[:：|\s]*|文件编号[:：\s]*", line.text[start:end]
                )
                start += label.end() if label else 0
                return _folded(text, (line.start + start, line.start + end))
        if line in head[:12] and (loose := _LOOSE_NO.fullmatch(line.text)):
            return _folded(text, (line.start + loose.start(), line.start + loose.end()))
    return None


def issuer_of(lines: Sequence[TextLine], text: str, title: str | None, *, news: bool, site: str = "") -> Value | None:
    """Who issued a document: its signature, its red head, its label, its title; for news, its source or its `site`.

    `site` is the text with what stands around the document, where a page names the body it belongs to.
    """
    head = lines[:_HEAD_LINES]
    return (
        _signed(lines, text)
        or _red_head(head, text, title)
        or _labelled_organ(head, text)
        or _titled(text, title)
        or _adopted(head)
        or (_source(head) or _site_of(site) if news else None)
    )


def _signed(lines: Sequence[TextLine], text: str) -> Value | None:
    signature = _signature(lines)
    if signature is None or signature[0] is None:
        return None
    organ = signature[0]
    end = organ.start + len(re.sub(r"\s*+[（(][^（）()]*[）)]$", "", organ.text))
    return _folded(text, (organ.start, end), keep_spaces=True)


def _red_head(head: Sequence[TextLine], text: str, title: str | None) -> Value | None:
    """海州市人民政府文件, 海州市人民政府令; or the body by itself, in a document that carries a number."""
    for line in head[:12]:
        match = _HEAD_OF_FILE.fullmatch(line.text)
        if match and ORGAN.fullmatch("".join(match["organ"].split())):
            return _folded(text, (line.start, line.start + match.end("organ")))
    numbered = any(DOC_NO.fullmatch(line.text) for line in head[:8])
    for line in head[:8] if numbered else ():
        if line.text != title and _signs(line.text):
            return _folded(text, (line.start, line.end), keep_spaces=True)
    return None


def _labelled_organ(head: Sequence[TextLine], text: str) -> Value | None:
    for line in head:
        match = _ORGAN_LABEL.search(line.text)
        if match and ORGAN.fullmatch(match["organ"]):
            return _folded(text, (line.start + match.start("organ"), line.start + match.end("organ")), keep_spaces=True)
    return None


def _titled(text: str, title: str | None) -> Value | None:
    """海州市人民政府办公室关于…, where the title stands in the text."""
    match = _FROM_TITLE.match(title or "")
    place = text.find(match["organ"]) if match else -1
    return (match["organ"], (place, place + len(match["organ"]))) if match and place >= 0 else None


def _adopted(head: Sequence[TextLine]) -> Value | None:
    """The assembly that adopted a regulation, without the count of its term of office; or the body that amended it."""
    for line in head[:16]:
        amended = _AMENDED_BY.search(line.text) if line.text.startswith(("（", "(")) else None
        if amended:
            return amended["organ"], (line.start + amended.start("organ"), line.start + amended.end("organ"))
        match = _ASSEMBLY.search(line.text[:80])
        if match:
            return match["place"] + match["organ"], (line.start + match.start("place"), line.start + match.end())
    return None


def _site_of(site: str) -> Value | None:
    """The public body that a page's last lines call its owner; a company's page names none."""
    for match in _OWNER.finditer(site, max(0, len(site) - _FOOT_CHARACTERS)):
        if ORGAN.fullmatch(match["organ"]) and not _NO_ORGAN.search(match["organ"]):
            return match["organ"], match.span("organ")
    return None


def _source(head: Sequence[TextLine]) -> Value | None:
    for line in head:
        match = _SOURCE.search(line.text)
        if match and not _NO_SOURCE.search(line.text[: match.start()] + match["organ"]):
            return match["organ"], (line.start + match.start("organ"), line.start + match.end("organ"))
    return None


def published_of(lines: Sequence[TextLine]) -> Value | None:
    """The ISO date of a document: signed, else labelled, else printed, else enacted, else the page's own."""
    head = lines[:_HEAD_LINES]
    signature = _signature(lines)
    return (
        _dated(head, _DRAFTED, 200)
        or (signature[1] if signature else None)
        or _dated([*head[:8], *reversed(lines[-12:])], _PRINTED, 200)
        or _dated(head, _PUBLISHED, 200)
        or _enacted(head)
        or _dated(head[:12], _POSTED, 40)
    )


def signed_of(lines: Sequence[TextLine]) -> Value | None:
    """The ISO date under the signature, or the one that a field of the page calls the day of drafting."""
    signature = _signature(lines)
    return _dated(lines[:_HEAD_LINES], _SIGNED, 200) or (signature[1] if signature else None)


def _enacted(head: Sequence[TextLine]) -> Value | None:
    """The last of the days in a regulation's history, which stands in brackets below its title."""
    for line in head[:16]:
        if not line.text.startswith(("（", "(")):
            continue
        dates = [(value, match) for match in _ENACTED.finditer(line.text) if (value := iso(match["date"]))]
        if dates:
            value, match = max(dates, key=lambda pair: pair[0])
            return value, (line.start + match.start("date"), line.start + match.end("date"))
    return None


def _dated(lines: Sequence[TextLine], pattern: re.Pattern[str], longest: int) -> Value | None:
    """The first date that a pattern finds in a line of at most so many characters."""
    for line in lines:
        match = pattern.search(line.text) if len(line.text) <= longest else None
        if match and (value := iso(match["date"])):
            return value, (line.start + match.start("date"), line.start + match.end("date"))
    return None


def _signature(lines: Sequence[TextLine]) -> tuple[TextLine | None, Value] | None:
    """The body that signs (None for a person) and the date under it: the first such pair, else the last date alone."""
    alone: tuple[TextLine | None, Value] | None = None
    for index, line in enumerate(lines):
        match = _DATE_LINE.fullmatch(line.text)
        if match is None or not _WRITTEN_DATE.search(match["date"]) or line.text.endswith(("印发", "发布", "公布")):
            continue
        value = iso(match["date"])
        if value is None:
            continue
        read = value, (line.start + match.start("date"), line.start + match.end("date"))
        for before in reversed(lines[max(0, index - 3) : index]):
            if _signs(before.text):
                return before, read
        if index and _PERSON.fullmatch(lines[index - 1].text):
            return None, read
        alone = None, read
    return alone


def _signs(line: str) -> bool:
    words = line if not re.search(r"[\u4e00-\u9fff] [\u4e00-\u9fff] [\u4e00-\u9fff]", line) else "".join(line.split())
    return len(words) <= 80 and ORGAN.fullmatch(words) is not None and _NO_ORGAN.search(words) is None


def _folded(text: str, span: Span, *, keep_spaces: bool = False) -> Value:
    """The words of a span without the white space that layout put between them."""
    written = text[slice(*span)]
    spaced = re.search(r"[\u4e00-\u9fff]\s[\u4e00-\u9fff]\s[\u4e00-\u9fff]\s", written)
    return (" ".join(written.split()) if keep_spaces and not spaced else "".join(written.split())), span
