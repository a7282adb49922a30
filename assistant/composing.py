"""Draft -> claims and citations, each checked before it is said.

The words come from `prompts/`, the rest from the sources; a claim that fails verification falls back to its quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from assistant.answer import Checks, Citation, Claim
from assistant.figures import in_english
from assistant.question import Query
from assistant.quoting import cell_spans, header_span, trim
from assistant.reader import Candidate
from assistant.verification import is_verbatim, unsupported
from prompts import Wording

_PER = re.compile(r"每(?:年度?|月|人|亩)(?=[^，,；;]{0,8}$)")


@dataclass(slots=True)
class Composer:
    """Builds one answer's claims in order and numbers their citations; `dropped` counts what failed its checks.

    `conflicting` tells that two documents answer one question with different figures.
    """

    wording: Wording
    text_of: Callable[[str, int], str]
    citations: list[Citation] = field(default_factory=list)
    dropped: int = 0
    conflicting: bool = False

    def claims(self, query: Query, candidates: Sequence[Candidate]) -> Iterator[Claim]:
        """A verified claim for each candidate that has one and was not said before."""
        for candidate in candidates:
            citation = self.cite(candidate, len(self.citations) + 1)
            if any(replace(citation, number=earlier.number) == earlier for earlier in self.citations):
                continue
            text = self.text_of(citation.document_id, citation.version)
            if not is_verbatim(citation.quote, text, citation.start, citation.end):
                self.dropped += 1
                continue
            cited = [citation]
            if candidate.hit.passage.kind == "row":
                header = header_span(text, candidate.hit.passage.start)
                if header[1] <= citation.start:
                    cited.append(self.cite(replace(candidate, window=header), citation.number + 1))
            quotes = [each.quote for each in cited]
            said = self._sentence(query, candidate, _readable(text, cited))
            if unsupported(said, quotes):
                said = self.wording.say("sentence", quote=citation.quote)
            self.citations += cited
            first = candidates[0]
            self.conflicting |= (
                not query.several
                and bool(first.headline and candidate.headline)
                and first.hit.document_id != candidate.hit.document_id
                and {figure.key for figure in first.figures} != {figure.key for figure in candidate.figures}
            )
            checks = Checks(quote=True, numbers=not unsupported(said, quotes))
            yield Claim(said, tuple(each.number for each in cited), checks)

    def nearest(self, candidates: Sequence[Candidate]) -> tuple[Citation, ...]:
        """Citations of passages that come close, their sentences quoted whole."""
        found = []
        for number, candidate in enumerate(candidates, 1):
            text = self.text_of(candidate.hit.document_id, candidate.hit.version)
            found.append(self.cite(replace(candidate, window=trim(text, *candidate.sentence)), number))
        return tuple(found)

    def cite(self, candidate: Candidate, number: int) -> Citation:
        """The citation of a candidate's window."""
        hit = candidate.hit
        metadata = hit.metadata
        start, end = candidate.window
        return Citation(
            number=number,
            document_id=hit.document_id,
            version=hit.version,
            title=metadata.title or hit.source,
            issuer=metadata.issuer,
            doc_no=metadata.doc_no,
            published=metadata.published,
            valid_from=metadata.valid_from,
            valid_until=metadata.valid_until,
            section=hit.passage.section,
            page=hit.passage.page,
            start=start,
            end=end,
            quote=self.text_of(hit.document_id, hit.version)[start:end],
            link=f"/d/{hit.document_id}?version={hit.version}&start={start}&end={end}",
        )

    def _sentence(self, query: Query, candidate: Candidate, quote: str) -> str:
        """The wording of a claim over its quote, with the figure asked for in front if there is one."""
        shown = candidate.headline
        if not shown or shown == quote:
            return self.wording.say("sentence", quote=quote)
        figure = candidate.figures[0]
        if query.language == "en":
            per = _PER.search(quote[: quote.find(shown)]) if shown in quote else None
            shown = in_english(figure, shown, per=per[0] if per else "")
            shown = shown[0].upper() + shown[1:]
        if query.premise:
            right = any(asked.key == other.key for asked in query.premise for other in candidate.figures)
            return self.wording.say("premise_right" if right else "premise", figure=shown, quote=quote)
        return self.wording.say("figure", figure=shown, quote=quote)


def _readable(text: str, cited: Sequence[Citation]) -> str:
    """The quote; for a table row with its header cited beside it, each cell with its column's name."""
    row = cited[0]
    if len(cited) < 2:
        return row.quote
    header = cited[1]
    names = [text[slice(*cell)] for cell in cell_spans(text, (header.start, header.end))]
    cells = [text[slice(*cell)] for cell in cell_spans(text, (row.start, row.end))]
    if len(names) != len(cells) or len(cells) < 2:
        return row.quote
    return f"{cells[0]}：" + "；".join(f"{name} {cell}" for name, cell in zip(names[1:], cells[1:], strict=True))
