"""Text into search terms and sentences: one way for documents and questions, with no dictionary.

Chinese runs become overlapping character pairs. On CMRC dev and XQuAD zh this BM25 vocabulary finds the right
paragraph first as often as jieba words (.958/.931 against .961/.920), never splits a name differently in question
and document, and costs no start-up time.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from operator import add

from vectorstore.passage import Span

_RUN = re.compile(r"[㐀-䶿一-鿿豈-﫿]+|[0-9]+(?:\.[0-9]+)?|[^\W\d_㐀-䶿一-鿿豈-﫿]+")
_SENTENCE_END = re.compile(r"[。！？!?；;\n]+|(?<=[a-z\)])\.(?=\s+[A-Z])|\.(?=\s*\n)|\.(?=\s*$)")
_CLOSERS = "”’』」）)》】\"'"


@lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """Width and case folded (NFKC, lower case); for comparing, never for offsets."""
    return unicodedata.normalize("NFKC", text).lower()


def terms(text: str) -> list[str]:
    """The search terms of a text in order, repeats included: character pairs, Latin words, numbers."""
    found: list[str] = []
    for run in _RUN.findall(normalise(text)):
        if len(run) > 1 and is_chinese(run[0]):
            found.extend(map(add, run, run[1:]))
        else:
            found.append(run)
    return found


def is_chinese(character: str) -> bool:
    """Whether a character is a Han ideograph of the basic planes."""
    return "㐀" <= character <= "䶿" or "一" <= character <= "鿿" or "豈" <= character <= "﫿"


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The sentences of `text[start:end]` in order, without the white space around them.

    A sentence ends at 。！？； or a line break and takes the closing quotes and brackets behind the mark with it.
    """
    stop = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for mark in _SENTENCE_END.finditer(text, start, stop):
        if mark.start() < begin:
            continue
        after = mark.end()
        if "\n" not in mark.group():
            while after < stop and text[after] in _CLOSERS:
                after += 1
        _append_trimmed(spans, text, begin, after)
        begin = after
    _append_trimmed(spans, text, begin, stop)
    return spans


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))
