"""Evidence -> written claims with a language model: prompt | model | parser, and nothing is believed that is not checked.

The evidence is sent as single sentences, each under a handle that is issued for this answer only. What comes back is
read as it comes: a sentence counts once its handles are known and its sources bear it out.
"""

from __future__ import annotations

import re
import secrets
import string
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Final, Literal

from assistant.model import Exchange, ModelClient
from assistant.quoting import trim
from assistant.retrieval import Evidence
from assistant.sums import calculate, repeated
from assistant.support import Source, Support
from assistant.table_rows import named_row, row_clauses
from assistant.writing.reply import MARK, SHORTEST, Parser, Said
from prompts import load_prompts
from vectorstore.packing import context_texts
from vectorstore.passage import Hit, Span
from vectorstore.segmentation import sentence_spans

ASKED_FOR: Final = 6  # sentences that a model is asked for, at most
MOST_SENTENCES: Final = 12  # that are read of its reply
ATTRIBUTED: Final = 4  # sentences of the evidence that one without a handle is compared with
BEFORE: Final = 200  # characters before a sentence in which its subject may stand
NONE: Final = "NO_BASIS"

_LINK = re.compile(r"https?:|www\.|\]\(|<\s*[a-z!/]", re.IGNORECASE)
_BRACKETS = str.maketrans("[]", "〔〕")


@dataclass(frozen=True, slots=True)
class Issued:
    """A sentence of the evidence that may be cited."""

    hit: Hit
    span: Span


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence of the reply with what it cites; `problems` says why it is not to be shown as it is.

    `computed` tells that it ends with a result which was calculated from figures of what it cites.
    """

    text: str
    cited: tuple[Issued, ...]
    problems: tuple[str, ...]
    computed: bool = False


def _read(parser: Parser, piece: str | None) -> list[Said]:
    """The sentences that a piece of the reply completes; None is its end."""
    return parser.end() if piece is None else parser.feed(piece)


class Writer:
    """Writes claims over evidence with a model; `text_of` gives a document's text by id and version."""

    def __init__(self, client: ModelClient, support: Support, text_of: Callable[[str, int], str]) -> None:
        self._client = client
        self._support = support
        self._text_of = text_of

    @property
    def name(self) -> str:
        """The model's name, as it was set."""
        return self._client.settings.name

    def exchange(self, stopped: threading.Event | None) -> Exchange:
        """The talk about one answer, which begins now; setting `stopped` ends it."""
        return self._client.exchange(stopped)

    def write(
        self, question: str, language: Literal["zh", "en"], evidence: Sequence[Evidence], exchange: Exchange
    ) -> Iterator[Written]:
        """The sentences of the reply as they are completed, each checked; none if the model sees no basis.

        `question` can be read without the conversation; the reply is in `language`.

        Raises:
            ModelFault: no reply, or none to the end; what was given before stands.
        """
        issued = self.issue(evidence)
        prompts = load_prompts(language)
        fence = f"<<<{secrets.token_hex(4)}>>>"
        handles = list(issued)
        examples = {"first": handles[0], "second": handles[min(1, len(handles) - 1)]}
        system = prompts.say("system", fence=fence, none=NONE, most=ASKED_FOR, **examples)
        asked = prompts.say(
            "question", fence=fence, evidence=self._listing(issued), question=question.translate(_BRACKETS)
        )
        parser, count = Parser(handles[0][:MARK]), 0
        with closing(self._client.stream([("system", system), ("human", asked)], exchange)) as pieces:
            complete = (said for piece in chain(pieces, (None,)) for said in _read(parser, piece))
            for said in complete:
                if NONE in said.text:
                    return
                if count >= MOST_SENTENCES:
                    exchange.shortened = True
                    return
                count += 1
                yield self._checked(said, issued, language)

    def issue(self, evidence: Sequence[Evidence]) -> dict[str, Issued]:
        """The sentences of the evidence by handle, the best passages first, as many as the budget holds."""
        mark = "".join(secrets.choice(string.ascii_lowercase) for _ in range(MARK))
        issued: dict[str, Issued] = {}
        left = self._client.settings.budget
        for item in evidence:
            text = self._text_of(item.hit.document_id, item.hit.version)
            passage = item.hit.passage
            row = passage.kind == "row"  # its cells are read together
            for span in [(passage.start, passage.end)] if row else sentence_spans(text, passage.start, passage.end):
                span = trim(text, *span)
                left -= span[1] - span[0]  # a Chinese character is about a token
                if left < 0 and issued:
                    return issued
                if span[1] - span[0] >= SHORTEST:
                    issued[f"{mark}{len(issued) + 1}"] = Issued(item.hit, span)
        return issued

    def _listing(self, issued: dict[str, Issued]) -> str:
        """The evidence as the model sees it; brackets of its own cannot pass for handles."""
        lines: list[str] = []
        title = None
        for handle, sentence in issued.items():
            hit = sentence.hit
            head = " · ".join(
                part for part in (f"《{hit.metadata.title or hit.source}》", hit.metadata.issuer,
                                  hit.metadata.published, *hit.passage.section[-2:]) if part
            )  # fmt: skip
            if head != title:
                lines.append(f"# {head.translate(_BRACKETS)}")
                title = head
            words = self._told(sentence) or self._text_of(hit.document_id, hit.version)[slice(*sentence.span)]
            lines.append(f"[{handle}] {' '.join(words.split()).translate(_BRACKETS)}")
        return "\n".join(lines)

    def _checked(self, said: Said, issued: dict[str, Issued], language: Literal["zh", "en"]) -> Written:
        known = tuple(issued[handle] for handle in dict.fromkeys(said.handles) if handle in issued)
        problems = [f"[{handle}] was never issued" for handle in said.handles if handle not in issued]
        if not said.handles:
            known = self._attributed(said.text, issued)
        if not known:
            problems.append("it cites nothing")
        if _LINK.search(said.text):
            problems.append("it holds a link or markup, even if its source does")
        calculation = calculate(said.text, language)
        if known:
            claim = calculation.operands if calculation else said.text
            sources = [self._source(sentence) for sentence in known]
            problems += self._support.problems(claim, sources)
            if calculation:
                problems += repeated(claim, [source.words for source in sources])
        if calculation is None:
            return Written(said.text, known, tuple(problems))
        return Written(calculation.said, known, (*problems, *calculation.problems), computed=True)

    def _attributed(self, text: str, issued: dict[str, Issued]) -> tuple[Issued, ...]:
        """The sentence of the evidence that bears out one without a handle, if one does: small models often cite nothing."""
        pairs = set(pairwise(text))
        sources = [(sentence, self._source(sentence)) for sentence in issued.values()]
        sources.sort(key=lambda found: -len(pairs & set(pairwise(found[1].words))))
        bears = (sentence for sentence, source in sources[:ATTRIBUTED] if not self._support.problems(text, [source]))
        return tuple(islice(bears, 1))

    def _source(self, sentence: Issued) -> Source:
        hit, (start, end) = sentence.hit, sentence.span
        text = self._text_of(hit.document_id, hit.version)
        metadata = hit.metadata
        around = (
            metadata.title or hit.source, metadata.issuer or "", metadata.region or "", *hit.passage.section,
            *context_texts(text, hit.passage.context), text[max(hit.passage.start, start - BEFORE) : start],
        )  # fmt: skip
        return Source(text[start:end], "\n".join(around), self._told(sentence))

    def _told(self, sentence: Issued) -> str:
        """What only the place of a sentence tells: a table row with its columns' names; nothing for others."""
        if sentence.hit.passage.kind != "row":
            return ""
        text = self._text_of(sentence.hit.document_id, sentence.hit.version)
        return named_row(text, sentence.hit.passage, row_clauses(text, sentence.hit.passage))
