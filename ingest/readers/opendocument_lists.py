"""The list styles of OpenDocument texts ([ODF 1.2] 16.30)."""

from __future__ import annotations

import re

from lxml import etree

from ingest.readers.list_numbers import BULLET, ListLevel

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_FORMAT = "{urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0}num-list-format"
_SHAPES = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
HEADINGS = ""
"""The name under which the levels of numbered headings stand."""


def list_levels(*roots: etree._Element | None) -> dict[tuple[str, int], ListLevel]:
    """The levels of all list styles, by the style's name and the level from 1; of two of one name the first counts."""
    levels: dict[tuple[str, int], ListLevel] = {}
    for root in roots:
        for style in root.iter(f"{_TEXT}list-style", f"{_TEXT}outline-style") if root is not None else ():
            name = str(style.get(f"{_STYLE}name")) if style.tag == f"{_TEXT}list-style" else HEADINGS
            for level in style.iterchildren("*"):
                levels.setdefault((name, number(level.get(f"{_TEXT}level"), 1)), _level(level))
    return levels


def number(value: str | None, default: int) -> int:
    """A number of an attribute."""
    return int(value) if value and re.fullmatch("[0-9]{1,6}", value) else default


def _level(element: etree._Element) -> ListLevel:
    if element.tag == f"{_TEXT}list-level-style-bullet":
        return ListLevel("none", BULLET)
    shape = str(element.get(f"{_STYLE}num-format") or "")
    if not shape:
        return ListLevel("none", "")
    depth = number(element.get(f"{_TEXT}level"), 1)
    shown = number(element.get(f"{_TEXT}display-levels"), 1)
    numbers = ".".join(f"%{level}%" for level in range(max(1, depth - shown + 1), depth + 1))
    text = str(element.get(f"{_STYLE}num-prefix") or "") + numbers + str(element.get(f"{_STYLE}num-suffix") or "")
    return ListLevel(
        _SHAPES.get(shape, "chineseCounting" if shape.startswith(("一", "壹")) else "decimal"),
        str(element.get(_FORMAT) or text),
        number(element.get(f"{_TEXT}start-value"), 1),
    )
