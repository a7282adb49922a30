"""Dates and periods as documents write them, to ISO 8601."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_CHINESE = "〇零○Oo一二三四五六七八九十"
_VALUES = {"〇": 0, "零": 0, "○": 0, "O": 0, "o": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
DATE = (
    rf"(?:(?:19|20)\d{{2}}|[一二][{_CHINESE}]{{3}})\s*(?:年|[-/.])\s*(?:\d{{1,2}}|[{_CHINESE}]{{1,3}})\s*(?:月|[-/.])\s*(?:\d{{1,2}}|[{_CHINESE}]{{1,3}})\s*日?"
)
_PARTS = re.compile(
    rf"(?P<year>(?:19|20)\d{{2}}|[一二][{_CHINESE}]{{3}})\s*(?:年|[-/.])\s*(?P<month>\d{{1,2}}|[{_CHINESE}]{{1,3}})\s*(?:月|[-/.])\s*(?P<day>\d{{1,2}}|[{_CHINESE}]{{1,3}})"
)
_COUNT = r"\d{1,3}|[一二两三四五六七八九十]{1,3}"
_FROM = re.compile(rf"自\s*(?P<date>{DATE})\s*(?:零时)?\s*起(?:正式)?(?:施行|实施|执行|生效|试行)|于\s*(?P<date2>{DATE})\s*起?(?:正式)?(?:施行|实施|生效)")
_FROM_ISSUE = re.compile(rf"自\s*(?:发布|公布|印发|颁布|签发)之日起(?:\s*(?P<days>{_COUNT})\s*(?:日|天)后)?\s*(?:起)?(?:正式)?(?:施行|实施|执行|生效|试行)")
_UNTIL = re.compile(rf"有效期(?:限)?\s*(?:截?至|到|截止到?)\s*(?P<date>{DATE})|(?:执行|试行|实施)(?:期限)?(?:截?至|到)\s*(?P<date2>{DATE})")
_YEARS = re.compile(rf"(?:有效期(?:限)?(?:为|是)?|试行(?:期)?(?:限)?(?:为)?|暂定)\s*(?P<years>{_COUNT})\s*年")
_RANGE = re.compile(r"(?P<first>(?:19|20)\d{2})\s*年?\s*[-—–－~～至到]{1,2}\s*(?P<last>(?:19|20)\d{2})\s*年?")
_TERM = re.compile(
    rf"(?:实施|执行|规划|计划|行动|政策|有效)期(?:限|间)?\s*(?:为|是|自|从)*\s*(?:(?P<first>{DATE})\s*(?:起)?\s*[至到—–~～-]+\s*(?P<last>{DATE})|(?P<years>(?:19|20)\d{{2}}\s*年?\s*[-—–－~～至到]{{1,2}}\s*(?:19|20)\d{{2}}\s*年))"
)


@dataclass(frozen=True, slots=True)
class Found:
    """An ISO date and where it was read."""

    value: str
    start: int
    end: int


def iso(written: str) -> str | None:
    """A written date as ISO 8601, None if it is none (2月30日)."""
    parts = _PARTS.search(written)
    if parts is None:
        return None
    try:
        return date(_year(parts["year"]), number(parts["month"]), number(parts["day"])).isoformat()
    except ValueError:
        return None


def number(written: str) -> int:
    """A count in Arabic or Chinese numerals, up to 99."""
    if written.isdecimal():
        return int(written)
    if "十" in written:
        tens, _, ones = written.partition("十")
        return (_VALUES[tens] if tens else 1) * 10 + (_VALUES[ones] if ones else 0)
    return int("".join(str(_VALUES[character]) for character in written))


def valid_from(text: str, published: str | None) -> Found | None:
    """The day from which a document says it applies; the last such statement counts."""
    found: Found | None = None
    for match in _FROM.finditer(text):
        value = iso(match["date"] or match["date2"])
        if value:
            found = Found(value, *match.span())
    if found is None and published:
        for match in _FROM_ISSUE.finditer(text):
            days = number(match["days"]) if match["days"] else 0
            value = (date.fromisoformat(published) + timedelta(days=days)).isoformat()
            found = Found(value, *match.span())
    return found


def valid_until(text: str, start: str | None) -> Found | None:
    """The last day of the period of validity: as a date, or as years from `start`."""
    found: Found | None = None
    for match in _UNTIL.finditer(text):
        value = iso(match["date"] or match["date2"])
        if value:
            found = Found(value, *match.span())
    if found is None and start:
        for match in _YEARS.finditer(text):
            if _about_itself(text, match.start()):
                found = Found(_years_later(start, number(match["years"])), *match.span())
    return found


def period(title: str) -> tuple[str, str, int, int] | None:
    """The years that a plan's title names (2019-2021年): first day, last day, and where they stand in it."""
    match = _RANGE.search(title)
    if match is None or int(match["first"]) > int(match["last"]) or int(match["last"]) - int(match["first"]) > 30:
        return None
    return f"{match['first']}-01-01", f"{match['last']}-12-31", match.start(), match.end()


def stated_period(text: str) -> tuple[str, str, int, int] | None:
    """A period stated as such (实施期限为…至…): first day, last day, and where it stands."""
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


def _about_itself(text: str, position: int) -> bool:
    """Whether a period is the document's own and not, say, that of a certificate it speaks of."""
    sentence = text[max(text.rfind(mark, 0, position) for mark in "。\n") + 1 : position]
    return bool(re.search(r"本(?:办法|规定|细则|通知|意见|方案|政策|条例|措施|规则|规范|指引|文件|计划)|施行|实施之日|印发之日|发布之日", sentence)) or not sentence.strip(" （(")


def _years_later(start: str, years: int) -> str:
    first = date.fromisoformat(start)
    day = min(first.day, calendar.monthrange(first.year + years, first.month)[1])
    return (first.replace(year=first.year + years, day=day) - timedelta(days=1)).isoformat()


def _year(written: str) -> int:
    return int(written) if written.isdecimal() else int("".join(str(_VALUES[character]) for character in written))
