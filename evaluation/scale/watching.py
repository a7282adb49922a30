"""What a piece of work costs: seconds, processor seconds, and memory, here and at the servers of this machine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

import psutil

from vectorstore.place import Place

_LOOK_SECONDS: Final = 2.0
"""From one look at a server's memory to the next."""

_PORTS: Final = {"postgresql": 5432, "postgres": 5432, "http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Watched:
    """A process of this machine with all that it has started."""

    process: psutil.Process

    def cpu(self) -> float:
        """Processor seconds that it has used, with those of its children that have ended."""
        total = 0.0
        for each in self._all():
            try:
                spent = each.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += spent.user + spent.system
        ended = self.process.cpu_times()
        return total + ended.children_user + ended.children_system

    def memory(self) -> int:
        """Bytes that it keeps in memory, what its processes share counted once."""
        total = 0
        for each in self._all():
            try:
                total += each.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue
        return total

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def watched_servers(place: Place) -> dict[str, Watched]:
    """The servers of a place that run on this machine and may be looked at, `database` and `chroma`."""
    found = {}
    for name, url in (("database", place.database), ("chroma", place.chroma)):
        process = _listening(url) if url else None
        if process is not None:
            found[name] = Watched(process)
    return found


def _listening(url: str) -> psutil.Process | None:
    """The process that listens at an address of this machine; its first, where there are several."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return None
    port = parts.port or _PORTS.get(parts.scheme, 0)
    pids = sorted(
        each.pid
        for each in psutil.net_connections(kind="tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr[1] == port and each.pid
    )
    return psutil.Process(pids[0]) if pids else None


@dataclass(slots=True)
class Spent:
    """Seconds on the clock, processor seconds of this process (ended children included), and of each server."""

    seconds: float = 0.0
    cpu: float = 0.0
    servers: dict[str, float] = field(default_factory=dict)

    def plain(self, share: float = 1.0) -> dict[str, float]:
        """All of it by name, times a share."""
        named = {"seconds": self.seconds, "cpu": self.cpu, **{f"{name}_cpu": cpu for name, cpu in self.servers.items()}}
        return {name: round(value * share, 4) for name, value in named.items()}


class Clock:
    """Adds up what is spent in the blocks of each stage.

    A stage that a server takes part in is given `servers`: looking at these takes a millisecond.
    """

    def __init__(self, servers: Mapping[str, Watched] | None = None) -> None:
        self.stages: dict[str, Spent] = {}
        self._servers = servers or {}

    @contextmanager
    def __call__(self, stage: str, *, servers: bool = False) -> Iterator[None]:
        spent = self.stages.setdefault(stage, Spent())
        watched = self._servers if servers else {}
        before = {name: each.cpu() for name, each in watched.items()}
        cpu, started = _own_cpu(), time.perf_counter()
        try:
            yield
        finally:
            spent.seconds += time.perf_counter() - started
            spent.cpu += _own_cpu() - cpu
            for name, each in watched.items():
                spent.servers[name] = spent.servers.get(name, 0.0) + each.cpu() - before[name]

    def plain(self) -> dict[str, dict[str, float]]:
        """What each stage took."""
        return {stage: spent.plain() for stage, spent in self.stages.items()}


class Peak:
    """The most memory that each server keeps while the block runs, in bytes, looked at every two seconds."""

    def __init__(self, servers: Mapping[str, Watched]) -> None:
        self.bytes: dict[str, int] = {}
        self._servers = servers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peak", daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        for name, each in self._servers.items():
            self.bytes[name] = max(self.bytes.get(name, 0), each.memory())


def own_memory() -> int:
    """Bytes of this process that are in memory."""
    return int(psutil.Process().memory_info().rss)


def own_peak() -> int:
    """The most that they have been; as much as now where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - no file of a disk
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return own_memory()


def mebibytes(size: float) -> float:
    """Bytes as MiB, to a tenth."""
    return round(size / 2**20, 1)


def _own_cpu() -> float:
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system
