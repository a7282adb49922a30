"""Numbers, money, percentages and dates as they stand in Chinese and English text, brought to one notation.

`5000万元`, `５，０００万元`, `五千万元`, `50 million yuan` and `50,000,000元` are one figure; so are `27.48%` and
`百分之二十七点四八`, `2021年底` and `the end of 2021`. Positions are kept, so that a figure can be shown and checked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

_DIGITS = {character: value for value, characters in enumerate(["零〇○", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"]) for character in characters}  # fmt: skip
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8, "兆": 10**12}
_ENGLISH_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ENGLISH_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_MONTHS = "january february march april may june july august september october november december".split()

_CHINESE_NUMERAL = "零〇○一二三四五六七八九十百千万亿两壹贰叁肆伍陆柒捌玖拾佰仟点"
_NUMBER = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SCALE = r"[十百千]?[万亿]+|[百千](?=[万亿元个家项条户人名])"
_CURRENCY = r"元|块钱|圆|美元|欧元|港元|港币|日元|英镑"

# One pattern a notation, the more particular first; each alternative is a named group.
_FIGURE = re.compile(
    rf"""
    (?P<date>(?P<y1>\d{{4}})\s*(?:年|[-/.])\s*(?P<m1>1[0-2]|0?[1-9])\s*(?:月|[-/.])\s*(?P<d1>3[01]|[12]\d|0?[1-9])\s*[日号]?(?!\d))
  | (?P<month>(?P<y2>\d{{4}})\s*年\s*(?P<m2>1[0-2]|0?[1-9])\s*月(?:份)?)
  | (?P<day>(?<!\d)(?P<m3>1[0-2]|0?[1-9])\s*月\s*(?P<d3>3[01]|[12]\d|0?[1-9])\s*[日号])
  | (?P<endate>(?P<m4>{"|".join(_MONTHS)})\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y4>\d{{4}}))
  | (?P<docno>[〔\[［(（【]\s*(?P<y5>\d{{4}})\s*[〕\]］)）】]\s*(?:第\s*)?(?P<n5>\d+)\s*号)
  | (?P<percent>(?P<p1>{_NUMBER})\s*(?:%|‰|percent\b|per\s?cent\b|个百分点|percentage\spoints?\b))
  | (?P<cpercent>百分之(?P<p2>[{_CHINESE_NUMERAL}]+|{_NUMBER}))
  | (?P<year>(?<!\d)(?P<y6>(?:19|20)\d{{2}})\s*年)
  | (?P<cyear>(?P<y7>[二一][〇○零一二三四五六七八九]{{3}})\s*年)
  | (?P<english>(?P<currency1>\$|US\$|RMB|CNY|¥)?\s*(?P<n8>{_NUMBER})\s*(?P<s8>hundred|thousand|million|billion|trillion)\b)
  | (?P<words>\b(?P<n9>{"|".join(sorted(_ENGLISH_WORDS, key=len, reverse=True))})(?:[ -](?P<o9>one|two|three|four|five|six|seven|eight|nine))?(?:\s+(?P<s9>hundred|thousand|million|billion|trillion))?\b)
  | (?P<number>(?P<currency2>\$|US\$|RMB|CNY|¥)?(?P<n10>{_NUMBER})\s*(?P<s10>{_SCALE})?)
  | (?P<chinese>(?P<n11>(?<![第])[{_CHINESE_NUMERAL}]+))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNIT = re.compile(
    rf"\s*(?P<unit>{_CURRENCY}|个(?:工作日|小时|月|百分点)|工作日|小时|分钟|平方公里|平方米|公里|公顷|周岁|万[人户]|[a-zA-Z]+|[㐀-鿿㎡])?"
)

_BOUNDS_BEFORE = {
    "最高": "max", "最多": "max", "不超过": "max", "不高于": "max", "至多": "max", "上限为": "max", "以内": "max",
    "不得超过": "max", "封顶": "max", "up to": "max", "at most": "max", "no more than": "max", "maximum of": "max",
    "not exceeding": "max", "最低": "min", "至少": "min", "不少于": "min", "不低于": "min", "超过": "min", "达到": "",
    "at least": "min", "no less than": "min", "more than": "min", "over": "min", "minimum of": "min",
    "最长": "max", "最迟": "max", "不迟于": "max", "不晚于": "max", "不多于": "max", "不得多于": "max", "不长于": "max",
    "最短": "min", "最早": "min", "不短于": "min", "不小于": "min", "突破": "min", "约": "about", "左右": "about", "about": "about", "around": "about", "近": "about",
}  # fmt: skip
_BOUNDS_AFTER = {
    "以上": "min",
    "以内": "max",
    "以下": "max",
    "左右": "about",
    "封顶": "max",
    "余": "min",
    "or more": "min",
}
# Verbs that may stand between a bound and its figure: 最高可获得5000万元, 至少要有3件.
_GIVING = re.compile(
    r"(?:[要应需]|拥?有|可以?|能够?|获得?|拿到?|得到?|领取|享受|给予|发放|奖补|奖励|补助|补贴|资助|支持)+$"
)
_BEHIND = re.compile(rf"[㐀-鿿\s]{{0,3}}?(?P<bound>{'|'.join(_BOUNDS_AFTER)})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure at `text[start:end]`.

    `kind` is one of money, percent, date, year, number, docno. `value` is in yuan for money and plain otherwise;
    dates are ISO 8601, with `--02-20` where no year stands and `2021-03` where no day does. `unit` is the word
    behind it, as it stands. `bound` is "max", "min", "about" or "".
    """

    kind: str
    value: Decimal | str
    unit: str
    bound: str
    start: int
    end: int

    @property
    def key(self) -> tuple[str, Decimal | str]:
        """What makes two figures the same: money differs from a count, a count of 家 equals a count of 个."""
        if self.kind == "year":
            return ("date", str(self.value))
        return (self.kind, self.value)


def find_figures(text: str) -> list[Figure]:
    """All figures of a text, in order. Ordinals written as 第三 are names, not figures."""
    return list(_figures(text))


@lru_cache(maxsize=8192)  # clauses of the documents that are asked about come again and again
def _figures(text: str) -> tuple[Figure, ...]:
    folded = _fold(text)
    found = (_figure(folded, match) for match in _FIGURE.finditer(folded))
    return tuple(figure for figure in found if figure is not None)


def parse_chinese_number(numeral: str) -> Decimal | None:
    """The value of a numeral such as 五千万, 两百三十, 二〇二一 or 三点五; None for what is no number (百, 万一)."""
    whole, _, fraction = numeral.partition("点")
    value = _whole(whole)
    if value is None:
        return None
    if not fraction:
        return Decimal(value)
    scale = ""
    while fraction and fraction[-1] in _MYRIADS:
        scale, fraction = fraction[-1] + scale, fraction[:-1]
    if not fraction or any(character not in _DIGITS for character in fraction):
        return None
    number = Decimal(f"{value}." + "".join(str(_DIGITS[character]) for character in fraction))
    for character in scale:
        number *= _MYRIADS[character]
    return number


def _whole(numeral: str) -> int | None:
    if not numeral or numeral[0] in _MYRIADS or (numeral[0] in _TENS and numeral[0] not in "十拾"):
        return None
    if all(character in _DIGITS for character in numeral):
        return int("".join(str(_DIGITS[character]) for character in numeral))
    total = section = digit = 0
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _TENS:
            section += (digit or 1) * _TENS[character]
            digit = 0
        elif character in _MYRIADS:
            section += digit
            if character == "亿" and total:
                total = (total + section) * _MYRIADS[character]
            else:
                total += section * _MYRIADS[character]
            section = digit = 0
        else:
            return None
    return total + section + digit


def _fold(text: str) -> str:
    """Width folded character by character, so that positions stay."""
    folded = (unicodedata.normalize("NFKC", character) for character in text)
    return "".join(new if len(new) == 1 else old for new, old in zip(folded, text, strict=True))


def _figure(text: str, match: re.Match[str]) -> Figure | None:
    group = match.group
    start, end = match.span()
    name = match.lastgroup or ""
    kind_of = next(kind for kind in _READERS if group(kind) is not None)
    read = _READERS[kind_of](match)
    if read is None:
        return None
    kind, value = read
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    unit = ""
    if kind == "number":
        found = _UNIT.match(text, end)
        unit = (found["unit"] or "") if found else ""
        currency = re.match(rf"\s*(?:人民币)?\s*(?:{_CURRENCY}|yuan|rmb|dollars?|euros?)", text[end:], re.IGNORECASE)
        if currency:
            kind, unit, end = "money", currency.group().strip(), end + currency.end()
        elif name and (match.groupdict().get("currency1") or match.groupdict().get("currency2")):
            kind, unit = "money", "元"
    return Figure(kind, value, unit, _bound(text, start, end), start, end)


def _bound(text: str, start: int, end: int) -> str:
    before = _GIVING.sub("", text[max(0, start - 14) : start].rstrip(" :為为达到给予可至")).lower()
    for word, bound in _BOUNDS_BEFORE.items():
        if before.endswith(word) and not before.endswith("未" + word):
            return "max" if word == "超过" and before.endswith(("不超过", "不得超过")) else bound
    behind = _BEHIND.match(text, end)
    return _BOUNDS_AFTER[behind["bound"].lower()] if behind else ""


def _plain(number: str) -> Decimal:
    return Decimal(number.replace(",", ""))


def _iso(year: str | None, month: str, day: str | None) -> str:
    head = f"{int(year):04d}" if year else "-"
    return f"{head}-{int(month):02d}" + (f"-{int(day):02d}" if day else "")


def _scaled(number: Decimal, scale: str | None) -> Decimal:
    for character in scale or "":
        number *= _TENS.get(character) or _MYRIADS[character]
    return number


def _read_words(match: re.Match[str]) -> tuple[str, Decimal] | None:
    word, ones, scale = match["n9"].lower(), match["o9"], match["s9"]
    if scale is None and word in ("one", "zero"):  # "the one that ...", "no one": a word rather than a figure
        return None
    value = _ENGLISH_WORDS[word] + (_ENGLISH_WORDS[ones.lower()] if ones else 0)
    return "number", Decimal(value * (_ENGLISH_SCALES[scale.lower()] if scale else 1))


def _read_chinese(match: re.Match[str]) -> tuple[str, Decimal] | None:
    numeral = match["n11"]
    value = parse_chinese_number(numeral)
    if value is None:
        return None
    # A lone 一 is an article, and 万 or 千 alone a word; only with a unit behind it is a single digit a figure.
    follows = match.string[match.end() : match.end() + 1]
    if len(numeral) == 1 and (numeral == "一" or follows not in _COUNTED):
        return None
    return "number", value


_COUNTED = set("区市省县镇村个家条项户人名亩年月天日次种类元件座栋位所批轮期级倍岁周处级支款页成大两")
_READERS: dict[str, Callable[[re.Match[str]], tuple[str, Decimal | str] | None]] = {
    "date": lambda match: ("date", _iso(match["y1"], match["m1"], match["d1"])),
    "month": lambda match: ("date", _iso(match["y2"], match["m2"], None)),
    "day": lambda match: ("date", _iso(None, match["m3"], match["d3"])),
    "endate": lambda match: ("date", _iso(match["y4"], str(_MONTHS.index(match["m4"].lower()) + 1), match["d4"])),
    "docno": lambda match: ("docno", f"{match['y5']}-{int(match['n5'])}"),
    "percent": lambda match: ("percent", _plain(match["p1"])),
    "cpercent": lambda match: _optional("percent", _either(match["p2"])),
    "year": lambda match: ("year", match["y6"]),
    "cyear": lambda match: _optional("year", _either(match["y7"])),
    "english": lambda match: ("number", _plain(match["n8"]) * _ENGLISH_SCALES[match["s8"].lower()]),
    "words": _read_words,
    "number": lambda match: ("number", _scaled(_plain(match["n10"]), match["s10"])),
    "chinese": _read_chinese,
}


def _either(numeral: str) -> Decimal | None:
    return _plain(numeral) if numeral[0].isdecimal() else parse_chinese_number(numeral)


def _optional(kind: str, value: Decimal | None) -> tuple[str, Decimal | str] | None:
    if value is None:
        return None
    return (kind, str(value)) if kind == "year" else (kind, value)


def in_english(figure: Figure, shown: str, *, per: str = "") -> str:
    """A figure in English notation with its own beside it: `up to 50 million yuan a year (最高5000万元)`.

    `per` is the Chinese word for how often it is given (每年, 每月), if any.
    """
    if isinstance(figure.value, str):
        return f"{_english_date(figure.value)} ({shown})"
    amount = english_amount(figure.value) + {"money": " yuan", "percent": "%"}.get(figure.kind, "")
    if figure.kind == "money" and not figure.unit.startswith(("元", "圆", "块")):
        amount = amount.removesuffix(" yuan") + f" {_CURRENCIES.get(figure.unit, figure.unit)}"
    if figure.kind == "number" and figure.unit in _UNITS:
        amount += f" {_UNITS[figure.unit]}" if figure.value != 1 else f" {_UNITS[figure.unit].removesuffix('s')}"
    bound = {"max": "up to ", "min": "at least ", "about": "about "}.get(figure.bound, "")
    amount = bound + amount + _PERIODS.get(per, "")
    return f"{amount} ({shown})" if shown.strip("个家条项名") != amount else amount


_PERIODS = {"每年": " a year", "每年度": " a year", "每月": " a month", "每人": " a person", "每亩": " a mu"}
_UNITS = {
    "年": "years", "个月": "months", "月": "months", "日": "days", "天": "days", "个工作日": "working days", "工作日": "working days",
    "小时": "hours", "个小时": "hours", "分钟": "minutes", "周岁": "years of age", "岁": "years of age", "周": "weeks",
    "平方米": "square metres", "㎡": "square metres", "平方公里": "square kilometres", "公里": "kilometres", "公顷": "hectares",
    "亩": "mu", "人": "people", "名": "people", "户": "households", "倍": "times", "次": "times", "吨": "tons", "分": "points",
}  # fmt: skip
_CURRENCIES = {"美元": "US dollars", "欧元": "euros", "港元": "Hong Kong dollars", "港币": "Hong Kong dollars", "日元": "yen", "英镑": "pounds"}  # fmt: skip


def english_amount(value: Decimal) -> str:
    """A number as English writes it: 50 million, 12,345."""
    for name, scale in reversed(_ENGLISH_SCALES.items()):
        if name in ("million", "billion", "trillion") and abs(value) >= scale:
            return f"{(value / scale).normalize():f} {name}"
    return f"{value.normalize():,f}"


def _english_date(value: str) -> str:
    year, _, rest = value.removeprefix("--").partition("-") if not value.startswith("--") else ("", "", value[2:])
    parts = rest.split("-") if rest else []
    named = [_MONTHS[int(parts[0]) - 1].capitalize()] if parts else []
    return " ".join([*([str(int(parts[1]))] if len(parts) > 1 else []), *named, *([year] if year else [])])
