"""Spreads files over the workers of a Ray cluster; the one place that knows Ray.

What a worker, its process or its node takes with it is read again by another; what a worker says about a file is final.
"""

from __future__ import annotations

import heapq
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from ingest.cluster.messages import Answer, Failure, File, Message, PageDone, Request, Workers
from ingest.cluster.worker import About, Worker

# How often a file may lose the worker that reads it: one that ends every worker it meets must not end them all.
TRIES = 4
# A worker has the next file at hand while it reads one.
_AT_ONCE = 2
# How long to look for answers before looking for new files; the workers have some at hand meanwhile.
_LOOK_SECONDS = 0.05
# How often the cluster is asked for its size, and a worker for its pages.
_ASK_SECONDS = 1.0
# Without any worker for so long the run ends: a node takes minutes to start.
_WITHOUT_WORKERS_SECONDS = 300.0
# A worker ends its reader in a moment; one that does not answer is ended by Ray.
_CLOSE_SECONDS = 5.0
# Bytes of shared memory of a cluster of this machine's own, where Ray would take 30% of it; what exceeds it goes to disk.
_LOCAL_STORE = 512 * 2**20


_Method = TypeVar("_Method", bound=Callable[..., Any])


class Unusable(Exception):
    """The cluster cannot do the work; its text goes to the user."""


@dataclass(slots=True, eq=False)
class _Worker:
    """An actor; `ready` once it has shown that it is what was asked for."""

    actor: Any
    ready: bool = False
    tasks: list[_Task] = field(default_factory=list)  # the first one is being read


@dataclass(slots=True, eq=False)
class _Task:
    """A file on its way: waiting, with a worker, or through, its answer on the cluster or the reason why there is none."""

    number: int
    file: File
    lost: int = 0
    worker: _Worker | None = None
    answer: Any = None
    reason: str = ""


def run(request: Request, inbox: queue.Queue[File | None], outbox: queue.Queue[Message | None]) -> None:
    """Answer every file in `inbox`, in their order, until None comes.

    Raises:
        Unusable: the cluster cannot be reached, has no worker for minutes, or its workers are not what was asked for.
    """
    local = request.address == "local"
    options = {"include_dashboard": False, "object_store_memory": _LOCAL_STORE} if local else {}
    try:
        ray.init(request.address, log_to_driver=False, logging_level="error", **options)
    except Exception as error:  # Ray raises ConnectionError, RuntimeError, ValueError and its own
        raise Unusable(_first_line(error)) from error
    this = _Run(request, inbox, outbox)
    try:
        this.go()
    finally:
        this.close_workers()
        ray.shutdown()


def _method(**options: Any) -> Callable[[_Method], _Method]:
    return cast("Callable[[_Method], _Method]", ray.method(**options))


class _Actor(Worker):
    """A worker that can be asked, and ended, while it reads."""

    @_method(num_returns=2)
    def read(self, number: int, data: bytes, source: str) -> tuple[str, bytes]:
        return super().read(number, data, source)

    @_method(concurrency_group="meanwhile")
    def pages(self) -> tuple[int, int, int]:
        return super().pages()

    @_method(concurrency_group="meanwhile")
    def close(self) -> None:
        super().close()


# Ray would begin them anew elsewhere, without saying so; here they are asked first what they are.
_ACTORS: Any = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0, concurrency_groups={"meanwhile": 1})(_Actor)


class _Run:
    """One run; nothing in it is used by two threads."""

    def __init__(self, request: Request, inbox: queue.Queue[File | None], outbox: queue.Queue[Message | None]) -> None:
        self._request, self._inbox, self._outbox = request, inbox, outbox
        self._count = 0
        self._tasks: dict[int, _Task] = {}  # in the files' order, until they are handed out
        self._waiting: list[int] = []  # a heap
        self._workers: list[_Worker] = []
        self._running: dict[Any, tuple[_Worker, _Task | None, Any]] = {}  # by what tells that it is through
        self._processors = 0
        self._had_workers = time.monotonic()
        self._last_loss = "its processors are taken"
        self._asked_size = self._asked_pages = self._lost_worker = 0.0
        self._pages: tuple[int, Any] | None = None

    def go(self) -> None:
        self._look_at_size()
        while self._take_in():
            self._look_at_size()
            self._start_workers()
            self._give_out()
            self._collect()
            self._tell_pages()
            self._hand_out()

    def close_workers(self) -> None:
        """Let the workers leave nothing behind; Ray would end them by force."""
        with suppress(RayError):
            closing = [worker.actor.close.remote() for worker in self._workers if worker.ready]
            if closing:
                ray.wait(closing, num_returns=len(closing), timeout=_CLOSE_SECONDS)

    def _take_in(self) -> bool:
        """Take in the files that have come, and wait for one where there is nothing else to do; False at the end."""
        while True:
            idle = not self._tasks
            try:
                file = self._inbox.get(block=idle)
            except queue.Empty:
                return True
            if file is None:
                return False
            if idle:
                self._had_workers = time.monotonic()
            self._tasks[self._count] = _Task(self._count, file)
            heapq.heappush(self._waiting, self._count)
            self._count += 1

    def _look_at_size(self) -> None:
        now = time.monotonic()
        if now < self._asked_size + _ASK_SECONDS:
            return
        self._asked_size = now
        # A cluster that grows on demand may begin with none.
        processors = max(1, int(ray.cluster_resources().get("CPU", 0)))
        if processors != self._processors:
            self._processors = processors
            self._outbox.put(Workers(processors))

    def _start_workers(self) -> None:
        """As many as there are processors, if there are as many files."""
        now = time.monotonic()
        missing = min(self._processors, len(self._tasks)) - len(self._workers)
        # On a cluster that is just ending they would be lost at once, by the hundred.
        for _ in range(missing if now > self._lost_worker + _ASK_SECONDS else 0):
            worker = _Worker(_ACTORS.remote(self._request.encoder, self._request.module))
            self._workers.append(worker)
            self._running[worker.actor.begin.remote()] = (worker, None, None)
        if any(worker.ready for worker in self._workers):
            self._had_workers = now
        elif now > self._had_workers + _WITHOUT_WORKERS_SECONDS:
            minutes = _WITHOUT_WORKERS_SECONDS / 60
            raise Unusable(f"It gave no worker for {minutes:.0f} minutes ({self._last_loss})")

    def _give_out(self) -> None:
        """Give waiting files, the first ones first, to the workers that have the fewest."""
        while self._waiting:
            worker = min(
                (worker for worker in self._workers if worker.ready), key=lambda worker: len(worker.tasks), default=None
            )
            if worker is None or len(worker.tasks) == _AT_ONCE:
                return
            task = self._tasks[heapq.heappop(self._waiting)]
            through, answer = worker.actor.read.remote(task.number, task.file.data, task.file.source)
            self._running[through] = (worker, task, answer)
            worker.tasks.append(task)
            task.worker = worker

    def _collect(self) -> None:
        """Learn how it went with whatever is through by now; answers stay where they are."""
        if not self._running:
            return
        through, _ = ray.wait(list(self._running), timeout=_LOOK_SECONDS)
        for reference in through:
            worker, task, answer = self._running.pop(reference)
            try:
                said = ray.get(reference)
            except RayTaskError as error:
                if task is None:
                    raise Unusable(_first_line(error.cause)) from error
                task.lost += 1
                self._again(task, error.cause)
            except RayError as error:
                self._lose(worker, error)
                if task is not None:
                    self._again(task, error)
            else:
                if task is None:
                    self._check(said)
                    worker.ready = True
                else:
                    task.worker, task.reason, task.answer = None, said, answer
            if task is not None:
                worker.tasks.remove(task)

    def _check(self, about: About) -> None:
        asked = self._request
        if about.program != asked.program:
            raise Unusable(
                f"Zhice is {about.program} on its node {about.machine} and {asked.program} here; "
                "install the same version on all"
            )
        if about.encoder != asked.encoder_name:
            raise Unusable(
                f"the encoder is {about.encoder} on its node {about.machine} and {asked.encoder_name} here; "
                "ZHICE_ENCODER has to name the same model on all, by its full path"
            )

    def _lose(self, worker: _Worker, error: RayError) -> None:
        if worker not in self._workers:
            return
        self._workers.remove(worker)
        for task in worker.tasks[:1]:
            task.lost += 1
        self._last_loss, self._lost_worker = _first_line(error), time.monotonic()
        with suppress(RayError):
            ray.kill(worker.actor)  # one that only cannot be reached must not read on
        if isinstance(error, RayActorError) and "failed to import" in str(error):
            raise Unusable("Zhice cannot be imported on its nodes; install the same version on all") from error

    def _again(self, task: _Task, error: BaseException) -> None:
        """Let a file wait for another worker; one that lost several while they read it is given up."""
        task.worker = task.answer = None
        if task.lost < TRIES:
            heapq.heappush(self._waiting, task.number)
        else:
            task.reason = (
                f"The cluster lost it {task.lost} times while it was read ({_first_line(error)}); add it without --ray."
            )

    def _tell_pages(self) -> None:
        """Ask how far the file is that is to be answered next."""
        now, first = time.monotonic(), next(iter(self._tasks.values()), None)
        if self._pages is not None:
            number, asked = self._pages
            if ray.wait([asked], timeout=0)[0]:
                self._pages = None
                with suppress(RayError):
                    of, done, total = ray.get(asked)
                    if first is not None and of == number == first.number and not self._outbox.full():
                        self._outbox.put(PageDone(done, total))
        elif first is not None and first.worker is not None and now > self._asked_pages + _ASK_SECONDS:
            self._asked_pages = now
            pages = first.worker.actor.pages.remote()
            self._pages = (first.number, pages)

    def _hand_out(self) -> None:
        """Hand out answers, as long as they are taken; only now they leave the cluster."""
        while self._tasks and not self._outbox.full():
            task = next(iter(self._tasks.values()))
            if task.reason:
                message: Message = Failure(task.reason)
            elif task.answer is not None:
                try:
                    message = Answer(ray.get(task.answer))
                except RayError as error:  # its node is gone
                    task.lost += 1
                    self._again(task, error)
                    return
            else:
                return
            self._outbox.put(message)
            del self._tasks[task.number]


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
