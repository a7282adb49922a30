"""HTML: its visible text, block by block; menus and page furniture are kept as boilerplate."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag
from bs4.exceptions import ParserRejectedMarkup

from ingest.errors import UnreadableDocument
from ingest.readers.building import TextBuilder, clean_text
from ingest.readers.html_lines import Line, mark_furniture
from ingest.readers.html_tables import grid, is_data_table
from vectorstore.passage import Document, Metadata

# The parsed tree takes some thirty times the memory of its source; real pages, pictures removed, stay below 3 MiB.
MAX_CHARACTERS = 4 * 1024 * 1024

# An element takes 1.4 kB and 40 us; pages that Word wrote, with a table of a thousand rows, have some fifty thousand tags.
MAX_TAGS = 200_000

_DATA_URL = re.compile(r"data:[\w/+.;=-]{0,80}base64,[A-Za-z0-9+/=\s]{200,}")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
# A line break in the source between two Chinese characters is layout of the source, not a space of the text.
_SOURCE_BREAK = re.compile(rf"(?<=[{_CJK}]) ?\n ?(?=[{_CJK}])")

_DROPPED = frozenset(
    (
        "script style noscript template head title meta link object embed applet iframe svg canvas map audio "
        "video datalist textarea input"
    ).split()
)
_FURNITURE = frozenset(["nav", "footer", "aside", "select", "button", "menu", "dialog"])
_FURNITURE_ROLES = frozenset(
    ["navigation", "contentinfo", "complementary", "search", "banner", "menu", "menubar", "toolbar"]
)
_FURNITURE_NAMES = frozenset(
    (
        "nav navbar navi navigation menu menubar submenu footer foot breadcrumb breadcrumbs crumb crumbs sidebar "
        "share bdsharebuttonbox copyright toolbar pagination pager friendlink friendlinks"
    ).split()
)
# An element named like a menu that holds more than this share of the page is the page, whatever its name says.
_FURNITURE_SHARE = 0.25
_BLOCKS = frozenset(
    (
        "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure "
        "footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol option p pre section select "
        "summary table tbody td tfoot th thead tr ul button"
    ).split()
)
# Browsers stop at 512 levels.
_MAX_DEPTH = 1_000
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_META_TITLES = ("articletitle", "og:title")
_META_DATES = ("pubdate", "article:published_time")
_META_ISSUERS = ("contentsource",)
_ISO_DATE = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})")


def read_html(text: str, source: str) -> Document:
    """A document of the page's visible text; its title element and meta tags stand in the metadata, without spans.

    Raises `UnreadableDocument` for a page too large to parse and for one that has no text but its menus.
    """
    text = _DATA_URL.sub("", clean_text(text))
    if len(text) > MAX_CHARACTERS:
        raise UnreadableDocument(
            f"Its HTML has {len(text):,} characters and the limit is {MAX_CHARACTERS:,}; save its text as .txt."
        )
    if text.count("<") > MAX_TAGS:
        raise UnreadableDocument(f"Its HTML has over {MAX_TAGS:,} tags, more than any document; save its text as .txt.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser remarks on markup that looks like a file name or like XML
            soup = BeautifulSoup(text, "lxml")
        walker = _Walker(soup)
        lines = mark_furniture(walker.lines())
    except (ParserRejectedMarkup, RecursionError, AssertionError, ValueError) as error:
        raise UnreadableDocument("Its HTML cannot be parsed; save the page again, or its text as .txt.") from error
    if not any(not line.furniture for line in lines):
        raise UnreadableDocument(
            "It is a web page without a text of its own (only menus, links and site notices); save the document itself."
        )
    return _build(lines, source, _page_metadata(soup))


def _build(lines: list[Line], source: str, metadata: Metadata) -> Document:
    builder = TextBuilder()
    for line in lines:
        if line.rows:
            builder.table(line.rows, boilerplate=line.furniture)
        else:
            builder.line(line.text, heading=line.heading, boilerplate=line.furniture)
    return builder.document(source, "text/html", metadata=metadata)


def _page_metadata(soup: BeautifulSoup) -> Metadata:
    named: dict[str, str] = {}
    for meta in soup.find_all("meta"):
        name = str(meta.get("name") or meta.get("property") or "").lower()
        content = _SPACE.sub(" ", clean_text(str(meta.get("content") or ""))).strip()
        if name and content:
            named.setdefault(name, content)

    def first(names: tuple[str, ...]) -> str | None:
        return next((named[name] for name in names if name in named), None)

    title = soup.title.get_text() if soup.title else ""
    date = _ISO_DATE.search(first(_META_DATES) or "")
    return Metadata(
        title=first(_META_TITLES) or _SPACE.sub(" ", clean_text(title)).strip() or None,
        issuer=first(_META_ISSUERS),
        published=f"{int(date[1]):04d}-{int(date[2]):02d}-{int(date[3]):02d}" if date else None,
    )


class _Walker:
    """One pass over the tree, without recursion: pages nest deeper than Python's stack."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self._soup = soup
        self._data_tables = _data_tables(soup)
        self._total = max(1, len(soup.get_text()))
        self._lines: list[Line] = []
        self._pieces: list[str] = []
        self._linked = 0
        self._file_link = False

    def lines(self) -> list[Line]:
        """The page's lines in order, furniture by markup already marked."""
        heading, links, furniture = 0, 0, 0
        for node, entering in self._events():
            if isinstance(node, NavigableString):
                if not isinstance(node, PreformattedString):
                    self._add(str(node), linked=links > 0)
                continue
            name = node.name
            if entering and id(node) in self._data_tables:
                self._flush(heading, furniture)
                rows = grid(node, _cell_text)
                if rows:
                    self._lines.append(
                        Line(linked=_linked(node), rows=rows, furniture=furniture > 0 or self._is_furniture(node))
                    )
                continue
            if name == "br" or name in _BLOCKS:
                self._flush(heading, furniture)
            step = 1 if entering else -1
            if name in ("h1", "h2", "h3", "h4", "h5", "h6"):
                heading = int(name[1]) if entering else 0
            elif name == "a" and node.get("href") is not None:
                links += step
                self._file_link |= bool(re.search(r"\.(?:docx?|pdf|xlsx?|wps|zip|rar)\b", str(node.get("href")), re.I))
            if self._is_furniture(node):
                furniture += step
        self._flush(heading, furniture)
        return self._lines

    def _events(self) -> Iterator[tuple[Tag | NavigableString, bool]]:
        """Every visible node in document order; a tag is met twice (entering, leaving), a data table once."""
        stack: list[tuple[Tag | NavigableString, bool]] = [(self._soup, True)]
        while stack:
            node, entering = stack.pop()
            if entering and isinstance(node, Tag) and _is_hidden(node):
                continue
            yield node, entering
            if entering and isinstance(node, Tag) and id(node) not in self._data_tables:
                stack.append((node, False))
                stack.extend(
                    (child, True) for child in reversed(node.contents) if isinstance(child, Tag | NavigableString)
                )

    def _add(self, text: str, *, linked: bool) -> None:
        self._pieces.append(text)
        if linked:
            self._linked += len("".join(text.split()))

    def _flush(self, heading: int, furniture: int) -> None:
        text = _fold("".join(self._pieces))
        if text:
            solid = len("".join(text.split()))
            share = self._linked / solid if solid else 0.0
            self._lines.append(Line(text, heading, min(share, 1.0), self._file_link, furniture > 0))
        self._pieces, self._linked, self._file_link = [], 0, False

    def _is_furniture(self, node: Tag) -> bool:
        """Whether the markup itself says that an element is page furniture; stable for one element."""
        if node.name in ("html", "body", "main", "article", "[document]"):
            return False
        if node.name in _FURNITURE or str(node.get("role") or "").lower() in _FURNITURE_ROLES:
            return len(node.get_text()) <= self._total * _FURNITURE_SHARE or node.name in ("nav", "footer", "select")
        names = " ".join([*(node.get_attribute_list("class")), str(node.get("id") or "")] if node.attrs else [])
        if not names or not _FURNITURE_NAMES.intersection(re.split(r"[\s_-]+", names.lower())):
            return False
        return len(node.get_text()) <= self._total * _FURNITURE_SHARE


def _linked(table: Tag) -> float:
    """The share of a table's characters that stand in links."""
    solid = len("".join(table.get_text().split()))
    links = sum(len("".join(link.get_text().split())) for link in table.find_all("a", href=True))
    return min(1.0, links / solid) if solid else 0.0


def _data_tables(soup: BeautifulSoup) -> frozenset[int]:
    """The ids of the tables that hold data, told in one pass.

    Raises `UnreadableDocument` where elements are nested deeper than any browser follows.
    """
    outer: set[int] = set()
    innermost: list[Tag] = []
    stack: list[tuple[Tag, int, Tag | None]] = [(soup, 0, None)]
    while stack:
        node, depth, table = stack.pop()
        if depth > _MAX_DEPTH:
            raise UnreadableDocument("Its HTML is nested beyond what a browser shows; save its text as .txt.")
        if node.name == "table":
            if table is not None:
                outer.add(id(table))
            innermost.append(node)
            table = node
        stack.extend((child, depth + 1, table) for child in node.contents if isinstance(child, Tag))
    return frozenset(id(table) for table in innermost if id(table) not in outer and is_data_table(table))


def _is_hidden(node: Tag) -> bool:
    if node.name in _DROPPED:
        return True
    if not node.attrs:
        return False
    return node.has_attr("hidden") or bool(_HIDDEN.search(str(node.get("style") or "")))


def _fold(text: str) -> str:
    """White space as a browser shows it, but without the spaces that source line breaks put between Chinese."""
    marked = "\n".join(part.strip(" \t\f") for part in re.split(r"[\r\n]+", text))
    return _SPACE.sub(" ", _SOURCE_BREAK.sub("", marked)).strip()


def _cell_text(cell: Tag) -> str:
    """The text of a table cell on one line, hidden parts left out."""
    pieces: list[str] = []
    stack: list[Tag | NavigableString] = [cell]
    while stack:
        node = stack.pop()
        if isinstance(node, NavigableString):
            if not isinstance(node, PreformattedString):
                pieces.append(str(node))
        elif isinstance(node, Tag) and not _is_hidden(node):
            if node.name == "br" or node.name in _BLOCKS:
                pieces.append("\u2028")
            stack.extend(reversed([child for child in node.contents if isinstance(child, Tag | NavigableString)]))
    return " ".join(part for part in map(_fold, "".join(pieces).split("\u2028")) if part)
