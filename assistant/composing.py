"""Draft -> claims and citations, each checked before it is said.

The words come from `prompts/`, the rest from the sources; a claim that fails verification falls back to its quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from assistant.answer import Checks, Citation, Claim
from assistant.figures import in_english
from assistant.question import Query
from assistant.quoting import trim
from assistant.reading.candidates import Candidate, ListedRows
from assistant.table_rows import header_span, label_span, named_row, unit_span
from assistant.validity import authority
from assistant.verification import is_verbatim, unsupported
from assistant.writer import Written
from prompts import Wording
from vectorstore.passage import Hit, Passage, Span
from vectorstore.segmentation import sentence_spans

SENTENCE: Final = 14  # characters from which a line is more than a heading
MOST_ROWS: Final = 10  # of a table that are named
_PER = re.compile(r"每(?:年度?|月|人|亩)(?=[^，,；;]{0,8}$)")


@dataclass(slots=True)
class Composer:
    """Builds one answer's claims in order and numbers their citations; `dropped` counts what failed its checks.

    `rivals` answer one question with different figures, `degraded` tells that the language model gave nothing that could
    be shown.
    """

    wording: Wording
    language: Literal["zh", "en"]
    text_of: Callable[[str, int], str]
    citations: list[Citation] = field(default_factory=list)
    dropped: int = 0
    rivals: tuple[Candidate, ...] = ()
    degraded: bool = False
    by: str = "extractive"

    def claims(self, query: Query, candidates: Sequence[Candidate]) -> Iterator[Claim]:
        """A verified claim for each candidate that has one and was not said before."""
        for candidate in candidates:
            if candidate.rows:
                yield self._listed(candidate, candidate.rows)
                continue
            citation = self.cite(candidate.hit, candidate.window, len(self.citations) + 1)
            if any(replace(citation, number=earlier.number) == earlier for earlier in self.citations):
                continue
            text = self.text_of(citation.document_id, citation.version)
            if not is_verbatim(citation.quote, text, citation.start, citation.end):
                self.dropped += 1
                continue
            spans = [candidate.window, *self._read_with(candidate.hit, candidate.window)]
            known, cited = self._numbered((candidate.hit, span) for span in spans)
            quotes = [each.quote for each in cited]
            readable = named_row(text, candidate.hit.passage, candidate.cells) or citation.quote
            said = self._sentence(query, candidate, readable)
            if unsupported(said, quotes):
                said = self.wording.say("sentence", quote=citation.quote)
            self.citations = known
            checks = Checks(quote=True, numbers=not unsupported(said, quotes))
            yield Claim(self._tier(candidate) + said, tuple(each.number for each in cited), checks)

    def _tier(self, candidate: Candidate) -> str:
        """To which range the quantity asked about belongs; it is the question's own, and stands in no source."""
        tier = candidate.tier
        if tier is None or tier.asked in tier.condition:
            return ""
        lead = self.wording.say("tier", asked=tier.asked, condition=tier.condition)
        return lead if self.language == "zh" else f"{lead} "

    def _listed(self, candidate: Candidate, listed: ListedRows) -> Claim:
        """The rows that a question asks for together, counted; each that is named is cited."""
        hit, shown = candidate.hit, listed.rows[:MOST_ROWS]
        header = header_span(self.text_of(hit.document_id, hit.version), hit.passage)
        self.citations, cited = self._numbered((hit, span) for span in ((header, *shown) if header else shown))
        rows = "\n".join(quote.quote.strip("| ") for quote in cited[-len(shown) :])
        told: dict[str, object] = {"count": len(listed.rows), "named": listed.named, "rows": rows}
        if len(shown) < len(listed.rows):
            said = self.wording.say("rows_shortened", shown=len(shown), **told)
        else:
            said = self.wording.say("rows", **told)
        return Claim(said, tuple(each.number for each in cited), Checks(quote=True, numbers="computed"))

    def unsaid(self, query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Of candidates that disagree, those whose documents no citation names yet; they are kept as `rivals`."""
        self.rivals = disagreeing(query, candidates) or self.rivals
        cited = {citation.document_id for citation in self.citations}
        return [rival for rival in self.rivals if rival.hit.document_id not in cited]

    def sides(self) -> str:
        """The rivals beside each other: figure, title, issuer and date of each."""
        between, after = ("；", "，") if self.language == "zh" else ("; ", ", ")
        sides = []
        for rival in self.rivals:
            metadata = rival.hit.metadata
            facts = (f"《{metadata.title or rival.hit.source}》", metadata.issuer, metadata.published)
            origin = after.join(fact for fact in facts if fact)
            sides.append(self.wording.say("side", figure=self._figure(rival), origin=origin))
        return between.join(sides)

    def nearest(self, candidates: Sequence[Candidate]) -> tuple[Citation, ...]:
        """Citations of passages that come close, their sentences quoted whole, and why none of them was said."""
        found = []
        for number, candidate in enumerate(candidates, 1):
            text = self.text_of(candidate.hit.document_id, candidate.hit.version)
            citation = self.cite(candidate.hit, trim(text, *candidate.sentence), number)
            reason = candidate.difference or candidate.lacks or "unsure"
            found.append(replace(citation, reason=self.wording.say(f"reason_{reason}")))
        return tuple(found)

    def listed(self, hits: Sequence[Hit]) -> tuple[Citation, ...]:
        """Documents as citations of the first sentences of their passages, headings aside."""
        found = []
        for number, hit in enumerate(hits, 1):
            text = self.text_of(hit.document_id, hit.version)
            place = (hit.passage.start, hit.passage.end)
            sentences = [span for span in sentence_spans(text, *place) if text[span[0]] != "#"]
            first = next((span for span in sentences if span[1] - span[0] >= SENTENCE), (*sentences, place)[0])
            found.append(self.cite(hit, trim(text, *first), number))
        return tuple(found)

    def written(self, written: Written) -> Claim | None:
        """The claim of a sentence that a model wrote; None, and counted, if its sources do not bear it out."""
        known, cited = self._numbered(self._with_headers(written))
        exact = all(
            is_verbatim(each.quote, self.text_of(each.document_id, each.version), each.start, each.end)
            for each in cited
        )
        if written.problems or not cited or not exact:
            self.dropped += 1
            return None
        self.citations = known
        numbers = tuple(each.number for each in cited)
        if written.computed:
            said = self.wording.say("computed", sentence=written.text)
            return Claim(said, numbers, Checks(quote=True, numbers="computed"))
        return Claim(written.text, numbers, Checks(quote=True, numbers=True))

    def _numbered(self, spans: Iterable[tuple[Hit, Span]]) -> tuple[list[Citation], list[Citation]]:
        """All citations with those of these spans, and these; what is cited already keeps its number."""
        known = list(self.citations)
        cited: list[Citation] = []
        for hit, span in spans:
            new = self.cite(hit, span, len(known) + 1)
            same = next((each for each in known if replace(new, number=each.number) == each), None)
            known += [new] if same is None else []
            cited.append(same or new)
        return known, cited

    def _with_headers(self, written: Written) -> Iterator[tuple[Hit, Span]]:
        """What a written sentence cites; a table row with the header that names its columns."""
        for sentence in written.cited:
            yield sentence.hit, sentence.span
            yield from ((sentence.hit, span) for span in self._read_with(sentence.hit, sentence.span))

    def _read_with(self, hit: Hit, window: Span) -> list[Span]:
        """What else of a table is quoted with words of a row: the names of the columns, the row's own, the unit of all."""
        if hit.passage.kind != "row":
            return []
        text = self.text_of(hit.document_id, hit.version)
        passage = hit.passage
        beside = (header_span(text, passage), label_span(text, passage, window), unit_span(text, passage))
        return [span for span in beside if span is not None]

    def cite(self, hit: Hit, span: Span, number: int) -> Citation:
        """The citation of a span of a hit's document."""
        metadata = hit.metadata
        start, end = span
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
            section=_placed(hit.passage, start),
            page=hit.passage.page,
            start=start,
            end=end,
            quote=self.text_of(hit.document_id, hit.version)[start:end],
            link=f"/d/{hit.document_id}?version={hit.version}&start={start}&end={end}",
            kind=metadata.kind,
        )

    def _sentence(self, query: Query, candidate: Candidate, quote: str) -> str:
        """The wording of a claim over its quote, with the figure asked for, or whether it is allowed, in front."""
        if not candidate.headline or candidate.headline == quote:
            return self.wording.say(candidate.permission or "sentence", quote=quote)
        shown = self._figure(candidate, quote)
        if query.premise:
            right = any(asked.key == other.key for asked in query.premise for other in candidate.figures)
            return self.wording.say("premise_right" if right else "premise", figure=shown, quote=quote)
        return self.wording.say("figure", figure=shown, quote=quote)

    def _figure(self, candidate: Candidate, quote: str = "") -> str:
        """The figure that a candidate answers with, in the answer's language; `quote` may say how often it is given."""
        shown = candidate.headline
        if self.language == "zh":
            return shown
        per = _PER.search(quote[: quote.find(shown)]) if shown in quote else None
        english = in_english(candidate.figures[0], shown, per=per[0] if per else "")
        return english[0].upper() + english[1:]


def _placed(passage: Passage, start: int) -> tuple[str, ...]:
    """The headings above a place, and last the clause that it stands in: 第二章, 第十二条第二款第（三）项."""
    clause = passage.clause(start)
    if not clause:
        return passage.section
    article = next((depth for depth, heading in enumerate(passage.section) if clause.startswith(heading)), None)
    return (*passage.section[:article], clause)


def disagreeing(query: Query, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates of other documents that answer with other figures than the first, with it; none if all agree.

    What counts more is named first: policies before reports, higher levels, later dates.
    """
    if query.several or not candidates:
        return ()
    first = candidates[0]
    others = [
        other
        for other in candidates[1:]
        if first.headline
        and other.headline
        and first.hit.document_id != other.hit.document_id
        and {figure.key for figure in first.figures} != {figure.key for figure in other.figures}
    ]
    return tuple(sorted((first, *others), key=lambda rival: authority(rival.hit.metadata))) if others else ()
