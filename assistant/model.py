"""The language model of a deployment: by LangChain's names of providers, within deadlines, and its faults by name.

Nothing of a provider is imported before a model is set and asked.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from assistant.errors import ModelFault, SettingError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

logger = logging.getLogger(__name__)

# Extras of this package by LangChain's name of the provider; any other provider's package can be installed by itself.
EXTRAS: Final = {"openai": "zhice[openai]", "ollama": "zhice[ollama]"}

LONGEST_REPLY = 8000  # characters after which a reply is taken for endless
BACK_OFF = 0.5  # seconds before the one retry, if the endpoint does not name its own
FAILURES = 3  # in a row, after which an endpoint is left alone
REST = 30.0  # seconds for which it is
SHORTEST_REPEATED = 6  # characters by which an error is seen to repeat what was sent; a question has more
POLL = 0.1  # seconds after which it is looked whether somebody still waits for the answer

COUNTED: Final = ("requests", "characters_sent", "characters_received", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model to ask, and for how long; `repr` never shows the key.

    `name` is `provider:model` as LangChain's `init_chat_model` takes it. Times are in seconds: to connect, to the first
    token, and for a whole reply. `budget` is how many tokens of evidence are sent for an answer.
    """

    name: str
    base_url: str | None = None
    api_key: str | None = None
    connect: float = 5.0
    first_token: float = 20.0
    whole: float = 60.0
    budget: int = 3000

    def __repr__(self) -> str:
        key = "set" if self.api_key else "not set"
        return f"ModelSettings(name={self.name}, base_url={self.base_url}, api_key={key})"


@dataclass(slots=True)
class Exchange:
    """One answer's talk with a model: until when it may last (in `time.monotonic` seconds), and what it took.

    Setting `stopped` ends it: nobody waits for the answer any more. `shortened` tells that not all of the reply was read. Tokens are counted where the endpoint counts them, characters always.
    """

    until: float
    stopped: threading.Event = field(default_factory=threading.Event)
    requests: int = 0
    characters_sent: int = 0
    characters_received: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    shortened: bool = False

    def usage(self) -> dict[str, int]:
        """What it took; empty if nothing was asked."""
        counts = {name: getattr(self, name) for name in COUNTED}
        return {name: count for name, count in counts.items() if count}


def load_model(settings: ModelSettings) -> BaseChatModel:
    """The chat model that the settings name; it is not called.

    Raises:
        SettingError: no such provider, or its package is not installed; the message names what to install.
    """
    provider, _, name = settings.name.partition(":")
    if not name:
        raise SettingError(
            f"ZHICE_MODEL is {settings.name!r}; give provider and model, for instance openai:deepseek-chat or ollama:qwen3."
        )
    import httpx
    from langchain.chat_models import init_chat_model

    timeout = httpx.Timeout(settings.whole, connect=settings.connect)
    # No connection outlives its request, so that cancelling an answer leaves none behind.
    limits = httpx.Limits(max_keepalive_connections=0)
    options: dict[str, Any] = {"temperature": 0}
    if settings.base_url:
        options["base_url"] = settings.base_url
    if provider == "ollama":
        options["client_kwargs"] = {"timeout": timeout, "limits": limits}
    else:
        options |= {"max_retries": 0, "timeout": timeout}
        if settings.api_key:
            options["api_key"] = settings.api_key
    if provider == "openai":
        options["http_async_client"] = httpx.AsyncClient(timeout=timeout, limits=limits)
        options["api_key"] = settings.api_key or "none"  # local servers take any, the client refuses an empty one
    try:
        model: BaseChatModel = init_chat_model(name, model_provider=provider, **options)
    except ImportError as error:
        package = EXTRAS.get(provider, f"langchain-{provider.replace('_', '-')}")
        raise SettingError(
            f"ZHICE_MODEL is {settings.name}, but the package for {provider} is not installed: pip install '{package}'."
        ) from error
    except Exception as error:
        raise SettingError(
            f"ZHICE_MODEL is {settings.name}, which cannot be set up: {_first_line(error, settings)}. Check the provider's "
            "name, ZHICE_BASE_URL and ZHICE_API_KEY."
        ) from error
    return model


class Breaker:
    """Leaves an endpoint alone for REST seconds after FAILURES in a row."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def check(self) -> None:
        """Raises: ModelFault while the endpoint is left alone."""
        with self._guard:
            if self._clock() < self._until:
                raise ModelFault("circuit_open", "the model failed repeatedly and is left alone for a moment")

    def succeeded(self) -> None:
        with self._guard:
            self._failures = 0

    def failed(self) -> None:
        with self._guard:
            self._failures += 1
            if self._failures >= FAILURES:
                self._until = self._clock() + REST
                self._failures = 0


class ModelClient:
    """Asks one model; safe to use from several threads. Its requests run on an event loop of its own."""

    def __init__(self, settings: ModelSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.breaker = Breaker(clock)
        self._guard = threading.Lock()
        self._model: BaseChatModel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        """Stop the event loop; what is still asked ends with a fault."""
        with self._guard:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is not None and thread is not None:
            with suppress(Exception):
                asyncio.run_coroutine_threadsafe(self._end(), loop).result(timeout=5)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=5)

    async def _end(self) -> None:
        """Cancel what is still asked, and close the connections."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        http = getattr(self._model, "http_async_client", None)
        if http is not None:
            await http.aclose()
        await asyncio.sleep(0)  # transports close in the loop's next round

    def ping(self) -> None:
        """One real request, up to its first piece.

        Raises:
            ModelFault: it failed; the message says what to look at.
        """
        with closing(self.stream([("human", "Say OK.")], self.exchange())) as pieces:
            next(pieces, None)

    def exchange(self, stopped: threading.Event | None = None) -> Exchange:
        """An exchange that begins now; setting `stopped` ends it."""
        return Exchange(time.monotonic() + self.settings.whole, stopped or threading.Event())

    def stream(self, messages: Sequence[tuple[str, str]], exchange: Exchange, *, share: float = 1.0) -> Generator[str]:
        """The pieces of a reply to messages, each a role and its text, as they come; closing the iterator ends the request.

        It may take `share` of the exchange's time.

        Raises:
            ModelFault: with what went wrong, within the deadlines.
        """
        self.breaker.check()
        seconds = min(exchange.until - time.monotonic(), share * self.settings.whole)
        if seconds <= 0:
            raise ModelFault("timeout", f"the answer took longer than {self.settings.whole:g} s")
        exchange.characters_sent += sum(len(text) for _, text in messages)
        pieces: queue.Queue[str | ModelFault | None] = queue.Queue()
        task = asyncio.run_coroutine_threadsafe(self._fill(messages, pieces, seconds, exchange), self._running())
        try:
            while True:
                if exchange.stopped.is_set():
                    raise ModelFault("cancelled", "the request was cancelled")
                try:
                    piece = pieces.get(timeout=POLL)
                except queue.Empty:
                    # The coroutine keeps the deadlines; the margin is for a loop that was stopped.
                    if time.monotonic() > exchange.until + 5:
                        self.breaker.failed()
                        raise ModelFault("timeout", "the model's reply did not end in time") from None
                    continue
                if piece is None:
                    self.breaker.succeeded()
                    return
                if isinstance(piece, ModelFault):
                    self.breaker.failed()
                    raise piece
                exchange.characters_received += len(piece)
                yield piece
        finally:
            task.cancel()

    async def _fill(
        self,
        messages: Sequence[tuple[str, str]],
        pieces: queue.Queue[str | ModelFault | None],
        seconds: float,
        exchange: Exchange,
    ) -> None:
        try:
            async with asyncio.timeout(seconds):
                for attempt in (1, 2):
                    exchange.requests += 1
                    try:
                        async for piece in self._pieces(messages, exchange):
                            pieces.put(piece)
                        break
                    except ModelFault as fault:
                        if attempt == 2 or not fault.again or fault.wait > self.settings.first_token:
                            raise
                        await asyncio.sleep(fault.wait or BACK_OFF)
            pieces.put(None)
        except ModelFault as fault:
            pieces.put(fault)
        except TimeoutError:
            pieces.put(ModelFault("timeout", f"the reply took longer than {seconds:.3g} s"))
        except asyncio.CancelledError:
            pieces.put(ModelFault("cancelled", "the request was cancelled"))
            raise

    async def _pieces(self, messages: Sequence[tuple[str, str]], exchange: Exchange) -> AsyncIterator[str]:
        """One attempt; a fault before the first piece may be tried again."""
        length = 0
        try:
            async with aclosing(self._loaded().astream(messages)) as stream:  # type: ignore[type-var]
                chunks = aiter(stream)
                while True:
                    async with asyncio.timeout(None if length else self.settings.first_token):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        break
                    counted = chunk.usage_metadata
                    exchange.input_tokens += counted["input_tokens"] if counted else 0
                    exchange.output_tokens += counted["output_tokens"] if counted else 0
                    piece = chunk.text if isinstance(chunk.text, str) else str(chunk.content)
                    if not piece:
                        continue
                    length += len(piece)
                    yield piece
                    if length > LONGEST_REPLY:
                        raise ModelFault("endless", "the reply did not come to an end")
        except (ModelFault, asyncio.CancelledError, GeneratorExit):
            raise
        except SettingError as error:
            raise ModelFault("setting", str(error)) from error
        except TimeoutError:
            raise ModelFault("timeout", f"no token came within {self.settings.first_token:g} s") from None
        except Exception as error:
            sent = "\n".join(text for _, text in messages)
            raise fault_of(error, self.settings, again=not length, sent=sent) from error
        if not length:
            raise ModelFault("empty", "the reply was empty", again=True)

    def _loaded(self) -> BaseChatModel:
        if self._model is None:
            self._model = load_model(self.settings)
        return self._model

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="model", daemon=True)
                self._thread.start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        with suppress(Exception):
            loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def fault_of(error: Exception, settings: ModelSettings, *, again: bool, sent: str = "") -> ModelFault:
    """What a provider's error means, in words that name the setting to look at; `again`: nothing was said yet.

    What was `sent` is left out of them: they are logged, and a log holds no question and no document.
    """
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    where = settings.base_url or "the provider's address"
    if status is not None:
        return _refused(int(status), response, _first_line(error, settings), where, settings, again=again, sent=sent)
    causes = list(_causes(error))
    text = " ".join(f"{type(cause).__name__} {cause}" for cause in causes)
    if re.search(r"CERTIFICATE|SSL", text):
        return ModelFault("tls", f"the certificate of {where} cannot be trusted; check ZHICE_BASE_URL")
    if re.search(r"getaddrinfo|Name or service|name resolution", text):
        return ModelFault("dns", f"the host of {where} is not known; check ZHICE_BASE_URL")
    if any("Timeout" in type(cause).__name__ for cause in causes):
        return ModelFault("timeout", f"{where} did not answer in time", again=again)
    if any("Connect" in type(cause).__name__ for cause in causes):
        return ModelFault("unreachable", f"{where} cannot be reached; check ZHICE_BASE_URL", again=again)
    said = _unsent(_first_line(error, settings), sent)
    return ModelFault("broken", f"the reply could not be read: {said}", again=again)


def _refused(
    status: int, response: object, said: str, where: str, settings: ModelSettings, *, again: bool, sent: str
) -> ModelFault:
    if status in (401, 403):
        return ModelFault("unauthorised", f"{where} refused the key (HTTP {status}); check ZHICE_API_KEY")
    if status == 404:
        return ModelFault("unknown_model", f"{where} does not know {settings.name} (HTTP 404); check ZHICE_MODEL")
    if status == 429:
        wait = _retry_after(response)
        return ModelFault("rate_limited", f"{where} is asked too often (HTTP 429)", again=again, wait=wait)
    if status >= 500:
        return ModelFault("server_error", f"{where} failed (HTTP {status})", again=again)
    if re.search(r"context.{0,20}length|maximum context", said, re.IGNORECASE):
        return ModelFault("context_length", f"the evidence is too long for {settings.name}; lower ZHICE_MODEL_TOKENS")
    return ModelFault("refused", f"{where} refused the request (HTTP {status}): {_unsent(said, sent)}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _retry_after(response: object) -> float:
    headers = getattr(response, "headers", None) or {}
    value = str(headers.get("retry-after", ""))
    return float(value) if value.replace(".", "", 1).isdigit() else 0.0


def _unsent(said: str, sent: str) -> str:
    """What an endpoint said, with what it repeats of the request left out."""
    told, place = "", 0
    while place < len(said):
        end = place + SHORTEST_REPEATED
        if said[place:end] not in sent or end > len(said):
            told, place = told + said[place], place + 1
            continue
        while end < len(said) and said[place : end + 1] in sent:
            end += 1
        told, place = told + "…", end
    return told


def _first_line(error: Exception, settings: ModelSettings) -> str:
    line = str(error).strip().partition("\n")[0][:200]
    return line.replace(settings.api_key, "…") if settings.api_key else line
