"""List numbers of Word documents, which stand in no text: counted and written as Word shows them."""

from __future__ import annotations

import re
from typing import cast

from docx.document import Document as WordDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.parts.numbering import NumberingPart
from lxml import etree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DIGITS = "零一二三四五六七八九"
_CHINESE = frozenset(
    [
        "chineseCounting",
        "chineseCountingThousand",
        "chineseLegalSimplified",
        "japaneseCounting",
        "taiwaneseCounting",
        "taiwaneseCountingThousand",
        "ideographDigital",
        "koreanCounting",
    ]
)
_BULLET = "•"


class Numbering:
    """Counters of all lists of one document; ask for each paragraph once, in order."""

    def __init__(self, opened: WordDocument) -> None:
        self._levels: dict[tuple[str, int], tuple[str, str, int]] = {}  # (list, level) -> format, text, first number
        self._abstract: dict[str, str] = {}
        self._styles: dict[str, tuple[str, int]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        try:
            root = cast("NumberingPart", opened.part.part_related_by(RELATIONSHIP_TYPE.NUMBERING)).element
        except KeyError:  # a document without numbered paragraphs
            return
        for abstract in root.iter(f"{_W}abstractNum"):
            identifier = str(abstract.get(f"{_W}abstractNumId"))
            for level in abstract.iter(f"{_W}lvl"):
                depth = _number(level.get(f"{_W}ilvl"), 0)
                self._levels[(identifier, depth)] = (
                    _value(level, "numFmt") or "decimal",
                    _value(level, "lvlText") or "",
                    _number(_value(level, "start"), 1),
                )
        for number in root.findall(f"{_W}num"):
            self._abstract[str(number.get(f"{_W}numId"))] = _value(number, "abstractNumId") or ""
        for style in opened.styles.element.iter(f"{_W}style"):
            number_id = _value(style, "pPr/numPr/numId")
            if number_id:
                depth = _number(_value(style, "pPr/numPr/ilvl"), 0)
                self._styles[str(style.get(f"{_W}styleId"))] = (number_id, depth)

    def label(self, paragraph: etree._Element, style: str | None) -> str:
        """The number Word shows before this paragraph, with what separates it from the text; empty for none."""
        identifier, depth = self._styles.get(style or "", ("", 0))
        own = _value(paragraph, "pPr/numPr/numId")
        if own is not None:
            identifier, depth = own, _number(_value(paragraph, "pPr/numPr/ilvl"), 0)
        abstract = self._abstract.get(identifier, "")
        if (abstract, depth) not in self._levels:
            return ""
        shape, text, first = self._levels[(abstract, depth)]
        if shape in ("bullet", "none"):
            return f"{_BULLET} " if shape == "bullet" else ""
        counts = self._counts.setdefault(abstract, {})
        counts[depth] = counts.get(depth, first - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]

        def shown(match: re.Match[str]) -> str:
            level = int(match[1]) - 1
            level_shape, _, level_first = self._levels.get((abstract, level), ("decimal", "", 1))
            return numeral(counts.get(level, level_first), level_shape)

        label = re.sub(r"%([1-9])", shown, text)
        return label + ("" if not label or label[-1] in "、）)．" else " ")


def numeral(number: int, shape: str) -> str:
    """A number in one of Word's formats, in Arabic digits where the format is not known."""
    if shape in _CHINESE:
        return chinese_numeral(number)
    if shape in ("upperLetter", "lowerLetter") and number > 0:
        letter = chr(ord("A") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter if shape == "upperLetter" else letter.lower()
    if shape in ("upperRoman", "lowerRoman") and 0 < number < 4000:
        roman = _roman(number)
        return roman if shape == "upperRoman" else roman.lower()
    if shape.startswith("decimalEnclosedCircle") and 1 <= number <= 20:
        return chr(0x2460 + number - 1)
    if shape == "decimalZero":
        return f"{number:02d}"
    return str(number)


def chinese_numeral(number: int) -> str:
    """1 to 9999 in Chinese: 十二, 一百零五."""
    if not 0 < number < 10_000:
        return str(number)
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            text += ("零" if zero and text else "") + _DIGITS[digit] + name
        zero = not digit
    return text.removeprefix("一") if text.startswith("一十") else text


def _roman(number: int) -> str:
    text = ""
    for value, letters in (
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ):
        count, number = divmod(number, value)
        text += letters * count
    return text


def _number(value: str | None, default: int) -> int:
    return int(value) if value and value.isascii() and value.isdecimal() else default


def _value(element: etree._Element, path: str) -> str | None:
    found = element.find("/".join(_W + name for name in path.split("/")))
    return None if found is None else found.get(f"{_W}val")
