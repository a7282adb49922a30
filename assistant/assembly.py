"""Assistant, open_assistant and ask: the stages put together over a data folder."""

from __future__ import annotations

import functools
import gc
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from assistant.answer import Answer
from assistant.errors import AssistantError, EmptyQuestion, QuestionTooLong, UnknownAnswer
from assistant.filters import checked
from assistant.lexicon import AskingWords, EnglishTable, Glossary, Regions
from assistant.model import ModelClient, ModelSettings
from assistant.question import Understanding
from assistant.reading.agreement import Agreement
from assistant.reading.candidates import Candidates
from assistant.reading.passage_reader import OnnxPassageReader, PassageReader
from assistant.reading.reader import Reader
from assistant.reranker import CrossEncoderReranker, Reranker
from assistant.retrieval import Evidence, retrieve
from assistant.rewording import Rewording
from assistant.settings import Settings
from assistant.stages import Request, Stages
from assistant.support import Support
from assistant.validity import Standing, standing_of
from assistant.words import Words, vocabulary
from assistant.writer import Writer
from vectorstore.catalog import Record
from vectorstore.encoder import load_encoder
from vectorstore.errors import StoreError, StoreLocked
from vectorstore.store import PolicyStore

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

logger = logging.getLogger(__name__)

LONGEST_QUESTION = 2000  # characters; a policy question is a sentence or two


class Assistant:
    """Answers questions over one store; safe to use from several threads."""

    def __init__(
        self,
        store: PolicyStore,
        *,
        reader: PassageReader | None = None,
        reranker: Reranker | None = None,
        model: ModelSettings | None = None,
    ) -> None:
        """Put the stages together; `reader` is the bundled passage reader by default."""
        self.store = store
        self.answered: list[Callable[[Answer], None]] = []  # told of every answer, as metrics are
        self._reranker = reranker
        self._passage_reader = reader or OnnxPassageReader()
        regions = Regions.load()
        glossary = Glossary.load()
        asking = AskingWords.load()
        words = Words(vocabulary(), asking.particles, verbs=asking.verbs, terms=(*glossary, *regions))
        self.understanding = Understanding(
            words, asking, glossary, regions, functools.cache(EnglishTable.load), self._nearness
        )
        self._standing_cache: tuple[int, Standing] | None = None
        candidates = Candidates(Agreement(regions, store.text), store.text)
        self._model = ModelClient(model) if model is not None else None
        writer = Writer(self._model, Support(self.understanding), store.text) if self._model else None
        rewording = Rewording(self._model, self.understanding) if self._model else None
        self._stages = Stages(
            store,
            self.understanding,
            self._passage_reader,
            Reader(candidates),
            self.standing,
            reranker,
            writer,
            rewording,
        )

    def __enter__(self) -> Assistant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @functools.cached_property
    def chain(self) -> Runnable[str | Mapping[str, Any], Answer]:
        """The retrieval-augmented chain as LangChain's Runnable: `invoke`, `batch`, `stream` and their async forms.

        It takes a question, or a mapping with `question` and optionally `history`, `as_of` and `filters`, as `ask` does.
        """
        from assistant.chain import chain

        return chain(self._stages, _asked)

    def close(self) -> None:
        """Close the store, and the model's connections."""
        if self._model is not None:
            self._model.close()
        self.store.close()

    def warm_up(self) -> None:
        """Get ready for many questions, which takes seconds: open the index or build it, count the frequent terms.

        What is loaded by then is spared from garbage collection, which took a fifth of a search's time.
        """
        try:
            self.store.open_index()
        except Exception:
            logger.exception("the vector index could not be opened; searches scan the catalog instead")
        self.store.count_terms()
        gc.collect()
        gc.freeze()

    def ask(
        self,
        question: str,
        *,
        history: Sequence[str] = (),
        as_of: date | str | None = None,
        filters: Mapping[str, str] | None = None,
    ) -> Answer:
        """Answer a question from the documents.

        Args:
            question: at most 2,000 characters, Chinese or English.
            history: the questions asked before it in this conversation, oldest first.
            as_of: the day the answer speaks for (ISO 8601); today by default.
            filters: only documents whose `region`, `issuer`, `kind`, `level` contains, whose `document_id` or `validity`
                (in_force, expired, not_yet, superseded, undated) is, or whose `year` covers, the value.

        Raises:
            EmptyQuestion, QuestionTooLong: the question cannot be taken.
            AssistantError: `as_of` or `filters` cannot be used.
        """
        # Without the chain around the stages: importing LangChain takes longer than a first answer.
        *_, answer = self._stages.run(_request(question, history, as_of, filters))
        self._keep(answer)
        return answer

    def stream(
        self,
        question: str,
        *,
        history: Sequence[str] = (),
        as_of: date | str | None = None,
        filters: Mapping[str, str] | None = None,
        stopped: threading.Event | None = None,
        patience: float | None = None,
    ) -> Iterator[Answer]:
        """`ask`, giving the answer as it grows: each snapshot replaces the one before, the last is the answer.

        Closing the iterator ends it between two snapshots; setting `stopped`, from any thread, ends a request to a
        language model at once. `patience` is how many seconds the question waits while others are searched and read.

        Raises:
            Busy: it waited so long; and what `ask` raises.
        """
        answer: Answer | None = None
        request = _request(question, history, as_of, filters)
        request["stopped"], request["patience"] = stopped, patience
        for answer in self.chain.stream(request):
            yield answer
        if answer is not None:
            self._keep(answer)

    def _keep(self, answer: Answer) -> None:
        self.store.catalog.keep_answer(answer.id, answer.to_dict())
        for told in self.answered:
            told(answer)

    def passages(self, question: str, *, limit: int = 10) -> tuple[Evidence, ...]:
        """The passages nearest to a question, best first, whether or not they answer it."""
        request = _request(question, (), None, None)
        query = self.understanding.understand(request["question"])
        return retrieve(self.store, query, self._passage_reader, limit=limit, reranker=self._reranker)

    def document_text(self, document_id: str, version: int) -> str:
        """The text that a citation's `start` and `end` point into.

        Raises:
            UnknownDocument: no such document or version.
        """
        return self.store.text(document_id, version)

    def documents(self) -> list[dict[str, Any]]:
        """The documents that are searched, as plain rows."""
        return [_row(record) for record in self.store.catalog.records()]

    def feedback(self, answer_id: str, *, rating: int, reason: str = "") -> None:
        """Keep a reader's verdict on an answer: `rating` is 1 or -1, `reason` free text.

        Raises:
            UnknownAnswer: no answer of this id is kept.
            AssistantError: the rating is neither 1 nor -1.
        """
        if rating not in (1, -1):
            raise AssistantError(f"A rating is 1 or -1, not {rating!r}.")
        if self.store.catalog.answer(answer_id) is None:
            raise UnknownAnswer(
                f"No answer of the id {answer_id!r} is kept; give the `id` of an answer from this data folder "
                "(the last few thousand are kept)."
            )
        self.store.catalog.add_feedback(answer_id, rating, reason.strip()[:2000])

    def _nearness(self, text: str, others: Sequence[str]) -> list[float]:
        """How near in meaning a text is to each of others (cosines)."""
        vector = self.store.encoder.encode_query(text)
        return [float(vector @ self.store.encoder.encode_query(other)) for other in others]

    def standing(self) -> Standing:
        """How the documents stand to each other now."""
        revision = self.store.catalog.revision()
        if self._standing_cache is None or self._standing_cache[0] != revision:
            self._standing_cache = (revision, standing_of(self.store.catalog.records()))
        return self._standing_cache[1]


def open_assistant(*, data_dir: str | Path | None = None, settings: Settings | None = None) -> Assistant:
    """Open the knowledge base of a data folder; one without any document gets the sample policies.

    Args:
        data_dir: the folder; ZHICE_DATA_DIR or the platform's user data folder by default.
        settings: everything at once, instead of the environment's `ZHICE_*` variables.

    Raises:
        StoreError: the folder cannot be used; the message says why and what to do.
        EncoderUnavailable, SettingError: the configured encoder or reranker cannot be loaded.
    """
    settings = settings or Settings.from_environ(os.environ, data_dir=data_dir)
    reranker = CrossEncoderReranker(settings.reranker) if settings.reranker else None
    store = PolicyStore(settings.place, encoder=load_encoder(settings.encoder))
    if settings.samples and not store.catalog.records():
        from ingest.pipeline import ingest_samples

        try:
            ingest_samples(store)
        except StoreLocked:
            logger.info("another process is taking documents in; the samples are left to it")
        except StoreError:
            store.close()
            raise
    return Assistant(store, reranker=reranker, model=settings.model)


def ask(question: str, **options: Any) -> Answer:
    """Answer one question from the default data folder; see `Assistant.ask`."""
    with open_assistant() as assistant:
        return assistant.ask(question, **options)


def _request(
    question: str, history: Sequence[str], as_of: date | str | None, filters: Mapping[str, str] | None
) -> Request:
    if not question.strip():
        raise EmptyQuestion("The question is empty; ask something about the documents.")
    if len(question) > LONGEST_QUESTION:
        raise QuestionTooLong(
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read. Shorten it."
        )
    if isinstance(as_of, str):
        try:
            as_of = date.fromisoformat(as_of)
        except ValueError as error:
            raise AssistantError(f"as_of is {as_of!r}; give a date such as 2026-01-31.") from error
    return Request(
        question=question,
        history=[earlier for earlier in history if earlier.strip()][-10:],
        as_of=as_of or date.today(),
        filters=checked(filters or {}),
    )


def _asked(asked: str | Mapping[str, Any]) -> Request:
    """The request of what the chain is given."""
    given: dict[str, Any] = {"question": asked} if isinstance(asked, str) else dict(asked)
    stopped, patience = given.pop("stopped", None), given.pop("patience", None)
    unknown = given.keys() - {"question", "history", "as_of", "filters"}
    if unknown or "question" not in given:
        raise AssistantError(
            "The chain takes a question, or a mapping with question and optionally history, as_of and filters"
            + (f", not {', '.join(sorted(map(str, unknown)))}." if unknown else "; there is no question in it.")
        )
    request = _request(given["question"], given.get("history", ()), given.get("as_of"), given.get("filters"))
    request["stopped"], request["patience"] = stopped, patience
    return request


def _row(record: Record) -> dict[str, Any]:
    metadata = record.metadata
    return {
        "document_id": record.document_id,
        "version": record.version,
        "source": record.source,
        "title": metadata.title or record.source,
        "issuer": metadata.issuer,
        "doc_no": metadata.doc_no,
        "signed": metadata.signed,
        "published": metadata.published,
        "valid_from": metadata.valid_from,
        "valid_until": metadata.valid_until,
        "region": metadata.region,
        "level": metadata.level,
        "kind": metadata.kind,
        "state": record.state,
        "collection": record.collection,
        "ingested": record.ingested,
        "notes": record.notes,
    }
