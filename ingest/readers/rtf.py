"""RTF: its text in the encodings of its fonts, tables as rows; pictures, notes and hidden text are left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ingest.errors import UnreadableDocument
from ingest.readers.building import MAX_TEXT_CHARACTERS
from ingest.readers.rtf_encoding import Fonts
from ingest.readers.word_tables import Flow, Line, Row
from vectorstore.passage import Document

MEDIA_TYPE = "application/rtf"

_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})? ?|(?P<bytes>(?:\\'[0-9A-Fa-f]{2})+)|\\(?P<sign>.)|(?P<brace>[{}])"
    r"|(?P<text>[^\\{}]+)|(?P<broken>\\)",
    re.S,
)
# Word writes some dozens of groups in one another.
_MAX_DEPTH = 1_000
# Reading takes some 4 us a token; a book of a thousand pages has a million, its pictures a handful each.
_MAX_TOKENS = 2_000_000
# Groups that are no part of the text ([RTF 1.9.1] "Destinations"); so are those that begin with \*, but for the
# layout of the rows of inner tables.
_SKIPPED = frozenset(
    (
        "colortbl info pict objdata objclass objname header headerl headerr headerf footer footerl footerr footerf footnote "
        "ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn annotation xe tc tcn rxe fldinst bkmkstart bkmkend nonesttables "
        "nonshppict listtable listoverridetable revtbl filetbl rsidtbl themedata datastore shpinst shptxt sp sn sv txe "
        "template private atnid atnauthor"
    ).split()
)
_SIGNS = {
    "tab": "\t",
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "line": "\n",
    "lbr": "\n",
}
_HEADING = re.compile(r"\s*(?:heading|标题)\s*([1-9])\s*;?\s*", re.I)


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds within one group: properties of the text, and where the text goes."""

    kind: str = "text"  # "text", "skipped", "fonts" or "styles"
    hidden: bool = False
    deleted: bool = False
    font: int | None = None
    fallback: int = 1  # characters that follow \\u for readers without Unicode
    style: int = 0
    level: int = 0
    depth: int = 0
    in_table: bool = False

    @property
    def table_depth(self) -> int:
        """How many tables the paragraph stands in."""
        return max(self.depth, 1) if self.in_table else self.depth


def read_rtf(data: bytes, source: str) -> Document:
    """A document of the text.

    Raises `UnreadableDocument` for groups nested without measure and for a text longer than any document.
    """
    reader = _Reader()
    reader.read(data.decode("latin-1"))
    return reader.flow.builder.document(source, MEDIA_TYPE)


class _Reader:
    def __init__(self) -> None:
        self.flow = Flow()
        self._fonts = Fonts()
        self._levels: dict[int, int] = {}  # heading level by number of the style
        self._group = _Group()
        self._stack: list[_Group] = []
        self._pieces: list[str] = []  # of the paragraph so far
        self._bytes = bytearray()  # not yet decoded: a character may come in two tokens
        self._to_skip = 0
        self._starred = False
        self._length = 0
        self._style_text: list[str] = []
        self._style = 0  # the one that is being defined
        self._edges: list[int] = []
        self._merges: list[int] = []
        self._left = self._merge = 0

    def read(self, text: str) -> None:
        """The whole file, token by token."""
        position = tokens = 0
        while match := _TOKEN.match(text, position):
            position = match.end()
            tokens += 1
            if tokens > _MAX_TOKENS:
                raise UnreadableDocument(
                    f"It has over {_MAX_TOKENS:,} marks and groups; save it as .docx, or split it."
                )
            if match["brace"]:
                self._brace(match["brace"])
            elif match["word"]:
                number = int(match["number"]) if match["number"] else None
                if match["word"] == "bin":
                    position += max(0, number or 0)
                else:
                    self._word(match["word"], number)
            elif match["bytes"]:
                self._add(bytes.fromhex(match["bytes"].replace("\\'", "")))
            elif match["sign"]:
                self._sign(match["sign"])
            elif match["text"]:
                self._add(match["text"].replace("\r", "").replace("\n", "").encode("latin-1"))
        self._end_paragraph()
        self.flow.finish()

    def _brace(self, brace: str) -> None:
        self._flush()
        self._to_skip, self._starred = 0, False
        if brace == "{":
            self._stack.append(self._group)
            if len(self._stack) > _MAX_DEPTH:
                raise UnreadableDocument("Its groups are nested beyond measure; save its text as .txt and add that.")
        elif self._stack:
            before, self._group = self._group, self._stack.pop()
            if before.kind == "styles":
                self._end_style()

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self._starred = True
        elif sign in "\r\n":
            self._word("par", None)
        elif sign in "~_":
            self._add_text(" " if sign == "~" else "-")
        elif sign in "\\{}":
            self._add(sign.encode())

    def _word(self, word: str, number: int | None) -> None:
        starred, self._starred = self._starred, False
        if self._to_skip and word not in ("u", "uc"):
            self._to_skip -= 1
            return
        if self._destination(word, starred):
            return
        if word == "u" and number is not None:
            self._to_skip = 0
            self._add_text(chr(number % 0x10000))
            self._to_skip = self._group.fallback
            return
        if word == "uc":
            self._group = replace(self._group, fallback=max(0, min(number or 0, 100)))
        elif self._group.kind == "fonts":
            self._fonts.define(word, number)
        elif self._group.kind == "styles":
            self._style_word(word, number)
        elif word in _SIGNS:
            self._add_text(_SIGNS[word])
        elif self._group.kind == "text":
            self._flush()
            self._format(word, number)

    def _destination(self, word: str, starred: bool) -> bool:
        """Whether the word opened a group whose text goes elsewhere."""
        if word in ("fonttbl", "stylesheet"):
            self._group = replace(self._group, kind="fonts" if word == "fonttbl" else "styles")
        elif word in _SKIPPED or (starred and word != "nesttableprops" and self._group.kind == "text"):
            self._flush()
            self._group = replace(self._group, kind="skipped")
        else:
            return False
        return True

    def _format(self, word: str, number: int | None) -> None:
        """Words that change properties or end paragraphs, cells and rows."""
        changes = _changes(word, number)
        if changes:
            self._group = replace(self._group, **changes)
        elif word == "ansicpg" or word.startswith("deflang"):
            self._fonts.declare(word, number or 0)
        elif word in ("par", "sect", "page", "column"):
            self._end_paragraph()
        else:
            self._table_word(word, number or 0)

    def _table_word(self, word: str, number: int) -> None:
        if word in ("cell", "nestcell"):
            depth = max(2, self._group.table_depth) if word == "nestcell" else 1
            self._end_paragraph(depth)
            self.flow.end_cell(depth)
        elif word in ("row", "nestrow"):
            self.flow.end_row(max(2, self._group.table_depth) if word == "nestrow" else 1, self._row())
        elif word == "trowd":
            self._edges, self._merges, self._left, self._merge = [], [], 0, 0
        elif word == "trleft":
            self._left = number
        elif word in ("clvmgf", "clvmrg"):
            self._merge = 3 if word == "clvmgf" else 1
        elif word == "cellx" and len(self._edges) < 1_000:
            self._edges.append(number)
            self._merges.append(self._merge)
            self._merge = 0

    def _row(self) -> Row:
        return Row((min([self._left, *self._edges]), *self._edges), tuple(self._merges))

    def _add(self, raw: bytes) -> None:
        if self._to_skip:
            skipped = min(self._to_skip, len(raw))
            self._to_skip -= skipped
            raw = raw[skipped:]
        if self._group.kind == "styles":
            self._style_text.append(raw.decode("latin-1"))
        elif self._group.kind == "text" and not self._group.hidden and not self._group.deleted:
            self._bytes += raw

    def _add_text(self, text: str) -> None:
        self._flush()
        if self._to_skip:
            self._to_skip -= 1
        elif self._group.kind == "text" and not self._group.hidden and not self._group.deleted:
            self._pieces.append(text)

    def _flush(self) -> None:
        """Decode the bytes so far in the encoding of their font."""
        if not self._bytes:
            return
        self._pieces.append(self._fonts.decode(bytes(self._bytes), self._group.font))
        self._length += len(self._pieces[-1])
        self._bytes.clear()
        if self._length > MAX_TEXT_CHARACTERS:
            raise UnreadableDocument(
                f"Its text has over {MAX_TEXT_CHARACTERS:,} characters, more than any document; split it into parts."
            )

    def _end_paragraph(self, depth: int | None = None) -> None:
        self._flush()
        text = "".join(self._pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        self._pieces = []
        level = self._group.level or self._levels.get(self._group.style, 0)
        self.flow.paragraph(Line(text, level), self._group.table_depth if depth is None else depth)

    def _style_word(self, word: str, number: int | None) -> None:
        if word == "s":
            self._style = number or 0
        elif word == "outlinelevel" and 0 <= (number or 0) < 9:
            self._levels[self._style] = (number or 0) + 1

    def _end_style(self) -> None:
        match = _HEADING.fullmatch("".join(self._style_text))
        if match:
            self._levels[self._style] = int(match[1])
        self._style_text, self._style = [], 0


def _changes(word: str, number: int | None) -> dict[str, Any]:
    """The properties that a word changes; none for most words."""
    value = number or 0
    match word:
        case "v" | "deleted":
            return {"hidden" if word == "v" else "deleted": number != 0}
        case "plain":
            return {"hidden": False, "deleted": False, "font": None}
        case "f":
            return {"font": number}
        case "pard":
            return {"style": 0, "level": 0, "depth": 0, "in_table": False}
        case "s":
            return {"style": value}
        case "outlinelevel":
            return {"level": value + 1 if 0 <= value < 9 else 0}
        case "intbl":
            return {"in_table": True}
        case "itap":
            return {"depth": max(0, min(value, 100))}
    return {}
