"""Dates and periods as documents write them, to ISO 8601."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_ZEROS = "〇零○ＯOo0"
_CHINESE = f"{_ZEROS}一二三四五六七八九十"
_VALUES = dict.fromkeys(_ZEROS, 0) | {digit: value for value, digit in enumerate("一二三四五六七八九", start=1)}
_VALUES |= {digit: value for value, digit in enumerate("壹贰叁肆伍陆柒捌玖", start=1)} | {"两": 2}
# Digits of any width count alike; a text keeps its length, so offsets hold.
_NARROW = {ord("０") + digit: str(digit) for digit in range(10)}
_DAY = rf"(?:\d{{1,2}}|[{_CHINESE}]{{1,3}})"
_YEAR = rf"(?:(?:19|20)\d{{2}}|[一二][{_CHINESE}]{{3}})"

DATE = rf"{_YEAR}\s*+(?:年|[-/.])\s*+{_DAY}\s*+(?:月|[-/.])\s*+{_DAY}(?!\d)(?:\s*+[日号])?"
"""A full date: `2019年3月1日`, `二〇一九年三月一日`, `2019-03-01`, `2019/3/1`, `2019.3.1`."""

_PARTS = re.compile(rf"(?P<year>{_YEAR})\s*+(?:年|[-/.])\s*+(?P<month>{_DAY})\s*+(?:月|[-/.])\s*+(?P<day>{_DAY})")
_COUNT = r"(?:\d{1,3}|[一二两三四五六七八九十壹贰叁肆伍陆柒捌玖]{1,3})"
_BEGINS = r"(?:正式)?(?:施行|实施|执行|生效|试行|起效|实行|长期有效)(?!以来|以后|之?前|的)"
_FROM = re.compile(
    rf"(?:(?:自|从)\s*+)?(?P<date>{DATE})\s*+(?:零时|０时|0时)?\s*+(?:起|开始)\s*+[，,]?\s*+(?:在[^，。；\n]{{2,12}})?{_BEGINS}"
    rf"|(?:自|于|从)\s*+(?P<on>{DATE})\s*+{_BEGINS}"
    rf"|有效期(?:限)?(?:为|是)?[：:]?\s*+(?:{_COUNT}年[，,]\s*+)?(?:自|从)\s*+(?P<term>{DATE})"
    rf"|(?:自|从)\s*+(?P<range>{DATE})\s*+(?:至|到)\s*+{_DAY}月{_DAY}日(?:止)?\s*+{_BEGINS}"
    rf"|(?:施行|实施|生效|执行)(?:日期|时间)\s*+[】\]]?\s*+[:：|]*\s*+(?P<label>{DATE})"
)
_ISSUE = r"(?:发布|公布|印发|颁布|签发|发文|下发|印发公布|发布实施|公布施行|公告|批准|通过|签署)"
_FROM_ISSUE = re.compile(
    rf"(?:自|于|从)\s*+{_ISSUE}\s*+(?:之日(?:起)?|后(?=第))\s*+"
    rf"(?:(?:满|后|的|第)?\s*+(?P<count>{_COUNT})\s*+个?(?P<unit>日|天|月|工作日)\s*+(?:后|起|之后|届满)?)?\s*+(?:起)?\s*+"
    rf"(?:{_BEGINS}|(?:计算)?有效期|(?:至|到)\s*+{DATE})|有效期(?:限)?(?:为)?\s*+自\s*+{_ISSUE}\s*+之日起(?={_COUNT}年)"
)
_UNTIL = re.compile(
    rf"有效期(?:限)?(?:为)?\s*+(?:截至|截止至|截止到|截止|至|到|延长至|延续至)\s*+(?P<date>{DATE})"
    rf"|(?:执行|试行|实施|施行|有效)(?:期限|期)?\s*+(?:截至|截止到?|至|到)\s*+(?P<until>{DATE})"
    rf"|(?:自|从)\s*+{DATE}\s*+(?:起)?\s*+(?:施行|实施|执行|生效|试行)?\s*+[，,]?\s*+(?:有效期)?(?:至|到)\s*+(?P<range>{DATE})\s*+(?:止|有效)?"
    rf"|(?:失效|废止|终止)(?:日期|时间)\s*+[】\]]?\s*+[:：|]*\s*+(?P<label>{DATE})"
    rf"|有效期(?:限)?(?:{_COUNT}年)?[，,]\s*+(?:至|到)\s*+(?P<after>{DATE})"
    rf"|{_ISSUE}\s*+之日起\s*+(?:至|到)\s*+(?P<issued>{DATE})"
    rf"|[，,]\s*+(?P<ends>{DATE})\s*+(?:起)?\s*+(?:自动)?(?:废止|失效|终止)"
    rf"|(?:自|从)\s*+(?P<within>{_YEAR})年{_DAY}月{_DAY}日\s*+(?:至|到)\s*+(?P<month_day>{_DAY}月{_DAY}日)(?:止)?\s*+{_BEGINS}"
)
_UNTIL_YEAR = re.compile(
    r"(?:有效|试行|执行|施行|实施)期(?:限)?(?:为)?\s*+(?:截至|截止到?|至|到)\s*+(?P<year>20\d{2})\s*+年(?:年?底|末|12月底)"
)
_YEARS = re.compile(
    rf"(?:有效期(?:限)?|试行期(?:限)?|(?:施行|实施|执行|暂行|适用)(?:期限|期))\s*+(?:暂定)?(?:为|是|：|:)?\s*+(?:自\s*+\w{{2,6}}之日起)?\s*+(?P<years>{_COUNT})\s*+(?:周)?(?P<unit>年|个月)"
    rf"|(?:试行|暂行|暂定执行|试运行|先行试行)\s*+(?P<trial>{_COUNT})\s*+(?P<trial_unit>年|个月)(?!以|内)"
)
_RANGE = re.compile(
    r"(?P<first>(?:19|20)\d{2})\s*+年?\s*+[-—–－~～〜至到]{1,2}\s*+(?P<last>(?:19|20)\d{2})\s*+年?(?!\s*+[-/.月]?\d)"
)
_TERM = re.compile(
    rf"(?:实施|执行|规划|计划|行动|政策|有效|施行|试行)(?:期(?:限|间)?|时间|周期)\s*+(?:为|是|自|从|：|:)*\s*+"
    rf"(?:(?P<first>{DATE})\s*+(?:起)?\s*+[至到—–~～-]+\s*+(?P<last>{DATE})"
    r"|(?P<years>(?:19|20)\d{2}\s*+年?\s*+[-—–－~～至到]{1,2}\s*+(?:19|20)\d{2}\s*+年))"
)
_ITSELF = re.compile(
    r"本(?:办法|规定|细则|通知|意见|方案|政策|条例|措施|规则|规范|指引|文件|计划|通告|公告|决定|实施细则|若干|指南|标准|制度)|"
    r"施行|实施|试行|印发之日|发布之日|公布之日"
)
# 本办法自…; 《办法》自…; "现予公布，自…"; "…印发给你们，自…"
_OWN = re.compile(
    r"本[\u4e00-\u9fff]{2,8}(?:[^，。]{0,6})$|本(?:办法|规定|细则|通知|意见|方案|政策|条例|措施|规则|规范|指引|文件|计划|通告|公告|决定|标准|制度|法)|"
    r"(?:现予|现将|予以|印发给你们|请[^，。]{0,12}执行|通过|公布|发布|修订)[^。]{0,30}[，,]\s*+$|《[^》]{1,8}》\s*+(?:将|已)?\s*+$|"
    r"[该此新](?:办法|规定|细则|通知|意见|方案|政策|条例|措施|规则|规|政)[^，。]{0,6}$|以上[^，。]{0,12}$"
)
_CLAUSE_LABEL = re.compile(
    r"^[\s#*>]*(?:第[一二三四五六七八九十百零〇\d]+条(?:之[一二三四五六七八九十]+)?(?:【[^】]*】)?|[（(]?[一二三四五六七八九十\d]+[)）、.．])?\s*+"
)
_OTHERS = re.compile(r"《[^》]*》[^，,]{0,8}$|居住证|营业执照|许可证|资格证|证书|合同|保函|签证")
# A sentence is looked at within so many characters of a date.
_SENTENCE_CHARACTERS = 300
# Plans run for some years; a range of more is a history.
_LONGEST_PLAN = 30


@dataclass(frozen=True, slots=True)
class Found:
    """An ISO date and where it was read."""

    value: str
    start: int
    end: int


def iso(written: str) -> str | None:
    """A written date as ISO 8601, None if it is none (2月30日)."""
    parts = _PARTS.search(written.translate(_NARROW))
    if parts is None:
        return None
    try:
        return date(_year(parts["year"]), number(parts["month"]), number(parts["day"])).isoformat()
    except (ValueError, KeyError):
        return None


def number(written: str) -> int:
    """A count in Arabic or Chinese numerals, up to 99; raises `ValueError` or `KeyError` for anything else."""
    if written.isdecimal():
        return int(written)
    if "十" in written:
        tens, _, ones = written.partition("十")
        return (_VALUES[tens] if tens else 1) * 10 + (_VALUES[ones] if ones else 0)
    return int("".join(str(_VALUES[character]) for character in written))


def valid_from(text: str, published: str | None) -> Found | None:
    """The day from which a document says it applies; the last such statement counts.

    "自发布之日起" needs the day of issue, `published`; without it nothing is said about a day.
    """
    text = text.translate(_NARROW)
    found: Found | None = None
    for match in _FROM.finditer(text):
        value = iso(match["date"] or match["on"] or match["term"] or match["range"] or match["label"])
        if value and (match["term"] or match["label"] or _is_own_start(text, match.start())):
            found = Found(value, *match.span())
    if found is None and published:
        for match in _FROM_ISSUE.finditer(text):
            value = _after(published, match["count"], match["unit"])
            if value and not _OTHERS.search(_clause_before(text, match.start())):
                found = Found(value, *match.span())
    return found


def valid_until(text: str, start: str | None) -> Found | None:
    """The last day of the period of validity: as a date, or as years and months from `start`."""
    text = text.translate(_NARROW)
    found: Found | None = None
    for match in _UNTIL.finditer(text):
        year = match["within"]
        value = iso(f"{year}年{match['month_day']}" if year else next(group for group in match.groups() if group))
        if value and (match["label"] or _about_itself(text, match.start(), match.end())):
            found = Found(value, *match.span())
    for match in _UNTIL_YEAR.finditer(text) if found is None else ():
        found = Found(f"{match['year']}-12-31", *match.span())
    if found is None and start:
        for match in _YEARS.finditer(text):
            if _about_itself(text, match.start(), match.end()):
                count = number(match["years"] or match["trial"])
                months = count * (12 if "年" in (match["unit"] or match["trial_unit"]) else 1)
                found = Found(_months_later(start, months, -1), *match.span())
    return found


def period(title: str) -> tuple[str, str, int, int] | None:
    """The years that a plan's title names (2019-2021年): first day, last day, and where they stand in it."""
    for match in _RANGE.finditer(title):
        if 0 <= int(match["last"]) - int(match["first"]) <= _LONGEST_PLAN:
            return f"{match['first']}-01-01", f"{match['last']}-12-31", match.start(), match.end()
    return None


def stated_period(text: str) -> tuple[str, str, int, int] | None:
    """A period stated as such (实施期限为…至…): first day, last day, and where it stands."""
    text = text.translate(_NARROW)
    for match in _TERM.finditer(text):
        if match["years"]:
            planned = period(match["years"])
            if planned:
                return planned[0], planned[1], *match.span()
        else:
            first, last = iso(match["first"]), iso(match["last"])
            if first and last and first <= last:
                return first, last, *match.span()
    return None


def _is_own_start(text: str, position: int) -> bool:
    """Whether a day of effect is the document's own: so worded, or the beginning of its clause."""
    before = _clause_before(text, position)
    window = text[max(0, position - _SENTENCE_CHARACTERS) : position]
    opened = max(window.rfind("（"), window.rfind("("))
    if opened > max(window.rfind("）"), window.rfind(")")) and window[:opened].rstrip().endswith("》"):
        return False  # 《…条例》（…令公布，自…起施行）: the day of the document that is named
    return bool(_OWN.search(before)) or not _CLAUSE_LABEL.sub("", before).strip(" （(　\t")


def _about_itself(text: str, position: int, end: int) -> bool:
    """Whether a statement is about the document and not, say, about a certificate it speaks of."""
    before = _clause_before(text, position)
    after = re.split("[。\n；;]", text[end : end + _SENTENCE_CHARACTERS], maxsplit=1)[0]
    if _OTHERS.search(before) and "本" not in before:
        return False
    return bool(_ITSELF.search(before + text[position:end] + after)) or not before.strip(" （(　")


def _clause_before(text: str, position: int) -> str:
    """What stands before a place in its clause."""
    return re.split("[。\n；;]", text[max(0, position - _SENTENCE_CHARACTERS) : position])[-1]


def _after(published: str, count: str | None, unit: str | None) -> str | None:
    if not count:
        return published
    try:
        if unit == "月":
            return _months_later(published, number(count), 0)
        return None if unit == "工作日" else (date.fromisoformat(published) + timedelta(days=number(count))).isoformat()
    except (ValueError, KeyError, OverflowError):
        return None


def _months_later(start: str, months: int, days: int) -> str:
    first = date.fromisoformat(start)
    total = first.month - 1 + months
    year, month = first.year + total // 12, total % 12 + 1
    day = min(first.day, calendar.monthrange(year, month)[1])
    return (date(year, month, day) + timedelta(days=days)).isoformat()


def _year(written: str) -> int:
    return int(written) if written.isdecimal() else int("".join(str(_VALUES[character]) for character in written))
