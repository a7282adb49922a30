"""A model's reply -> sentences with their handles, in whatever format models write: lists, headings, tables, JSON, thinking.

A handle is what the evidence's sentences were sent under: two letters that are new for each answer, and a number (ab3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

# Some models open their thinking in the prompt, and only close it.
_THOUGHT: Final = re.compile(
    r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)|\A.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE
)
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)\w*\s*$")
_RULE: Final = re.compile(r"^[\s|:+-]*-{2,}[\s|:+-]*$|^\s*[*_=]{3,}\s*$")
_HEADING: Final = re.compile(r"^\s*#{1,6}\s+")
_LIST_MARK: Final = re.compile(
    r"^\s*(?:[-*+•·●>]\s+|[（(]?(?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）]\s*|(?:\d{1,2}[.、．]|[一二三四五六七八九十]{1,3}、)\s*|[①-⑳]\s*)+(?=\D)"
)
_EMPHASIS: Final = re.compile(r"\*\*|__|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])|`")
# A label before what is said: **标准**：, 结论：.
_LABEL: Final = re.compile(
    r"^\s*(?:\*\*|__)[^*_：:\n]{1,14}(?:[：:](?:\*\*|__)|(?:\*\*|__)\s*[：:])\s*"
    r"|^\s*(?:补[助贴]|奖[励补]|资助|发放)?(?:标准|金额|结论|回答|答案?|说明|对象|条件|时间|期限|要点|总结|小结|概括)\s*[：:]\s*|^\s*(?:answer|summary|conclusion|note)\s*:\s*",
    re.IGNORECASE,
)
_OPENER: Final = re.compile(
    r"^\s*(?:[您你]好|此外|另外|同时|但是?|不过|然而|综上(?:所述)?|总之|总的来说|因此|所以|首先|其次|再次|最后|具体来说|也就是说|简而言之|需要注意的是"
    r"|hello|however|in addition|also|moreover|furthermore|therefore|in summary|in short|overall|firstly|secondly|finally)\s*[，,：:！!。、]\s*",
    re.IGNORECASE,
)
# What begins a sentence at the end of a reply that says nothing of the matter.
_CLOSING: Final = re.compile(
    r"^(?:以上|希望|如有|如需|如果您?(?:还|有)|若[有需]|具体以|请以|更多|祝|欢迎|感谢|i hope|please (?:note|let|contact)|let me know|if you (?:have|need))",
    re.IGNORECASE,
)
_LED_BY: Final = re.compile(
    r"(?:根据|依据|按照|参见|参考|详见|见|如|according to|as stated in|per|see)\s*$", re.IGNORECASE
)
# What begins the notes and lists of sources at the end of a reply.
_NOTES: Final = re.compile(
    r"^\W*(?:注|备注|注意|提示|温馨提示|(?:参考|引用)?(?:来源|资料|文献|出处)|参考|引用|依据|notes?|sources?|references?|citations?)\W*(?:[：:]|$)",
    re.IGNORECASE,
)
_NAME: Final = r"\^?[A-Za-z]{0,4}\d{1,4}|\^?[A-Za-z]{1,4}\d{0,4}"
_TO: Final = ("-", "–", "—", "~", "至", "到")
_BETWEEN: Final = r"\s*(?:[,，、;；/&+|]|and|和|与|及|\s|-|–|—|~|至|到)\s*"
_GROUP: Final = re.compile(rf"[\[【［〔(（]{{1,2}}\s*((?:{_NAME})(?:{_BETWEEN}(?:{_NAME}))*)\s*[\]】］〕)）]{{1,2}}")
_JOINT: Final = re.compile(r"^\s*(?:[,，、;；]|和|与|及|以及|and|&)?\s*$")
_STOP: Final = re.compile(r"[。！？!?]+[”’」』）)]*|(?<=[\]】］〕)）])[；;]|(?<=[a-z0-9)%”])\.(?=\s|$)")
_CLOSED: Final = {"“": "”", "「": "」", "『": "』", "《": "》"}
_EDGE: Final = " \t　。.;；，,、"
MARK: Final = 2  # letters of a handle
SHORTEST: Final = 4  # characters of a sentence that says something


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the reply: its words without handles, and the handles, known or not."""

    text: str
    handles: tuple[str, ...]


@dataclass(slots=True)
class Parser:
    """Reads a reply piece by piece, and gives the sentences of each line once it is complete; `mark` are the handles' letters."""

    mark: str
    _held: str = field(default="")
    _row: str | None = field(default=None)
    _ended: bool = field(default=False)

    def feed(self, piece: str) -> list[Said]:
        """The sentences that this piece completes."""
        self._held += piece
        opened = re.search(r"<think", self._held, re.IGNORECASE)
        if opened and not re.search(r"</think(?:ing)?>", self._held, re.IGNORECASE):
            return []
        if self._held.lstrip()[:1] in ("{", "[") and self._json_begins():
            return []
        self._held = _THOUGHT.sub("", self._held)
        *lines, self._held = self._held.split("\n")
        return [said for line in lines for said in self._line(line)]

    def end(self) -> list[Said]:
        """What is left when the reply has ended."""
        left, self._held = _THOUGHT.sub("", self._held), ""
        told = list(self._of_json(left)) if left.lstrip()[:1] in ("{", "[") else []
        found = told or [said for line in left.split("\n") for said in self._line(line)]
        return found + self._flushed()

    def _json_begins(self) -> bool:
        return re.match(r"\s*(?:\{\s*(?:\"|\Z)|\[\s*(?:\{|\"|\Z))", self._held) is not None

    def _line(self, line: str) -> Iterator[Said]:
        """The sentences of a line; the first row of a table waits for what follows, for it may name the columns."""
        if self._ended or _FENCE.match(line):
            return
        if _RULE.match(line):
            self._row = None
            return
        yield from self._flushed()
        if line.count("|") >= 2:
            self._row = line
        elif _NOTES.match(_EMPHASIS.sub("", line)):
            self._ended = not _GROUP.search(line) or bool(
                re.match(r"\W*(?:参考|引用|来源|出处|sources?|ref)", line, re.I)
            )
            if not self._ended:
                yield from self._sentences(_NOTES.sub("", _EMPHASIS.sub("", line)))
        else:
            yield from self._sentences(line)

    def _flushed(self) -> list[Said]:
        row, self._row = self._row, None
        if row is None:
            return []
        handles = tuple(self._handles(row))
        cells = [_plain(_GROUP.sub("", cell)) for cell in row.strip().strip("|").split("|")]
        cells = [cell for cell in cells if cell]
        words = f"{cells[0]}：{'，'.join(cells[1:])}" if len(cells) > 1 else "".join(cells)
        return [Said(words, handles)] if words and handles else []

    def _sentences(self, line: str) -> Iterator[Said]:
        """The sentences of a line with their handles; several that one handle follows share it."""
        heading = _HEADING.match(line) is not None
        line = _LIST_MARK.sub("", _LABEL.sub("", _LIST_MARK.sub("", _HEADING.sub("", line))))
        waiting: list[str] = []
        leading: tuple[str, ...] = ()
        verdict = ""  # 可以。, which the sentence behind it is to bear out
        for words, handles in self._cited(line):
            text = verdict + _OPENER.sub("", _plain(_LABEL.sub("", words)))
            verdict = ""
            if 0 < len(text) < SHORTEST and not handles:
                verdict = f"{text}，"
                continue
            if not text.strip(_EDGE):
                if handles and not waiting:
                    leading = handles
                elif handles:
                    yield from (Said(each, handles) for each in waiting)
                    waiting = []
                continue
            if handles:
                yield from (Said(each, handles) for each in (*waiting, text))
                waiting, leading = [], ()
            elif leading:
                yield Said(text, leading)
            else:
                waiting.append(text)
        for text in waiting:
            # A heading, a lead or a kind word claims nothing.
            if not (heading or text.endswith(("：", ":")) or len(text) < SHORTEST or _CLOSING.match(text)):
                yield Said(text, ())

    def _cited(self, line: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The sentences of a line, each with the handles at its end, in it, or behind its stop."""
        for start, end in pairwise([0, *_ends(line), len(line)]):
            words = line[start:end]
            behind = self._leading(words)
            if behind:  # handles that stand behind the stop before
                yield "", tuple(self._handles(words[:behind]))
                words = words[behind:].lstrip("：:，, ")
            if words.strip():
                yield self._without_handles(words), tuple(self._handles(words))

    def _leading(self, words: str) -> int:
        """Where the handles end that a sentence begins with."""
        end = 0
        for found in _GROUP.finditer(words):
            if not self._is_handle(found) or not _JOINT.match(words[end : found.start()]):
                break
            end = found.end()
        return end

    def _without_handles(self, words: str) -> str:
        """Words without handles, and without what leads to them: 根据[ab1]，."""
        said, end = "", 0
        for found in _GROUP.finditer(words):
            if not self._is_handle(found):
                continue
            said += words[end : found.start()]
            led = _LED_BY.search(said)
            if led:
                said = said[: led.start()]
            end = found.end()
            if (led or not said.strip()) and (comma := re.match(r"\s*[，,：:]\s*", words[end:])):
                end += comma.end()
            elif joint := re.match(r"\s*(?:和|与|及|以及|and)\s*(?=[\[【［〔(（])", words[end:]):
                end += joint.end()
        return said + words[end:]

    def _is_handle(self, found: re.Match[str]) -> bool:
        """Whether what stands in brackets are handles; round ones hold words and years as well."""
        tokens = re.findall(_NAME, found[1])
        return found[0][0] not in "(（" or all(token.startswith(self.mark) for token in tokens)

    def _handles(self, words: str) -> Iterator[str]:
        for found in _GROUP.finditer(words):
            if not self._is_handle(found):
                continue
            tokens = [token.lstrip("^") for token in re.split(_BETWEEN, found[1])]
            yield from tokens
            gaps = re.findall(_BETWEEN, found[1])
            for (one, other), gap in zip(pairwise(tokens), gaps, strict=True):
                if gap.strip() in _TO:
                    yield from self._range(one, other)

    def _range(self, one: str, other: str) -> Iterator[str]:
        first, last = (re.sub(r"\D", "", token) for token in (one, other))
        if first and last and int(last) - int(first) < 10:
            yield from (f"{self.mark}{number}" for number in range(int(first) + 1, int(last)))

    def _of_json(self, text: str) -> Iterator[Said]:
        """The sentences of a reply in JSON: each text with the handles beside or in it."""
        try:
            told = json.loads(re.sub(r"\s*```\s*$", "", text))
        except ValueError:
            return
        yield from self._of_value(told, ())

    def _of_value(self, value: Any, beside: tuple[str, ...]) -> Iterator[Said]:
        if isinstance(value, dict):
            own = tuple(token for each in value.values() for token in self._tokens(each)) or beside
            for each in value.values():
                yield from self._of_value(each, own)
        elif isinstance(value, list):
            for each in value:
                yield from self._of_value(each, beside)
        elif isinstance(value, str) and not self._tokens(value):
            for said in (said for line in value.split("\n") for said in self._sentences(line)):
                yield Said(said.text, said.handles or beside)

    def _tokens(self, value: Any) -> tuple[str, ...]:
        """The handles that a value of JSON consists of."""
        values = value if isinstance(value, list) else [value]
        texts = [each.strip("[]【】 ") for each in values if isinstance(each, str)]
        return tuple(texts) if texts and all(re.fullmatch(rf"{self.mark}\d+", each) for each in texts) else ()


def _plain(words: str) -> str:
    """Words without marks of emphasis, and without the stop at their end."""
    return _EMPHASIS.sub("", words).strip().strip("。.").strip(" \t　；;，,、")


def _ends(line: str) -> list[int]:
    """Where the sentences of a line end, but for stops in quotations."""
    ends, closing = [], ""
    stops = {found.start(): found.end() for found in _STOP.finditer(line)}
    for place, character in enumerate(line):
        if closing:
            closing = "" if character == closing else closing
        elif character in _CLOSED and _CLOSED[character] in line[place:]:
            closing = _CLOSED[character]
        elif place in stops and stops[place] < len(line):
            ends.append(stops[place])
    return ends
