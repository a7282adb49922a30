"""Whether evidence speaks of the places, years, numbers and kinds that a question names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from assistant.lexicon import Regions, Siblings
from assistant.question import Query
from vectorstore.packing import context_texts
from vectorstore.passage import Hit, Span

Difference = Literal["place", "year", "number", "kind", "tier"]

OPENING: Final = 4000  # characters in which a document says what place it is about
OPENING_OF_ROW: Final = 30  # characters of a row in which it may name its place
YEAR_REACH: Final = 1500  # characters before a sentence in which a year still holds for it
_NUMBER: Final = re.compile(r"(?<![\d月])(\d+)\s*号")  # 第12号, 〔2026〕12号; no day of a month
_YEAR: Final = re.compile(r"((?:19|20)\d{2})\s*年")


class Agreement:
    """Compares; `text_of` gives a document's text by id and version."""

    def __init__(self, regions: Regions, text_of: Callable[[str, int], str]) -> None:
        self._regions = regions
        self._siblings = Siblings.load()
        self._text_of = text_of
        self._homes: dict[tuple[str, int], str] = {}

    def difference(self, query: Query, hit: Hit, sentence: Span) -> Difference | None:
        """What a sentence of a passage is another of than the query names; None where they agree."""
        text = self._text_of(hit.document_id, hit.version)
        if not self._right_place(query, text, hit):
            return "place"
        if not all(_right_year(year, text, sentence, hit) for year in query.years):
            return "year"
        if not all(_is_numbered(number, text, hit) for number in _NUMBER.findall(query.question)):
            return "number"
        if self._siblings.differ(query.wording, text[slice(*sentence)]):
            return "kind"
        return None

    def _right_place(self, query: Query, text: str, hit: Hit) -> bool:
        if hit.passage.context and query.regions:
            # What heads a row, or its first cells, says which place it is for.
            row = text[hit.passage.start : hit.passage.end][:OPENING_OF_ROW]
            own = self._regions.named_in(" ".join((*context_texts(text, hit.passage.context), row)))
            if own and not any(region in own for region in query.regions):
                return False
        near = " ".join(
            (_around(text, hit), hit.metadata.region or "", hit.metadata.issuer or "", self._home(hit, text))
        )
        # A district says enough: what it lies in, the document need not name.
        asked = [region for region in query.regions if region[-1] in "区县旗"] or query.regions
        return all(region in near for region in asked)

    def _home(self, hit: Hit, text: str) -> str:
        """The place a document is about: the one it names most often."""
        version = (hit.document_id, hit.version)
        if version not in self._homes:
            names = self._regions.named_in(text[:OPENING])
            self._homes[version] = max(names, key=text.count, default="")
        return self._homes[version]


def _around(text: str, hit: Hit) -> str:
    """A passage with what stands over it."""
    above = (hit.metadata.title or hit.source, *hit.passage.section, *context_texts(text, hit.passage.context))
    return " ".join((text[hit.passage.start : hit.passage.end], *above))


def _is_numbered(number: str, text: str, hit: Hit) -> bool:
    """Whether what is read is of a number that the question names: 2号 is not 12号."""
    near = f"{_around(text, hit)} {hit.metadata.doc_no or ''}"
    return re.search(rf"(?<!\d){number}\s*号", near) is not None


def _right_year(year: str, text: str, sentence: Span, hit: Hit) -> bool:
    words = text[slice(*sentence)]
    if year in words:
        return True
    if _YEAR.search(words):
        return False
    metadata = hit.metadata
    if any(year in place for place in (metadata.published or "", *hit.passage.section, metadata.title or "")):
        return True
    if _YEAR.findall(text, max(0, sentence[0] - YEAR_REACH), sentence[0])[-1:] == [year]:
        return True
    if (metadata.valid_from or "9999") <= f"{year}-12-31" and (metadata.valid_until or "") >= year:
        return True
    return year in text
