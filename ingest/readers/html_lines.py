"""Lines of a web page, and which of them are its furniture: menus, link lists, breadcrumbs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

# A line is a link line when links make up this share of its characters.
_LINK_SHARE = 0.7
# Words between two links of one menu ("首页", "|", ">") are no longer than this.
_GAP_CHARACTERS = 16
# Without this many characters outside its links a page is a list of links, and the list is its text.
_OWN_TEXT = 40
# A remark inside a menu: short, and on both sides at least this many of so many lines are furniture.
_ISLAND_CHARACTERS = 80
_ISLAND_REACH = 6
_ISLAND_FURNITURE = 5
_ATTACHMENT = re.compile(r"附件|附表|附录|下载|\.(?:docx?|pdf|xlsx?|wps)\b", re.I)
_SENTENCE = re.compile(r"[。！？；：]")
_CRUMBS = re.compile(r"(?:当前|所在|您的|现在)?.{0,4}位置\s*[:：]|^\s*首\s*页\s*(?:[>＞»›|/\-]|-+>)")


@dataclass(frozen=True, slots=True)
class Line:
    """One block of a page, or one whole table where `rows` is filled. `linked` is the share of link characters."""

    text: str = ""
    heading: int = 0
    linked: float = 0.0
    file_link: bool = False
    furniture: bool = False
    rows: Sequence[Sequence[str]] = field(default=())


def mark_furniture(lines: list[Line]) -> list[Line]:
    """The same lines with link lists, breadcrumbs and the small words between menu entries marked."""
    marked = [replace(line, furniture=line.furniture or _is_furniture(line)) for line in lines]
    own = sum(len(line.text) + sum(map(len, _cells(line))) for line in marked if not line.furniture)
    if own < _OWN_TEXT and any(line.linked >= _LINK_SHARE and "。" in line.text for line in lines):
        return lines
    for index in range(1, len(marked) - 1):
        line = marked[index]
        if line.furniture or line.heading or line.rows or len(line.text) > _GAP_CHARACTERS:
            continue
        around = (marked[index - 1], marked[index + 1])
        if all(other.furniture for other in around) and not _SENTENCE.search(line.text):
            marked[index] = replace(line, furniture=True)
    return _without_empty_sections(_without_islands(marked))


def _without_islands(lines: list[Line]) -> list[Line]:
    """Single lines amid long menus are the menus' own remarks."""
    marked = list(lines)
    for index, line in enumerate(lines):
        if line.furniture or line.heading or line.rows or len(line.text) > _ISLAND_CHARACTERS:
            continue
        around = [lines[max(0, index - _ISLAND_REACH) : index], lines[index + 1 : index + 1 + _ISLAND_REACH]]
        if all(sum(other.furniture for other in side) >= _ISLAND_FURNITURE for side in around):
            marked[index] = replace(line, furniture=True)
    return marked


def _without_empty_sections(lines: list[Line]) -> list[Line]:
    """Headings over nothing but furniture are furniture; the first heading of the page is its title and stays."""
    marked = list(lines)
    followed = False
    title = next((index for index, line in enumerate(lines) if line.heading and not line.furniture), -1)
    for index in range(len(marked) - 1, -1, -1):
        line = marked[index]
        if line.furniture:
            continue
        if not line.heading:
            followed = True
        elif not followed and index != title and index + 1 < len(marked) and marked[index + 1].furniture:
            marked[index] = replace(line, furniture=True)
        else:
            followed = False
    return marked


def _is_furniture(line: Line) -> bool:
    if _CRUMBS.search(line.text[:40]) and len(line.text) < 120 and not line.rows:
        return True
    if line.heading == 1:
        return False
    return line.linked >= _LINK_SHARE and not line.file_link and not _ATTACHMENT.search(line.text)


def _cells(line: Line) -> list[str]:
    return [cell for row in line.rows for cell in row]
