"""The stages from a question to its answer, plain functions each: understand, retrieve, read, answer."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NotRequired, TypedDict

from assistant.answer import Answer, Claim, Status, Warning
from assistant.composing import Composer, disagreeing
from assistant.errors import Busy, ModelFault
from assistant.fields import Fields
from assistant.filters import admitted, said_in
from assistant.model import Exchange
from assistant.question import Query, Understanding
from assistant.reading.passage_reader import PassageReader
from assistant.reading.reader import Draft, Reader
from assistant.reranker import Reranker
from assistant.retrieval import Evidence, retrieve
from assistant.rewording import Rewording
from assistant.validity import Standing, is_second_hand, source_warnings
from assistant.writer import Writer
from prompts import Wording, load_wording
from vectorstore.passage import Hit
from vectorstore.store import PolicyStore

logger = logging.getLogger(__name__)

# The chance that the best sentence answers, from which a language model is asked: it understands wordings that the tables
# do not know, and what it writes is checked all the same.
WORTH_WRITING = 0.3

LISTED = 10  # documents that are named
ON_TOPIC = 0.2  # the reader's relevance from which a passage makes its document one on a topic

# By what a question waits longer where a cross-encoder judges passages, which takes seconds instead of hundredths of one.
RERANKING = 20


class Request(TypedDict):
    """What the stages take: a question, the questions asked before it (oldest first), the day it speaks for.

    Once `stopped` is set nobody waits for the answer any more, and the language model is asked no further. `patience` is how
    many seconds the question waits for others to be searched and read; without it, as long as it takes.
    """

    question: str
    history: Sequence[str]
    as_of: date
    filters: Mapping[str, str]
    stopped: NotRequired[threading.Event | None]
    patience: NotRequired[float | None]


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found for one part of a question."""

    query: Query
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class State:
    """What the stages hand on; each fills in its part."""

    request: Request
    query: Query | None = None
    findings: tuple[Findings, ...] = ()
    drafts: tuple[Draft, ...] = ()
    elapsed_ms: Mapping[str, float] = field(default_factory=dict)


class Stages:
    """The stages over one store; `run` is their order."""

    def __init__(
        self,
        store: PolicyStore,
        understanding: Understanding,
        passage_reader: PassageReader,
        reader: Reader,
        standing: Callable[[], Standing],
        reranker: Reranker | None = None,
        writer: Writer | None = None,
        rewording: Rewording | None = None,
    ) -> None:
        self._store = store
        self._understanding = understanding
        self._passage_reader = passage_reader
        self._reader = reader
        self._standing = standing
        self._reranker = reranker
        self._writer = writer
        self._fields = Fields(store.hit_at, store.text)
        self._rewording = rewording
        # Both are computing: with 32 questions at once the threads kept each other and the server's event loop waiting,
        # and answers took three times as long; and the passage reader takes all cores. So one question is searched for
        # and its passages read, while another's answer is chosen.
        self._searching, self._choosing = threading.BoundedSemaphore(), threading.BoundedSemaphore()

    def run(self, request: Request) -> Iterator[Answer]:
        """The stages in order, giving the answer as it grows; each snapshot replaces the one before."""
        return self.answer(self.read(self.retrieve(self.understand(request))))

    def understand(self, request: Request) -> State:
        """Request -> query."""
        started = time.perf_counter()
        query = self._understood(request["question"], request["history"])
        return State(request, query, elapsed_ms={"understand": _since(started)})

    def _understood(self, question: str, history: Sequence[str] = ()) -> Query:
        """The query of a question, what it says of the documents to answer from kept apart."""
        rest, filters = said_in(" ".join(question.split()))
        query = self._understanding.understand(rest, history)
        if not filters:
            return query
        standalone = question if query.standalone == rest else query.standalone
        return replace(query, question=question, standalone=standalone, filters=filters)

    def retrieve(self, state: State) -> State:
        """Query -> evidence."""
        started = time.perf_counter()
        query = _known(state.query)
        patience = state.request.get("patience")
        if query.small_talk and not query.topic:
            found = [Findings(query, ())]
        else:
            with _turn(self._searching, patience and patience * (RERANKING if self._reranker else 1)):
                found = [
                    Findings(part, self._found(part, query.filters, state.request)) for part in query.parts or (query,)
                ]
        return replace(state, findings=tuple(found), elapsed_ms=_spent(state, "retrieve", started))

    def _found(self, query: Query, said: Mapping[str, str], request: Request) -> tuple[Evidence, ...]:
        """The evidence from the documents asked for; what the question says itself counts where some document is so."""
        day = request["as_of"].isoformat()
        asked, said = request["filters"], {**said, **request["filters"]}
        for filters in (said, asked) if said != asked else (asked,):
            documents = admitted(self._standing(), filters, day)
            evidence = retrieve(self._store, query, self._passage_reader, documents=documents, reranker=self._reranker)
            if evidence:
                break
        return evidence

    def read(self, state: State) -> State:
        """Evidence -> drafts."""
        started = time.perf_counter()
        day, standing = state.request["as_of"].isoformat(), self._standing()
        hits = [item.hit for found in state.findings for item in found.evidence]
        stale = {
            hit.document_id
            for hit in hits
            if standing.state(hit.document_id, hit.metadata.valid_from, hit.metadata.valid_until, day)
            in ("expired", "not_yet", "superseded")
        }
        reports = {hit.document_id for hit in hits if is_second_hand(hit.metadata)}
        documents = admitted(standing, state.request["filters"], day)
        drafts = []
        with _turn(self._choosing, state.request.get("patience")):
            for found in state.findings:
                draft = self._reader.read(
                    found.query, found.evidence, stale=frozenset(stale), reports=frozenset(reports)
                )
                itself = self._fields.read(found.query, standing, day, documents=documents)
                drafts.append(replace(draft, chosen=(itself,), rivals=(), confidence=1.0) if itself else draft)
        return replace(state, drafts=tuple(drafts), elapsed_ms=_spent(state, "read", started))

    def answer(self, state: State) -> Iterator[Answer]:
        """Drafts -> answer: what was found, one snapshot a verified claim, then the whole."""
        started = time.perf_counter()
        query = _known(state.query)
        wording = load_wording(query.language)
        composer = Composer(wording, query.language, self._store.text)
        answer = replace(_blank(state, query), calibrated=self._reranker is None)
        exchange = self._writer.exchange(state.request.get("stopped")) if self._writer else None
        if self._rewording and exchange and self._rewording.wanted(query, state.request["history"]):
            yield replace(answer, status="partial", evidence=composer.nearest(state.drafts[0].closest))
            state = self._reworded(state, self._rewording, exchange)
            query = _known(state.query)
            answer = replace(answer, standalone_question=query.standalone, confidence=_confidence(state))
        claims: list[Claim] = []
        without: list[str] = []
        for found, draft in zip(state.findings, state.drafts, strict=True):
            said = len(claims)
            if self._writes(query, draft):
                yield replace(answer, status="partial", evidence=composer.nearest(draft.closest))
            for claim in self._claims(composer, found, draft, query, answer, exchange):
                claims.append(claim)
                answer = replace(
                    answer,
                    status="partial",
                    claims=tuple(claims),
                    citations=tuple(composer.citations),
                    text="\n".join(each.marked for each in claims),
                )
                yield answer
            if len(claims) == said:
                without.append(found.query.question)
        elapsed = _spent(state, "answer", started)
        elapsed["total"] = sum(elapsed.values())
        answer = replace(answer, elapsed_ms=elapsed, usage=exchange.usage() if exchange else {})
        if claims:
            warnings = self._warnings(answer, composer, without, wording)
            if exchange and exchange.shortened:
                warnings += (Warning("shortened", wording.say("warning_shortened")),)
            whole: Status = "partial" if without or composer.dropped else "answered"
            yield replace(answer, status=whole, warnings=warnings, generator=composer.by)
        elif query.small_talk not in ("", "other"):
            yield self._about_itself(answer, query, state, composer)
        else:
            yield self._without_claims(answer, query, state.drafts[0], composer)

    def _without_claims(self, answer: Answer, query: Query, draft: Draft, composer: Composer) -> Answer:
        """The refusal, or what to ask back, with the passages that come close."""
        wording = composer.wording
        if query.dangling:
            text = wording.say("clarify_follow_up")
        elif draft.rivals:
            text = wording.say("clarify_subject", subjects="、".join(f"《{title}》" for title in draft.rivals))
        else:
            text = wording.say("refusal")
        return replace(
            answer,
            status="clarify" if query.dangling or draft.rivals else "not_found",
            text=text,
            nearest=composer.nearest(() if query.small_talk else draft.closest),
        )

    def _about_itself(self, answer: Answer, query: Query, state: State, composer: Composer) -> Answer:
        """What is said to talk that no document answers, with the documents that it asks for."""
        name, told = query.small_talk, dict[str, object]()
        hits: list[Hit] = []
        if name == "topic":
            hits = self._on_topic(query, state.findings[0].evidence)
            told = {"topic": query.topic, "count": len(hits)}
        elif name == "documents":
            day, standing = state.request["as_of"].isoformat(), self._standing()
            admits = admitted(standing, {**query.filters, **state.request["filters"]}, day)
            records = [record for record in standing.records if admits is None or record.document_id in admits]
            places = ((record, self._store.text(record.document_id, record.version)) for record in records[:LISTED])
            found = (
                self._store.hit_at(record.document_id, record.version, len(text) - len(text.lstrip()))
                for record, text in places
            )
            hits = [hit for hit in found if hit is not None]
            told = {"count": len(records)}
        return replace(
            answer,
            status="info",
            text=composer.wording.say(name, **told) if told.get("count") != 0 else composer.wording.say(f"{name}_none"),
            nearest=composer.listed(hits[:LISTED]),
        )

    def _on_topic(self, query: Query, evidence: Sequence[Evidence]) -> list[Hit]:
        """The best passage of each document that is about a topic: by its title, or by what the reader says."""
        words = {wording for term in query.terms if term.role != "light" for wording in (term.text, *term.wordings)}
        best: dict[str, Hit] = {}
        for item in evidence:
            title = item.hit.metadata.title or item.hit.source
            if item.reading.relevance >= ON_TOPIC or any(word in title for word in words if len(word) > 1):
                best.setdefault(item.hit.document_id, item.hit)
        return list(best.values())

    def _reworded(self, state: State, rewording: Rewording, exchange: Exchange) -> State:
        """The state after searching for the model's wording of the question, unless only the question itself is answered."""
        query = _known(state.query)
        said = rewording.standalone(query, state.request["history"], exchange)
        if said is None:
            return state
        again = self.read(self.retrieve(replace(state, query=self._understood(said))))
        if _answered(state) and not _answered(again):
            return state
        return replace(again, elapsed_ms=state.elapsed_ms)  # its time is the answering's

    def _writes(self, query: Query, draft: Draft) -> bool:
        """Whether a model is asked: the evidence may hold an answer, and nothing has to be asked back first."""
        return (
            self._writer is not None
            and not (query.dangling or query.small_talk or draft.rivals)
            and any(found.agrees and found.confidence >= WORTH_WRITING for found in draft.closest)
        )

    def _claims(
        self,
        composer: Composer,
        found: Findings,
        draft: Draft,
        query: Query,
        answer: Answer,
        exchange: Exchange | None,
    ) -> Iterator[Claim]:
        """The model's sentences that their sources bear out, then the sources' own on what those leave out."""
        chosen = () if query.dangling else draft.chosen
        rivals = disagreeing(found.query, chosen)
        chosen = (*rivals, *(each for each in chosen if each not in rivals))
        written = 0
        if self._writer and exchange and self._writes(query, draft):
            composer.degraded = True
            question = found.query.standalone
            if found.query.language != answer.language:
                question = f"{answer.question} ({question})"
            try:
                for sentence in self._writer.write(question, answer.language, found.evidence, exchange):
                    claim = composer.written(sentence)
                    if claim is not None:
                        written += 1
                        composer.by, composer.degraded = self._writer.name, False
                        yield claim
            except ModelFault as fault:
                logger.warning("the language model: %s (%s)", fault, fault.code)
                composer.dropped += 1  # what it would have said further
        if not written:
            composer.dropped = 0
            yield from composer.claims(found.query, chosen)
        yield from composer.claims(found.query, composer.unsaid(found.query, chosen))

    def _warnings(
        self, answer: Answer, composer: Composer, without: Sequence[str], wording: Wording
    ) -> tuple[Warning, ...]:
        warnings = source_warnings(
            answer.citations,
            as_of=answer.as_of,
            standing=self._standing(),
            wording=wording,
        )
        if composer.rivals:
            documents = {rival.hit.document_id for rival in composer.rivals}
            numbers = tuple(each.number for each in answer.citations if each.document_id in documents)
            warnings += (Warning("conflict", wording.say("warning_conflict", sides=composer.sides()), numbers),)
        if composer.degraded:
            warnings += (Warning("degraded", wording.say("warning_degraded")),)
        if composer.dropped:
            warnings += (Warning("unverified_dropped", wording.say("warning_unverified_dropped")),)
        return warnings + tuple(Warning("no_basis", wording.say("warning_no_basis", part=part)) for part in without)


@contextmanager
def _turn(place: threading.BoundedSemaphore, patience: float | None) -> Iterator[None]:
    """Raises: Busy."""
    if not place.acquire(timeout=patience):
        raise Busy
    try:
        yield
    finally:
        place.release()


def _blank(state: State, query: Query) -> Answer:
    return Answer(
        id=uuid.uuid4().hex[:16],
        as_of=state.request["as_of"].isoformat(),
        status="not_found",
        text="",
        claims=(),
        citations=(),
        warnings=(),
        nearest=(),
        question=query.question,
        standalone_question=query.standalone,
        language=query.language,
        generator="extractive",
        confidence=_confidence(state),
    )


def _confidence(state: State) -> float:
    return min((draft.confidence for draft in state.drafts), default=0.0)


def _answered(state: State) -> bool:
    return any(draft.chosen for draft in state.drafts)


def _known(query: Query | None) -> Query:
    if query is None:
        raise ValueError("the question has not been understood yet")
    return query


def _since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def _spent(state: State, stage: str, started: float) -> dict[str, float]:
    """The milliseconds of each stage up to this one."""
    return {**state.elapsed_ms, stage: _since(started)}
