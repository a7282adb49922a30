"""Files read in a process of their own, so that a damaged or hostile one costs a message and not the service.

The process is limited in memory and time (`ingest/isolation/limits.py`), gets no secrets, and answers in JSON that is
checked value by value. It is kept for the next file and replaced after whatever may have harmed it.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from ingest.errors import UnreadableDocument
from ingest.isolation.answers import Done, Failed, OutOfMemory, PageDone, Unreadable
from ingest.isolation.process import ChildProcess, ReaderGone
from ingest.readers import MAX_BYTES
from vectorstore.passage import Document, Passage

Prepared = tuple[Document, tuple[Passage, ...]]
PageProgress = Callable[[int, int], None]
"""Called while text is recognised with how many pages are done and how many there are, on a thread of the reader."""

# The slowest ordinary document took some seconds, a page of text recognition takes 2 to 5.
SECONDS = 60.0
# As many pages as text recognition reads at most (`ingest/readers/ocr.py`), on a machine a few times slower.
OVERALL_SECONDS = 3600.0

_BROKEN_OFF = "Reading it was broken off; add it again."

_LOGGER = logging.getLogger(__name__)


class _DiedWaiting(UnreadableDocument):
    """The process was gone before it had the file, which has no part in that."""


class IsolatedReader:
    """Does what `ingest.preparing.prepare` does, in processes that are limited and can be lost.

    Use it as a context manager: leaving it ends the processes, with whatever they are reading. The first process
    starts with the first file, so that a run in which every file is known starts none.

    Args:
        workers: how many files are read at once, each by a process of its own.
        seconds: the time a file may take, begun anew with every page of which the text was recognised.
        overall_seconds: the time a file may take in any case.
        module: the module whose `prepare` the processes run.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        seconds: float = SECONDS,
        overall_seconds: float = OVERALL_SECONDS,
        module: str = "ingest.preparing",
    ) -> None:
        self._seconds, self._overall_seconds, self._module = seconds, overall_seconds, module
        # Its threads live as long as the reader; a process ends with the thread that started it.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="isolated-reader")
        self._places: queue.LifoQueue[ChildProcess | None] = queue.LifoQueue()
        for _ in range(workers):
            self._places.put(None)
        self._running: set[ChildProcess] = set()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; files still being read or waiting fail."""
        self._closed = True
        for process in tuple(self._running):
            process.end()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in tuple(self._running):
            process.end()

    def prepare(self, data: bytes, source: str, *, on_page: PageProgress | None = None) -> Prepared:
        """A file's bytes to a document and its passages.

        Raises:
            UnreadableDocument: with the reason and what to do; a limit that was reached is one.
        """
        return self.submit(data, source, on_page=on_page).result()

    def submit(self, data: bytes, source: str, *, on_page: PageProgress | None = None) -> Future[Prepared]:
        """Begin what `prepare` does; the caller can store one file while the next one is read."""
        return self._threads.submit(self._read, data, source, on_page)

    def _read(self, data: bytes, source: str, on_page: PageProgress | None) -> Prepared:
        if len(data) > MAX_BYTES:
            raise UnreadableDocument(
                f"It is {len(data) / 2**20:.1f} MiB and the limit is {MAX_BYTES // 2**20} MiB; split it into smaller files."
            )
        process = self._places.get()
        try:
            if self._closed:
                raise UnreadableDocument(_BROKEN_OFF)
            try:
                process = process or self._started()
                answer = self._asked(process, data, source, on_page)
            except _DiedWaiting:
                self._discard(process)
                process = self._started()
                answer = self._asked(process, data, source, on_page)
            if answer.last:
                self._discard(process)
                process = None
        except BaseException:
            self._discard(process)
            process = None
            raise
        finally:
            self._places.put(process)
        return _result(answer)

    def _asked(
        self, process: ChildProcess, data: bytes, source: str, on_page: PageProgress | None
    ) -> Done | Unreadable | OutOfMemory | Failed:
        """The final answer for one file; on the way, every page that it reports gives it more time."""
        pages_done = 0
        try:
            for answer in process.answers(data, source, seconds=self._seconds, overall=self._overall_seconds):
                if not isinstance(answer, PageDone):
                    return answer
                # Only true progress buys time: pages count up to their total.
                if not pages_done < answer.done <= answer.total:
                    raise ReaderGone("answer")
                pages_done = answer.done
                if on_page is not None:
                    on_page(answer.done, answer.total)
            raise ReaderGone("ended")
        except ReaderGone as gone:
            if gone.why == "idle":
                raise _DiedWaiting(self._reason(gone)) from gone
            _LOGGER.warning("The process that read a file was ended: %s.", gone.why)
            raise UnreadableDocument(self._reason(gone)) from gone

    def _reason(self, gone: ReaderGone) -> str:
        if gone.why == "time":
            return (
                f"Reading it took more than {self._seconds:.0f} s, which no ordinary document needs; "
                "split it or save it again."
            )
        if gone.why == "overall":
            return f"Reading it took more than {self._overall_seconds / 60:.0f} minutes; split it into parts."
        if gone.why == "memory":
            return _memory_reason("it may")
        if gone.why == "closed":
            return _BROKEN_OFF
        return (
            "Its reader ended abnormally, as a damaged or hostile file can make it; save it again with the program it "
            "comes from, and add that."
        )

    def _started(self) -> ChildProcess:
        try:
            process = ChildProcess(self._module)
        except OSError as error:
            raise UnreadableDocument(f"No process could be started to read it: {error.strerror}.") from error
        self._running.add(process)
        # Asked after it is known to `close`, so that one of both ends it.
        if self._closed:
            self._discard(process)
            raise UnreadableDocument(_BROKEN_OFF)
        return process

    def _discard(self, process: ChildProcess | None) -> None:
        if process is not None:
            process.end()
            self._running.discard(process)


def _result(answer: Done | Unreadable | OutOfMemory | Failed) -> Prepared:
    if isinstance(answer, Done):
        return answer.document, answer.passages
    if isinstance(answer, Unreadable):
        raise UnreadableDocument(answer.reason)
    if isinstance(answer, OutOfMemory):
        raise UnreadableDocument(_memory_reason(f"{answer.limit // 2**20} MiB"))
    _LOGGER.warning("A reader failed: %s.", answer.error)
    raise UnreadableDocument(
        "Its reader failed, so it is damaged or of a variant that is not known; save it again with the program it "
        "comes from, and add that."
    )


def _memory_reason(limit: str) -> str:
    return f"Reading it took more memory than {limit}, which no ordinary document needs; split it or save it again."
